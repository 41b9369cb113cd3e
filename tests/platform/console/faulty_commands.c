/* SPDX-License-Identifier: MIT */
/* For a test image, linked with --wrap=view_uptime,--wrap=view_memory: a command that faults, and one that panics. */
#include <stdint.h>

#include "console/console.h"

void __wrap_view_uptime(void);
void __wrap_view_memory(void);

void __wrap_view_uptime(void) { *(volatile uint32_t *)0x123456789000 = 1; }

void __wrap_view_memory(void) { panic("the console gives up"); }
