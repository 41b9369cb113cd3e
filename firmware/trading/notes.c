/* SPDX-License-Identifier: MIT */
/* See notes.h: a note takes an entry like a message, with one time for all stages. */
#include "trading/notes.h"

void note(struct kernel *kernel, enum trace_kind kind, uint64_t value) {
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
