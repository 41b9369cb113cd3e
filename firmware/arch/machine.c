/* SPDX-License-Identifier: MIT */
/* The end of the machine; without the exit device it stops here and the supervisor's timeout sees it. */
#include "arch/machine.h"

#include "arch/cpu.h"
#include "tasks/relay.h"

#define DEBUG_EXIT_PORT 0xF4u

void machine_exit(uint32_t status) {
  relay_settle();
  machine_stop(status);
}

void machine_stop(uint32_t status) {
  outl(DEBUG_EXIT_PORT, status);
  for (;;) __asm__ volatile("cli; hlt");
}
