/* SPDX-License-Identifier: MIT */
/*
 * How another processor wakes a task: by a word, at which the processor of the tasks looks while it has nothing to do and is
 * still awake (idle=spin), and by an interrupt at all other times. It is known which of the two it is.
 */
#ifndef TICKLOOP_BELL_H
#define TICKLOOP_BELL_H

#include <stdint.h>

#include "tasks/scheduler.h"

/* One processor rings it, one task waits for it: a line each. */
struct bell {
  _Alignas(64) uint32_t rung;
  _Alignas(64) uint32_t heard;
  struct event event;
  struct bell *next;
};

/* From here on it is heard. On the processor of the tasks, behind board_init. */
void bell_hang(struct bell *bell);

/* From another processor, or this one; `to` is the APIC of the processor of the tasks. */
void bell_ring(struct bell *bell, uint32_t to);

/* A task waits until it is rung; it may be woken without that. */
void bell_wait(struct bell *bell);

/* The scheduler's, while it has nothing to do: look at the words, from begin to end without interrupts having to be sent. */
void bells_begin(void);
void bells_listen(void);
void bells_end(void);

#endif
