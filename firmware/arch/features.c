/* SPDX-License-Identifier: MIT */
/* See features.h; bits of CPUID (Intel SDM 2A, CPUID, tables 3-11 and 3-8). SSE is not needed: the kernel has no such code. */
#include "arch/features.h"

#include <stdint.h>

#include "arch/cpu.h"
#include "console/console.h"

#define LEAF_FEATURES 1u
#define LEAF_EXTENDED 0x80000001u

static const struct {
  uint32_t leaf;
  uint32_t bit; /* of EDX */
  const char *name;
} needed[] = {
    {LEAF_FEATURES, 4, "a time-stamp counter (TSC)"},          {LEAF_FEATURES, 5, "model-specific registers (MSR)"},
    {LEAF_FEATURES, 6, "large physical addresses (PAE)"},      {LEAF_FEATURES, 9, "a local APIC"},
    {LEAF_EXTENDED, 20, "pages that cannot be executed (NX)"},
};

void features_check(void) {
  for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++) {
    if ((cpuid(needed[i].leaf).edx >> needed[i].bit & 1) == 0) panic("this processor lacks %s", needed[i].name);
  }
}
