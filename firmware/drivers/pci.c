/* SPDX-License-Identifier: MIT */
/* PCI configuration mechanism 1. Every bus is scanned, so the NIC may stand behind a bridge that the firmware set up. */
#include "drivers/pci.h"

#include "arch/cpu.h"

#define CONFIG_ADDRESS 0xCF8u
#define CONFIG_DATA 0xCFCu
#define CONFIG_ENABLE 0x80000000u

#define OFFSET_ID 0x00u
#define OFFSET_COMMAND 0x04u
#define OFFSET_HEADER_TYPE 0x0Cu
#define OFFSET_BAR0 0x10u

#define COMMAND_MEMORY 0x2u
#define COMMAND_BUS_MASTER 0x4u
#define COMMAND_MASK 0xFFFFu /* status, in the upper half, is write-1-to-clear */
#define HEADER_MULTIFUNCTION (1u << 23)
#define ID_NONE 0xFFFFFFFFu

#define BAR_IO 0x1u
#define BAR_TYPE 0x6u
#define BAR_64BIT 0x4u
#define BAR_FLAGS 0xFull

static void select(const struct pci_device *device, unsigned offset) {
  outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)device->bus << 16 | (uint32_t)device->device << 11 |
                           (uint32_t)device->function << 8 | offset);
}

static uint32_t read(const struct pci_device *device, unsigned offset) {
  select(device, offset);
  return inl(CONFIG_DATA);
}

static void write(const struct pci_device *device, unsigned offset, uint32_t value) {
  select(device, offset);
  outl(CONFIG_DATA, value);
}

bool pci_find(uint16_t vendor, uint16_t id, struct pci_device *found) {
  uint32_t wanted = (uint32_t)id << 16 | vendor;
  for (unsigned bus = 0; bus < 256; bus++) {
    for (unsigned device = 0; device < 32; device++) {
      unsigned functions = 1;
      for (unsigned function = 0; function < functions; function++) {
        struct pci_device at = {(uint8_t)bus, (uint8_t)device, (uint8_t)function};
        uint32_t identity = read(&at, OFFSET_ID);
        if (identity == ID_NONE) continue;
        if (identity == wanted) {
          *found = at;
          return true;
        }
        if (function == 0 && (read(&at, OFFSET_HEADER_TYPE) & HEADER_MULTIFUNCTION) != 0) functions = 8;
      }
    }
  }
  return false;
}

bool pci_memory_bar(const struct pci_device *device, unsigned index, struct pci_bar *bar) {
  unsigned offset = OFFSET_BAR0 + 4 * index;
  uint32_t command = read(device, OFFSET_COMMAND) & COMMAND_MASK;
  uint32_t low = read(device, offset);
  if ((low & BAR_IO) != 0) return false;
  bool wide = (low & BAR_TYPE) == BAR_64BIT;
  uint64_t high = wide ? read(device, offset + 4) : 0;

  /* PCI 3.0, 6.2.5.1: write all ones, the bits that stay 0 tell the size */
  write(device, OFFSET_COMMAND, command & ~COMMAND_MEMORY);
  write(device, offset, 0xFFFFFFFFu);
  uint64_t mask = read(device, offset);
  write(device, offset, low);
  if (wide) {
    write(device, offset + 4, 0xFFFFFFFFu);
    mask |= (uint64_t)read(device, offset + 4) << 32;
    write(device, offset + 4, (uint32_t)high);
  } else {
    mask |= 0xFFFFFFFFull << 32;
  }
  write(device, OFFSET_COMMAND, command);

  *bar = (struct pci_bar){.address = (high << 32 | low) & ~BAR_FLAGS, .size = ~(mask & ~BAR_FLAGS) + 1};
  return true;
}

void pci_enable(const struct pci_device *device) {
  uint32_t command = read(device, OFFSET_COMMAND) & COMMAND_MASK;
  write(device, OFFSET_COMMAND, command | COMMAND_MEMORY | COMMAND_BUS_MASTER);
}
