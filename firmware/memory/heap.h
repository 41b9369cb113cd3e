/* SPDX-License-Identifier: MIT */
/*
 * The heap of housekeeping: small blocks from pages cut into slots of one size, large ones whole pages. Pure; not for two
 * processors at once, and nothing of the trading core comes from here.
 *
 * Every block carries what it is for and a word behind its last byte: what is never freed can be named, and a write past
 * the end is found when the block is freed or checked.
 */
#ifndef TICKLOOP_MEMORY_HEAP_H
#define TICKLOOP_MEMORY_HEAP_H

#include <stdint.h>

#include "memory/pages.h"

#define HEAP_CLASSES 6u

struct heap_block {
  uint32_t mark;
  uint32_t size; /* of the payload, which follows */
  const char *what;
  struct heap_block *next; /* of all that are live, newest first */
  struct heap_block *previous;
};
_Static_assert(sizeof(struct heap_block) == 32, "payloads keep the alignment of 16");

struct heap_slab;

struct heap {
  struct pages *pages;
  struct heap_slab *partial[HEAP_CLASSES]; /* with a slot to spare */
  struct heap_block *live;
  uint64_t blocks; /* live */
  uint64_t bytes;  /* of their payloads */
  uint64_t most_bytes;
  uint64_t page_bytes; /* taken for them */
  uint64_t takes;
  uint64_t frees;
  uint64_t failures;
};

enum heap_result { HEAP_GOOD, HEAP_NOT_LIVE, HEAP_OVERRUN };

void heap_init(struct heap *heap, struct pages *pages);

/* `size` bytes, aligned on 16, not zeroed; NULL if there is no room. `what` outlives the block. */
void *heap_take(struct heap *heap, uint32_t size, const char *what);

/* Free a block of heap_take; one that is not live, or was written past its end, is told and left alone. */
enum heap_result heap_free(struct heap *heap, void *payload);

/* Look at every live block; the first that is damaged, or NULL. */
const struct heap_block *heap_check(const struct heap *heap);

/* Live blocks whose purpose is this very pointer: what a task that has ended should have none of. */
uint64_t heap_live(const struct heap *heap, const char *what);

#endif
