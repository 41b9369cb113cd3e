/* SPDX-License-Identifier: MIT */
/* PCI configuration space by ports 0xCF8/0xCFC (PCI Local Bus 3.0, 3.2.2.3.2): find a device, enable it, read a memory BAR. */
#ifndef TICKLOOP_PCI_H
#define TICKLOOP_PCI_H

#include <stdbool.h>
#include <stdint.h>

struct pci_device {
  uint8_t bus;
  uint8_t device;
  uint8_t function;
};

struct pci_bar {
  uint64_t address; /* 0: not assigned by the firmware */
  uint64_t size;
};

/* The first device with these identifiers. */
bool pci_find(uint16_t vendor, uint16_t id, struct pci_device *found);

/* The address and size of a memory BAR; false if `index` holds an I/O BAR. Memory decoding is off while it is sized. */
bool pci_memory_bar(const struct pci_device *device, unsigned index, struct pci_bar *bar);

/* Let the device answer memory accesses and master the bus. */
void pci_enable(const struct pci_device *device);

#endif
