/* SPDX-License-Identifier: MIT */
/*
 * Both ends of the RX ring: the bridge's host memory and rings, into which this file writes as the NIC does, and the
 * kernel's driver, which takes the records out. As a library, a test in Python moves either end as it likes; as a program
 * under the thread sanitizer, each end is a thread, and nothing but the ring and its tail keeps them apart.
 *
 * usage: ring_pair MODE SEED RECORDS
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nic.h"
#include "internal.h"

#define RAM_BYTES (1u << 20)
#define RING 0x4000u
#define BUFFERS 0x40000u
#define MAX_LINES 16u

static struct {
  struct nic nic;
  struct mailbox_port port;
  enum ring_mode mode;
  uint32_t slots, head; /* lines that the NIC has written, absolute */
  uint32_t tail;        /* that the kernel has given back: the register */
  uint64_t writes, visible;
} pair;

uint64_t clock_ps = 1;

/* What neither end needs here of the rest of the bridge and the kernel. */
static char failure[256]; /* of the bridge's end */

void core_fail(int status, const char *format, ...) {
  va_list arguments;
  (void)status;
  va_start(arguments, format);
  vsnprintf(failure, sizeof failure, format, arguments);
  va_end(arguments);
}

void recorder_write(enum log log, const void *data, size_t bytes) {
  (void)log;
  (void)data;
  (void)bytes;
}

/* The driver's only register here is the tail. */
enum acknowledge_status mailbox_request(struct mailbox_port *port, enum mailbox_op op, uint32_t address,
                                        uint32_t value) {
  (void)port;
  if (op == MAILBOX_OP_REGISTER_WRITE && address == REG_RX_TAIL) store_release(&pair.tail, value);
  return ACKNOWLEDGE_STATUS_OK;
}

bool mailbox_poll(struct mailbox_port *port, uint32_t deadline_ns, uint32_t consumed) {
  (void)deadline_ns;
  return mailbox_idle(port, consumed);
}

bool mailbox_idle(struct mailbox_port *port, uint64_t consumed) {
  (void)port;
  (void)consumed;
  return true;
}

/* A ring of 1 << log2 slots whose absolute index begins at `start`, a multiple of the slots. */
void pair_open(uint32_t log2, uint32_t start, uint32_t epoch, enum ring_mode mode);
int pair_write(uint32_t lines, const uint8_t *data); /* a record, data of 60 bytes a line; 0: it does not fit */
uint64_t pair_commit(uint64_t writes); /* of the NIC's writes so many more become visible: records so far */
uint32_t pair_take(uint8_t *lines); /* the next record's lines as the kernel sees them; 0: none */
void pair_idle(void); /* the kernel has nothing to do */

void pair_open(uint32_t log2, uint32_t start, uint32_t epoch, enum ring_mode mode) {
  memory_close();
  memset(&pair, 0, sizeof pair);
  *failure = '\0';
  if (memory_open(-1, RAM_BYTES)) abort();
  rings_open();
  pair.mode = mode;
  pair.slots = 1u << log2;
  pair.head = pair.tail = start;
  if (mode == RING_MODE_DESCRIPTORS) rings_prepare_descriptors(RING, log2, BUFFERS);
  rings_register(REG_RX_BASE_LO, mode == RING_MODE_DESCRIPTORS ? RING : BUFFERS);
  rings_register(REG_RX_LOG2, log2);
  rings_register(REG_CONTROL,
                 CONTROL_RX_ENABLE | (mode == RING_MODE_DESCRIPTORS ? (uint32_t)CONTROL_RX_DESCRIPTOR : 0));
  pair.nic = (struct nic){
      .port = &pair.port,
      .rx = memory_at(BUFFERS, pair.slots * sizeof(union rx_line)),
      .rx_ring = memory_at(RING, pair.slots * sizeof(struct descriptor)),
      .rx_mask = pair.slots - 1,
      .rx_index = start,
      .rx_returned = start,
      .rx_batch = pair.slots / 4,
      .epoch = epoch,
  };
}

static void write_line(uint64_t address, uint64_t strobe, const void *line) {
  memory_write(++pair.writes, address, strobe, line);
}

static void write_slot(uint32_t index, const struct rx_record *record, bool end) {
  const uint32_t slot = index & (pair.slots - 1);
  write_line(BUFFERS + LINE_BYTES * slot, WHOLE_LINE, record);
  if (pair.mode != RING_MODE_DESCRIPTORS) return;
  uint8_t line[LINE_BYTES] = {0};
  const uint32_t offset = slot * DESCRIPTOR_BYTES % LINE_BYTES, half = DESCRIPTOR_BYTES / 2;
  const struct descriptor back = {.length = LINE_BYTES,
                                  .status = (uint8_t)(DESCRIPTOR_DONE | (end ? DESCRIPTOR_END : 0))};
  memcpy(line + offset, &back, sizeof back);
  write_line(RING + slot * DESCRIPTOR_BYTES - offset, ((1ull << half) - 1) << (offset + half), line);
}

int pair_write(uint32_t lines, const uint8_t *data) {
  const uint32_t tail = load_acquire(&pair.tail), content = offsetof(struct rx_record, publish);
  if (pair.slots - (pair.head - tail) < lines) return 0;
  for (uint32_t k = 1; k <= lines; k++) { /* the first line last */
    const uint32_t line = k % lines;
    struct rx_record record;
    memcpy(&record, data + content * line, content);
    record.publish = 0;
    if (line == 0) {
      record.continuations = (uint8_t)(lines - 1);
      record.publish = publish_word(pair.nic.epoch, pair.head);
    }
    write_slot(pair.head + line, &record, line == lines - 1);
  }
  pair.head += lines;
  return 1;
}

uint64_t pair_commit(uint64_t writes) {
  pair.visible = writes > pair.writes - pair.visible ? pair.writes : pair.visible + writes;
  memory_commit(pair.visible);
  return memory_published();
}

uint32_t pair_take(uint8_t *lines) {
  const union rx_line *line = nic_record(&pair.nic, pair.mode);
  if (line == NULL) return 0;
  const uint32_t count = 1u + line->record.continuations;
  for (uint32_t k = 0; k < count && k < pair.slots; k++)
    memcpy(lines + LINE_BYTES * k, &pair.nic.rx[(pair.nic.rx_index + k) & pair.nic.rx_mask], LINE_BYTES);
  nic_consume(&pair.nic, line, pair.mode);
  return count;
}

void pair_idle(void) { nic_wait(&pair.nic, 0); }
const char *pair_failure(void) { return failure; }

/* Two threads: the record's number tells how long it is and what is in it. */

static uint64_t seed, records;

static uint64_t mix(uint64_t x) {
  x = (x ^ seed) * 0x9E3779B97F4A7C15ull;
  return (x ^ x >> 29) * 0xBF58476D1CE4E5B9ull ^ x >> 32;
}

static uint32_t lines_of(uint64_t number) { return 1 + (uint32_t)(mix(number) >> 60); }

static void fill(uint64_t number, uint8_t *data) {
  for (uint32_t i = 0; i < MAX_LINES * LINE_BYTES; i += 8) {
    const uint64_t value = mix(number + i);
    memcpy(data + i, &value, sizeof value);
  }
}

static void *nic_end(void *unused) {
  uint8_t data[MAX_LINES * LINE_BYTES];
  for (uint64_t number = 0; number < records; number++) {
    fill(number, data);
    while (!pair_write(lines_of(number), data)) {
      pair_commit(UINT64_MAX);
      sched_yield();
    }
    pair_commit(mix(~number) >> 59);
  }
  pair_commit(UINT64_MAX);
  return unused;
}

static bool right(uint64_t number, uint32_t count, const uint8_t *lines) {
  uint8_t data[MAX_LINES * LINE_BYTES];
  const uint32_t content = offsetof(struct rx_record, publish), place = offsetof(struct rx_record, continuations);
  fill(number, data);
  data[place] = (uint8_t)(count - 1);
  if (count != lines_of(number)) return false;
  for (uint32_t k = 0; k < count; k++)
    if (memcmp(lines + LINE_BYTES * k, data + content * k, content) != 0) return false;
  return true;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  seed = strtoull(arguments[2], NULL, 0);
  records = strtoull(arguments[3], NULL, 0);
  pair_open(5, -64u, 0x7FFFFFF0u, strcmp(arguments[1], "lines") ? RING_MODE_DESCRIPTORS : RING_MODE_LINES);
  pthread_t nic;
  if (pthread_create(&nic, NULL, nic_end, NULL)) abort();
  for (uint64_t number = 0; number < records;) {
    uint8_t lines[MAX_LINES * LINE_BYTES];
    const uint32_t taken = pair_take(lines);
    if (taken == 0) {
      pair_idle();
      sched_yield();
    } else if (!right(number++, taken, lines)) {
      fprintf(stderr, "record %" PRIu64 " is not what was written\n", number - 1);
      return 1;
    }
  }
  pthread_join(nic, NULL);
  if (*failure) fprintf(stderr, "%s\n", failure);
  return *failure != '\0';
}
