/* SPDX-License-Identifier: MIT */
/*
 * Part of a test image: CPUID seems to tell of a Skylake's counters. TCG takes writes to registers that it does not have, and
 * reads zeros, so that the way through all of them is taken.
 */
#include "profile/counters.h"

struct counters_found __real_counters_describe(uint32_t eax, uint32_t ebx, uint32_t edx);
struct counters_found __wrap_counters_describe(uint32_t eax, uint32_t ebx, uint32_t edx);

struct counters_found __wrap_counters_describe(uint32_t eax, uint32_t ebx, uint32_t edx) {
  (void)eax;
  (void)ebx;
  (void)edx;
  return __real_counters_describe(0x07300404, 0, 0x603);
}
