/* SPDX-License-Identifier: MIT */
/* The counters' registers: programmed and read only where CPUID has told of them; see counters.h. */
#include "arch/cpu.h"
#include "console/console.h"
#include "profile/counters.h"

/* Intel SDM 4, 2.1 */
#define IA32_PMC0 0xC1u
#define IA32_PERFEVTSEL0 0x186u
#define IA32_FIXED_CTR0 0x309u
#define IA32_FIXED_CTR_CTRL 0x38Du
#define IA32_PERF_GLOBAL_CTRL 0x38Fu

#define SELECT_RING0 (1u << 17) /* 20.2.1.1: OS, EN */
#define SELECT_ENABLE (1u << 22)
#define FIXED_RING0 1ull        /* 20.2.2: four bits a counter */
#define GLOBAL_FIXED_SHIFT 32u
#define LEAF 0xAu

static struct counters_found found;

/* 20.2.1.2: umask, event */
static const uint32_t selects[COUNTERS] = {
    [COUNTER_INSTRUCTIONS] = 0x00C0,
    [COUNTER_CYCLES] = 0x003C,
    [COUNTER_CACHE_MISSES] = 0x412E,
    [COUNTER_BRANCH_MISSES] = 0x00C5,
};

static struct counters_found look(void) {
  uint32_t eax = 0, ebx, ecx = 0, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  if (eax < LEAF) return counters_describe(0, 0, 0);
  eax = LEAF;
  ecx = 0;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return counters_describe(eax, ebx, edx);
}

void counters_start(void) {
  found = look();
  if (found.version < 2) {
    console_print("counters: none of the processor's own: CPUID leaf 0xa says version %u\n", found.version);
    return;
  }
  uint64_t fixed = 0, global = 0;
  for (unsigned counter = 0; counter < COUNTERS; counter++) {
    uint32_t number = found.number[counter];
    if (!found.has[counter]) continue;
    if (found.fixed[counter]) {
      write_msr(IA32_FIXED_CTR0 + number, 0);
      fixed |= FIXED_RING0 << 4 * number;
      global |= 1ull << (GLOBAL_FIXED_SHIFT + number);
    } else {
      write_msr(IA32_PMC0 + number, 0);
      write_msr(IA32_PERFEVTSEL0 + number, selects[counter] | SELECT_RING0 | SELECT_ENABLE);
      global |= 1ull << number;
    }
  }
  write_msr(IA32_FIXED_CTR_CTRL, fixed);
  write_msr(IA32_PERF_GLOBAL_CTRL, global);
  console_print("counters: version %u, %u bits\n", found.version, found.width);
}

void counters_print(void) {
  static const char *const names[COUNTERS] = {"instructions", "cycles", "cache misses", "branch misses"};
  uint64_t mask = found.width < 64 ? (1ull << found.width) - 1 : UINT64_MAX;
  for (unsigned counter = 0; counter < COUNTERS; counter++) {
    if (!found.has[counter]) continue;
    uint32_t from = found.fixed[counter] ? IA32_FIXED_CTR0 : IA32_PMC0;
    console_print("counters: %s %lu\n", names[counter], read_msr(from + found.number[counter]) & mask);
  }
}
