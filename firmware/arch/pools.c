/* SPDX-License-Identifier: MIT */
/* Bump allocation from one range of RAM. Counts and sizes come from validated configuration, far below 64-bit overflow. */
#include "arch/pools.h"

#include "console/console.h"

void *pools_take(struct range *memory, const char *what, uint64_t count, uint64_t size, uint64_t alignment) {
  uint64_t start = (memory->start + alignment - 1) & ~(alignment - 1);
  uint64_t bytes = count * size;
  if (start > memory->end || memory->end - start < bytes) {
    panic("no room for %s: %lu bytes wanted, %lu left", what, bytes, memory->end - memory->start);
  }
  memory->start = start + bytes;
  console_print("pool: %s at 0x%lx, %lu bytes\n", what, start, bytes);
  return (void *)start;
}

void *pools_take_zeroed(struct range *memory, const char *what, uint64_t count, uint64_t size, uint64_t alignment) {
  void *pool = pools_take(memory, what, count, size, alignment);
  uint64_t words = (count * size + 7) / 8; /* alignment is at least 8, so the next pool begins no earlier */
  void *at = pool;
  __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0) : "memory");
  return pool;
}
