/* SPDX-License-Identifier: MIT */
/* See map.h. Firmware maps may be unsorted, overlap, and end anywhere (ACPI 6.5, 15.4). */
#include "memory/map.h"

static uint64_t down(uint64_t address) { return address & ~(uint64_t)(PAGE_BYTES - 1); }

/* To the next page, but not around the end of the address space. */
static uint64_t up(uint64_t address) {
  return address > UINT64_MAX - (PAGE_BYTES - 1) ? down(UINT64_MAX) : down(address + PAGE_BYTES - 1);
}

static void drop(struct memory_map *map, uint32_t at) {
  map->count--;
  for (uint32_t i = at; i < map->count; i++) map->ranges[i] = map->ranges[i + 1];
}

static bool insert(struct memory_map *map, uint32_t at, struct range range) {
  if (map->count == MEMORY_MAP_RANGES) return false;
  for (uint32_t i = map->count; i > at; i--) map->ranges[i] = map->ranges[i - 1];
  map->ranges[at] = range;
  map->count++;
  return true;
}

/* Add a range of whole pages, joined with what it overlaps or touches. */
static void add(struct memory_map *map, struct range range) {
  uint32_t at = 0;
  while (at < map->count && map->ranges[at].end < range.start) at++;
  while (at < map->count && map->ranges[at].start <= range.end) {
    if (map->ranges[at].start < range.start) range.start = map->ranges[at].start;
    if (map->ranges[at].end > range.end) range.end = map->ranges[at].end;
    drop(map, at);
  }
  (void)insert(map, at, range); /* there are more places than regions */
}

void memory_map_build(struct memory_map *map, const struct region *regions, uint32_t count) {
  _Static_assert(MEMORY_MAP_RANGES > 2 * BOOT_MAX_REGIONS, "a region adds one range at most");
  map->count = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (regions[i].type != MEMORY_RAM) continue;
    struct range whole = {up(regions[i].range.start), down(regions[i].range.end)};
    if (whole.start < whole.end) add(map, whole);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (regions[i].type != MEMORY_RAM) (void)memory_map_remove(map, regions[i].range);
  }
}

bool memory_map_remove(struct memory_map *map, struct range range) {
  if (range.start >= range.end) return true;
  range = (struct range){down(range.start), up(range.end)};
  for (uint32_t i = 0; i < map->count;) {
    struct range *have = &map->ranges[i];
    if (have->end <= range.start || have->start >= range.end) {
      i++;
    } else if (have->start < range.start && have->end > range.end) {
      struct range rest = {range.end, have->end};
      have->end = range.start;
      return insert(map, i + 1, rest);
    } else if (have->start < range.start) {
      have->end = range.start;
      i++;
    } else if (have->end > range.end) {
      have->start = range.end;
      i++;
    } else {
      drop(map, i);
    }
  }
  return true;
}

uint64_t memory_map_take(struct memory_map *map, uint64_t bytes, uint64_t from, uint64_t limit) {
  bytes = up(bytes);
  for (uint32_t i = 0; i < map->count; i++) {
    uint64_t start = map->ranges[i].start > from ? map->ranges[i].start : up(from);
    uint64_t end = map->ranges[i].end < limit ? map->ranges[i].end : down(limit);
    if (start >= end || end - start < bytes) continue;
    return memory_map_remove(map, (struct range){start, start + bytes}) ? start : 0;
  }
  return 0;
}

uint64_t memory_map_bytes(const struct memory_map *map) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < map->count; i++) bytes += map->ranges[i].end - map->ranges[i].start;
  return bytes;
}
