/* SPDX-License-Identifier: MIT */
/*
 * The processor's own event counters, where it has the architectural ones (Intel SDM 3B, 20.2: CPUID leaf 0xA, version 2 or
 * later): instructions, cycles, cache misses, branch misses. Without them everything here does nothing and says so.
 */
#ifndef TICKLOOP_COUNTERS_H
#define TICKLOOP_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

enum counter {
  COUNTER_INSTRUCTIONS,
  COUNTER_CYCLES,
  COUNTER_CACHE_MISSES, /* of the last level */
  COUNTER_BRANCH_MISSES,
  COUNTERS,
};

/* What CPUID leaf 0xA says; pure. A counter is of use if its event exists and a register is left for it. */
struct counters_found {
  uint32_t version;
  uint32_t width;
  bool has[COUNTERS];
  bool fixed[COUNTERS];    /* in a fixed-function counter, `number` of that kind */
  uint32_t number[COUNTERS];
};

struct counters_found counters_describe(uint32_t eax, uint32_t ebx, uint32_t edx);

/* Look, print one line, and start what there is. */
void counters_start(void);

/* What has been counted since, printed: a line a counter, none without. */
void counters_print(void);

#endif
