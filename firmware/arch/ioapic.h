/* SPDX-License-Identifier: MIT */
/* The I/O APIC (82093AA data sheet): which device's interrupt becomes which vector. All go to the processor that booted. */
#ifndef TICKLOOP_IOAPIC_H
#define TICKLOOP_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/acpi.h"
#include "arch/traps.h"

/* Mask all inputs. `target` is the APIC identification of the processor that takes the interrupts. */
void ioapic_init(const struct acpi *acpi, uint32_t target);

/* Let global system interrupt `gsi`, edge-triggered and active high, call `handler` by `vector`; false: there is no such
 * input. */
bool interrupt_route(uint32_t gsi, uint32_t vector, interrupt_handler handler, void *context);

/* The same for an ISA interrupt (serial 4, keyboard 1), wherever the board has it. */
bool interrupt_route_isa(uint32_t irq, uint32_t vector, interrupt_handler handler, void *context);

#endif
