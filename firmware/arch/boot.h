/* SPDX-License-Identifier: MIT */
/* What a loader tells, in the kernel's own words: the same structure whichever loader it was. */
#ifndef TICKLOOP_BOOT_H
#define TICKLOOP_BOOT_H

#include <stdint.h>

/* Who loaded the kernel: what boot.S passes. */
enum loader { LOADER_PVH, LOADER_MULTIBOOT2, LOADER_OWN };

struct range {
  uint64_t start;
  uint64_t end; /* exclusive */
};

struct region {
  struct range range;
  uint32_t type; /* as the firmware numbers them (ACPI 6.5, table 15.1): MEMORY_RAM is usable */
};

#define MEMORY_RAM 1u

#define BOOT_MAX_REGIONS 32u
#define BOOT_MAX_MODULES 8u
#define BOOT_COMMAND_LINE_BYTES 256u

/* A copy: the loader's own structures lie in memory that the kernel gives to others. */
struct boot {
  struct region regions[BOOT_MAX_REGIONS];
  struct range modules[BOOT_MAX_MODULES];
  uint32_t region_count;
  uint32_t module_count;
  char command_line[BOOT_COMMAND_LINE_BYTES]; /* terminated */
};

#endif
