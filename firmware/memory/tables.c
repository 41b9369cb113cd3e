/* SPDX-License-Identifier: MIT */
/* See tables.h. Directories allow everything: the last level decides. */
#include "memory/tables.h"

#include <stddef.h>

#include "memory/map.h"

#define PRESENT 0x1ull
#define WRITABLE 0x2ull
#define LARGE 0x80ull
#define NO_EXECUTE (1ull << 63)
#define ADDRESS 0x000FFFFFFFFFF000ull
#define LARGE_BYTES (2ull << 20)
#define ENTRIES 512u
#define LEVELS 4u

static const uint64_t bits[] = {
    [RIGHTS_NONE] = 0,
    [RIGHTS_CODE] = PRESENT,
    [RIGHTS_CONSTANTS] = PRESENT | NO_EXECUTE,
    [RIGHTS_DATA] = PRESENT | WRITABLE | NO_EXECUTE,
};

static uint64_t *table_of(uint64_t entry) { return (uint64_t *)(entry & ADDRESS); }

/* Level 1 is that of the 4 KiB pages. */
static unsigned index_of(uint64_t address, unsigned level) {
  return (unsigned)(address >> (12 + 9 * (level - 1))) & (ENTRIES - 1);
}

/* Make a table of 4 KiB pages out of one entry for 2 MiB. */
static bool split(struct tables *tables, uint64_t *entry) {
  uint64_t *small = tables->take(tables->context);
  if (small == NULL) return false;
  uint64_t flags = *entry & ~(ADDRESS | LARGE);
  for (unsigned i = 0; i < ENTRIES && *entry != 0; i++) small[i] = ((*entry & ADDRESS) + i * PAGE_BYTES) | flags;
  *entry = (uint64_t)small | PRESENT | WRITABLE;
  return true;
}

/* The entry for 2 MiB that an address lies in, with the tables above it. */
static uint64_t *directory_entry(struct tables *tables, uint64_t address) {
  uint64_t *table = tables->root;
  for (unsigned level = LEVELS; level > 2; level--) {
    uint64_t *entry = &table[index_of(address, level)];
    if (*entry == 0) {
      uint64_t *below = tables->take(tables->context);
      if (below == NULL) return NULL;
      *entry = (uint64_t)below | PRESENT | WRITABLE;
    }
    table = table_of(*entry);
  }
  return &table[index_of(address, 2)];
}

bool tables_init(struct tables *tables, uint64_t *(*take)(void *context), void *context) {
  *tables = (struct tables){.root = take(context), .take = take, .context = context};
  return tables->root != NULL;
}

bool tables_map(struct tables *tables, struct range range, enum rights rights) {
  uint64_t at = range.start & ~(uint64_t)(PAGE_BYTES - 1);
  while (at < range.end) {
    uint64_t *entry = directory_entry(tables, at);
    if (entry == NULL) return false;
    bool is_table = *entry != 0 && (*entry & LARGE) == 0;
    if (!is_table && at % LARGE_BYTES == 0 && range.end - at >= LARGE_BYTES) {
      *entry = rights == RIGHTS_NONE ? 0 : at | bits[rights] | LARGE;
      at += LARGE_BYTES;
      continue;
    }
    if (!is_table && !split(tables, entry)) return false;
    table_of(*entry)[index_of(at, 1)] = rights == RIGHTS_NONE ? 0 : at | bits[rights];
    at += PAGE_BYTES;
  }
  return true;
}

enum rights tables_rights(const struct tables *tables, uint64_t address) {
  const uint64_t *table = tables->root;
  for (unsigned level = LEVELS;; level--) {
    uint64_t entry = table[index_of(address, level)];
    if ((entry & PRESENT) == 0) return RIGHTS_NONE;
    if (level == 1 || (entry & LARGE) != 0) {
      if ((entry & NO_EXECUTE) == 0) return RIGHTS_CODE;
      return (entry & WRITABLE) != 0 ? RIGHTS_DATA : RIGHTS_CONSTANTS;
    }
    table = table_of(entry);
  }
}
