/* SPDX-License-Identifier: MIT */
/* What the PVH loader tells: usable RAM and modules (Xen, public/arch-x86/hvm/start_info.h, version 1). */
#ifndef TICKLOOP_PVH_H
#define TICKLOOP_PVH_H

#include <stdbool.h>
#include <stdint.h>

struct range {
  uint64_t start;
  uint64_t end; /* exclusive */
};

struct boot {
  const struct hvm_start_info *info;
};

/* Check the structure at `address`; panics if it is none. */
struct boot pvh_parse(uint64_t address);

/* Module `index` as a range; false if there are fewer. Panics if it does not lie in identity-mapped memory. */
bool pvh_module(const struct boot *boot, uint32_t index, struct range *module);

/* The RAM that begins at `start`: up to the end of its region, the first module behind it, or 4 GiB. */
struct range pvh_free_memory(const struct boot *boot, uint64_t start);

/* One console line for each entry of the memory map and each module. */
void pvh_print(const struct boot *boot);

#endif
