/* SPDX-License-Identifier: MIT */
/* See e1000.h. */
#include "drivers/e1000.h"

#include <stddef.h>

#include "arch/cpu.h"

/* 13.4, 13.5, 13.7 */
#define CTRL 0x0000u
#define STATUS 0x0008u
#define ICR 0x00C0u
#define IMC 0x00D8u
#define RCTL 0x0100u
#define TCTL 0x0400u
#define TIPG 0x0410u
#define RDBAL 0x2800u
#define RDBAH 0x2804u
#define RDLEN 0x2808u
#define RDH 0x2810u
#define RDT 0x2818u
#define TDBAL 0x3800u
#define TDBAH 0x3804u
#define TDLEN 0x3808u
#define TDH 0x3810u
#define TDT 0x3818u
#define MPC 0x4010u
#define MTA 0x5200u
#define MTA_WORDS 128u
#define RAL0 0x5400u
#define RAH0 0x5404u

#define CTRL_FD 0x00000001u
#define CTRL_ASDE 0x00000020u
#define CTRL_SLU 0x00000040u
#define CTRL_RST 0x04000000u
#define STATUS_LU 0x00000002u
#define RCTL_EN 0x00000002u
#define RCTL_UPE 0x00000008u /* all unicast, all multicast: the parser decides what is for us */
#define RCTL_MPE 0x00000010u
#define RCTL_LPE 0x00000020u /* longer than 1,522 bytes */
#define RCTL_BAM 0x00008000u
#define RCTL_BSIZE_2048 0x00000000u
#define RCTL_SECRC 0x04000000u /* strip the FCS */
#define TCTL_EN 0x00000002u
#define TCTL_PSP 0x00000008u    /* pad short frames */
#define TCTL_CT (0x0Fu << 4)    /* as 14.5 has them for full duplex */
#define TCTL_COLD (0x40u << 12)
#define TIPG_COPPER (10u | 8u << 10 | 6u << 20) /* 13.4.34, for IEEE 802.3 */
#define RAH_AV 0x80000000u

#define RECEIVE_DONE 0x01u /* 3.2.3.1: DD, EOP */
#define RECEIVE_END 0x02u
#define RECEIVE_ERRORS 0x97u      /* 3.2.3.2: CE, SE, SEQ, CXE, RXE; the others are about checksums */
#define COMMAND_END 0x01u         /* 3.3.3.1: EOP, IFCS, RS */
#define COMMAND_INSERT_FCS 0x02u
#define COMMAND_REPORT 0x08u
#define TRANSMIT_DONE 0x01u /* 3.3.3.2: DD */

#define RESET_READS 1000u /* more than the microsecond that a reset takes (13.4.1) */

static uint32_t read(const struct e1000 *nic, uint32_t address) { return nic->registers[address / 4]; }

static void write(struct e1000 *nic, uint32_t address, uint32_t value) { nic->registers[address / 4] = value; }

/* 14.3: reset, no interrupts, link up; interrupts are masked again because the reset undoes that. */
static void reset(struct e1000 *nic, const uint8_t mac[6]) {
  write(nic, IMC, 0xFFFFFFFF);
  write(nic, CTRL, read(nic, CTRL) | CTRL_RST);
  for (unsigned i = 0; i < RESET_READS && (read(nic, CTRL) & CTRL_RST) != 0; i++) cpu_pause();
  write(nic, IMC, 0xFFFFFFFF);
  (void)read(nic, ICR);
  write(nic, CTRL, CTRL_FD | CTRL_ASDE | CTRL_SLU);
  write(nic, RAL0, (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
  write(nic, RAH0, (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | RAH_AV);
  for (unsigned i = 0; i < MTA_WORDS; i++) write(nic, MTA + 4 * i, 0);
}

/* 14.4 */
static void start_receive(struct e1000 *nic) {
  const struct e1000_memory *memory = &nic->memory;
  for (uint32_t i = 0; i <= nic->receive_mask; i++) {
    memory->receive[i] = (struct e1000_receive_descriptor){.address = (uint64_t)memory->receive_buffers[i]};
  }
  write(nic, RDBAL, (uint32_t)(uint64_t)memory->receive);
  write(nic, RDBAH, (uint32_t)((uint64_t)memory->receive >> 32));
  write(nic, RDLEN, (nic->receive_mask + 1) * (uint32_t)sizeof *memory->receive);
  write(nic, RDH, 0);
  write(nic, RDT, nic->receive_mask); /* head equal to tail would be an empty ring (3.2.6): one is always ours */
  write(nic, RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_LPE | RCTL_BAM | RCTL_BSIZE_2048 | RCTL_SECRC);
}

/* 14.5 */
static void start_transmit(struct e1000 *nic) {
  const struct e1000_memory *memory = &nic->memory;
  for (uint32_t i = 0; i <= nic->transmit_mask; i++) {
    memory->transmit[i] = (struct e1000_transmit_descriptor){.address = (uint64_t)memory->transmit_buffers[i]};
  }
  write(nic, TDBAL, (uint32_t)(uint64_t)memory->transmit);
  write(nic, TDBAH, (uint32_t)((uint64_t)memory->transmit >> 32));
  write(nic, TDLEN, (nic->transmit_mask + 1) * (uint32_t)sizeof *memory->transmit);
  write(nic, TDH, 0);
  write(nic, TDT, 0);
  write(nic, TIPG, TIPG_COPPER);
  write(nic, TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
}

void e1000_start(struct e1000 *nic, volatile uint32_t *registers, const struct e1000_memory *memory,
                 const uint8_t mac[6]) {
  *nic = (struct e1000){
      .registers = registers,
      .memory = *memory,
      .receive_mask = (1u << memory->receive_log2) - 1,
      .receive_batches = ~((1u << memory->receive_log2) / 4 - 1),
      .transmit_mask = (1u << memory->transmit_log2) - 1,
  };
  reset(nic, mac);
  start_receive(nic);
  start_transmit(nic);
  nic->link = (read(nic, STATUS) & STATUS_LU) != 0;
}

/* ---- Frames in */

static void return_descriptors(struct e1000 *nic) {
  nic->receive_returned = nic->receive_next;
  write(nic, RDT, (nic->receive_returned - 1) & nic->receive_mask);
}

void e1000_release(struct e1000 *nic) {
  for (; nic->receive_held != 0; nic->receive_held--) {
    nic->memory.receive[nic->receive_next & nic->receive_mask].status = 0;
    nic->receive_next++;
  }
  if (((nic->receive_next ^ nic->receive_returned) & nic->receive_batches) != 0) return_descriptors(nic);
}

/* A frame in several buffers, of which the last one's descriptor may not have been written yet: then NULL, and later again. */
static const uint8_t *__attribute__((noinline)) join(struct e1000 *nic, uint32_t *length) {
  const struct e1000_memory *memory = &nic->memory;
  uint32_t bytes = 0, count = 0;
  bool sound = true;
  uint8_t errors = 0;
  for (;;) {
    uint32_t slot = (nic->receive_next + count) & nic->receive_mask;
    const struct e1000_receive_descriptor *descriptor = &memory->receive[slot];
    if (count > nic->receive_mask) { /* a whole ring without an end */
      sound = false;
      break;
    }
    uint8_t status = load_acquire_u8(&descriptor->status);
    if ((status & RECEIVE_DONE) == 0) return NULL;
    bool last = (status & RECEIVE_END) != 0;
    uint32_t part = descriptor->length;
    count++;
    errors |= descriptor->errors;
    bool fits = last ? part != 0 && part <= E1000_BUFFER_BYTES : part == E1000_BUFFER_BYTES;
    if (!fits || bytes + part > E1000_FRAME_LIMIT) sound = false;
    if (sound) {
      __builtin_memcpy(memory->joined + bytes, memory->receive_buffers[slot], part);
      bytes += part;
    }
    if (last) break;
  }
  nic->receive_held = count;
  if (sound && (errors & RECEIVE_ERRORS) == 0) {
    *length = bytes;
    return memory->joined;
  }
  if (sound) nic->counters.errors++;
  else nic->counters.bad_lengths++;
  e1000_release(nic);
  return NULL;
}

const uint8_t *e1000_receive(struct e1000 *nic, uint32_t *length) {
  uint32_t slot = nic->receive_next & nic->receive_mask;
  const struct e1000_receive_descriptor *descriptor = &nic->memory.receive[slot];
  uint8_t status = load_acquire_u8(&descriptor->status);
  if ((status & RECEIVE_DONE) == 0) return NULL;
  const uint8_t *frame;
  if ((status & RECEIVE_END) != 0 && descriptor->length - 1u < E1000_BUFFER_BYTES &&
      (descriptor->errors & RECEIVE_ERRORS) == 0) {
    nic->receive_held = 1;
    *length = descriptor->length;
    frame = nic->memory.receive_buffers[slot];
  } else {
    frame = join(nic, length);
    if (frame == NULL) return NULL;
  }
  nic->counters.received++;
  return frame;
}

bool e1000_attend(struct e1000 *nic) {
  if (nic->receive_next != nic->receive_returned) return_descriptors(nic);
  bool link = (read(nic, STATUS) & STATUS_LU) != 0;
  if (link == nic->link) return false;
  nic->link = link;
  nic->counters.link_losses += !link;
  return true;
}

/* ---- Frames out */

static void reclaim(struct e1000 *nic) {
  while (nic->transmit_done != nic->transmit_next) {
    const struct e1000_transmit_descriptor *descriptor = &nic->memory.transmit[nic->transmit_done & nic->transmit_mask];
    if ((load_acquire_u8(&descriptor->status) & TRANSMIT_DONE) == 0) return;
    nic->transmit_done++;
  }
}

/* One descriptor stays free: tail equal to head means that there is nothing to send (3.4). */
uint8_t *e1000_slot(struct e1000 *nic) {
  if (nic->transmit_next - nic->transmit_done >= nic->transmit_mask) {
    reclaim(nic);
    if (nic->transmit_next - nic->transmit_done >= nic->transmit_mask) return NULL;
  }
  return nic->memory.transmit_buffers[nic->transmit_next & nic->transmit_mask];
}

void e1000_send(struct e1000 *nic, uint16_t length) {
  struct e1000_transmit_descriptor *descriptor = &nic->memory.transmit[nic->transmit_next & nic->transmit_mask];
  descriptor->length = length;
  descriptor->command = COMMAND_END | COMMAND_INSERT_FCS | COMMAND_REPORT;
  descriptor->status = 0;
  nic->transmit_next++;
  nic->counters.sent++;
}

/* The descriptors are in memory before the device hears of them: stores keep their order (Intel SDM 3A, 8.2.2). */
void e1000_doorbell(struct e1000 *nic) {
  if (nic->transmit_told == nic->transmit_next) return;
  nic->transmit_told = nic->transmit_next;
  __atomic_signal_fence(__ATOMIC_RELEASE);
  write(nic, TDT, nic->transmit_next & nic->transmit_mask);
}

bool e1000_drained(struct e1000 *nic) {
  reclaim(nic);
  return nic->transmit_done == nic->transmit_next;
}

uint32_t e1000_missed(struct e1000 *nic) { return read(nic, MPC); }
