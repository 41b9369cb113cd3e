/* SPDX-License-Identifier: MIT */
/* A sorted list: housekeeping has a handful of timers. */
#include "tasks/timers.h"

#include <stddef.h>

void timers_clear(struct timers *timers, struct timer *timer) {
  if (!timer->set) return;
  struct timer **at = &timers->first;
  while (*at != timer) at = &(*at)->next;
  *at = timer->next;
  timer->set = false;
}

bool timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns) {
  timers_clear(timers, timer);
  struct timer **at = &timers->first;
  while (*at != NULL && (*at)->due_ns <= due_ns) at = &(*at)->next;
  timer->due_ns = due_ns;
  timer->next = *at;
  timer->set = true;
  *at = timer;
  return timers->first == timer;
}

struct timer *timers_take(struct timers *timers, uint64_t now_ns) {
  struct timer *timer = timers->first;
  if (timer == NULL || timer->due_ns > now_ns) return NULL;
  timers->first = timer->next;
  timer->set = false;
  return timer;
}
