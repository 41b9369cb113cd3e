/* SPDX-License-Identifier: MIT */
/* Timers in the order in which they are due; equal ones in the order in which they were set. Pure: time is given. */
#ifndef TICKLOOP_TIMERS_H
#define TICKLOOP_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#define TIMERS_NEVER UINT64_MAX

struct timer {
  struct timer *next;
  uint64_t due_ns;
  void (*expired)(void *context);
  void *context;
  bool set;
};

struct timers {
  struct timer *first;
};

/* Set a timer, anew if it was set already; true if it is the first one now. */
bool timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns);

void timers_clear(struct timers *timers, struct timer *timer);

/* Take the next timer that is due, or NULL. */
struct timer *timers_take(struct timers *timers, uint64_t now_ns);

static inline uint64_t timers_due_ns(const struct timers *timers) {
  return timers->first == 0 ? TIMERS_NEVER : timers->first->due_ns;
}

#endif
