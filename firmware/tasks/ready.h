/* SPDX-License-Identifier: MIT */
/* The tasks that could run, by priority and in the order in which they became so. Pure. */
#ifndef TICKLOOP_READY_H
#define TICKLOOP_READY_H

#include <stdbool.h>
#include <stdint.h>

#define PRIORITIES 8u /* the highest number goes first */

struct ready_link {
  struct ready_link *next;
  uint8_t priority;
};

struct ready {
  struct ready_link *first[PRIORITIES];
  struct ready_link *last[PRIORITIES];
  uint32_t waiting; /* a bit each priority that has any */
};

/* Behind, or in front of, the others of its priority. */
void ready_append(struct ready *ready, struct ready_link *link);
void ready_push(struct ready *ready, struct ready_link *link);

/* Take the first of the highest priority, or NULL. */
struct ready_link *ready_take(struct ready *ready);

/* Whether anything of a higher priority waits. */
static inline bool ready_above(const struct ready *ready, uint8_t priority) {
  return ready->waiting >> priority >> 1 != 0;
}

#endif
