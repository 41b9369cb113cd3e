/* SPDX-License-Identifier: MIT */
/*
 * The kernel from entry to exit: the platform, then what the command line asks for.
 *
 * Memory:  0x00000000  page 0 unmapped (null pointers fault), firmware, loader's start information
 *          0x00100000  RESERVED_BASE, 64 KiB kept free for descriptor rings: RX, then TX, if both fit
 *          0x01000000  KERNEL_BASE: this image, its page tables and stack, then the pools, RX and TX ring first
 *                      up to the configuration module or the end of that RAM region
 */
#include <stddef.h>
#include <stdint.h>

#include "arch/boot.h"
#include "arch/command_line.h"
#include "arch/machine.h"
#include "arch/paging.h"
#include "arch/pvh.h"
#include "arch/traps.h"
#include "compare/compare.h"
#include "console/console.h"
#include "drivers/serial.h"
#include "include/layout.h"
#include "trading/run.h"

void kernel_main(uint64_t start_info) __attribute__((noreturn));

/* run=console: the platform alone. */
static void console_run(const struct boot *boot) {
  (void)boot;
  console_print("console: ready\n");
}

/* What `run=` may name, the default first. A run that returns has done what it was asked for. */
static const struct {
  const char *name;
  void (*run)(const struct boot *boot);
} runs[] = {
    {"trade", trading_run},
    {"console", console_run},
    {"compare", compare_run},
};
#define RUNS (sizeof runs / sizeof runs[0])

/* The index of the run that the command line chooses; panics at the first word that it cannot follow. */
static unsigned choose(const struct boot *boot) {
  const char *text = boot->command_line;
  struct command_line_word word;
  unsigned chosen = 0;
  for (;;) {
    enum command_line_step step = command_line_next(&text, &word);
    if (step == COMMAND_LINE_END) return chosen;
    if (step == COMMAND_LINE_WORD && command_line_equal(word.name, "samples")) continue; /* run=compare looks at it */
    if (step == COMMAND_LINE_TOO_LONG || !command_line_equal(word.name, "run")) {
      panic("command line: %s is not known", word.name);
    }
    for (chosen = 0; chosen < RUNS && !command_line_equal(word.value, runs[chosen].name);) chosen++;
    if (chosen == RUNS) panic("command line: run=%s is not known", word.value);
  }
}

void kernel_main(uint64_t start_info) {
  serial_init();
  traps_init();
  console_print("tickloop kernel, layout version %u, hash 0x%x\n", LAYOUT_VERSION, LAYOUT_HASH);

  static struct boot boot; /* too large for the stack */
  pvh_parse(&boot, start_info);
  paging_guard_null();
  runs[choose(&boot)].run(&boot);
  machine_exit(EXIT_STATUS_DONE);
}
