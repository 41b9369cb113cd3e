/* SPDX-License-Identifier: MIT */
/* What a multiboot2 loader tells (Multiboot2 Specification 2.0, 3.4). Pure. */
#ifndef TICKLOOP_MULTIBOOT2_H
#define TICKLOOP_MULTIBOOT2_H

#include "arch/boot.h"

/* Copy what the structure at `information` says, whose end is nowhere beyond `limit` bytes; what is wrong, or NULL. */
const char *multiboot2_parse(struct boot *boot, const void *information, uint64_t limit);

#endif
