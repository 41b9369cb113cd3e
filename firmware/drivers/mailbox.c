/* SPDX-License-Identifier: MIT */
/* Mailbox requests; `-device ivshmem-plain,memdev=...` creates the device (QEMU, docs/specs/ivshmem-spec). */
#include "drivers/mailbox.h"

#include <stddef.h>

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

/* Ask; returns when that was. From here to take_answer nothing is work. Housekeeping comes first: the bridge still waits. */
static inline __attribute__((always_inline)) uint64_t ask(struct mailbox_port *port, enum mailbox_op op,
                                                          uint32_t address, uint32_t value, bool housekeeps) {
  struct mailbox *shared = port->shared;
  uint32_t sequence = ++port->sequence;
  shared->op = op;
  shared->address = address;
  shared->value = value;
  shared->trace_index = port->trace_index;
  uint64_t parked = rdtsc();
  shared->work = parked - port->not_work;
  if (housekeeps && port->housekeep != NULL) port->housekeep(shared->now_ps / 1000);
  store_release(&shared->request, sequence); /* last: the bridge reads the others once it sees this */
  return parked;
}

static inline __attribute__((always_inline)) bool answered(const struct mailbox_port *port) {
  return load_acquire(&port->shared->acknowledge) == port->sequence;
}

static inline __attribute__((always_inline)) enum acknowledge_status take_answer(struct mailbox_port *port,
                                                                                 uint64_t parked) {
  enum acknowledge_status status = (enum acknowledge_status)port->shared->ack_status;
  port->not_work += rdtsc() - parked;
  if (status == ACKNOWLEDGE_STATUS_ERROR) {
    panic("the bridge refused request %u at register 0x%x", port->shared->op, port->shared->address);
  }
  return status;
}

enum acknowledge_status mailbox_request(struct mailbox_port *port, enum mailbox_op op, uint32_t address,
                                        uint32_t value) {
  uint64_t parked = ask(port, op, address, value, false);
  while (!answered(port)) {
    if (port->free) cpu_pause();
  }
  return take_answer(port, parked);
}

/* Returns since when nothing is work. */
static uint64_t __attribute__((noinline, cold)) attend(struct mailbox_port *port, uint64_t parked) {
  bool over;
  port->parked = parked;
  do over = answered(port);
  while (port->meanwhile(port->context, over) || !over);
  return port->parked;
}

/* What the wait itself was answered is still to be taken. */
void mailbox_between(struct mailbox_port *port, void (*access)(struct mailbox_port *port, void *context),
                     void *context) {
  uint32_t status = port->shared->ack_status;
  port->not_work += rdtsc() - port->parked;
  access(port, context);
  port->shared->ack_status = status;
  port->parked = rdtsc();
}

bool mailbox_poll(struct mailbox_port *port, uint32_t deadline_ns, uint32_t consumed) {
  uint64_t parked = ask(port, MAILBOX_OP_POLL, deadline_ns, consumed, true);
  if (port->meanwhile != NULL) parked = attend(port, parked);
  while (!answered(port)) {
  }
  return take_answer(port, parked) != ACKNOWLEDGE_STATUS_STOP;
}

bool mailbox_idle(struct mailbox_port *port, uint64_t consumed) {
  port->parked = rdtsc();
  store_release_u64(&port->shared->consumed, consumed);
  cpu_pause();
  if (port->housekeep != NULL) port->housekeep(0);
  while (port->meanwhile != NULL && port->meanwhile(port->context, true)) {
  }
  bool over = load_acquire(&port->shared->stop) != 0;
  port->not_work += rdtsc() - port->parked;
  return !over;
}

void mailbox_attach(struct mailbox_port *port, const struct trace_entry *trace, uint32_t trace_log2) {
  port->shared->trace_address = (uint64_t)trace;
  port->shared->trace_log2 = trace_log2;
  mailbox_request(port, MAILBOX_OP_ATTACH, 0, LAYOUT_HASH);
}

/* Far from the numbers of the host's next commands. */
static void announce_typed(struct mailbox_port *port) {
  store_release(&port->commands_expected, port->commands_taken + 0x80000000u);
}

static bool typed_waits(const struct typed *typed) {
  return load_acquire(&typed->given) != load_acquire(&typed->taken);
}

bool mailbox_has_room(const struct mailbox_port *port, uint32_t commands) {
  return port->typed.given - load_acquire(&port->typed.taken) + commands <= TYPED;
}

bool mailbox_type_command(struct mailbox_port *port, const char *text) {
  struct typed *typed = &port->typed;
  if (!mailbox_has_room(port, 1)) return false;
  char *to = typed->text[typed->given % TYPED];
  for (uint32_t i = 0; i < COMMAND_BYTES; i++) to[i] = i < COMMAND_BYTES - 1 && *text != 0 ? *text++ : 0;
  store_release(&typed->given, typed->given + 1);
  announce_typed(port);
  return true;
}

static void take_typed(struct typed *typed, char text[COMMAND_BYTES]) {
  __builtin_memcpy(text, typed->text[typed->taken % TYPED], COMMAND_BYTES);
  store_release(&typed->taken, typed->taken + 1);
}

static void take_host_command(struct mailbox_port *port, char text[COMMAND_BYTES]) {
  for (unsigned i = 0; i < COMMAND_BYTES; i++) text[i] = (char)port->shared->command[i];
  text[COMMAND_BYTES - 1] = 0;
  port->commands_taken++;
  port->shared->command_taken = port->commands_taken;
}

enum command_source mailbox_take_command(struct mailbox_port *port, char text[COMMAND_BYTES]) {
  enum command_source source = COMMAND_NONE;
  if (typed_waits(&port->typed)) {
    take_typed(&port->typed, text);
    source = COMMAND_TYPED;
  } else if (port->shared->command_sequence != port->commands_taken) {
    take_host_command(port, text);
    source = COMMAND_HOST;
  }
  /* Before the look behind it, unlike a plain store (Intel SDM 3A, 8.2.3.4): what another processor types just now is seen. */
  (void)__atomic_exchange_n(&port->commands_expected, port->commands_taken, __ATOMIC_SEQ_CST);
  if (typed_waits(&port->typed)) announce_typed(port);
  return source;
}

void mailbox_export(struct mailbox_port *port, const void *export, uint64_t bytes) {
  port->shared->export_address = (uint64_t)export;
  port->shared->export_bytes = bytes;
  mailbox_request(port, MAILBOX_OP_EXPORT, 0, 0);
}
