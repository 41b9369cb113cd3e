/* SPDX-License-Identifier: MIT */
/* The pure parts of memory/ behind a pipe. A call is a list of 32-byte operations; its answer one word for each. */
#define _GNU_SOURCE /* MAP_FIXED_NOREPLACE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory/heap.h"
#include "memory/map.h"
#include "memory/pages.h"
#include "memory/tables.h"

enum call { CALL_MAP = 1, CALL_PAGES, CALL_HEAP, CALL_TABLES };

struct operation {
  uint64_t kind;
  uint64_t a, b, c;
};

#define ARENA 0x10000000ull /* an address that the page table covers and a process has free */
#define ARENA_BYTES (16u << 20)
#define LIVE_MAX 4096u

static void put(const void *data, uint32_t size) {
  fwrite(&size, sizeof size, 1, stdout);
  fwrite(data, 1, size, stdout);
  fflush(stdout);
}

/* 0: region a..b of type c; 1: remove a..b; 2: take a bytes from b below c. Then the whole map, as pairs. */
static void map_call(const struct operation *operations, uint32_t count) {
  static struct region regions[BOOT_MAX_REGIONS];
  uint32_t region_count = 0, i = 0;
  for (; i < count && operations[i].kind == 0; i++) {
    regions[region_count++] = (struct region){{operations[i].a, operations[i].b}, (uint32_t)operations[i].c};
  }
  struct memory_map map;
  memory_map_build(&map, regions, region_count);
  static uint64_t answer[65536];
  uint32_t words = 0;
  for (; i < count; i++) {
    const struct operation *o = &operations[i];
    if (o->kind == 1) answer[words++] = memory_map_remove(&map, (struct range){o->a, o->b});
    else answer[words++] = memory_map_take(&map, o->a, o->b, o->c);
  }
  answer[words++] = memory_map_bytes(&map);
  for (uint32_t r = 0; r < map.count; r++) {
    answer[words++] = map.ranges[r].start;
    answer[words++] = map.ranges[r].end;
  }
  put(answer, words * 8);
}

/* First operation: a table of a pages. Then 0: give a..b; 1: take of zone a, order b; 2: return a; 3: claim of zone a,
   two words; 4: the free pages of zone a. */
static void pages_call(const struct operation *operations, uint32_t count) {
  struct page *table = calloc(operations[0].a, sizeof *table);
  struct pages pages;
  pages_init(&pages, table, (uint32_t)operations[0].a);
  uint64_t *answer = calloc(2 * count, 8);
  uint32_t words = 0;
  for (uint32_t i = 1; i < count; i++) {
    const struct operation *o = &operations[i];
    switch (o->kind) {
      case 0: pages_give(&pages, (struct range){o->a, o->b}); break;
      case 1: answer[words++] = pages_take(&pages, (enum zone)o->a, (unsigned)o->b); break;
      case 2: answer[words++] = pages_return(&pages, o->a); break;
      case 3: {
        struct range range = pages_claim(&pages, (enum zone)o->a);
        answer[words++] = range.start;
        answer[words++] = range.end;
        break;
      }
      default: answer[words++] = pages.zones[o->a].free;
    }
  }
  put(answer, words * 8);
  free(answer);
  free(table);
}

/* 0: take a bytes as block b, filled with its number; 1: free block a, which must still have its content; 2: write byte b
   behind block a; 3: free address a; 4: check, the number of the damaged block; 5..9: statistics. */
static void heap_call(const struct operation *operations, uint32_t count) {
  static const char what[] = "test";
  static void *live[LIVE_MAX];
  struct page *table = calloc((ARENA + ARENA_BYTES) / PAGE_BYTES, sizeof *table);
  struct pages pages;
  pages_init(&pages, table, (ARENA + ARENA_BYTES) / PAGE_BYTES);
  pages_give(&pages, (struct range){ARENA, ARENA + ARENA_BYTES});
  struct heap heap;
  heap_init(&heap, &pages);
  uint64_t *answer = calloc(count, 8);
  for (uint32_t i = 0; i < count; i++) {
    const struct operation *o = &operations[i];
    switch (o->kind) {
      case 0:
        live[o->b] = heap_take(&heap, (uint32_t)o->a, what);
        if (live[o->b] != NULL) memset(live[o->b], (int)o->b, o->a);
        answer[i] = (uint64_t)live[o->b];
        break;
      case 1: {
        uint8_t *payload = live[o->a];
        uint32_t size = ((struct heap_block *)(void *)payload - 1)->size;
        for (uint32_t at = 0; at < size; at++) {
          if (payload[at] != (uint8_t)o->a) abort();
        }
        answer[i] = heap_free(&heap, payload);
        break;
      }
      case 2: ((uint8_t *)live[o->a])[((struct heap_block *)live[o->a] - 1)->size] = (uint8_t)o->b; break;
      case 3: answer[i] = heap_free(&heap, (void *)o->a); break;
      case 4: {
        const struct heap_block *bad = heap_check(&heap);
        answer[i] = bad == NULL ? 0 : (uint64_t)(bad + 1);
        break;
      }
      case 5: answer[i] = heap.blocks; break;
      case 6: answer[i] = heap.bytes; break;
      case 7: answer[i] = heap.page_bytes; break;
      case 8: answer[i] = heap_live(&heap, what); break;
      default: answer[i] = ARENA_BYTES - pages.zones[ZONE_NORMAL].free * PAGE_BYTES; break;
    }
  }
  put(answer, count * 8);
  free(answer);
  free(table);
}

static void *table_pages[4096];
static uint32_t tables_taken, tables_limit;

static uint64_t *take_table(void *context) {
  (void)context;
  if (tables_taken == tables_limit) return NULL;
  void *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
  table_pages[tables_taken++] = page;
  return memset(page, 0, PAGE_BYTES);
}

/* First operation: a pages for tables. Then 0: map a..b with rights c; 1: rights at a; 2: tables taken so far. */
static void tables_call(const struct operation *operations, uint32_t count) {
  struct tables tables;
  tables_taken = 0;
  tables_limit = (uint32_t)operations[0].a;
  uint64_t *answer = calloc(count, 8);
  answer[0] = tables_init(&tables, take_table, NULL);
  for (uint32_t i = 1; i < count && answer[0] != 0; i++) {
    const struct operation *o = &operations[i];
    if (o->kind == 0) answer[i] = tables_map(&tables, (struct range){o->a, o->b}, (enum rights)o->c);
    else answer[i] = o->kind == 1 ? (uint64_t)tables_rights(&tables, o->a) : tables_taken;
  }
  put(answer, count * 8);
  free(answer);
  for (uint32_t i = 0; i < tables_taken; i++) free(table_pages[i]);
}

int main(void) {
  void *arena = mmap((void *)ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (arena != (void *)ARENA) abort();
  uint32_t head[2];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    struct operation *operations = malloc(head[1] + 1);
    if (fread(operations, 1, head[1], stdin) != head[1]) abort();
    uint32_t count = head[1] / sizeof *operations;
    switch (head[0]) {
      case CALL_MAP: map_call(operations, count); break;
      case CALL_PAGES: pages_call(operations, count); break;
      case CALL_HEAP: heap_call(operations, count); break;
      case CALL_TABLES: tables_call(operations, count); break;
      default: abort();
    }
    free(operations);
  }
  return 0;
}
