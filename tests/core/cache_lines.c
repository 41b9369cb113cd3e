/* SPDX-License-Identifier: MIT */
/*
 * cache_lines MODULE ITCH: which 64-byte lines of the core's tables each message touches, as struct row on standard output:
 * the core's work and, in the order of the kernel's loop, the strategy that is asked and the book's part of the trace entry.
 *
 * The core is compiled with -fsanitize=thread, which puts a call before each access to memory; the calls end here instead of
 * in the sanitizer's library. Counted are the tables (orders, levels, their ticks, books, locates), not the record, the
 * stack, and the engine's own counters.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "core/moldudp64.h"
#include "core/trace.h"
#include "host.h"
#include "itch_input.h"

#define MOST 256u

struct row {
  uint32_t type;
  uint32_t lines;
  uint32_t levels; /* 1: a level came or went */
  uint32_t beyond; /* 1: its side has, or had, a level that is not in the window */
  uint32_t asked;  /* 1: the best price changed, so that its strategy was to be asked */
};

static uint32_t is_beyond(const struct books *books, const struct change *change) {
  return change->level->balance != IN_WINDOW || change_book(books, change)->side[change_side(change)].root != 0;
}

static struct host host;
static struct range {
  uintptr_t start, end;
} ranges[5];
static uintptr_t touched[MOST];
static unsigned count;
static bool watching;

/* As trading/loop.c does. */
static enum effect process(const union rx_line *line, struct change *change, struct trace_top *top) {
  struct engine *engine = &host.engine;
  enum effect effect = engine_record(engine, line, change);
  if (effect != EFFECT_BOOK) return effect;
  (void)engine_decide(engine, change);
  if (engine_asks(engine, change)) *top = trace_asked(change_book(&engine->books, change), change_side(change));
  else *top = trace_quiet(change);
  return effect;
}

#define UNWATCHED __attribute__((no_sanitize("thread"), noinline))

UNWATCHED static void touch(uintptr_t line) {
  for (unsigned i = 0; i < count; i++) {
    if (touched[i] == line) return;
  }
  if (count < MOST) touched[count++] = line;
}

UNWATCHED static void access(const void *address, uintptr_t bytes) {
  uintptr_t at = (uintptr_t)address;
  if (!watching) return;
  for (unsigned i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    if (at < ranges[i].start || at >= ranges[i].end) continue;
    for (uintptr_t line = at / 64; line <= (at + bytes - 1) / 64; line++) touch(line);
  }
}

#define ACCESS(bytes)                                                                    \
  void __tsan_read##bytes(void *address);                                                \
  void __tsan_write##bytes(void *address);                                               \
  void __tsan_unaligned_read##bytes(void *address);                                      \
  void __tsan_unaligned_write##bytes(void *address);                                     \
  UNWATCHED void __tsan_read##bytes(void *address) { access(address, bytes); }           \
  UNWATCHED void __tsan_write##bytes(void *address) { access(address, bytes); }          \
  UNWATCHED void __tsan_unaligned_read##bytes(void *address) { access(address, bytes); } \
  UNWATCHED void __tsan_unaligned_write##bytes(void *address) { access(address, bytes); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void *caller);
void __tsan_read_range(void *address, long bytes);
void __tsan_write_range(void *address, long bytes);
UNWATCHED void __tsan_init(void) {}
UNWATCHED void __tsan_func_entry(void *caller) { (void)caller; }
UNWATCHED void __tsan_func_exit(void *caller) { (void)caller; }
UNWATCHED void __tsan_read_range(void *address, long bytes) { access(address, (uintptr_t)bytes); }
UNWATCHED void __tsan_write_range(void *address, long bytes) { access(address, (uintptr_t)bytes); }

/* Of the strategies' instances, which are none of the tables. */
uint64_t __tsan_atomic64_load(const volatile void *from, int order);
void __tsan_atomic64_store(volatile void *to, uint64_t value, int order);
UNWATCHED uint64_t __tsan_atomic64_load(const volatile void *from, int order) {
  (void)order;
  return *(const volatile uint64_t *)from;
}
UNWATCHED void __tsan_atomic64_store(volatile void *to, uint64_t value, int order) {
  (void)order;
  *(volatile uint64_t *)to = value;
}

UNWATCHED static struct range range(const void *start, uint64_t entries, uint64_t size) {
  return (struct range){(uintptr_t)start, (uintptr_t)start + entries * size};
}

UNWATCHED int main(int argc, char **argv) {
  if (argc != 3) return 2;
  static union rx_line lines[MOLD_RECORD_LINES];
  uint64_t module_bytes, bytes, at = 0, sequence = 0;
  uint8_t *module = read_whole(argv[1], &module_bytes), *data = read_whole(argv[2], &bytes);
  if (host_open(&host, module, module_bytes) != NULL) return 2;
  struct engine_sizes sizes = engine_sizes(host.config);
  const struct engine_memory *memory = &host.memory;
  ranges[0] = range(memory->orders, sizes.orders, sizeof(struct order));
  ranges[1] = range(memory->levels, sizes.levels, sizeof(struct level));
  ranges[2] = range(memory->rows, sizes.rows, sizeof(struct tick_row));
  ranges[3] = range(memory->books, sizes.books, sizeof(struct book));
  ranges[4] = range(memory->locates, sizes.locates, sizeof(struct locate));
  uint16_t length;
  for (const uint8_t *message; (message = next_message(data, bytes, &at, &length)) != NULL;) {
    (void)mold_record(message, length, ++sequence, 0, lines);
    uint32_t levels = host.engine.books.levels.room;
    struct change change = {0};
    count = 0;
    watching = true;
    struct trace_top top;
    enum effect effect = process(lines, &change, &top);
    watching = false;
    if (effect != EFFECT_BOOK) continue;
    struct row row = {.type = message[0],
                      .lines = count,
                      .levels = levels != host.engine.books.levels.room,
                      .beyond = is_beyond(&host.engine.books, &change),
                      .asked = engine_asks(&host.engine, &change)};
    fwrite(&row, sizeof row, 1, stdout);
  }
  return 0;
}
