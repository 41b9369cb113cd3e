/* SPDX-License-Identifier: MIT */
/* What the PVH loader tells: usable RAM and modules (Xen, public/arch-x86/hvm/start_info.h, version 1). */
#ifndef TICKLOOP_PVH_H
#define TICKLOOP_PVH_H

#include <stdint.h>

#include "arch/boot.h"

/* Copy the structure at `address`, and check that all modules are mapped; panics if anything is amiss. */
void pvh_parse(struct boot *boot, uint64_t address);

#endif
