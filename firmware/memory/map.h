/* SPDX-License-Identifier: MIT */
/* The usable RAM of a machine as sorted, disjoint ranges of whole pages. Pure. */
#ifndef TICKLOOP_MEMORY_MAP_H
#define TICKLOOP_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/boot.h"

#define PAGE_BYTES 4096u
#define MEMORY_MAP_RANGES 96u

struct memory_map {
  struct range ranges[MEMORY_MAP_RANGES];
  uint32_t count;
};

/* What the firmware calls RAM and nobody else calls anything else: where its regions contradict each other, RAM loses. */
void memory_map_build(struct memory_map *map, const struct region *regions, uint32_t count);

/* Take every page out that `range` touches; false if the map would have too many ranges. */
bool memory_map_remove(struct memory_map *map, struct range range);

/* Take `bytes`, rounded up to pages, from the first place at or above `from` and below `limit`; 0 if there is none. */
uint64_t memory_map_take(struct memory_map *map, uint64_t bytes, uint64_t from, uint64_t limit);

uint64_t memory_map_bytes(const struct memory_map *map);

#endif
