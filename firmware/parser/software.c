/* SPDX-License-Identifier: MIT */
/* See software.h. The hot path is take_frame: from a descriptor that is done to orders behind the doorbell. */
#include "parser/software.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/board.h"
#include "arch/command_line.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/pools.h"
#include "arch/timer.h"
#include "arch/traps.h"
#include "console/console.h"
#include "console/trading.h"
#include "core/bytes.h"
#include "core/engine.h"
#include "core/export.h"
#include "drivers/e1000.h"
#include "drivers/pci.h"
#include "memory/memory.h"
#include "parser/parser.h"
#include "profile/counters.h"
#include "profile/taps.h"
#include "session/ouch.h"
#include "session/segment.h"
#include "trading/run.h"
#include "trading/setup.h"

#define NS_PER_MS 1000000ul
#define TIMEOUT_MS 2000u
#define POLLS_PER_LOOK 1024u /* empty ones, until the clock and the link are looked at */
#define RESULT_PART 1400u
#define CPUID_MOVBE (1u << 22) /* CPUID.1:ECX */

/* QEMU's model passes no frame in the second after RCTL was written; asleep, an instruction-counted clock passes it at once. */
#define SETTLE_NS (1000 * NS_PER_MS)

const char *const software_words[] = {"parser", "books", "timeout_ms", NULL};

struct software {
  struct e1000 nic;
  struct parser parser;
  struct engine engine;
  struct ouch ouch;
  struct segment_stream segments;
  struct tx_slot slot; /* of the order in hand */
  struct told told;
  const struct config_header *config;
  void *export;
  uint64_t export_bytes;
  uint64_t timeout_ns;
  uint64_t work; /* time-stamp counter, while there was a frame in hand */
  uint64_t orders;
  bool books;
  bool over;
};

/* ---- Set-up */

static uint64_t number_of(const struct command_line_word *word) {
  uint64_t number = 0;
  const char *digit = word->value;
  for (; *digit >= '0' && *digit <= '9' && number < UINT32_MAX; digit++)
    number = 10 * number + (uint64_t)(*digit - '0');
  if (digit == word->value || *digit != '\0') panic("command line: %s=%s is no number", word->name, word->value);
  return number;
}

static bool choice_of(const struct command_line_word *word, const char *no, const char *yes) {
  bool chosen = command_line_equal(word->value, yes);
  if (!chosen && !command_line_equal(word->value, no)) {
    panic("command line: %s=%s is neither %s nor %s", word->name, word->value, no, yes);
  }
  return chosen;
}

static bool has_movbe(void) {
  uint32_t eax = 1, ebx, ecx = 0, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return (ecx & CPUID_MOVBE) != 0;
}

static void follow_words(struct software *software, const char *text, bool *assembly) {
  struct command_line_word word;
  software->books = true;
  software->timeout_ns = TIMEOUT_MS * NS_PER_MS;
  while (command_line_next(&text, &word) != COMMAND_LINE_END) {
    if (command_line_equal(word.name, "parser")) *assembly = choice_of(&word, "c", "asm");
    if (command_line_equal(word.name, "books")) software->books = choice_of(&word, "off", "on");
    if (command_line_equal(word.name, "timeout_ms")) software->timeout_ns = number_of(&word) * NS_PER_MS;
  }
  if (*assembly && !has_movbe()) panic("parser=asm needs a processor with MOVBE");
}

static volatile uint32_t *find_registers(void) {
  struct pci_device device;
  struct pci_bar bar;
  if (!pci_find(E1000_VENDOR, E1000_DEVICE, &device)) {
    panic("no e1000: PCI device %x:%x not found", E1000_VENDOR, E1000_DEVICE);
  }
  if (!pci_memory_bar(&device, 0, &bar) || bar.address == 0) panic("the e1000's BAR0 has no address");
  if (bar.size < E1000_REGISTER_BYTES) panic("the e1000's BAR0 has only %lu bytes", bar.size);
  if (bar.address + bar.size > MAPPED_END) panic("the e1000's BAR0 at 0x%lx is above 4 GiB", bar.address);
  pci_enable(&device);
  console_print("e1000: PCI %u:%u.%u, registers at 0x%lx\n", device.bus, device.device, device.function, bar.address);
  return (volatile uint32_t *)bar.address;
}

static unsigned ring_log2(uint32_t configured) {
  if (configured < E1000_MIN_LOG2) return E1000_MIN_LOG2;
  return configured < E1000_MAX_LOG2 ? configured : E1000_MAX_LOG2;
}

static void start_nic(struct software *software, struct range *memory) {
  const struct config_header *config = software->config;
  struct e1000_memory rings = {.receive_log2 = ring_log2(config->rx_log2), .transmit_log2 = ring_log2(config->tx_log2)};
  uint64_t in = 1ull << rings.receive_log2, out = 1ull << rings.transmit_log2;
  rings.receive = pools_take_zeroed(memory, "RX descriptors", in, sizeof *rings.receive, PAGE_BYTES);
  rings.transmit = pools_take_zeroed(memory, "TX descriptors", out, sizeof *rings.transmit, PAGE_BYTES);
  rings.receive_buffers = pools_take_zeroed(memory, "RX buffers", in, E1000_BUFFER_BYTES, PAGE_BYTES);
  rings.transmit_buffers = pools_take_zeroed(memory, "TX buffers", out, E1000_BUFFER_BYTES, PAGE_BYTES);
  rings.joined = pools_take_zeroed(memory, "joined frame", 1, E1000_FRAME_LIMIT, PAGE_BYTES);
  e1000_start(&software->nic, find_registers(), &rings, config->source_mac);
}

static void wake(void *context) { *(volatile bool *)context = true; }

static void sleep_ns(uint64_t ns) {
  volatile bool woken = false;
  struct timer timer = {.expired = wake, .context = (void *)&woken};
  timer_arm(&timer, timer_now_ns() + ns);
  while (!woken) interrupts_wait();
  (void)interrupts_disable();
}

static void set_up(struct software *software, const struct boot *boot) {
  bool assembly = false;
  follow_words(software, boot->command_line, &assembly);
  uint64_t not_work = 0; /* nobody counts yet */
  const struct config_header *config = trading_config(boot, &not_work);
  if (config->session_mode == SESSION_MODE_CONNECT) panic("configuration: run=e1000 does not connect a session");
  software->config = config;
  board_init();
  struct range memory = memory_claim();
  trading_take_core(&software->engine, &software->ouch, config, &memory);
  segment_init(&software->segments, config);
  parser_init(&software->parser, config->group_address, (uint16_t)config->group_port, assembly);
  software->told.stops = software->engine.risk.stops;
  software->export_bytes = export_limit(config);
  software->export = pools_take(&memory, "export", 1, software->export_bytes, PAGE_BYTES);
  start_nic(software, &memory);
  memory_give(memory);
  sleep_ns(SETTLE_NS);
  console_print("e1000: %u descriptors in, %u out, link %s, parser in %s, ready\n", software->nic.receive_mask + 1,
                software->nic.transmit_mask + 1, software->nic.link ? "up" : "down", assembly ? "assembly" : "C");
}

/* ---- Frames to orders */

static void send_orders(struct software *software, const struct book *book, uint64_t now_ns) {
  struct engine *engine = &software->engine;
  TAP_BEGIN(clock);
  for (uint32_t i = 0; i < engine->wanted; i++) {
    struct intent *intent = &engine->intents[i];
    if (engine_check(engine, book, now_ns, intent) != REFUSAL_NONE) continue;
    uint8_t *frame = e1000_slot(&software->nic);
    if (frame == NULL) {
      engine_unsent(engine);
      continue;
    }
    engine_sent(engine, now_ns, intent);
    ouch_encode(&software->ouch, intent, &software->slot);
    e1000_send(&software->nic, segment_build(&software->segments, &software->slot, frame));
    software->orders++;
  }
  TAP(clock, TAP_ORDER);
  e1000_doorbell(&software->nic);
  TAP(clock, TAP_DOORBELL);
}

static inline void take_line(struct software *software, const union rx_line *line, uint64_t now_ns) {
  struct engine *engine = &software->engine;
  if ((line->record.status & STATUS_EVENT) != 0) {
    engine_event(engine, line);
    return;
  }
  TAP_BEGIN(clock);
  struct change change = {0};
  enum effect effect = engine_record(engine, line, &change);
  TAP(clock, TAP_BOOK);
  if (effect != EFFECT_BOOK) return;
  enum decision decision = engine_decide(engine, &change);
  TAP(clock, TAP_DECISION);
  if (decision == DECISION_ORDER) send_orders(software, change_book(&engine->books, &change), now_ns);
}

/* The next frame with all that it leads to; false if there is none. */
static __attribute__((noinline, flatten)) bool take_frame(struct software *software) {
  struct parser *parser = &software->parser;
  uint32_t length;
  uint64_t begin = rdtsc();
  const uint8_t *frame = e1000_receive(&software->nic, &length);
  if (frame == NULL) return false;
  uint64_t now_ns = timer_tsc_ns(begin);
  TAP_BEGIN(clock);
  enum drop_reason reason = parser_open(parser, frame, length, now_ns);
  TAP(clock, TAP_HEADERS);
  if (reason == DROP_REASON_ACCEPT) {
    for (const union rx_line *line; (line = parser_next(parser)) != NULL;) {
      TAP(clock, TAP_UNPACK);
      if (software->books) take_line(software, line, now_ns);
      TAP_SKIP(clock);
    }
    software->over = parser->packet.kind == FRAME_KIND_END_OF_SESSION;
  }
  e1000_release(&software->nic);
  software->work += rdtsc() - begin;
  return true;
}

static void look_at_link(struct software *software) {
  if (!e1000_attend(&software->nic)) return;
  console_print("e1000: link %s\n", software->nic.link ? "up" : "down");
}

static void receive(struct software *software) {
  uint64_t last_ns = timer_now_ns();
  uint32_t polls = 0;
  while (!software->over) {
    if (take_frame(software)) {
      polls = 0;
      continue;
    }
    polls++;
    if (polls == 1) last_ns = timer_now_ns();
    if (polls % POLLS_PER_LOOK != 0) continue;
    tell_trading(&software->told, &software->engine);
    look_at_link(software);
    if (timer_now_ns() - last_ns <= software->timeout_ns) continue;
    console_print("e1000: no frame for %lu ms\n", software->timeout_ns / NS_PER_MS);
    return;
  }
  console_print("e1000: end of session\n");
}

/* ---- The result */

/* Until there is room, or all has left; false if that takes too long: nobody takes what is sent. */
static bool wait_for(struct software *software, bool drained) {
  uint64_t begin = timer_now_ns();
  while (drained ? !e1000_drained(&software->nic) : e1000_slot(&software->nic) == NULL) {
    if (timer_now_ns() - begin > software->timeout_ns) return false;
  }
  return true;
}

static bool send_result(struct software *software, uint64_t bytes) {
  const struct config_header *config = software->config;
  for (uint64_t offset = 0; offset < bytes; offset += RESULT_PART) {
    uint64_t part = bytes - offset < RESULT_PART ? bytes - offset : RESULT_PART;
    if (!wait_for(software, false)) return false;
    uint8_t *frame = e1000_slot(&software->nic);
    struct result_frame head = {.bytes = (uint16_t)part, .offset = (uint32_t)offset, .total = (uint32_t)bytes};
    __builtin_memcpy(head.destination, config->destination_mac, sizeof head.destination);
    __builtin_memcpy(head.source, config->source_mac, sizeof head.source);
    store_be16(head.ethertype, RESULT_ETHERTYPE);
    __builtin_memcpy(frame, &head, sizeof head);
    __builtin_memcpy(frame + sizeof head, (const uint8_t *)software->export + offset, part);
    e1000_send(&software->nic, (uint16_t)(sizeof head + part));
    e1000_doorbell(&software->nic);
  }
  return wait_for(software, true);
}

static const char *const reason_names[PARSER_REASONS] = {
    [DROP_REASON_OVERSIZE] = "oversize",
    [DROP_REASON_VLAN_DEPTH] = "vlan_depth",
    [DROP_REASON_NOT_IPV4] = "not_ipv4",
    [DROP_REASON_TRUNCATED_IP] = "truncated_ip",
    [DROP_REASON_BAD_IP_VERSION] = "bad_ip_version",
    [DROP_REASON_BAD_IHL] = "bad_ihl",
    [DROP_REASON_BAD_IP_CHECKSUM] = "bad_ip_checksum",
    [DROP_REASON_IP_LENGTH] = "ip_length",
    [DROP_REASON_IP_FRAGMENT] = "ip_fragment",
    [DROP_REASON_NOT_UDP] = "not_udp",
    [DROP_REASON_OTHER_DESTINATION] = "other_destination",
    [DROP_REASON_UDP_LENGTH] = "udp_length",
    [DROP_REASON_OTHER_PORT] = "other_port",
    [DROP_REASON_BAD_UDP_CHECKSUM] = "bad_udp_checksum",
    [DROP_REASON_SHORT_MOLD_HEADER] = "short_mold_header",
};

static void print_counters(struct software *software) {
  static const char *const status_names[PARSER_STATUSES] = {"ok", "unknown_type", "zero_length", "too_short",
                                                            "too_long"};
  const struct parser *parser = &software->parser;
  const struct e1000_counters *counters = &software->nic.counters;
  uint64_t messages = 0;
  for (unsigned status = 0; status < PARSER_STATUSES; status++) messages += parser->messages[status];
  const struct {
    const char *name;
    uint64_t value;
  } facts[] = {
      {"frames", parser->frames},
      {"accepted", parser->accepted},
      {"messages", messages},
      {"duplicates", parser->duplicates},
      {"gaps", parser->gaps},
      {"next_expected", parser->next_expected},
      {"orders", software->orders},
      {"missed", e1000_missed(&software->nic)},
      {"damaged", counters->errors},
      {"bad_lengths", counters->bad_lengths},
      {"link_losses", counters->link_losses},
      {"work", software->work},
  };
  for (unsigned i = 0; i < sizeof facts / sizeof facts[0]; i++) {
    console_print("statistics: %s %lu\n", facts[i].name, facts[i].value);
  }
  for (unsigned status = 0; status < PARSER_STATUSES; status++) {
    console_print("statistics: messages %s %lu\n", status_names[status], parser->messages[status]);
  }
  for (unsigned reason = 0; reason < PARSER_REASONS; reason++) {
    if (reason_names[reason] == NULL || parser->dropped[reason] == 0) continue;
    console_print("statistics: dropped %s %lu\n", reason_names[reason], parser->dropped[reason]);
  }
}

void software_run(const struct boot *boot) {
  static struct software software; /* too large for the stack */
  set_up(&software, boot);
  counters_start();
  TAPS_INIT();
  receive(&software);
  tell_trading(&software.told, &software.engine);
  uint64_t bytes = export_write(&software.engine, software.work, 0, software.export, software.export_bytes);
  if (bytes == 0) panic("the export does not fit its pool");
  print_counters(&software);
  counters_print();
  TAPS_PRINT();
  print_trading(&software.engine);
  if (!send_result(&software, bytes)) console_print("e1000: nobody takes what is sent\n");
}
