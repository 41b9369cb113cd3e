/* SPDX-License-Identifier: MIT */
/* See heap.h. A slab is a page: its header, then slots of one size; when the last one is free the page goes back. */
#include "memory/heap.h"

#include <stdbool.h>
#include <stddef.h>

#define MARK_LIVE 0x4C495645u
#define MARK_FREED 0x44454144u
#define FENCE 0x5AFEFE9CE5AFEFE9ull

struct heap_slab {
  struct heap_slab *next;
  struct heap_slab *previous;
  void *free; /* a list through the first words of the free slots */
  uint32_t used;
  uint32_t class;
  uint8_t reserved[32];
};
_Static_assert(sizeof(struct heap_slab) == 64, "the slots behind it share the rest of the page");

/* A slot holds header, payload and fence; 4,032 bytes are 63, 31, 15, 7, 4 and 2 of them. */
static const uint32_t slot_bytes[HEAP_CLASSES] = {64, 128, 256, 512, 1008, 2016};

static uint64_t whole(uint32_t size) { return sizeof(struct heap_block) + (uint64_t)size + sizeof(uint64_t); }

static uint32_t class_of(uint64_t bytes) {
  uint32_t class = 0;
  while (class < HEAP_CLASSES && slot_bytes[class] < bytes) class ++;
  return class;
}

static unsigned order_of(uint64_t bytes) {
  unsigned order = 0;
  while ((uint64_t)PAGE_BYTES << order < bytes) order++;
  return order;
}

static void link_slab(struct heap *heap, struct heap_slab *slab) {
  struct heap_slab **first = &heap->partial[slab->class];
  slab->previous = NULL;
  slab->next = *first;
  if (slab->next != NULL) slab->next->previous = slab;
  *first = slab;
}

static void unlink_slab(struct heap *heap, struct heap_slab *slab) {
  if (slab->next != NULL) slab->next->previous = slab->previous;
  if (slab->previous != NULL) slab->previous->next = slab->next;
  else heap->partial[slab->class] = slab->next;
}

static struct heap_slab *new_slab(struct heap *heap, uint32_t class) {
  struct heap_slab *slab = (struct heap_slab *)pages_take(heap->pages, ZONE_NORMAL, 0);
  if (slab == NULL) return NULL;
  heap->page_bytes += PAGE_BYTES;
  *slab = (struct heap_slab){.class = class};
  uint8_t *slots = (uint8_t *)(slab + 1);
  uint32_t count = (PAGE_BYTES - (uint32_t)sizeof *slab) / slot_bytes[class];
  for (uint32_t i = count; i-- > 0;) {
    void **slot = (void **)(slots + i * slot_bytes[class]);
    *slot = slab->free;
    slab->free = slot;
  }
  link_slab(heap, slab);
  return slab;
}

static void *take_slot(struct heap *heap, uint32_t class) {
  struct heap_slab *slab = heap->partial[class];
  if (slab == NULL) slab = new_slab(heap, class);
  if (slab == NULL) return NULL;
  void **slot = slab->free;
  slab->free = *slot;
  slab->used++;
  if (slab->free == NULL) unlink_slab(heap, slab);
  return slot;
}

static void free_slot(struct heap *heap, void *slot) {
  struct heap_slab *slab = (struct heap_slab *)((uintptr_t)slot & ~(uintptr_t)(PAGE_BYTES - 1));
  if (slab->free == NULL) link_slab(heap, slab);
  *(void **)slot = slab->free;
  slab->free = slot;
  if (--slab->used != 0) return;
  unlink_slab(heap, slab);
  heap->page_bytes -= PAGE_BYTES;
  (void)pages_return(heap->pages, (uint64_t)slab);
}

static void *take_pages(struct heap *heap, uint64_t bytes) {
  unsigned order = order_of(bytes);
  void *block = (void *)pages_take(heap->pages, ZONE_NORMAL, order);
  if (block != NULL) heap->page_bytes += (uint64_t)PAGE_BYTES << order;
  return block;
}

static void free_pages(struct heap *heap, struct heap_block *block) {
  heap->page_bytes -= (uint64_t)PAGE_BYTES << order_of(whole(block->size));
  (void)pages_return(heap->pages, (uint64_t)block);
}

static bool is_fenced(const struct heap_block *block) {
  uint64_t fence;
  __builtin_memcpy(&fence, (const uint8_t *)(block + 1) + block->size, sizeof fence);
  return fence == FENCE;
}

void heap_init(struct heap *heap, struct pages *pages) { *heap = (struct heap){.pages = pages}; }

void *heap_take(struct heap *heap, uint32_t size, const char *what) {
  uint64_t bytes = whole(size);
  uint32_t class = class_of(bytes);
  struct heap_block *block = class < HEAP_CLASSES ? take_slot(heap, class) : take_pages(heap, bytes);
  if (block == NULL) {
    heap->failures++;
    return NULL;
  }
  *block = (struct heap_block){.mark = MARK_LIVE, .size = size, .what = what, .next = heap->live};
  if (block->next != NULL) block->next->previous = block;
  heap->live = block;
  const uint64_t fence = FENCE;
  __builtin_memcpy((uint8_t *)(block + 1) + size, &fence, sizeof fence);
  heap->takes++;
  heap->blocks++;
  heap->bytes += size;
  if (heap->bytes > heap->most_bytes) heap->most_bytes = heap->bytes;
  return block + 1;
}

enum heap_result heap_free(struct heap *heap, void *payload) {
  struct heap_block *block = (struct heap_block *)payload - 1;
  if (((uintptr_t)payload & 15) != 0 || block->mark != MARK_LIVE) return HEAP_NOT_LIVE;
  if (!is_fenced(block)) return HEAP_OVERRUN;
  if (block->next != NULL) block->next->previous = block->previous;
  if (block->previous != NULL) block->previous->next = block->next;
  else heap->live = block->next;
  block->mark = MARK_FREED;
  heap->frees++;
  heap->blocks--;
  heap->bytes -= block->size;
  if (class_of(whole(block->size)) < HEAP_CLASSES) free_slot(heap, block);
  else free_pages(heap, block);
  return HEAP_GOOD;
}

const struct heap_block *heap_check(const struct heap *heap) {
  for (const struct heap_block *block = heap->live; block != NULL; block = block->next) {
    if (block->mark != MARK_LIVE || !is_fenced(block)) return block;
  }
  return NULL;
}

uint64_t heap_live(const struct heap *heap, const char *what) {
  uint64_t count = 0;
  for (const struct heap_block *block = heap->live; block != NULL; block = block->next) count += block->what == what;
  return count;
}
