/* SPDX-License-Identifier: MIT */
/* Register accesses on their way to the NIC: a queue in order of due time; one is under way on AXI4-Lite at a time. */
#include "internal.h"

#include <string.h>

#define QUEUE 1024u

struct access {
  uint64_t due;
  uint32_t address, value;
  enum register_purpose purpose;
  bool write;
};

static struct {
  struct access queue[QUEUE];
  uint32_t head, tail;
  bool busy;
  uint64_t started; /* clock of the access under way */
} registers;

void registers_open(void) { memset(&registers, 0, sizeof registers); }

void registers_queue(uint64_t due_clock, bool write, uint32_t address, uint32_t value, enum register_purpose purpose) {
  if (registers.head - registers.tail == QUEUE) {
    core_fail(TL_FAILED, "more than %u register accesses are on their way to the NIC", QUEUE);
    return;
  }
  if (registers.head != registers.tail) { /* posted writes and reads stay in order (PCIe ordering rules) */
    const uint64_t before = registers.queue[(registers.head - 1) % QUEUE].due;
    if (due_clock < before) due_clock = before;
  }
  registers.queue[registers.head++ % QUEUE] = (struct access){due_clock, address, value, purpose, write};
}

uint64_t registers_due(void) {
  return registers.busy || registers.head == registers.tail ? NEVER : registers.queue[registers.tail % QUEUE].due;
}

bool registers_start(uint64_t clock, uint32_t *control, uint32_t *address, uint32_t *data) {
  if (registers_due() > clock) return false;
  const struct access *access = &registers.queue[registers.tail % QUEUE];
  *control |= 1u << TICK_REGISTER | (uint32_t)access->write << TICK_REGISTER_WRITE;
  *address = access->address;
  *data = access->value;
  if (access->write) rings_register(access->address, access->value);
  registers.busy = true;
  registers.started = clock;
  return true;
}

uint64_t registers_waiting(uint64_t clock, uint32_t *address) {
  if (!registers.busy) return 0;
  *address = registers.queue[registers.tail % QUEUE].address;
  return clock - registers.started;
}

bool registers_done(uint64_t clock, uint32_t data, uint32_t response, struct register_log *access) {
  if (!registers.busy) return false;
  registers.busy = false;
  const struct access *done = &registers.queue[registers.tail++ % QUEUE];
  *access = (struct register_log){
      .started_clock = registers.started,
      .done_clock = clock,
      .address = done->address,
      .value = done->write ? done->value : data,
      .write = done->write,
      .response = (uint8_t)response,
      .purpose = (uint8_t)done->purpose,
  };
  recorder_write(LOG_REGISTERS, access, sizeof *access);
  return true;
}

bool registers_quiet(void) { return !registers.busy && registers.head == registers.tail; }
