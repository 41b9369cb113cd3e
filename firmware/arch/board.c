/* SPDX-License-Identifier: MIT */
/* See board.h. Without ACPI tables there is one processor, and no device can interrupt it. */
#include "arch/board.h"

#include "arch/apic.h"
#include "arch/ioapic.h"
#include "arch/paging.h"
#include "arch/processor.h"
#include "arch/timer.h"
#include "console/console.h"

static struct acpi acpi;

const struct acpi *board_acpi(void) { return &acpi; }

void board_init(void) {
  static const char *const results[] = {
      [ACPI_FOUND] = "tables found", [ACPI_ABSENT] = "no tables", [ACPI_DAMAGED] = "tables damaged, not used"};
  static const char *const references[] = {[TIMER_REFERENCE_NONE] = "assumed, there is neither HPET nor PIT",
                                           [TIMER_REFERENCE_HPET] = "by the HPET",
                                           [TIMER_REFERENCE_PIT] = "by the PIT"};
  enum acpi_result result = acpi_parse(&acpi, (const uint8_t *)(uint64_t)ACPI_SEARCH_START, ACPI_SEARCH_START,
                                       MAPPED_END - ACPI_SEARCH_START);
  if (acpi.local_apic == 0) acpi.local_apic = apic_address();
  apic_init(acpi.local_apic);
  this_processor()->apic_id = apic_id();
  ioapic_init(&acpi, apic_id());
  console_print("acpi: %s, %u processors, I/O APIC at 0x%lx\n", results[result],
                acpi.processors != 0 ? acpi.processors : 1, acpi.io_apic);
  struct timer_rates rates = timer_init(&acpi);
  console_print("time: TSC %lu kHz, APIC timer %lu kHz, %s\n", rates.tsc_hz / 1000, rates.apic_hz / 1000,
                references[rates.reference]);
}
