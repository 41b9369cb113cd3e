/* SPDX-License-Identifier: MIT */
/* See acpi.h. A table with a wrong length or checksum is damaged, and then nothing of it is used. */
#include "arch/acpi.h"

#include <stddef.h>

#define HEADER_BYTES 36u /* ACPI 6.5, 5.2.6 */
#define RSDP_BYTES 20u   /* of revision 0, 5.2.5.3 */
#define MADT_BYTES (HEADER_BYTES + 8u)
#define HPET_BYTES (HEADER_BYTES + 20u)
#define TABLES_MAX 64u

/* MADT entries: 5.2.12 */
enum madt_entry {
  MADT_LOCAL_APIC = 0,
  MADT_IO_APIC = 1,
  MADT_SOURCE_OVERRIDE = 2,
  MADT_LOCAL_APIC_ADDRESS = 5,
};
#define APIC_ENABLED 1u

struct view {
  const uint8_t *memory;
  uint64_t first; /* its address */
  uint64_t bytes;
};

static uint64_t get(const uint8_t *at, unsigned bytes) {
  uint64_t value = 0;
  while (bytes-- != 0) value = value << 8 | at[bytes];
  return value;
}

/* The bytes at an address, or NULL if not all of them are in view. */
static const uint8_t *at(const struct view *view, uint64_t address, uint64_t bytes) {
  uint64_t offset = address - view->first;
  if (address < view->first || offset > view->bytes || view->bytes - offset < bytes) return NULL;
  return view->memory + offset;
}

static bool sums_to_zero(const uint8_t *bytes, uint64_t count) {
  uint8_t sum = 0;
  while (count-- != 0) sum = (uint8_t)(sum + *bytes++);
  return sum == 0;
}

/* A whole table whose checksum is good, and its length; NULL if it is damaged or shorter than `least`. */
static const uint8_t *table_at(const struct view *view, uint64_t address, uint64_t least, uint64_t *length) {
  const uint8_t *header = at(view, address, HEADER_BYTES);
  if (header == NULL) return NULL;
  *length = get(header + 4, 4);
  if (*length < least || *length < HEADER_BYTES) return NULL;
  const uint8_t *table = at(view, address, *length);
  return table != NULL && sums_to_zero(table, *length) ? table : NULL;
}

static bool has_name(const uint8_t *table, const char *name) { return __builtin_memcmp(table, name, 4) == 0; }

static void madt_entry(struct acpi *acpi, const uint8_t *entry, uint64_t length) {
  switch (entry[0]) {
    case MADT_LOCAL_APIC:
      if (length < 8 || (get(entry + 4, 4) & APIC_ENABLED) == 0 || acpi->processors == ACPI_PROCESSORS_MAX) break;
      acpi->apic_ids[acpi->processors++] = entry[3];
      break;
    case MADT_IO_APIC:
      if (length < 12 || (acpi->io_apic != 0 && acpi->io_apic_first == 0)) break;
      acpi->io_apic = get(entry + 4, 4);
      acpi->io_apic_first = (uint32_t)get(entry + 8, 4);
      break;
    case MADT_SOURCE_OVERRIDE:
      if (length < 10 || entry[2] != 0 || entry[3] >= ISA_INTERRUPTS) break;
      acpi->isa[entry[3]].gsi = (uint32_t)get(entry + 4, 4);
      acpi->isa[entry[3]].flags = (uint16_t)get(entry + 8, 2);
      break;
    case MADT_LOCAL_APIC_ADDRESS:
      if (length >= 12) acpi->local_apic = get(entry + 4, 8);
      break;
    default: break;
  }
}

static bool madt(struct acpi *acpi, const struct view *view, uint64_t address) {
  uint64_t length;
  const uint8_t *table = table_at(view, address, MADT_BYTES, &length);
  if (table == NULL) return false;
  acpi->local_apic = get(table + HEADER_BYTES, 4);
  for (uint64_t offset = MADT_BYTES; offset < length;) {
    uint64_t left = length - offset;
    if (left < 2 || table[offset + 1] < 2 || table[offset + 1] > left) return false;
    madt_entry(acpi, table + offset, table[offset + 1]);
    offset += table[offset + 1];
  }
  return true;
}

/* IA-PC HPET specification 1.0a, 3.2.4: the base address is a generic address, in memory space (0). */
static bool hpet(struct acpi *acpi, const struct view *view, uint64_t address) {
  uint64_t length;
  const uint8_t *table = table_at(view, address, HPET_BYTES, &length);
  if (table == NULL) return false;
  if (table[HEADER_BYTES + 4] == 0) acpi->hpet = get(table + HEADER_BYTES + 8, 8);
  return true;
}

static void clear(struct acpi *acpi) {
  *acpi = (struct acpi){0};
  for (uint32_t irq = 0; irq < ISA_INTERRUPTS; irq++)
    acpi->isa[irq].gsi = irq; /* 5.2.12.5: where nothing else is told */
}

enum acpi_result acpi_parse(struct acpi *acpi, const uint8_t *memory, uint64_t first, uint64_t bytes) {
  const struct view view = {memory, first, bytes};
  clear(acpi);
  uint64_t root = 0;
  for (uint64_t offset = 0; offset < ACPI_SEARCH_BYTES; offset += 16) {
    const uint8_t *pointer = at(&view, first + offset, RSDP_BYTES);
    if (pointer == NULL) break;
    if (__builtin_memcmp(pointer, "RSD PTR ", 8) != 0 || !sums_to_zero(pointer, RSDP_BYTES)) continue;
    root = get(pointer + 16, 4);
    break;
  }
  if (root == 0) return ACPI_ABSENT;
  uint64_t length;
  const uint8_t *rsdt = table_at(&view, root, HEADER_BYTES, &length);
  if (rsdt == NULL) return ACPI_DAMAGED;
  bool found = false;
  for (uint64_t i = 0; i < TABLES_MAX && HEADER_BYTES + 4 * i + 4 <= length; i++) {
    uint64_t address = get(rsdt + HEADER_BYTES + 4 * i, 4);
    const uint8_t *table = at(&view, address, HEADER_BYTES);
    if (table == NULL) continue;
    bool good = true;
    if (has_name(table, "APIC")) good = found = madt(acpi, &view, address);
    else if (has_name(table, "HPET")) good = hpet(acpi, &view, address);
    if (!good) {
      clear(acpi);
      return ACPI_DAMAGED;
    }
  }
  return found ? ACPI_FOUND : ACPI_ABSENT;
}
