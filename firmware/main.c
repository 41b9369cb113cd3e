/* SPDX-License-Identifier: MIT */
/* The kernel from entry to exit: the platform, then what the command line asks for. docs/platform.md draws the memory. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/boot.h"
#include "arch/command_line.h"
#include "arch/features.h"
#include "arch/machine.h"
#include "arch/multiboot2.h"
#include "arch/paging.h"
#include "arch/processor.h"
#include "arch/pvh.h"
#include "arch/traps.h"
#include "compare/compare.h"
#include "console/console.h"
#include "console/desk.h"
#include "console/run.h"
#include "drivers/serial.h"
#include "include/kernel.h"
#include "include/layout.h"
#include "memory/memory.h"
#include "parser/software.h"
#include "trading/run.h"

/* Called by boot.S. */
void kernel_main(enum loader loader, uint64_t information) __attribute__((noreturn));

/* QEMU's PVH loader puts the image where it belongs, whether there is RAM or not. */
static void check_image(void) {
  kernel_last_word = KERNEL_BASE;
  if (kernel_last_word != KERNEL_BASE) panic("too little memory: the kernel ends at 0x%lx", (uint64_t)kernel_end);
}

/* Copy what the loader tells, whichever it was, and print it. */
static void take_over(struct boot *boot, enum loader loader, uint64_t information) {
  static const char *const names[] = {
      [LOADER_PVH] = "PVH", [LOADER_MULTIBOOT2] = "multiboot2", [LOADER_OWN] = "the disk's own loader"};
  if (loader == LOADER_MULTIBOOT2) {
    const char *wrong = multiboot2_parse(boot, (const void *)information, MAPPED_END - information);
    if (wrong != NULL) panic("multiboot2 information: %s", wrong);
  } else {
    pvh_parse(boot, information);
  }
  console_print("boot: by %s, %u modules, command line: %s\n", names[loader], boot->module_count, boot->command_line);
  for (uint32_t i = 0; i < boot->region_count; i++) {
    const struct region *region = &boot->regions[i];
    console_print("memory: 0x%lx to 0x%lx, type %u\n", region->range.start, region->range.end, region->type);
  }
  for (uint32_t i = 0; i < boot->module_count; i++) {
    const struct range *module = &boot->modules[i];
    console_print("module %u: 0x%lx, %lu bytes\n", i, module->start, module->end - module->start);
  }
}

/* What `run=` may name, the default first. A run that returns has done what it was asked for. */
static const struct {
  const char *name;
  void (*run)(const struct boot *boot);
  const char *const *words; /* of its own on the command line, NULL behind the last; NULL: none */
} runs[] = {
    {"trade", trading_run, desk_words},
    {"console", console_run, desk_words},
    {"compare", compare_run, compare_words},
    {"e1000", software_run, software_words},
};
#define RUNS (sizeof runs / sizeof runs[0])

/* The run that the command line chooses; panics if there is none of that name, or a word is too long for any. */
static unsigned choose(const struct boot *boot) {
  const char *text = boot->command_line;
  struct command_line_word word;
  unsigned chosen = 0;
  for (;;) {
    enum command_line_step step = command_line_next(&text, &word);
    if (step == COMMAND_LINE_END) return chosen;
    if (step == COMMAND_LINE_TOO_LONG) panic("command line: %s is not known", word.name);
    if (!command_line_equal(word.name, "run")) continue;
    for (chosen = 0; chosen < RUNS && !command_line_equal(word.value, runs[chosen].name);) chosen++;
    if (chosen == RUNS) panic("command line: run=%s is not known", word.value);
  }
}

static bool is_one_of(const char *const *words, const char *name) {
  while (words != NULL && *words != NULL && !command_line_equal(*words, name)) words++;
  return words != NULL && *words != NULL;
}

/* Panics at the first word that the run cannot follow. */
static void check_words(const struct boot *boot, unsigned chosen) {
  const char *text = boot->command_line;
  struct command_line_word word;
  for (;;) {
    if (command_line_next(&text, &word) == COMMAND_LINE_END) return;
    if (!command_line_equal(word.name, "run") && !is_one_of(runs[chosen].words, word.name)) {
      panic("command line: %s is not known", word.name);
    }
  }
}

void kernel_main(enum loader loader, uint64_t information) {
  serial_init();
  check_image();
  (void)console_add_screen();
  features_check();
  traps_init();
  console_print("tickloop kernel, layout version %u, hash 0x%x\n", LAYOUT_VERSION, LAYOUT_HASH);

  static struct boot boot; /* too large for the stack */
  take_over(&boot, loader, information);
  memory_init(&boot);
  processor_guard(&processors[0]);
  unsigned chosen = choose(&boot);
  check_words(&boot, chosen);
  runs[chosen].run(&boot);
  console_refresh();
  machine_exit(EXIT_STATUS_DONE);
}
