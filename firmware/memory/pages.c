/* SPDX-License-Identifier: MIT */
/* See pages.h. A page's state is told at the first page of its block; all others are PAGE_INSIDE. */
#include "memory/pages.h"

#include <stddef.h>

enum page_state { PAGE_INSIDE, PAGE_FREE, PAGE_TAKEN };

static enum zone zone_of(uint32_t page) {
  if (page < ZONE_LOW_END / PAGE_BYTES) return ZONE_LOW;
  if (page < ZONE_DMA_END / PAGE_BYTES) return ZONE_DMA;
  return page < ZONE_NORMAL_END / PAGE_BYTES ? ZONE_NORMAL : ZONE_HIGH;
}

static void link(struct pages *pages, struct zone_state *zone, uint32_t at, unsigned order) {
  struct page *page = &pages->table[at];
  *page = (struct page){.next = zone->first[order], .order = (uint8_t)order, .state = PAGE_FREE};
  if (page->next != 0) pages->table[page->next].previous = at;
  zone->first[order] = at;
  zone->orders |= 1u << order;
}

static void unlink(struct pages *pages, struct zone_state *zone, uint32_t at) {
  struct page *page = &pages->table[at];
  if (page->next != 0) pages->table[page->next].previous = page->previous;
  if (page->previous != 0) {
    pages->table[page->previous].next = page->next;
  } else {
    zone->first[page->order] = page->next;
    if (page->next == 0) zone->orders &= ~(1u << page->order);
  }
  page->state = PAGE_INSIDE;
}

/* Put a block into its list, joined with its buddy, that one's buddy, and so on. Blocks do not reach into another zone. */
static void release(struct pages *pages, uint32_t at, unsigned order) {
  enum zone zone = zone_of(at);
  struct zone_state *state = &pages->zones[zone];
  state->free += 1ull << order;
  pages->table[at].state = PAGE_INSIDE;
  for (; order < PAGES_ORDERS - 1; order++) {
    uint32_t buddy = at ^ 1u << order;
    if (buddy >= pages->count || zone_of(buddy) != zone) break;
    if (pages->table[buddy].state != PAGE_FREE || pages->table[buddy].order != order) break;
    unlink(pages, state, buddy);
    at &= ~(1u << order);
  }
  link(pages, state, at, order);
}

void pages_init(struct pages *pages, struct page *table, uint32_t count) {
  *pages = (struct pages){.table = table, .count = count};
}

void pages_give(struct pages *pages, struct range range) {
  uint32_t at = (uint32_t)(range.start / PAGE_BYTES), end = (uint32_t)(range.end / PAGE_BYTES);
  while (at < end) {
    unsigned order = 0;
    while (order < PAGES_ORDERS - 1 && (at & ((2u << order) - 1)) == 0 && end - at >= 2u << order &&
           zone_of(at) == zone_of(at + (2u << order) - 1)) {
      order++;
    }
    pages->zones[zone_of(at)].pages += 1ull << order;
    release(pages, at, order);
    at += 1u << order;
  }
}

uint64_t pages_take(struct pages *pages, enum zone zone, unsigned order) {
  for (;; zone--) {
    struct zone_state *state = &pages->zones[zone];
    uint32_t larger = order < PAGES_ORDERS ? state->orders >> order << order : 0;
    if (larger != 0) {
      unsigned have = (unsigned)__builtin_ctz(larger);
      uint32_t at = state->first[have];
      unlink(pages, state, at);
      while (have > order) {
        have--;
        link(pages, state, at + (1u << have), have);
      }
      pages->table[at].order = (uint8_t)order;
      pages->table[at].state = PAGE_TAKEN;
      state->free -= 1ull << order;
      pages->takes++;
      return (uint64_t)at * PAGE_BYTES;
    }
    if (zone <= ZONE_DMA) break;
  }
  pages->failures++;
  return 0;
}

bool pages_return(struct pages *pages, uint64_t address) {
  uint64_t at = address / PAGE_BYTES;
  if (address % PAGE_BYTES != 0 || at >= pages->count || pages->table[at].state != PAGE_TAKEN) return false;
  pages->returns++;
  release(pages, (uint32_t)at, pages->table[at].order);
  return true;
}

struct range pages_claim(struct pages *pages, enum zone zone) {
  uint32_t best = 0, best_end = 0, start = 0;
  for (uint32_t at = 0; at < pages->count;) {
    const struct page *page = &pages->table[at];
    uint32_t next = at + (page->state == PAGE_INSIDE ? 1u : 1u << page->order);
    if (page->state != PAGE_FREE || zone_of(at) != zone) {
      start = next;
    } else if (next - start > best_end - best) {
      best = start;
      best_end = next;
    }
    at = next;
  }
  struct zone_state *state = &pages->zones[zone];
  for (uint32_t at = best; at < best_end;) {
    uint32_t size = 1u << pages->table[at].order;
    unlink(pages, state, at);
    state->free -= size;
    state->pages -= size;
    at += size;
  }
  return (struct range){(uint64_t)best * PAGE_BYTES, (uint64_t)best_end * PAGE_BYTES};
}
