/* SPDX-License-Identifier: MIT */
/* See platform.h. */
#include "console/platform.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/timer.h"
#include "console/console.h"
#include "memory/memory.h"
#include "tasks/scheduler.h"

#define NS_PER_US 1000u
#define US_PER_S 1000000u
#define PURPOSES 16u

static void zones(void) {
  static const char *const names[ZONES] = {"low", "DMA", "normal", "high"};
  console_print("  zone      pages      free\n");
  for (unsigned zone = 0; zone < ZONES; zone++) {
    const struct zone_state *state = &kernel_pages.zones[zone];
    if (state->pages != 0) console_print("  %-7s%8lu  %8lu\n", names[zone], state->pages, state->free);
  }
  console_print("  pages: %lu blocks taken, %lu returned, %lu not to be had\n", kernel_pages.takes,
                kernel_pages.returns, kernel_pages.failures);
}

/* What lives in the heap, by purpose: a leak shows as one that grows. */
static void purposes(void) {
  const char *seen[PURPOSES];
  uint32_t count = 0;
  for (const struct heap_block *block = kernel_heap.live; block != NULL && count < PURPOSES; block = block->next) {
    uint32_t i = 0;
    while (i < count && seen[i] != block->what) i++;
    if (i != count) continue;
    seen[count++] = block->what;
    console_print("  heap: %lu live for %s\n", heap_live(&kernel_heap, block->what), block->what);
  }
}

void view_memory(void) {
  zones();
  console_print("  heap: %lu blocks, %lu bytes, at most %lu; %lu bytes of pages\n", kernel_heap.blocks,
                kernel_heap.bytes, kernel_heap.most_bytes, kernel_heap.page_bytes);
  console_print("  heap: %lu taken, %lu freed, %lu not to be had\n", kernel_heap.takes, kernel_heap.frees,
                kernel_heap.failures);
  purposes();
  const struct heap_block *damaged = heap_check(&kernel_heap);
  if (damaged == NULL) console_print("  heap: every live block is whole\n");
  else console_print("  heap: a block was written past its end, of %u bytes, for %s\n", damaged->size, damaged->what);
}

void view_tasks(void) {
  static const char *const states[] = {"free", "ready", "running", "waiting", "ended", "faulted"};
  struct task_report task;
  uint32_t shown = 0;
  for (unsigned i = 0; task_look(i, &task); i++) {
    if (task.state == TASK_FREE) continue;
    if (shown++ == 0) console_print("  task            priority  state      switches   us\n");
    console_print("  %-18s%6u  %-9s%10lu   %lu\n", task.name, task.priority, states[task.state], task.switches,
                  timer_tsc_ns(task.run_tsc) / NS_PER_US);
  }
  if (shown == 0) console_print("ps: no tasks; the trading loop has this processor to itself\n");
  if (shown != 0 || tasks_faults() != 0)
    console_print("ps: %lu switches, %lu tasks ended by a fault\n", tasks_switches(), tasks_faults());
}

void view_uptime(void) {
  uint64_t us = timer_now_ns() / NS_PER_US;
  console_print("uptime: %lu s and %lu us\n", us / US_PER_S, us % US_PER_S);
}
