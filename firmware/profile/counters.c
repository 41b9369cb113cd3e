/* SPDX-License-Identifier: MIT */
/* What the processor's counters are; see counters.h. Pure: nothing is touched. */
#include "profile/counters.h"

/* The events of leaf 0xA, by their bit in EBX, set where the event is NOT there, and by the fixed counter that has them. */
static const struct {
  uint32_t bit;
  int32_t fixed; /* -1: none */
} events[COUNTERS] = {
    [COUNTER_INSTRUCTIONS] = {1, 0},
    [COUNTER_CYCLES] = {0, 1},
    [COUNTER_CACHE_MISSES] = {4, -1},
    [COUNTER_BRANCH_MISSES] = {6, -1},
};

struct counters_found counters_describe(uint32_t eax, uint32_t ebx, uint32_t edx) {
  struct counters_found found = {.version = eax & 0xFF};
  uint32_t registers = eax >> 8 & 0xFF, bits = eax >> 24 & 0xFF, fixed = edx & 0x1F, used = 0;
  if (found.version < 2) return found; /* before it there is no global control (20.2.2) */
  found.width = eax >> 16 & 0xFF;
  for (unsigned counter = 0; counter < COUNTERS; counter++) {
    if (events[counter].fixed >= 0 && (uint32_t)events[counter].fixed < fixed) {
      found.has[counter] = found.fixed[counter] = true;
      found.number[counter] = (uint32_t)events[counter].fixed;
    } else if (events[counter].bit < bits && (ebx >> events[counter].bit & 1) == 0 && used < registers) {
      found.has[counter] = true;
      found.number[counter] = used++;
    }
  }
  return found;
}
