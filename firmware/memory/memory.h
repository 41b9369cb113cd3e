/* SPDX-License-Identifier: MIT */
/* The machine's memory, brought up: map, page allocator, page tables, heap. What these are made of knows no machine. */
#ifndef TICKLOOP_MEMORY_H
#define TICKLOOP_MEMORY_H

#include <stdint.h>

#include "arch/boot.h"
#include "memory/heap.h"
#include "memory/pages.h"
#include "memory/tables.h"

/* Where a further processor starts, in real mode: never given to anybody (arch/smp.c). */
#define TRAMPOLINE_PAGE 0x8000u

extern struct pages kernel_pages;
extern struct heap kernel_heap;

/* From here on the kernel runs on its own page tables; panics in one line if there is too little memory for them. */
void memory_init(const struct boot *boot);

/* Change the rights of whole pages, on this processor and on those that start later. */
void memory_protect(struct range range, enum rights rights);

/* Unmap the page at `address` for good; a page fault there is reported with this name. */
void memory_guard(uint64_t address, const char *what);

/* The guard page that an address lies in: its name, or NULL. */
const char *memory_guard_name(uint64_t address);

enum rights memory_rights(uint64_t address);

/* The longest run of free memory that a 32-bit device reaches, out of the page allocator: for the core's static pools. */
struct range memory_claim(void);

/* What is left of it goes back. */
void memory_give(struct range rest);

#endif
