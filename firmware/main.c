/* SPDX-License-Identifier: MIT */
/*
 * The kernel from entry to exit: configuration, pools, NIC, one poll loop with interrupts off, the result.
 *
 * Memory:  0x00000000  page 0 unmapped (null pointers fault), firmware, loader's start information
 *          0x00100000  RESERVED_BASE, 64 KiB kept free for descriptor rings: RX, then TX, if both fit
 *          0x01000000  KERNEL_BASE: this image, its page tables and stack, then the pools, RX and TX ring first
 *                      up to the configuration module or the end of that RAM region
 */
#include <stddef.h>
#include <stdint.h>

#include "arch/machine.h"
#include "arch/paging.h"
#include "arch/pools.h"
#include "arch/pvh.h"
#include "arch/traps.h"
#include "console/console.h"
#include "console/trading.h"
#include "core/config.h"
#include "core/engine.h"
#include "core/export.h"
#include "core/raw.h"
#include "core/recovery.h"
#include "drivers/mailbox.h"
#include "drivers/nic.h"
#include "drivers/order_port.h"
#include "drivers/serial.h"
#include "include/kernel.h"
#include "session/ouch.h"

#define TRACE_LOG2 12u
#define TRACE_ENTRIES (1u << TRACE_LOG2)
#define PAGE_BYTES 4096u
#define ASK_AGAIN_NS 1000u /* a request that found no room to be sent */

/* The bridge reads the trace at requests, and a busy kernel makes one at least every quarter of the largest RX ring. */
#define MAX_RX_BATCH (TRACE_ENTRIES / 2)

struct kernel {
  struct mailbox_port port;
  struct nic nic;
  struct engine engine;
  struct ouch ouch;
  struct order_port orders; /* session_mode connect */
  enum link_state link; /* that the engine knows */
  struct trace_entry *trace;
  void *export;
  uint64_t export_bytes;
  const struct config_header *config;
  struct raw raw; /* the raw frame in hand */
  struct recovery recovery;
  uint64_t raw_frames;
  struct told told;
};

void kernel_main(uint64_t start_info) __attribute__((noreturn));

static const struct config_header *find_config(const struct boot *boot) {
  if (boot->module_count == 0) panic("no configuration module: pass it with -initrd");
  const struct config_header *config = (const struct config_header *)boot->modules[0].start;
  uint64_t bytes = boot->modules[0].end - boot->modules[0].start;
  if (!config_layout_matches(config, bytes)) layout_mismatch("module 0 is no configuration of this kernel's layout");
  const char *wrong = config_validate(config, bytes);
  if (wrong != NULL) panic("configuration: %s", wrong);
  return config;
}

static void print_config(const struct config_header *config) {
  console_print("config: %u symbols listed, subscribe_all %u\n", config->symbol_count, config->subscribe_all);
  console_print("config: default strategy %u, shares %u\n", config->default_strategy, config->default_shares);
  console_print("config: RX ring %u slots, TX ring %u slots\n", 1u << config->rx_log2, 1u << config->tx_log2);
  console_print("config: up to %u books, %u orders, %u levels\n", config->max_books, config->max_orders,
                config->max_levels);
  uint32_t group = config->group_address;
  console_print("config: group %u.%u.%u.%u:%u\n", group >> 24, group >> 16 & 255, group >> 8 & 255, group & 255,
                config->group_port);
}

/* Descriptor rings lie at RESERVED_BASE, where the seed has them, unless they are too long for it. */
static void take_descriptors(struct nic_rings *rings, struct range *memory, const struct config_header *config) {
  uint64_t rx = config->rx_mode == RING_MODE_DESCRIPTORS ? 1ull << config->rx_log2 : 0;
  uint64_t tx = config->tx_mode == RING_MODE_DESCRIPTORS ? 1ull << config->tx_log2 : 0;
  uint64_t bytes = (rx + tx) * sizeof(struct descriptor);
  if (bytes == 0) return;
  struct range reserved = {RESERVED_BASE, RESERVED_BASE + RESERVED_SIZE};
  struct range *from = bytes <= RESERVED_SIZE ? &reserved : memory;
  struct descriptor *ring = pools_take_zeroed(from, "descriptors", rx + tx, sizeof *ring, PAGE_BYTES);
  if (rx != 0) rings->rx_ring = ring;
  if (tx != 0) rings->tx_ring = ring + rx;
  rings->descriptors = (struct range){(uint64_t)ring, (uint64_t)ring + bytes};
}

static struct nic_rings take_rings(struct range *memory, const struct config_header *config) {
  struct nic_rings rings = {0};
  rings.rx = pools_take_zeroed(memory, "RX ring", 1u << config->rx_log2, sizeof(union rx_line), PAGE_BYTES);
  rings.tx = pools_take_zeroed(memory, "TX ring", 1u << config->tx_log2, sizeof(struct tx_slot), PAGE_BYTES);
  rings.raw = pools_take_zeroed(memory, "raw ring", 1u << config->raw_log2, sizeof(union rx_line), PAGE_BYTES);
  rings.frames = pools_take_zeroed(memory, "TX frames", TX_FRAMES, TX_FRAME_BYTES, PAGE_BYTES);
  rings.window = (struct range){(uint64_t)rings.rx, memory->start};
  take_descriptors(&rings, memory, config);
  return rings;
}

static void take_engine(struct kernel *kernel, struct range *memory, const struct config_header *config) {
  struct engine_sizes sizes = engine_sizes(config);
  const struct engine_memory pools = {
      .orders = pools_take_zeroed(memory, "orders", sizes.orders, sizeof(struct order), LINE_BYTES),
      .levels = pools_take(memory, "levels", sizes.levels, sizeof(struct level), LINE_BYTES),
      .books = pools_take(memory, "books", sizes.books, sizeof(struct book), LINE_BYTES),
      .locates = pools_take_zeroed(memory, "locates", sizes.locates, sizeof(struct locate), LINE_BYTES),
      .symbol_index = pools_take_zeroed(memory, "symbol index", sizes.symbol_index, sizeof(uint32_t), LINE_BYTES),
      .level_index = pools_take_zeroed(memory, "level index", sizes.level_index, sizeof(uint32_t), LINE_BYTES),
      .windows = pools_take_zeroed(memory, "windows", sizes.windows, sizeof(struct window), LINE_BYTES),
      .collars = pools_take_zeroed(memory, "collars", sizes.collars, sizeof(struct collar), LINE_BYTES),
      .own_orders = pools_take_zeroed(memory, "own orders", sizes.own_orders, sizeof(struct own_order), LINE_BYTES),
  };
  const char *wrong = engine_init(&kernel->engine, config, &pools);
  if (wrong != NULL) panic("configuration: %s", wrong);
  wrong = ouch_init(&kernel->ouch, config);
  if (wrong != NULL) panic("configuration: %s", wrong);
}

/* What happened beside messages, in the kernel's own order: so that a check can follow it. */
static void note(struct kernel *kernel, enum trace_kind kind, uint64_t value) {
  struct mailbox_port *port = &kernel->port;
  uint32_t now = work_tap(port);
  kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)] = (struct trace_entry){
      .sequence = value,
      .dequeue = now,
      .applied = now,
      .decision = now,
      .doorbell = now,
      .done = now,
      .ask = UINT32_MAX,
      .type = (uint8_t)kind,
  };
  port->trace_index++;
}

static bool connects(const struct kernel *kernel) { return kernel->config->session_mode == SESSION_MODE_CONNECT; }

/* What has come of the session: answers of the exchange, and whether orders may be sent. */
static void take_news(struct kernel *kernel, uint64_t now_ns) {
  struct session *session = &kernel->orders.session;
  struct answer answer;
  enum session_event event;
  uint64_t noted = session->answers;
  for (;;) {
    event = session_next(session, now_ns, &answer);
    if (event == SESSION_ANSWER) {
      engine_answer(&kernel->engine, &answer);
      continue;
    }
    if (noted != session->answers) note(kernel, TRACE_KIND_ANSWERS, session->answers);
    noted = session->answers;
    if (event == SESSION_NOTHING) return;
    console_print("session: %s: %s\n", session->link == LINK_STATE_READY ? "up" : "down", session->reason);
    if (session->link == kernel->link) continue;
    kernel->link = session->link;
    engine_link(&kernel->engine, kernel->link);
    note(kernel, TRACE_KIND_LINK, kernel->link);
  }
}

static bool is_for_session(struct kernel *kernel) {
  if (!connects(kernel)) return false;
  uint64_t now_ns = mailbox_now_ns(&kernel->port);
  if (!session_receive(&kernel->orders.session, now_ns, kernel->raw.bytes, kernel->raw.length)) return false;
  take_news(kernel, now_ns);
  return true;
}

static void apply_recovered(void *context, const union rx_line *line) {
  struct kernel *kernel = context;
  (void)engine_record(&kernel->engine, line); /* every book is stale: no strategy would run */
}

static void take_recovery(struct kernel *kernel, struct range *memory, const struct config_header *config) {
  if (config->recovery_address == 0) return;
  union rx_line *held = pools_take(memory, "held records", config->recovery_held, sizeof *held, LINE_BYTES);
  const struct recovery_limits limits = {.timeout_ns = config->recovery_timeout_ns,
                                         .retries = config->recovery_retries,
                                         .held = config->recovery_held,
                                         .request = (uint16_t)config->recovery_request};
  struct mold_path path = {.our_address = config->source_address,
                           .server_address = config->recovery_address,
                           .our_port = config->recovery_local_port,
                           .server_port = config->recovery_port};
  __builtin_memcpy(path.our_mac, config->source_mac, sizeof path.our_mac);
  __builtin_memcpy(path.server_mac, config->destination_mac, sizeof path.server_mac);
  const struct recovery_sink sink = {.context = kernel, .apply = apply_recovered};
  recovery_init(&kernel->recovery, &limits, &path, held, sink);
}

/* Of the recovery before a step, to see what the step did. */
struct recovery_before {
  uint64_t losses;
  uint64_t ignored;
  uint32_t tries;
  uint8_t state;
};

static struct recovery_before look(const struct recovery *recovery) {
  return (struct recovery_before){recovery->losses, recovery->ignored, recovery->tries, recovery->state};
}

/* What a step of the recovery means for the books, and to whom reads the console. */
static void follow_recovery(struct kernel *kernel, const struct recovery_before *before) {
  static const char *const reasons[] = {
      [RECOVERY_LOSS_NONE] = "",
      [RECOVERY_LOSS_OVERFLOW] = "no room to hold more records",
      [RECOVERY_LOSS_SPENT] = "no useful answer",
      [RECOVERY_LOSS_SESSION] = "another session",
      [RECOVERY_LOSS_RUN_END] = "the run ends",
  };
  const struct recovery *recovery = &kernel->recovery;
  struct engine *engine = &kernel->engine;
  bool told = recovery->gaps <= GAPS_KEPT;
  if (recovery->losses != before->losses) {
    console_print("recovery: loss declared at sequence %lu: %s\n", recovery->next, reasons[recovery->loss]);
  } else if (recovery->state != before->state) {
    if (recovery->state == RECOVERY_STATE_RECOVERING) {
      market_stale(&engine->market, &engine->books);
      if (told) console_print("recovery: messages from sequence %lu on are missing\n", recovery->next);
    } else if (before->state == RECOVERY_STATE_RECOVERING) {
      market_fresh(&engine->market, &engine->books);
      if (told) console_print("recovery: complete, %lu messages recovered so far\n", recovery->recovered);
    }
  }
}

static void note_recovery(struct kernel *kernel, enum recovery_step step) {
  note(kernel, TRACE_KIND_RECOVERY, kernel->raw_frames << 16 | (uint64_t)step << 8 | kernel->recovery.state);
}

/* Ask for what is missing, if that is due; returns in how many ns it will be, 0: not before something else happens. */
static uint32_t ask_again(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  if (recovery->state != RECOVERY_STATE_RECOVERING) return 0;
  struct recovery_before before = look(recovery);
  uint8_t *frame = nic_frame(&kernel->nic);
  if (frame != NULL) {
    bool asked = recovery_request(recovery, frame, mailbox_now_ns(&kernel->port));
    if (asked || recovery->tries != before.tries || recovery->losses != before.losses) {
      follow_recovery(kernel, &before);
      note_recovery(kernel, RECOVERY_STEP_REQUEST);
    }
    if (asked) nic_send_frame(&kernel->nic, frame, MOLD_REQUEST_FRAME_BYTES);
  }
  uint64_t due = recovery_due_ns(recovery), now = mailbox_now_ns(&kernel->port);
  if (due == UINT64_MAX) return 0;
  if (due <= now) return ASK_AGAIN_NS;
  return due - now < UINT32_MAX ? (uint32_t)(due - now) : UINT32_MAX;
}

/* Whether the raw frame in hand is one from the re-request server. */
static bool take_answer(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  struct recovery_before before = look(recovery);
  const struct raw *raw = &kernel->raw;
  bool brought =
      recovery_answer(recovery, raw->bytes, raw->length, raw->hw_timestamp_ns, mailbox_now_ns(&kernel->port));
  if (!brought && recovery->ignored == before.ignored) return false;
  follow_recovery(kernel, &before);
  note_recovery(kernel, RECOVERY_STEP_ANSWER);
  return true;
}

/* A record out of order, or while something is missing; whether it is held. */
static bool __attribute__((noinline)) hold_record(struct kernel *kernel, const union rx_line *line) {
  struct mailbox_port *port = &kernel->port;
  uint32_t dequeue = work_tap(port);
  struct recovery_before before = look(&kernel->recovery);
  bool held = recovery_record(&kernel->recovery, line, mailbox_now_ns(port));
  follow_recovery(kernel, &before);
  if (!held) return false;
  kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)] = (struct trace_entry){
      .sequence = line->record.sequence,
      .dequeue = dequeue,
      .applied = dequeue,
      .decision = dequeue,
      .doorbell = dequeue,
      .done = work_tap(port),
      .stock_locate = line->record.stock_locate,
      .type = line->record.type,
  };
  port->trace_index++;
  return true;
}

/* An event line under recovery: of records that are held the books know nothing, and what is missing is asked for. */
static void __attribute__((noinline)) take_event(struct kernel *kernel, const union rx_line *line) {
  struct recovery *recovery = &kernel->recovery;
  struct rx_event event;
  __builtin_memcpy(&event, line, sizeof event);
  if ((event.status & ~STATUS_LINE_B) != STATUS_EVENT) {
    engine_event(&kernel->engine, line);
    return;
  }
  struct recovery_before before = look(recovery);
  uint64_t voided = recovery->voided;
  recovery_event(recovery, &event, mailbox_now_ns(&kernel->port));
  follow_recovery(kernel, &before);
  event.delivered -= (uint16_t)(recovery->voided - voided);
  if (event.reason != DROP_REASON_ACCEPT || (event.flags & FRAME_SESSION_CHANGE) != 0) {
    engine_event(&kernel->engine, (const union rx_line *)&event);
  }
  (void)ask_again(kernel);
}

static void finish_recovery(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  struct statistics *statistics = &kernel->engine.statistics;
  struct recovery_before before = look(recovery);
  recovery_finish(recovery);
  follow_recovery(kernel, &before);
  statistics->recovery_gaps = recovery->gaps;
  statistics->recovery_requests = recovery->requests;
  statistics->recovery_answers = recovery->answers;
  statistics->recovery_ignored = recovery->ignored;
  statistics->recovered_messages = recovery->recovered;
  statistics->recovery_voided = recovery->voided;
  statistics->recovery_losses = recovery->losses;
}

static void take_raw_frames(struct kernel *kernel) {
  struct raw *raw = &kernel->raw;
  while (nic_raw(&kernel->nic, raw)) {
    kernel->raw_frames++;
    if (kernel->config->recovery_address != 0 && take_answer(kernel)) continue;
    if (is_for_session(kernel)) continue;
    uint8_t *reply = nic_frame(&kernel->nic);
    if (reply == NULL || !arp_reply(raw, kernel->config, reply)) continue;
    nic_send_frame(&kernel->nic, reply, ARP_FRAME_BYTES);
  }
}

/* The ring looks full: slots may only wait for the session to be told of them. */
static struct tx_slot *__attribute__((noinline, cold)) find_slot(struct kernel *kernel) {
  if (!connects(kernel)) return NULL;
  order_port_step(&kernel->orders, mailbox_now_ns(&kernel->port));
  return nic_slot(&kernel->nic);
}

/* Check and send one intent; the doorbell is the caller's. */
static bool send_intent(struct kernel *kernel, uint64_t now_ns, struct intent *intent) {
  struct engine *engine = &kernel->engine;
  if (engine_check(engine, now_ns, intent) != REFUSAL_NONE) return false;
  struct tx_slot *slot = nic_slot(&kernel->nic);
  if (slot == NULL) slot = find_slot(kernel);
  if (slot == NULL) {
    engine_unsent(engine);
    return false;
  }
  engine_sent(engine, now_ns, intent);
  ouch_encode(&kernel->ouch, intent, slot);
  nic_publish(&kernel->nic, slot);
  return true;
}

/* What a "cancel all" still wants: as much as the TX ring takes. */
static void send_cancels(struct kernel *kernel) {
  struct intent intent;
  uint64_t sent = 0;
  while (nic_slot(&kernel->nic) != NULL && engine_next_cancel(&kernel->engine, &intent)) {
    sent += send_intent(kernel, 0, &intent);
  }
  if (sent == 0) return;
  note(kernel, TRACE_KIND_CANCELS, sent);
  nic_doorbell(&kernel->nic);
}

static void __attribute__((noinline, cold)) take_command(struct kernel *kernel) {
  char text[COMMAND_BYTES];
  mailbox_take_command(&kernel->port, text);
  bool known = engine_command(&kernel->engine, text);
  if (!known && connects(kernel) && __builtin_memcmp(text, "logout", sizeof "logout") == 0) {
    session_logout(&kernel->orders.session, mailbox_now_ns(&kernel->port));
    known = true;
  }
  console_print(known ? "command: %s\n" : "command: %s: not known\n", text);
  note(kernel, TRACE_KIND_COMMAND, kernel->engine.statistics.commands);
  send_cancels(kernel);
}

/* Send what engine.intents holds; returns the number of orders sent. */
static unsigned __attribute__((noinline)) send_orders(struct kernel *kernel, uint64_t now_ns, uint32_t *doorbell) {
  struct engine *engine = &kernel->engine;
  unsigned sent = 0;
  if (mailbox_command_given(&kernel->port)) take_command(kernel); /* a kill takes effect before the next order */
  for (uint32_t i = 0; i < engine->wanted; i++) sent += send_intent(kernel, now_ns, &engine->intents[i]);
  if (sent == 0) return 0;
  *doorbell = work_tap(&kernel->port);
  nic_doorbell(&kernel->nic);
  return sent;
}

/* Raw frames in, and what the session has to say out. */
static void __attribute__((noinline)) take_frames(struct kernel *kernel) {
  if (connects(kernel)) {
    uint64_t now_ns = mailbox_now_ns(&kernel->port);
    order_port_step(&kernel->orders, now_ns);
    take_news(kernel, now_ns);
  }
  take_raw_frames(kernel);
  if (connects(kernel)) order_port_send(&kernel->orders, mailbox_now_ns(&kernel->port));
}

/* Nanoseconds until something is due that nobody else will tell; 0: nothing is. */
static uint32_t next_due(const struct kernel *kernel) {
  if (!connects(kernel)) return 0;
  uint64_t due_ns = session_due(&kernel->orders.session);
  if (due_ns == TCP_NEVER) return 0;
  uint64_t now_ns = mailbox_now_ns(&kernel->port);
  if (due_ns <= now_ns) return 1;
  return due_ns - now_ns < UINT32_MAX ? (uint32_t)(due_ns - now_ns) : UINT32_MAX;
}

/* Of two times until something is due, 0 being never. */
static uint32_t sooner(uint32_t a, uint32_t b) { return a != 0 && (a < b || b == 0) ? a : b; }

/* Housekeeping belongs here, where there is nothing to trade on. */
static bool idle(struct kernel *kernel) {
  tell_trading(&kernel->told, &kernel->engine);
  if (mailbox_command_given(&kernel->port)) take_command(kernel);
  take_frames(kernel);
  if (kernel->engine.cancelling != 0) send_cancels(kernel);
  nic_reclaim(&kernel->nic);
  uint32_t again_ns = ask_again(kernel);
  return nic_wait(&kernel->nic, sooner(next_due(kernel), again_ns));
}

/* One record, from dequeue to done: the hot path, in one piece but for what is marked as being off it. */
static __attribute__((flatten)) void process(struct kernel *kernel, const union rx_line *line) {
  struct mailbox_port *port = &kernel->port;
  uint32_t dequeue = work_tap(port);
  uint32_t applied = dequeue, decided = dequeue, doorbell = dequeue;
  uint32_t bid = 0, ask = 0;
  uint16_t locate = line->record.stock_locate;
  unsigned orders = 0;

  enum effect effect = engine_record(&kernel->engine, line);
  if (effect == EFFECT_BOOK) {
    applied = work_tap(port);
    const struct book *book = kernel->engine.change.book;
    bid = book_best_bid(book);
    ask = book_best_ask(book);
    locate = book->stock_locate;
    enum decision decision = engine_decide(&kernel->engine);
    if (decision != DECISION_NONE) decided = work_tap(port);
    if (decision == DECISION_ORDER) orders = send_orders(kernel, rx_record_hw_timestamp_ns(&line->record), &doorbell);
  } else if (effect == EFFECT_BLOCK && kernel->config->filter != 0) {
    nic_block(&kernel->nic, locate);
  }

  kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)] = (struct trace_entry){
      .sequence = line->record.sequence,
      .dequeue = dequeue,
      .applied = applied,
      .decision = decided,
      .doorbell = doorbell,
      .done = work_tap(port),
      .bid = bid,
      .ask = ask,
      .stock_locate = locate,
      .type = line->record.type,
      .orders = (uint8_t)orders,
  };
  port->trace_index++;
}

/* Until the bridge says stop. One loop a mode, with and without recovery: the hot path does not ask which it is. */
static inline __attribute__((always_inline)) void trade(struct kernel *kernel, enum ring_mode mode, bool recovers) {
  struct nic *nic = &kernel->nic;
  for (;;) {
    const union rx_line *line = nic_record(nic, mode);
    if (line == NULL) {
      if (!idle(kernel)) return;
      continue;
    }
    if ((line->record.status & STATUS_EVENT) != 0) {
      if (recovers) take_event(kernel, line);
      else engine_event(&kernel->engine, line);
    } else if (!recovers || recovery_in_order(&kernel->recovery, line) || !hold_record(kernel, line)) {
      process(kernel, line);
    }
    if (nic_consume(nic, line, mode)) take_frames(kernel); /* a stream without a pause must not starve them */
  }
}

static __attribute__((noinline)) void trade_lines(struct kernel *kernel) { trade(kernel, RING_MODE_LINES, false); }

static __attribute__((noinline)) void trade_descriptors(struct kernel *kernel) {
  trade(kernel, RING_MODE_DESCRIPTORS, false);
}

static __attribute__((noinline)) void trade_recovering(struct kernel *kernel) {
  if (kernel->config->rx_mode == RING_MODE_LINES) trade(kernel, RING_MODE_LINES, true);
  else trade(kernel, RING_MODE_DESCRIPTORS, true);
}

static void print_statistics(const struct kernel *kernel, uint64_t work) {
  const struct engine *engine = &kernel->engine;
  const struct statistics *s = &engine->statistics;
  const struct books *books = &engine->books;
  const struct {
    const char *name;
    uint64_t value;
  } facts[] = {
      {"records", s->records},
      {"book messages", s->book_messages},
      {"other messages", s->other_messages},
      {"unsubscribed", s->unsubscribed},
      {"unknown references", s->unknown_references},
      {"duplicate references", s->duplicate_references},
      {"over-executions", s->over_executions},
      {"invalid messages", s->invalid_messages},
      {"bad records", s->bad_records},
      {"sequence gaps", s->sequence_gaps},
      {"bad frames", s->bad_frames},
      {"lost messages", s->lost_messages},
      {"raw frames", kernel->raw_frames},
      {"pool full", s->pool_full},
      {"orders sent", s->orders_sent},
      {"orders refused, price", s->refused[REFUSAL_PRICE]},
      {"orders refused, ring full", s->refused[REFUSAL_RING]},
      {"books", books->count},
      {"live orders", books->orders.live},
      {"live levels", books->levels.live},
      {"instructions", work},
  };
  for (unsigned i = 0; i < sizeof facts / sizeof facts[0]; i++) {
    console_print("statistics: %s %lu\n", facts[i].name, facts[i].value);
  }
}

static void finish(struct kernel *kernel) {
  finish_recovery(kernel);
  uint64_t work = work_now(&kernel->port);
  uint64_t bytes = export_write(&kernel->engine, work, kernel->raw_frames, kernel->export, kernel->export_bytes);
  if (bytes == 0) panic("the export does not fit its pool");
  mailbox_export(&kernel->port, kernel->export, bytes);
  tell_trading(&kernel->told, &kernel->engine);
  print_statistics(kernel, work);
  print_trading(&kernel->engine);
  mailbox_request(&kernel->port, MAILBOX_OP_EXIT, 0, 0);
}

void kernel_main(uint64_t start_info) {
  static struct kernel kernel; /* too large for the stack */
  kernel.port.not_work = rdtsc();
  serial_init();
  traps_init();
  console_print("tickloop kernel, layout version %u, hash 0x%x\n", LAYOUT_VERSION, LAYOUT_HASH);

  struct boot boot;
  pvh_parse(&boot, start_info);
  paging_guard_null();
  mailbox_open(&kernel.port);
  const struct config_header *config = find_config(&boot);
  kernel.config = config;
  print_config(config);

  struct range memory = pvh_free_memory(&boot, (uint64_t)kernel_end);
  struct nic_rings rings = take_rings(&memory, config);
  kernel.trace = pools_take_zeroed(&memory, "trace ring", TRACE_ENTRIES, sizeof(struct trace_entry), PAGE_BYTES);
  take_engine(&kernel, &memory, config);
  kernel.told.stops = kernel.engine.risk.stops;
  take_recovery(&kernel, &memory, config);
  kernel.export_bytes = export_limit(config);
  kernel.export = pools_take(&memory, "export", 1, kernel.export_bytes, PAGE_BYTES);

  mailbox_attach(&kernel.port, kernel.trace, TRACE_LOG2);
  nic_init(&kernel.nic, &kernel.port, config, &rings);
  if (kernel.nic.rx_batch > MAX_RX_BATCH) kernel.nic.rx_batch = MAX_RX_BATCH;
  console_print("nic: rings granted and enabled, epoch 0x%x\n", kernel.nic.epoch);
  if (config->session_mode == SESSION_MODE_CONNECT) {
    if (kernel.port.free) panic("configuration: a session that connects needs lockstep time");
    order_port_init(&kernel.orders, &kernel.nic, config, &kernel.ouch);
  }

  if (config->recovery_address != 0) trade_recovering(&kernel);
  else if (config->rx_mode == RING_MODE_LINES) trade_lines(&kernel);
  else trade_descriptors(&kernel);
  finish(&kernel);
  machine_exit(EXIT_STATUS_DONE);
}
