/* SPDX-License-Identifier: MIT */
/* A list a priority and a bit for each, so that taking the next one does not look at the others. */
#include "tasks/ready.h"

#include <stddef.h>

void ready_append(struct ready *ready, struct ready_link *link) {
  uint8_t priority = link->priority;
  link->next = NULL;
  if (ready->first[priority] == NULL) ready->first[priority] = link;
  else ready->last[priority]->next = link;
  ready->last[priority] = link;
  ready->waiting |= 1u << priority;
}

void ready_push(struct ready *ready, struct ready_link *link) {
  uint8_t priority = link->priority;
  link->next = ready->first[priority];
  if (link->next == NULL) ready->last[priority] = link;
  ready->first[priority] = link;
  ready->waiting |= 1u << priority;
}

struct ready_link *ready_take(struct ready *ready) {
  if (ready->waiting == 0) return NULL;
  unsigned priority = 31u - (unsigned)__builtin_clz(ready->waiting);
  struct ready_link *link = ready->first[priority];
  ready->first[priority] = link->next;
  if (link->next == NULL) ready->waiting &= ~(1u << priority);
  return link;
}
