/* SPDX-License-Identifier: MIT */
/*
 * The native core against a guest that writes what it likes: mailbox, trace ring, descriptors and ring lines are random
 * words, half of them near what would be right. Built with the address and undefined-behaviour sanitizers; the shared
 * objects have unmapped memory for a gigabyte on either side, so any access beyond them ends the process.
 *
 * Everything runs in one thread, so a seed is a run: the guest moves when the core looks at the clock, which it does as it
 * begins to wait for it, and in a free run between the NIC's events, too. This file stands in for the clock, for sleep, and for mmap of the shared objects.
 *
 * usage: hostile_guest DIRECTORY SEED WORDS
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core.h"
#include "layout.h"

#define RAM_BYTES (1ull << 20)
#define GUARD (1ull << 30)
#define STEPS 400
#define TRACE 0x1000u
#define RING 0x4000u
#define RAW 0x8000u

static uint64_t state, words;
static int ram_fd, mailbox_fd;
static struct mailbox *box;
static uint8_t *ram;
static uint32_t acknowledged, sequence; /* what the guest believes */
static uint64_t work, trace_index, fake_ns;
static int stopping;
static struct {
  uint64_t runs, requests[8], reads, lines, exported, traced, statuses[16];
} seen;

static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1Dull;
}

static uint32_t below(uint32_t limit) { return (uint32_t)(next_random() >> 33) % limit; }
static int chance(uint32_t percent) { return below(100) < percent; }

/* A word: anything, or a value at which a size, an offset or an index is just right, just wrong, or wraps. */
static uint64_t word(uint64_t right) {
  static const uint64_t edges[] = {0,          1,          3,          4,          15,       20,
                                   21,         31,         32,         63,         64,       TRACE,
                                   RING,       RAW,        RAM_BYTES,  0x7FFFFFFF, 1u << 31, UINT32_MAX,
                                   1ull << 32, 1ull << 48, 1ull << 63, UINT64_MAX, 0x1001,   0xFFFFFFFFFFFFF000};
  words++;
  switch (below(8)) {
    case 0: return next_random();
    case 1: return next_random() >> below(64);
    case 2: return edges[below(sizeof edges / sizeof *edges)];
    case 3: return edges[below(sizeof edges / sizeof *edges)] + below(129) - 64;
    case 4: return right + below(129) - 64;
    default: return right;
  }
}

#define SET_UP 5u /* registers that a driver writes first, too */
static const uint32_t registers[] = {REG_RX_BASE_LO, REG_RX_LOG2,     REG_RAW_BASE_LO, REG_RAW_LOG2, REG_CONTROL,
                                     REG_RX_BASE_HI, REG_RAW_BASE_HI, REG_RX_TAIL,     REG_TX_TAIL,  REG_ID};

static uint64_t register_value(uint32_t address) {
  switch (address) {
    case REG_RX_BASE_LO: return chance(70) ? RING : RING - below(16);
    case REG_RAW_BASE_LO: return RAW;
    case REG_RX_LOG2:
    case REG_RAW_LOG2: return chance(70) ? 4 : 16; /* a ring that reaches beyond the memory */
    case REG_CONTROL: return CONTROL_RX_ENABLE | CONTROL_RAW_ENABLE | (chance(50) ? CONTROL_RX_DESCRIPTOR : 0);
    default: return 0;
  }
}

static void scribble(void) {
  for (uint32_t n = below(12); n; n--) {
    static const uint32_t places[] = {TRACE, RING, RAW, RAM_BYTES - 64};
    const uint64_t value = chance(30) ? DESCRIPTOR_DONE | DESCRIPTOR_END : word(0);
    memcpy(ram + places[below(4)] + 8 * below(8), &value, sizeof value);
  }
}

/* The guest's turn, if it has one. */
static void play(void) {
  if (!box || __atomic_load_n(&box->acknowledge, __ATOMIC_ACQUIRE) != acknowledged) return;
  acknowledged = ++sequence;
  scribble();
  static const uint32_t usual[] = {MAILBOX_OP_REGISTER_WRITE, MAILBOX_OP_REGISTER_READ, MAILBOX_OP_POLL};
  static const uint32_t last[] = {MAILBOX_OP_EXPORT, MAILBOX_OP_EXIT, MAILBOX_OP_REGISTER_READ};
  if (sequence > 1 && box->ack_status == ACKNOWLEDGE_STATUS_STOP) stopping = 1;
  uint32_t op = stopping ? last[below(3)] : usual[below(3)];
  if (sequence == 1) op = MAILBOX_OP_ATTACH;
  else if (sequence < 2 + SET_UP) op = MAILBOX_OP_REGISTER_WRITE;
  else if (chance(3)) op = 1 + below(7);
  const uint32_t address =
      registers[sequence - 2 < SET_UP ? sequence - 2 : below(sizeof registers / sizeof *registers)];
  const uint64_t value = op == MAILBOX_OP_ATTACH          ? LAYOUT_HASH
                         : op <= MAILBOX_OP_REGISTER_READ ? register_value(address)
                                                          : 0;
  work += below(2000);
  trace_index += chance(60) ? below(4) : 0;
  const int rough = chance(1); /* else a request goes wrong in a few fields only */
  box->op = chance(1) ? (uint32_t)word(op) : op;
  box->address = chance(rough ? 100 : 1) ? (uint32_t)word(address) : address;
  box->value =
      chance(op == MAILBOX_OP_ATTACH || op == MAILBOX_OP_EXIT ? 2 : 30) ? (uint32_t)word(value) : (uint32_t)value;
  box->work = rough ? word(work) : work;
  box->trace_index = rough ? word(trace_index) : trace_index;
  box->trace_address = chance(5) ? word(TRACE) : TRACE;
  box->trace_log2 = chance(5) ? (uint32_t)word(6) : 6;
  box->export_address = chance(40) ? word(RING) : RING;
  box->export_bytes = chance(40) ? word(256) : 256;
  box->consumed = chance(50) ? word(seen.lines) : NOT_YET;
  if (box->work >= work) work = box->work;
  for (uint32_t n = below(4); n; n--) { /* anywhere, but for the words that pass the turn */
    const uint32_t at = 4 * below(MAILBOX_BYTES / 4);
    const uint32_t any = (uint32_t)word(0);
    if (at != offsetof(struct mailbox, request) && at != offsetof(struct mailbox, acknowledge))
      memcpy((uint8_t *)box + at, &any, sizeof any);
  }
  seen.requests[box->op < 8 ? box->op : 7]++;
  __atomic_store_n(&box->request, chance(1) && chance(20) ? (uint32_t)word(sequence) : sequence, __ATOMIC_RELEASE);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_nanosleep(const struct timespec *request, struct timespec *left);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *address, size_t bytes);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *address, size_t bytes);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
  (void)clock;
  play();
  fake_ns += 1000000;
  *now = (struct timespec){(time_t)(fake_ns / 1000000000), (long)(fake_ns % 1000000000)};
  return 0;
}

int __wrap_nanosleep(const struct timespec *request, struct timespec *left) {
  (void)request;
  (void)left;
  fake_ns += 10000000;
  return 0;
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (fd < 0 || (fd != ram_fd && fd != mailbox_fd)) return __real_mmap(address, bytes, protection, flags, fd, offset);
  uint8_t *span = __real_mmap(NULL, bytes + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (span == MAP_FAILED) return MAP_FAILED;
  void *map = __real_mmap(span + GUARD, bytes, protection, flags | MAP_FIXED, fd, offset);
  if (fd == ram_fd) ram = map;
  else box = map;
  return map;
}

int __wrap_munmap(void *address, size_t bytes) {
  if (address != ram && address != box) return __real_munmap(address, bytes);
  if (address == ram) ram = NULL;
  else box = NULL;
  return __real_munmap((uint8_t *)address - GUARD, bytes + 2 * GUARD);
}

/* A line that the NIC writes: the header of a record or of a raw frame, or a descriptor's status. */
static uint64_t nic_write(uint64_t clock) {
  union {
    uint8_t bytes[LINE_BYTES];
    uint32_t words[LINE_BYTES / 4];
    struct rx_record record;
    struct raw_frame frame;
  } line;
  uint64_t address = (chance(50) ? RAW : RING) + LINE_BYTES * below(chance(50) ? 1 : 16), strobe = UINT64_MAX;
  for (unsigned i = 0; i < LINE_BYTES / 4; i++) line.words[i] = (uint32_t)word(0);
  if (chance(80)) line.record.publish |= PUBLISH_VALID;
  if (chance(80)) line.frame.length = (uint16_t)below(200);
  if (chance(80)) line.frame.continuations = (uint8_t)(4 + below(4));
  if (chance(30)) {
    const uint32_t place = DESCRIPTOR_BYTES * below(chance(50) ? 1 : LINE_BYTES / DESCRIPTOR_BYTES);
    strobe = 0xFFull << place << DESCRIPTOR_BYTES / 2;
    line.bytes[place + offsetof(struct descriptor, status)] = DESCRIPTOR_DONE | (chance(30) ? DESCRIPTOR_END : 0);
  }
  if (chance(5)) strobe = word(0);
  if (chance(10)) address = RAM_BYTES - LINE_BYTES * (1 + below(3));
  if (chance(1)) address = word(address);
  seen.lines++;
  return tl_write(clock, address, strobe, line.words);
}

static void run(struct tl_config *config) {
  acknowledged = sequence = 0;
  work = trace_index = 0;
  stopping = 0;
  box = NULL;
  if (ftruncate(ram_fd, 0) || ftruncate(ram_fd, RAM_BYTES) || ftruncate(mailbox_fd, 0) ||
      ftruncate(mailbox_fd, MAILBOX_BYTES))
    abort();
  config->mode = chance(30) ? RUN_MODE_FREE : RUN_MODE_LOCKSTEP;
  int status = tl_open(config);
  for (uint32_t i = 0; i < 4; i++) tl_add_final_read(4 * i);
  if (status == TL_OK) status = tl_wait_attach(getpid());
  uint64_t clock = 8, due = 8, answer = UINT64_MAX;
  unsigned long long data_a, data_b;
  unsigned control = 0, address, data, line[LINE_BYTES / 4];
  for (unsigned step = 0; status == TL_OK && step < STEPS && !(control >> TICK_FINISHED & 1); step++) {
    if (config->mode == RUN_MODE_FREE && chance(30)) play();
    if (chance(30)) due = nic_write(clock);
    if (chance(10)) {
      const uint64_t at = chance(2) ? word(RING) : RING + LINE_BYTES * below(16);
      due = tl_read(clock, at);
      seen.reads++;
    }
    if (chance(10)) tl_transmit(clock, next_random(), chance(90) ? 0xFF : 0xFF >> below(8), chance(30));
    if (clock >= answer) {
      answer = UINT64_MAX;
      due = tl_register_done(clock, (unsigned)word(0), chance(3));
    }
    if (clock >= due) {
      due = tl_tick(clock, answer == UINT64_MAX, &data_a, &data_b, &control, &address, &data);
      if (control >> TICK_REGISTER & 1) answer = clock + 4;
      if (control >> TICK_READ_DATA & 1) tl_read_data(line);
      for (unsigned port = 0; port < 2; port++) {
        if (!(control >> (port ? TICK_B_TLAST : TICK_A_TLAST) & 1)) continue;
        struct frame_log report = {.line = (uint8_t)port};
        tl_report(clock, (const unsigned *)(const void *)&report.sequence);
      }
    }
    clock = answer < due ? answer > clock ? answer : clock + 1 : due > clock ? due : clock + 1;
    if (chance(50)) clock = chance(50) ? clock : clock + 1;
  }
  struct tl_totals totals;
  tl_get_totals(&totals);
  status = tl_close();
  seen.statuses[status & 15]++;
  seen.runs++;
}

static uint64_t bytes_in(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.bin", directory, name);
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) abort();
  const long size = ftell(file);
  fclose(file);
  return (uint64_t)size;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  const uint64_t seed = strtoull(arguments[2], NULL, 0), wanted = strtoull(arguments[3], NULL, 0);
  char stimulus[4096];
  snprintf(stimulus, sizeof stimulus, "%s/stimulus.bin", arguments[1]);
  ram_fd = memfd_create("ram", 0);
  mailbox_fd = memfd_create("mailbox", 0);
  struct tl_config config = {.stimulus = stimulus,
                             .record = arguments[1],
                             .ram_bytes = RAM_BYTES,
                             .ram_fd = ram_fd,
                             .mailbox_fd = mailbox_fd,
                             .progress_fd = -1,
                             .epoch = 7,
                             .clock_ps = 6400,
                             .ps_per_instruction = 250,
                             .posted_write_clocks = 40,
                             .read_clocks = 60,
                             .doorbell_clocks = 30,
                             .timeout_s = 1,
                             .give_back = 4};
  state = seed * 0x9E3779B97F4A7C15ull | 1;
  while (words < wanted) {
    run(&config);
    seen.exported += bytes_in(arguments[1], "export");
    seen.traced += bytes_in(arguments[1], "trace");
  }
  printf("seed %" PRIu64 ": words %" PRIu64 " runs %" PRIu64 " lines %" PRIu64 " reads %" PRIu64 " exported %" PRIu64
         " traced %" PRIu64,
         seed, words, seen.runs, seen.lines, seen.reads, seen.exported, seen.traced);
  for (unsigned op = 1; op < 8; op++) printf(" op%u %" PRIu64, op, seen.requests[op]);
  for (unsigned status = 0; status < 16; status++) printf(" status%u %" PRIu64, status, seen.statuses[status]);
  printf("\n");
  return 0;
}
