/* SPDX-License-Identifier: MIT */
/* See paging.h. */
#include "arch/paging.h"

#include "arch/cpu.h"

#define MSR_EFER 0xC0000080u
#define EFER_NXE (1u << 11) /* Intel SDM 3A, 4.1.4: without it bit 63 of an entry is reserved */

void paging_load(const uint64_t *root) {
  write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
  __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

void paging_forget(uint64_t address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
