/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's ACPI tables tell about processors, interrupts and the reference clock: MADT and HPET tables (ACPI 6.5,
 * 5.2). Pure: the tables are given by address and size, and nothing beyond them is read.
 */
#ifndef TICKLOOP_ACPI_H
#define TICKLOOP_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_PROCESSORS_MAX 32u
#define ISA_INTERRUPTS 16u

struct acpi {
  uint32_t apic_ids[ACPI_PROCESSORS_MAX]; /* of the processors that may be used */
  uint32_t processors;
  uint64_t local_apic; /* 0: there is no MADT */
  uint64_t io_apic;    /* the one of the ISA interrupts; 0: there is none */
  uint32_t io_apic_first; /* its first global system interrupt */
  struct {
    uint32_t gsi;
    uint16_t flags; /* polarity and trigger, as in a source override (5.2.12.5) */
  } isa[ISA_INTERRUPTS];
  uint64_t hpet; /* 0: there is none */
};

enum acpi_result { ACPI_FOUND, ACPI_ABSENT, ACPI_DAMAGED };

#define ACPI_SEARCH_START 0xE0000u /* the root pointer is in the firmware's area (5.2.5.1) */
#define ACPI_SEARCH_BYTES 0x20000u

/* Follow the tables from the root pointer, which is searched in the first ACPI_SEARCH_BYTES of memory that begins at address
 * `first` and may be read up to first + bytes. */
enum acpi_result acpi_parse(struct acpi *acpi, const uint8_t *memory, uint64_t first, uint64_t bytes);

#endif
