/* SPDX-License-Identifier: MIT */
/* The processor's side of paging; the tables are memory/'s. Those of boot.S map the first 4 GiB onto themselves. */
#ifndef TICKLOOP_PAGING_H
#define TICKLOOP_PAGING_H

#include <stdint.h>

#define MAPPED_END (4ull << 30)

/* Use these tables from now on, with pages that cannot be executed and pages that the kernel too cannot write. */
void paging_load(const uint64_t *root);

/* The entry of this page has changed. */
void paging_forget(uint64_t address);

#endif
