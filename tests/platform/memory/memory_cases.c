/* SPDX-License-Identifier: MIT */
/*
 * Cases of memory: forbidden accesses, whose culprit instructions have symbols, so that the test knows which one the report
 * has to name; the rights of all places; every page taken and written; what pages and heap cost.
 */
#include <stddef.h>

#include "../cases.h"
#include "arch/cpu.h"
#include "console/console.h"
#include "include/kernel.h"
#include "include/layout.h"
#include "memory/memory.h"

#define NOINLINE __attribute__((noinline, noclone)) /* a symbol cannot be there twice */

uint64_t recurse(uint64_t depth);

static const uint32_t constant = 7;
static uint8_t bytes_of_data[16] = {0xC3}; /* ret */

/* Deeper than any stack; never inlined, never a jump. */
uint64_t __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) recurse(uint64_t depth) {
  volatile uint64_t room[32] = {depth};
  return depth == UINT64_MAX ? 0 : recurse(depth + 1) + room[0];
}

#define WRITE(name, at) __asm__ volatile(".globl " name "\n" name ": movb $1, (%0)" : : "r"(at) : "memory")

static NOINLINE void read_null(void) {
  __asm__ volatile(".globl culprit_read_null\nculprit_read_null: mov 16, %%rax" : : : "rax");
}

static NOINLINE void write_null(void) { WRITE("culprit_write_null", (uint8_t *)8); }

static NOINLINE void write_text(void) { WRITE("culprit_write_text", kernel_text); }

static NOINLINE void write_constant(void) { WRITE("culprit_write_constant", &constant); }

static void execute_data(void) { __asm__ volatile("call *%0" : : "r"(bytes_of_data) : "memory"); }

static NOINLINE void write_guard(void) { WRITE("culprit_write_guard", stack_guard + 100); }

static NOINLINE void read_hole(void) {
  __asm__ volatile(".globl culprit_read_hole\nculprit_read_hole: mov (%0), %%rax" : : "r"(1ull << 40) : "rax");
}

static void overflow_stack(void) { (void)recurse(0); }

/* Every page of the zones above 1 MiB: taken, written, and given back. */
static void walk(void) {
  uint64_t count = 0, at, list = 0;
  while ((at = pages_take(&kernel_pages, ZONE_HIGH, 0)) != 0) {
    *(uint64_t *)at = list;
    list = at;
    count++;
  }
  for (; list != 0; list = at) {
    at = *(uint64_t *)list;
    if (!pages_return(&kernel_pages, list)) panic("0x%lx was not taken", list);
  }
  console_print("walked: %lu pages\n", count);
}

/* Rights of all parts of the image and of what lies around them, by the tables. */
static void show(void) {
  const struct {
    const char *what;
    uint64_t address;
  } places[] = {
      {"null", 0},
      {"low memory", 0x1000},
      {"code", (uint64_t)kernel_text},
      {"last of code", (uint64_t)kernel_text_end - 1},
      {"constants", (uint64_t)kernel_text_end},
      {"last of constants", (uint64_t)kernel_data - 1},
      {"data", (uint64_t)kernel_data},
      {"guard", (uint64_t)stack_guard},
      {"stack", (uint64_t)stack_guard + PAGE_BYTES},
      {"behind the image", (uint64_t)kernel_end},
      {"local APIC", 0xFEE00000},
      {"above 4 GiB", 4ull << 30},
      {"nothing", 1ull << 40},
  };
  static const char *const rights[] = {
      [RIGHTS_NONE] = "none", [RIGHTS_CODE] = "RX", [RIGHTS_CONSTANTS] = "R", [RIGHTS_DATA] = "RW"};
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
    console_print("rights: %s %s\n", places[i].what, rights[memory_rights(places[i].address)]);
  }
}

#define ROUNDS 1000u

/* Work between two readings, without what the readings cost. */
static uint64_t readings(void) {
  uint64_t start = rdtsc();
  return rdtsc() - start;
}

static void print_cost(const char *what, uint64_t sum, uint64_t most) {
  console_print("cost: %s mean %lu.%lu most %lu\n", what, sum / ROUNDS, sum * 10 / ROUNDS % 10, most);
}

/* One page at a time from a state in which pages are taken and free by turns, and again from one block of all. */
static void page_cost(void) {
  static uint64_t held[ROUNDS];
  uint64_t overhead = readings();
  for (unsigned round = 0; round < 2; round++) {
    uint64_t take = 0, most_take = 0, give = 0, most_give = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
      uint64_t start = rdtsc();
      held[i] = pages_take(&kernel_pages, ZONE_NORMAL, 0);
      uint64_t cost = rdtsc() - start - overhead;
      take += cost;
      if (cost > most_take) most_take = cost;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
      uint64_t start = rdtsc();
      (void)pages_return(&kernel_pages, held[i * 7 % ROUNDS]);
      uint64_t cost = rdtsc() - start - overhead;
      give += cost;
      if (cost > most_give) most_give = cost;
    }
    print_cost("page take", take, most_take);
    print_cost("page return", give, most_give);
  }
}

static void heap_cost(void) {
  static void *held[ROUNDS];
  uint64_t overhead = readings();
  for (unsigned round = 0; round < 2; round++) {
    uint64_t take = 0, most_take = 0, give = 0, most_give = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
      uint64_t start = rdtsc();
      held[i] = heap_take(&kernel_heap, 16 + i % 200, "cost");
      uint64_t cost = rdtsc() - start - overhead;
      take += cost;
      if (cost > most_take) most_take = cost;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
      uint64_t start = rdtsc();
      (void)heap_free(&kernel_heap, held[i * 7 % ROUNDS]);
      uint64_t cost = rdtsc() - start - overhead;
      give += cost;
      if (cost > most_give) most_give = cost;
    }
    print_cost("heap take", take, most_take);
    print_cost("heap free", give, most_give);
  }
  console_print("heap: %lu blocks, %lu pages\n", kernel_heap.blocks, kernel_heap.page_bytes / PAGE_BYTES);
}

const struct test_case memory_cases[] = {
    {"read null", read_null},
    {"write null", write_null},
    {"write text", write_text},
    {"write constant", write_constant},
    {"execute data", execute_data},
    {"write guard", write_guard},
    {"read hole", read_hole},
    {"overflow stack", overflow_stack},
    {"walk", walk},
    {"rights", show},
    {"page cost", page_cost},
    {"heap cost", heap_cost},
    {0, 0},
};
