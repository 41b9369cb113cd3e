/* SPDX-License-Identifier: MIT */
/*
 * Host memory as the NIC sees it. A write is taken at once and becomes visible to the kernel after the interconnect's
 * latency; it is committed, in the NIC's order, only while the kernel is parked, so the kernel cannot see it early. A read
 * of the NIC sees all its own writes: it pushes them before it (PCIe ordering rules).
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct posted {
  uint64_t visible_ps, address, strobe;
  uint8_t line[LINE_BYTES];
};

static struct {
  uint8_t *base;
  uint64_t bytes;
  struct posted *queue;
  uint64_t capacity, head, tail; /* capacity is a power of two; head - tail entries wait */
  uint64_t published;
} memory;

int memory_open(int fd, uint64_t bytes) {
  memset(&memory, 0, sizeof memory);
  void *map = fd >= 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                      : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) {
    core_fail(TL_FAILED, "cannot map %llu bytes of host memory: %s", (unsigned long long)bytes, strerror(errno));
    return TL_FAILED;
  }
  memory.base = map;
  memory.bytes = bytes;
  memory.capacity = 4096;
  memory.queue = malloc(memory.capacity * sizeof *memory.queue);
  if (!memory.queue) {
    core_fail(TL_FAILED, "out of memory");
    return TL_FAILED;
  }
  return TL_OK;
}

void memory_close(void) {
  if (memory.base) munmap(memory.base, memory.bytes);
  free(memory.queue);
  memset(&memory, 0, sizeof memory);
}

void *memory_at(uint64_t address, uint64_t bytes) {
  if (bytes > memory.bytes || address > memory.bytes - bytes) return NULL;
  return memory.base + address;
}

static bool grow(void) {
  struct posted *larger = malloc(2 * memory.capacity * sizeof *larger);
  if (!larger) {
    core_fail(TL_FAILED, "out of memory");
    return false;
  }
  for (uint64_t i = memory.tail; i != memory.head; i++)
    larger[i & (2 * memory.capacity - 1)] = memory.queue[i & (memory.capacity - 1)];
  free(memory.queue);
  memory.queue = larger;
  memory.capacity *= 2;
  return true;
}

void memory_write(uint64_t visible_ps, uint64_t address, uint64_t strobe, const void *line) {
  if (!strobe) return;
  if (!memory_at(address, LINE_BYTES) || address % LINE_BYTES) {
    core_fail(TL_FAILED, "the NIC wrote to 0x%llx, outside host memory or not on a line", (unsigned long long)address);
    return;
  }
  if (memory.head - memory.tail == memory.capacity && !grow()) return;
  struct posted *entry = &memory.queue[memory.head++ & (memory.capacity - 1)];
  entry->visible_ps = visible_ps;
  entry->address = address;
  entry->strobe = strobe;
  memcpy(entry->line, line, LINE_BYTES);
}

static void apply(uint8_t *line, const struct posted *entry, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++)
    if (entry->strobe >> i & 1) line[i] = entry->line[i];
}

/* The last word last: a record's publish word, a descriptor's status. The other side may read the line as soon as it sees
 * it. */
static void store(const struct posted *entry) {
  const uint32_t last = (63u - (uint32_t)__builtin_clzll(entry->strobe)) & ~3u;
  uint8_t *line = memory.base + entry->address;
  uint32_t word;
  if (entry->strobe == WHOLE_LINE) memcpy(line, entry->line, last);
  else apply(line, entry, last);
  memcpy(&word, line + last, sizeof word);
  for (uint32_t i = 0; i < sizeof word; i++)
    if (entry->strobe >> (last + i) & 1) memcpy((uint8_t *)&word + i, entry->line + last + i, 1);
  __atomic_store_n((uint32_t *)(void *)(line + last), word, __ATOMIC_RELEASE);
}

struct publication memory_commit(uint64_t now_ps) {
  struct publication record = {RING_NONE, 0};
  while (memory.tail != memory.head) {
    const struct posted *entry = &memory.queue[memory.tail & (memory.capacity - 1)];
    if (entry->visible_ps > now_ps) break;
    record = rings_written(entry->address, entry->strobe, entry->line);
    store(entry);
    if (record.ring != RING_NONE) memory.published++;
    memory.tail++;
  }
  return record;
}

void memory_read(uint64_t address, void *line) {
  memcpy(line, memory.base + address, LINE_BYTES);
  for (uint64_t i = memory.tail; i != memory.head; i++) {
    const struct posted *entry = &memory.queue[i & (memory.capacity - 1)];
    if (entry->address == address) apply(line, entry, LINE_BYTES);
  }
}

uint64_t memory_next_visible(void) {
  return memory.tail == memory.head ? NEVER : memory.queue[memory.tail & (memory.capacity - 1)].visible_ps;
}

uint64_t memory_published(void) { return memory.published; }
