/* SPDX-License-Identifier: MIT */
/*
 * Intel 82540EM (QEMU's e1000, 8086:100E), polled: frames in from one descriptor ring, out by another, no interrupts.
 *
 * Section numbers are those of the PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual (317453).
 * The device writes descriptors back to memory, and the driver looks there only: a register read leaves the processor, and
 * under an emulator the virtual machine. A frame longer than a buffer arrives in several and is joined; one whose
 * descriptors make no sense is dropped and counted, whatever they say.
 *
 * Nothing here knows PCI, or asks for memory: it is given both, so that tests can play the device.
 */
#ifndef TICKLOOP_E1000_H
#define TICKLOOP_E1000_H

#include <stdbool.h>
#include <stdint.h>

#define E1000_VENDOR 0x8086u
#define E1000_DEVICE 0x100Eu
#define E1000_REGISTER_BYTES 0x20000u
#define E1000_BUFFER_BYTES 2048u
#define E1000_MIN_LOG2 3u  /* RDLEN and TDLEN count in 128 bytes (13.4.27) */
#define E1000_MAX_LOG2 12u /* ... up to 64 KiB of descriptors */
#define E1000_FRAME_LIMIT 16384u /* the device takes nothing longer */

/* 3.2.3 */
struct e1000_receive_descriptor {
  uint64_t address;
  uint16_t length;
  uint16_t checksum;
  uint8_t status;
  uint8_t errors;
  uint16_t special;
};

/* 3.3.3, legacy format */
struct e1000_transmit_descriptor {
  uint64_t address;
  uint16_t length;
  uint8_t checksum_offset;
  uint8_t command;
  uint8_t status;
  uint8_t checksum_start;
  uint16_t special;
};
_Static_assert(sizeof(struct e1000_receive_descriptor) == 16 && sizeof(struct e1000_transmit_descriptor) == 16,
               "3.2.3, 3.3.3");

/* Where the device reaches the rings, all zeroed: 1 << log2 entries each, and as many buffers of E1000_BUFFER_BYTES. */
struct e1000_memory {
  struct e1000_receive_descriptor *receive;
  struct e1000_transmit_descriptor *transmit;
  uint8_t (*receive_buffers)[E1000_BUFFER_BYTES];
  uint8_t (*transmit_buffers)[E1000_BUFFER_BYTES];
  uint8_t *joined; /* E1000_FRAME_LIMIT bytes */
  unsigned receive_log2;
  unsigned transmit_log2;
};

struct e1000_counters {
  uint64_t received;
  uint64_t sent;
  uint64_t errors;      /* frames that the device says are damaged */
  uint64_t bad_lengths; /* ... whose descriptors make no sense */
  uint64_t link_losses;
};

struct e1000 {
  volatile uint32_t *registers;
  struct e1000_memory memory;
  uint32_t receive_mask;
  uint32_t receive_next;     /* absolute: the descriptor to look at */
  uint32_t receive_returned; /* ... and up to which they have been given back */
  uint32_t receive_held;     /* descriptors of the frame in hand */
  uint32_t receive_batches; /* mask: the batch of a descriptor, so that a frame costs the same whenever it comes */
  uint32_t transmit_mask;
  uint32_t transmit_next;
  uint32_t transmit_done;
  uint32_t transmit_told; /* up to where the device knows */
  bool link;
  struct e1000_counters counters;
};

/* Reset the device, give it the rings, enable both directions. All frames are taken, whatever their destination. */
void e1000_start(struct e1000 *nic, volatile uint32_t *registers, const struct e1000_memory *memory,
                 const uint8_t mac[6]);

/* The next frame, without FCS, or NULL. It stays until e1000_release, which must come before the next one. */
const uint8_t *e1000_receive(struct e1000 *nic, uint32_t *length);
void e1000_release(struct e1000 *nic);

/* Off the hot path: give back all descriptors, look whether the link is up; true if that has changed. */
bool e1000_attend(struct e1000 *nic);

/* Room for a frame, or NULL: the ring is full. e1000_send takes what was written there; nothing leaves before the doorbell. */
uint8_t *e1000_slot(struct e1000 *nic);
void e1000_send(struct e1000 *nic, uint16_t length);
void e1000_doorbell(struct e1000 *nic);

/* All that was sent has left. */
bool e1000_drained(struct e1000 *nic);

/* Frames that the device had no descriptors for. The counter is cleared by reading it (13.7): ask once, at the end. */
uint32_t e1000_missed(struct e1000 *nic);

#endif
