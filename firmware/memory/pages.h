/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: a buddy allocator (Knuth, The Art of Computer Programming 1, 2.5) with one set of free lists a zone.
 *
 * Blocks are 2^order pages, aligned on their size. What is known of a page is in a table beside the pages, never in them:
 * nothing that scribbles over free memory can harm the lists. Not for two processors at once: housekeeping's alone.
 */
#ifndef TICKLOOP_MEMORY_PAGES_H
#define TICKLOOP_MEMORY_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/boot.h"
#include "memory/map.h"

/* By what can reach them: a processor in real mode, ISA's DMA, 32-bit devices and page tables, everything else. */
enum zone { ZONE_LOW, ZONE_DMA, ZONE_NORMAL, ZONE_HIGH, ZONES };

#define ZONE_LOW_END (1ull << 20)
#define ZONE_DMA_END (16ull << 20)
#define ZONE_NORMAL_END (4ull << 30)
#define PAGES_ORDERS 19u /* up to 1 GiB */

struct page {
  uint32_t next; /* in its free list; 0 ends it, page 0 is never given */
  uint32_t previous;
  uint8_t order;
  uint8_t state;
};

struct zone_state {
  uint32_t first[PAGES_ORDERS];
  uint32_t orders; /* bit n: first[n] is not 0 */
  uint64_t pages;  /* given */
  uint64_t free;   /* of them */
};

struct pages {
  struct page *table; /* one entry a page from address 0 on */
  uint32_t count;
  struct zone_state zones[ZONES];
  uint64_t takes;
  uint64_t returns;
  uint64_t failures;
};

/* `table` has `count` zeroed entries. */
void pages_init(struct pages *pages, struct page *table, uint32_t count);

/* Add free memory: whole pages inside the table, not page 0. */
void pages_give(struct pages *pages, struct range range);

/* A block of the zone or, if it has none, of the one below, but never unasked from below 1 MiB; 0 if there is none. */
uint64_t pages_take(struct pages *pages, enum zone zone, unsigned order);

/* Give a block back; false if no block of pages_take begins there. */
bool pages_return(struct pages *pages, uint64_t address);

/* Take the longest run of free pages of one zone out for good, empty if there is none; pages_give adds what is left of it. */
struct range pages_claim(struct pages *pages, enum zone zone);

#endif
