/* SPDX-License-Identifier: MIT */
/*
 * A run under the thread sanitizer: the whole native core in one thread, the kernel's drivers in another, from finding the
 * device to the exit request. In lockstep, what either writes for the other must be ordered by the two words that pass
 * the turn; in a free run both go on at once, and records by their publish words.
 *
 * The sanitizer knows memory by its address, so both ends see the shared objects at the same one: a stand-in for mmap
 * places guest memory at the address that it has for the guest.
 *
 * usage: mailbox_threads DIRECTORY RECORDS MODE
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console/console.h"
#include "core.h"
#include "drivers/nic.h"
#include "drivers/pci.h"

#define RAM 0x10000000ull
#define RAM_BYTES (1ull << 20)
#define MAILBOX 0x20000000ull
#define LOG2 4u
#define TRACE_LOG2 6u
#define REGISTER_CLOCKS 4u

static int ram_fd, mailbox_fd;
static uint64_t records, taken;
static uint32_t rx_tail; /* the NIC's register */

bool pci_find(uint16_t vendor, uint16_t id, struct pci_device *found) {
  (void)vendor;
  (void)id;
  *found = (struct pci_device){0, 4, 0};
  return true;
}

bool pci_memory_bar(const struct pci_device *device, unsigned index, struct pci_bar *bar) {
  (void)device;
  (void)index;
  *bar = (struct pci_bar){.address = MAILBOX, .size = MAILBOX_BYTES};
  return true;
}

void pci_enable(const struct pci_device *device) { (void)device; }

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);

/* Guest memory begins at guest address 0, most of it not there: its base is therefore 0. */
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (fd >= 0 && fd == ram_fd) {
    if (__real_mmap((void *)RAM, RAM_BYTES, protection, flags | MAP_FIXED_NOREPLACE, fd, RAM) == MAP_FAILED)
      return MAP_FAILED;
    return NULL;
  }
  if (fd >= 0 && fd == mailbox_fd)
    return __real_mmap((void *)MAILBOX, bytes, protection, flags | MAP_FIXED_NOREPLACE, fd, offset);
  return __real_mmap(address, bytes, protection, flags, fd, offset);
}

/* A kernel that waits when the core has given up must find its mailbox. */
int __wrap_munmap(void *address, size_t bytes);
int __real_munmap(void *address, size_t bytes);

int __wrap_munmap(void *address, size_t bytes) {
  return address == (void *)MAILBOX ? 0 : __real_munmap(address, bytes);
}

/* The kernel: its drivers as they are, and as little around them as main.c can do with. */
static void *kernel(void *unused) {
  static struct nic nic;
  static struct mailbox_port port;
  struct nic_rings rings = {
      .rx = (union rx_line *)RAM,
      .tx = (struct tx_slot *)(RAM + 0x10000),
      .raw = (union rx_line *)(RAM + 0x20000),
      .frames = (uint8_t (*)[TX_FRAME_BYTES])(RAM + 0x30000),
      .window = {RAM, RAM + RAM_BYTES},
  };
  const struct config_header config = {.rx_log2 = LOG2, .tx_log2 = LOG2, .raw_log2 = LOG2};
  struct trace_entry *trace = (struct trace_entry *)(RAM + 0x80000);
  uint64_t *export = (uint64_t *)(RAM + 0x90000);
  port.not_work = rdtsc();
  mailbox_open(&port);
  mailbox_attach(&port, trace, TRACE_LOG2);
  nic_init(&nic, &port, &config, &rings);
  uint64_t sum = 0;
  for (;;) {
    const union rx_line *line = nic_record(&nic, RING_MODE_LINES);
    if (line == NULL) {
      if (!nic_wait(&nic, 0)) break;
      continue;
    }
    sum += line->record.sequence;
    trace[port.trace_index++ & ((1u << TRACE_LOG2) - 1)] = (struct trace_entry){.sequence = line->record.sequence};
    nic_consume(&nic, line, RING_MODE_LINES);
    if (nic.taken % 8 == 0) {
      struct tx_slot *slot = nic_slot(&nic);
      if (slot == NULL) panic("the TX ring is full");
      slot->length = (uint16_t)nic.taken;
      nic_publish(&nic, slot);
      nic_doorbell(&nic);
    }
  }
  export[0] = sum;
  mailbox_export(&port, export, sizeof *export);
  mailbox_request(&port, MAILBOX_OP_EXIT, 0, 0);
  taken = nic.taken;
  return unused;
}

static uint32_t register_value(uint32_t address) {
  static uint32_t tx_head;
  switch (address) {
    case REG_ID: return RESET_ID;
    case REG_VERSION: return RESET_VERSION;
    case REG_LAYOUT_HASH: return LAYOUT_HASH;
    case REG_CAPABILITIES: return UINT32_MAX;
    case REG_TX_HEAD: return tx_head += 1u << LOG2; /* whatever was published has been taken */
    default: return 0;
  }
}

/* The NIC's side of the testbench: a record whenever the ring has room, and a read of each order that a doorbell tells. */
static int play(uint32_t epoch) {
  uint64_t clock = 8, due = 8, answer = UINT64_MAX, published = 0, next_record = UINT64_MAX;
  unsigned long long data_a, data_b;
  unsigned control = 0, address = 0, data = 0, started = 0, line[LINE_BYTES / 4];
  while (!(control >> TICK_FINISHED & 1)) {
    if (clock >= next_record && published < records && published - rx_tail < 1u << LOG2) {
      struct rx_record record = {.sequence = published, .publish = publish_word(epoch, (uint32_t)published)};
      due = tl_write(clock, RAM + LINE_BYTES * (published++ & ((1u << LOG2) - 1)), UINT64_MAX,
                     (const unsigned *)(const void *)&record);
      next_record = clock + 50;
    }
    if (clock >= answer) {
      answer = UINT64_MAX;
      due = tl_register_done(clock, register_value(started), 0);
    }
    if (clock >= due) {
      due = tl_tick(clock, answer == UINT64_MAX && published == records, &data_a, &data_b, &control, &address, &data);
      if (control >> TICK_REGISTER & 1) {
        started = address;
        answer = clock + REGISTER_CLOCKS;
        if (control >> TICK_REGISTER_WRITE & 1) {
          if (address == REG_CONTROL) next_record = clock + 100;
          if (address == REG_RX_TAIL) rx_tail = data;
          if (address == REG_TX_TAIL)
            due = tl_read(clock, RAM + 0x10000 + LINE_BYTES * ((data - 1) & ((1u << LOG2) - 1)));
        }
      }
      if (control >> TICK_READ_DATA & 1) tl_read_data(line);
      if (control >> TICK_A_TLAST & 1) {
        const struct frame_log report = {0};
        tl_report(clock, (const unsigned *)(const void *)&report.sequence);
      }
    }
    uint64_t next = due < answer ? due : answer;
    if (published < records && next_record < next) next = next_record;
    clock = next > clock ? next : clock + 1;
  }
  return tl_close();
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  records = strtoull(arguments[2], NULL, 0);
  char stimulus[4096];
  snprintf(stimulus, sizeof stimulus, "%s/stimulus.bin", arguments[1]);
  ram_fd = memfd_create("ram", 0);
  mailbox_fd = memfd_create("mailbox", 0);
  if (ftruncate(ram_fd, RAM + RAM_BYTES) || ftruncate(mailbox_fd, MAILBOX_BYTES)) abort();
  const pid_t machine = fork(); /* the core wants one that is alive */
  if (machine == 0) {
    pause();
    _exit(0);
  }
  struct tl_config config = {.stimulus = stimulus,
                             .record = arguments[1],
                             .ram_bytes = RAM + RAM_BYTES,
                             .ram_fd = ram_fd,
                             .mailbox_fd = mailbox_fd,
                             .progress_fd = -1,
                             .epoch = 7,
                             .clock_ps = 6400,
                             .ps_per_instruction = 1,
                             .posted_write_clocks = 40,
                             .read_clocks = 60,
                             .doorbell_clocks = 30,
                             .timeout_s = 20,
                             .give_back = 4};
  config.mode = strcmp(arguments[3], "free") ? RUN_MODE_LOCKSTEP : RUN_MODE_FREE;
  int status = tl_open(&config);
  pthread_t thread;
  if (status == TL_OK && pthread_create(&thread, NULL, kernel, NULL)) abort();
  if (status == TL_OK) status = tl_wait_attach(machine);
  status = play(config.epoch);
  kill(machine, SIGKILL);
  if (status == TL_OK) pthread_join(thread, NULL);
  printf("status %d taken %llu %s\n", status, (unsigned long long)taken, tl_message());
  return status;
}
