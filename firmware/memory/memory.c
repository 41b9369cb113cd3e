/* SPDX-License-Identifier: MIT */
/*
 * See memory.h. Everything below 4 GiB is mapped, holes too: devices lie there. Above, only RAM is. Writable memory is not
 * executable, page 0 and guard pages are not mapped at all.
 */
#include "memory/memory.h"

#include <stddef.h>

#include "arch/paging.h"
#include "console/console.h"
#include "include/kernel.h"
#include "include/layout.h"

#define GUARDS 64u

struct pages kernel_pages;
struct heap kernel_heap;

static struct tables tables;

static struct {
  uint64_t address;
  const char *what;
} guards[GUARDS];
static uint32_t guard_count;

static void zero(void *at, uint64_t bytes) {
  uint64_t words = bytes / 8;
  __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0) : "memory");
}

static uint64_t *take_table(void *context) {
  (void)context;
  uint64_t *page = (uint64_t *)pages_take(&kernel_pages, ZONE_NORMAL, 0);
  if (page != NULL) zero(page, PAGE_BYTES);
  return page;
}

static void map(struct range range, enum rights rights) {
  if (!tables_map(&tables, range, rights)) panic("too little memory: none for page tables");
}

static struct range image(const uint8_t *start, const uint8_t *end) {
  return (struct range){(uint64_t)start, (uint64_t)end};
}

static void find_memory(struct memory_map *free, const struct boot *boot) {
  memory_map_build(free, boot->regions, boot->region_count);
  const struct range taken[] = {
      {0, PAGE_BYTES},
      {TRAMPOLINE_PAGE, TRAMPOLINE_PAGE + PAGE_BYTES},
      {RESERVED_BASE, RESERVED_BASE + RESERVED_SIZE},
      image(kernel_text, kernel_end),
  };
  bool fits = true;
  for (unsigned i = 0; i < sizeof taken / sizeof taken[0]; i++) fits &= memory_map_remove(free, taken[i]);
  for (uint32_t i = 0; i < boot->module_count; i++) fits &= memory_map_remove(free, boot->modules[i]);
  if (!fits) panic("the memory map is in more than %u pieces", MEMORY_MAP_RANGES);
}

static void give_pages(struct memory_map *free) {
  if (free->count == 0) panic("too little memory: none is free");
  uint64_t count = free->ranges[free->count - 1].end / PAGE_BYTES;
  if (count > UINT32_MAX) count = UINT32_MAX; /* 16 TiB */
  uint64_t bytes = count * sizeof(struct page);
  struct page *table = (struct page *)memory_map_take(free, bytes, ZONE_LOW_END, MAPPED_END);
  if (table == NULL) panic("too little memory: %lu bytes wanted for the table of %lu pages", bytes, count);
  zero(table, (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
  pages_init(&kernel_pages, table, (uint32_t)count);
  for (uint32_t i = 0; i < free->count; i++) pages_give(&kernel_pages, free->ranges[i]);
}

static void map_all(const struct boot *boot) {
  if (!tables_init(&tables, take_table, NULL)) panic("too little memory: none for page tables");
  map((struct range){0, MAPPED_END}, RIGHTS_DATA);
  for (uint32_t i = 0; i < boot->region_count; i++) {
    struct range range = boot->regions[i].range;
    if (boot->regions[i].type != MEMORY_RAM || range.end <= MAPPED_END) continue;
    map((struct range){range.start < MAPPED_END ? MAPPED_END : range.start, range.end}, RIGHTS_DATA);
  }
  map(image(kernel_text, kernel_text_end), RIGHTS_CODE);
  map(image(kernel_text_end, kernel_data), RIGHTS_CONSTANTS);
}

void memory_init(const struct boot *boot) {
  static struct memory_map free; /* too large for the stack */
  find_memory(&free, boot);
  give_pages(&free);
  map_all(boot);
  memory_guard(0, "null");
  memory_guard((uint64_t)stack_guard, "the boot stack");
  paging_load(tables.root);
  heap_init(&kernel_heap, &kernel_pages);
  static const char *const names[ZONES] = {"below 1 MiB", "below 16 MiB", "below 4 GiB", "above"};
  for (unsigned zone = 0; zone < ZONES; zone++) {
    console_print("memory: %lu KiB free %s\n", kernel_pages.zones[zone].free * (PAGE_BYTES / 1024), names[zone]);
  }
}

void memory_protect(struct range range, enum rights rights) {
  map(range, rights);
  for (uint64_t at = range.start; at < range.end; at += PAGE_BYTES) paging_forget(at);
}

void memory_guard(uint64_t address, const char *what) {
  uint32_t at = 0;
  while (at < guard_count && guards[at].address != address) at++;
  if (at == GUARDS) panic("more than %u guard pages", GUARDS);
  if (at == guard_count) guard_count++;
  guards[at].address = address;
  guards[at].what = what;
  memory_protect((struct range){address, address + PAGE_BYTES}, RIGHTS_NONE);
}

const char *memory_guard_name(uint64_t address) {
  for (uint32_t i = 0; i < guard_count; i++) {
    if (address - guards[i].address < PAGE_BYTES) return guards[i].what;
  }
  return NULL;
}

enum rights memory_rights(uint64_t address) { return tables_rights(&tables, address); }

struct range memory_claim(void) { return pages_claim(&kernel_pages, ZONE_NORMAL); }

void memory_give(struct range rest) {
  rest.start = (rest.start + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
  if (rest.start < rest.end) pages_give(&kernel_pages, rest);
}
