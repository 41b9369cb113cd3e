/* SPDX-License-Identifier: MIT */
/* The page tables that boot.S builds: the first 4 GiB map onto themselves. */
#ifndef TICKLOOP_PAGING_H
#define TICKLOOP_PAGING_H

#define MAPPED_END (4ull << 30)

/* Unmap page 0, so that a null pointer faults. The loader's information lies there: copy it first. */
void paging_guard_null(void);

#endif
