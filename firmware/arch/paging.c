/* SPDX-License-Identifier: MIT */
/* The one change to the page tables after boot. */
#include "arch/paging.h"

#include <stdint.h>

extern uint64_t first_pages[512]; /* boot.S: 4 KiB pages of the first 2 MiB */

void paging_guard_null(void) {
  first_pages[0] = 0;
  __asm__ volatile("invlpg (%0)" : : "r"(0ul) : "memory");
}
