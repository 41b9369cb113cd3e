/* SPDX-License-Identifier: MIT */
/* What a fault means, in words: the function, and of a page fault who wanted what of which address and why it may not. */
#ifndef TICKLOOP_MEMORY_FAULT_H
#define TICKLOOP_MEMORY_FAULT_H

#include <stdint.h>

/* Print in which function an instruction lies. */
void fault_explain(uint64_t rip);

/* The same after access, address and reason, from the error code (Intel SDM 3A, figure 4-12). */
void fault_explain_page(uint64_t rip, uint64_t error, uint64_t address);

#endif
