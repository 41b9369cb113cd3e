/* SPDX-License-Identifier: MIT */
/* A trading run from the configuration to the result. Work is counted from here on: bringing up the platform is none. */
#include "trading/run.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/command_line.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/timer.h"
#include "console/console.h"
#include "core/config.h"
#include "drivers/mailbox.h"
#include "files/ustar.h"
#include "include/layout.h"
#include "memory/memory.h"
#include "tasks/scheduler.h"
#include "trading/apart.h"
#include "trading/finish.h"
#include "trading/loop.h"
#include "trading/seal.h"
#include "trading/setup.h"

#define CONFIG_MEMBER "config.bin"

static void print_config(const struct config_header *config) {
  console_print("config: %u symbols listed, subscribe_all %u\n", config->symbol_count, config->subscribe_all);
  console_print("config: default strategy %u, shares %u\n", config->default_strategy, config->default_shares);
  console_print("config: RX ring %u slots, TX ring %u slots\n", 1u << config->rx_log2, 1u << config->tx_log2);
  console_print("config: up to %u books, %u orders, %u levels\n", config->max_books, config->max_orders,
                config->max_levels);
  uint32_t group = config->group_address;
  console_print("config: group %u.%u.%u.%u:%u\n", group >> 24, group >> 16 & 255, group >> 8 & 255, group & 255,
                config->group_port);
}

/* Module 0, or in an archive of files its member of that name, which tar has aligned. */
static struct range config_module(const struct boot *boot) {
  const uint8_t *archive = (const uint8_t *)boot->modules[0].start;
  uint64_t size = boot->modules[0].end - boot->modules[0].start, at = 0;
  struct ustar_entry entry;
  const char *wrong;
  if (!ustar_is_one(archive, size)) return boot->modules[0];
  while (ustar_next(archive, size, &at, &entry, &wrong) == USTAR_ENTRY) {
    if (!command_line_equal(entry.path, CONFIG_MEMBER)) continue;
    return (struct range){(uint64_t)entry.bytes, (uint64_t)entry.bytes + entry.size};
  }
  panic("module 0 is an archive without a " CONFIG_MEMBER);
}

const struct config_header *trading_config(const struct boot *boot, uint64_t *not_work) {
  if (boot->module_count == 0) panic("no configuration module: pass it with -initrd");
  struct range module = config_module(boot);
  const struct config_header *config = (const struct config_header *)module.start;
  uint64_t bytes = module.end - module.start;
  uint64_t begun = rdtsc();
  if (!seal_holds(config, &bytes)) {
    panic("configuration: the module is corrupt: its checksum is not that of its content");
  }
  *not_work += rdtsc() - begun;
  if (!config_layout_matches(config, bytes)) layout_mismatch("module 0 is no configuration of this kernel's layout");
  const char *wrong = config_validate(config, bytes);
  if (wrong != NULL) panic("configuration: %s", wrong);
  print_config(config);
  return config;
}

static struct latency latency;

/* None of it is work: a run that is only looked at is the same as one without a console. */
static void take_desk(struct kernel *kernel, const struct config_header *config, const struct boot *boot) {
  uint64_t begun = rdtsc();
  console_account(NULL);
  bool session = config->session_mode == SESSION_MODE_CONNECT;
  const struct trading_view view = {.engine = &kernel->engine,
                                    .nic = &kernel->nic,
                                    .session = session ? &kernel->orders.session : NULL,
                                    .raw_frames = &kernel->raw_frames,
                                    .port = &kernel->port,
                                    .follower = {.trace = &kernel->trace,
                                                 .written = &kernel->port.trace_index,
                                                 .entries = TRACE_ENTRIES,
                                                 .latency = &latency}};
  latency_init(&latency);
  desk_init(&kernel->desk, desk_mode(boot->command_line, DESK_OFF), files_load(boot));
  desk_attach(&kernel->desk, &view);
  kernel->port.not_work += rdtsc() - begun;
  console_account(&kernel->port.not_work);
}

static struct kernel kernel; /* for the loop its address is a constant: as an argument it would cost a register */

/* The tasks of a machine with one processor. Printing has no account here: the whole wait is in none. */
static void housekeep(uint64_t now_ns) {
  console_account(NULL);
  tasks_step(kernel.port.free ? timer_clock_ns() : now_ns);
  console_account(&kernel.port.not_work);
}

static void __attribute__((noreturn)) trade(void *unused) {
  (void)unused;
  trading_loop(&kernel);
  trading_finish(&kernel);
  console_refresh();
  machine_exit(EXIT_STATUS_DONE);
}

void trading_run(const struct boot *boot) {
  tasks_init();
  tasks_choose_idle(boot->command_line);
  tasks_shield();
  kernel.port.housekeep = housekeep;
  kernel.port.not_work = rdtsc();
  console_account(&kernel.port.not_work);
  mailbox_open(&kernel.port);
  const struct config_header *config = trading_config(boot, &kernel.port.not_work);

  struct range memory = memory_claim();
  take_desk(&kernel, config, boot);
  trading_setup(&kernel, config, &memory);
  memory_give(memory);
  if (kernel.port.free) trading_apart(trade, &kernel);
  else trade(NULL);
}
