/* SPDX-License-Identifier: MIT */
/* Mailbox requests; `-device ivshmem-plain,memdev=...` creates the device (QEMU, docs/specs/ivshmem-spec). */
#include "drivers/mailbox.h"

#include "arch/paging.h"
#include "console/console.h"
#include "drivers/pci.h"

#define IVSHMEM_VENDOR 0x1AF4u
#define IVSHMEM_DEVICE 0x1110u
#define IVSHMEM_MEMORY_BAR 2u

void mailbox_open(struct mailbox_port *port) {
  struct pci_device device;
  struct pci_bar bar;
  if (!pci_find(IVSHMEM_VENDOR, IVSHMEM_DEVICE, &device)) {
    panic("no NIC: PCI device %x:%x not found", IVSHMEM_VENDOR, IVSHMEM_DEVICE);
  }
  if (!pci_memory_bar(&device, IVSHMEM_MEMORY_BAR, &bar) || bar.address == 0) panic("the NIC's BAR2 has no address");
  if (bar.size < sizeof(struct mailbox)) panic("the NIC's BAR2 has only %lu bytes", bar.size);
  if (bar.address + bar.size > MAPPED_END) panic("the NIC's BAR2 at 0x%lx is above 4 GiB", bar.address);
  pci_enable(&device);
  console_print("nic: PCI %u:%u.%u, mailbox at 0x%lx, %lu bytes\n", device.bus, device.device, device.function,
                bar.address, bar.size);

  struct mailbox *shared = (struct mailbox *)bar.address;
  if (shared->magic != MAILBOX_MAGIC) layout_mismatch("mailbox magic is 0x%lx", shared->magic);
  if (shared->version != LAYOUT_VERSION) {
    layout_mismatch("mailbox version is %u, the kernel's is %u", shared->version, LAYOUT_VERSION);
  }
  if (shared->layout_hash != LAYOUT_HASH) {
    layout_mismatch("mailbox layout hash is 0x%x, the kernel's is 0x%x", shared->layout_hash, LAYOUT_HASH);
  }
  if (shared->mode > RUN_MODE_FREE) layout_mismatch("mailbox mode is %u", shared->mode);
  port->shared = shared;
  port->free = shared->mode == RUN_MODE_FREE;
  port->sequence = shared->acknowledge; /* whatever was answered last is not an answer to us */
}

enum acknowledge_status mailbox_request(struct mailbox_port *port, enum mailbox_op op, uint32_t address,
                                        uint32_t value) {
  struct mailbox *shared = port->shared;
  uint32_t sequence = ++port->sequence;
  shared->op = op;
  shared->address = address;
  shared->value = value;
  shared->trace_index = port->trace_index;
  uint64_t parked = rdtsc();
  shared->work = parked - port->not_work;
  store_release(&shared->request, sequence); /* last: the bridge reads the others once it sees this */
  while (load_acquire(&shared->acknowledge) != sequence) {
    if (port->free) cpu_pause();
  }
  enum acknowledge_status status = (enum acknowledge_status)shared->ack_status;
  port->not_work += rdtsc() - parked;
  if (status == ACKNOWLEDGE_STATUS_ERROR)
    panic("the bridge refused request %u at register 0x%x", (unsigned)op, address);
  return status;
}

bool mailbox_idle(struct mailbox_port *port, uint64_t consumed) {
  uint64_t idle = rdtsc();
  store_release_u64(&port->shared->consumed, consumed);
  cpu_pause();
  bool over = load_acquire(&port->shared->stop) != 0;
  port->not_work += rdtsc() - idle;
  return !over;
}

void mailbox_attach(struct mailbox_port *port, const struct trace_entry *trace, uint32_t trace_log2) {
  port->shared->trace_address = (uint64_t)trace;
  port->shared->trace_log2 = trace_log2;
  mailbox_request(port, MAILBOX_OP_ATTACH, 0, LAYOUT_HASH);
}

void mailbox_take_command(struct mailbox_port *port, char text[COMMAND_BYTES]) {
  for (unsigned i = 0; i < COMMAND_BYTES; i++) text[i] = (char)port->shared->command[i];
  text[COMMAND_BYTES - 1] = 0;
  port->commands_taken++;
  port->shared->command_taken = port->commands_taken;
}

void mailbox_export(struct mailbox_port *port, const void *export, uint64_t bytes) {
  port->shared->export_address = (uint64_t)export;
  port->shared->export_bytes = bytes;
  mailbox_request(port, MAILBOX_OP_EXPORT, 0, 0);
}
