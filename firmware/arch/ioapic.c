/* SPDX-License-Identifier: MIT */
/* See ioapic.h. Registers are reached through an index and a data word (82093AA, 3.1); an entry has two of them (3.2.4). */
#include "arch/ioapic.h"

#include <stddef.h>

#define INDEX 0u
#define DATA 4u /* in words: 0x10 bytes behind */
#define VERSION 1u
#define ENTRY_LOW(input) (0x10u + 2u * (input))
#define ENTRY_HIGH(input) (0x11u + 2u * (input))
#define ENTRY_MASKED (1u << 16)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_ACTIVE_LOW (1u << 13)

/* Of a source override (ACPI 6.5, table 5.26); 0 in either means as the bus has it: for ISA edge, active high. */
#define FLAG_ACTIVE_LOW 3u
#define FLAG_LEVEL (3u << 2)

static volatile uint32_t *registers;
static const struct acpi *tables;
static uint32_t inputs;
static uint32_t target_id;

static uint32_t get(uint32_t at) {
  registers[INDEX] = at;
  return registers[DATA];
}

static void set(uint32_t at, uint32_t value) {
  registers[INDEX] = at;
  registers[DATA] = value;
}

void ioapic_init(const struct acpi *acpi, uint32_t target) {
  tables = acpi;
  target_id = target;
  if (acpi->io_apic == 0) return;
  registers = (volatile uint32_t *)acpi->io_apic;
  inputs = (get(VERSION) >> 16 & 0xFF) + 1;
  for (uint32_t input = 0; input < inputs; input++) set(ENTRY_LOW(input), ENTRY_MASKED);
}

static bool route(uint32_t gsi, uint32_t flags, uint32_t vector, interrupt_handler handler, void *context) {
  if (gsi < tables->io_apic_first || gsi - tables->io_apic_first >= inputs) return false;
  uint32_t input = gsi - tables->io_apic_first;
  bool on = interrupts_disable();
  interrupt_set(vector, handler, context);
  set(ENTRY_HIGH(input), target_id << 24);
  set(ENTRY_LOW(input), vector | ((flags & FLAG_ACTIVE_LOW) == FLAG_ACTIVE_LOW ? ENTRY_ACTIVE_LOW : 0) |
                            ((flags & FLAG_LEVEL) == FLAG_LEVEL ? ENTRY_LEVEL : 0));
  interrupts_restore(on);
  return true;
}

bool interrupt_route(uint32_t gsi, uint32_t vector, interrupt_handler handler, void *context) {
  return route(gsi, 0, vector, handler, context);
}

bool interrupt_route_isa(uint32_t irq, uint32_t vector, interrupt_handler handler, void *context) {
  if (irq >= ISA_INTERRUPTS) return false;
  return route(tables->isa[irq].gsi, tables->isa[irq].flags, vector, handler, context);
}
