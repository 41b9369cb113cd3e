/* SPDX-License-Identifier: MIT */
/*
 * For the test image only, linked with --wrap=trading_run: in place of trading, does what the first byte of the module says.
 * Each culprit instruction has a symbol, so that the test knows which one the report has to name.
 */
#include <stddef.h>

#include "arch/boot.h"
#include "console/console.h"
#include "drivers/serial.h"
#include "include/kernel.h"
#include "include/layout.h"
#include "memory/memory.h"

void __wrap_trading_run(const struct boot *boot);
uint64_t recurse(uint64_t depth);

static const uint32_t constant = 7;
static uint8_t bytes_of_data[16] = {0xC3}; /* ret */

/* Deeper than any stack; never inlined, never a jump. */
uint64_t __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) recurse(uint64_t depth) {
  volatile uint64_t room[32] = {depth};
  return depth == UINT64_MAX ? 0 : recurse(depth + 1) + room[0];
}

#define WRITE(name, at) __asm__ volatile(".globl " name "\n" name ": movb $1, (%0)" : : "r"(at) : "memory")

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

void __wrap_trading_run(const struct boot *boot) {
  switch (*(const char *)boot->modules[0].start) {
    case 'r': __asm__ volatile(".globl read_null\nread_null: mov 16, %%rax" : : : "rax"); break;
    case 'w': WRITE("write_null", (uint8_t *)8); break;
    case 't': WRITE("write_text", kernel_text); break;
    case 'c': WRITE("write_constant", &constant); break;
    case 'x': __asm__ volatile("call *%0" : : "r"(bytes_of_data) : "memory"); break;
    case 'g': WRITE("write_guard", stack_guard + 100); break;
    case 's': (void)recurse(0); break;
    case 'h': __asm__ volatile(".globl read_hole\nread_hole: mov (%0), %%rax" : : "r"(1ull << 40) : "rax"); break;
    case 'W': walk(); break;
    case 'R': show(); break;
    default: panic("no such case");
  }
}
