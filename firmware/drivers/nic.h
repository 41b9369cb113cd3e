/* SPDX-License-Identifier: MIT */
/*
 * The SmartNIC: register set-up, the RX ring of parsed messages, the TX ring of orders.
 *
 * RX: a record is there when the publish word of its first line carries the expected index mixed with the run's epoch; the
 * NIC writes that word last, so no index register is read. Lines go back in batches by RX_TAIL.
 * TX: a slot is published the same way; TX_TAIL is the doorbell.
 * In descriptor mode (config_header.rx_mode, tx_mode) a slot is the 64-byte buffer of a descriptor, and the DD bit of the
 * descriptor says what the publish word says in a line: on RX that the line is there, on TX that the slot has been taken.
 * Raw ring: frames for this host that are not market data, published like RX lines.
 */
#ifndef TICKLOOP_NIC_H
#define TICKLOOP_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/boot.h"
#include "core/raw.h"
#include "drivers/mailbox.h"
#include "include/layout.h"

/* Frames that can wait in the TX ring at once; a buffer holds the longest, and begins a line. */
#define TX_FRAMES 8u
#define TX_FRAME_BYTES 1536u
_Static_assert(TX_FRAME_BYTES >= MAX_TX_FRAME_BYTES && TX_FRAME_BYTES % LINE_BYTES == 0, "buffers of frames");

struct nic {
  struct mailbox_port *port;
  const union rx_line *rx;
  struct descriptor *rx_ring; /* descriptor mode only */
  uint32_t rx_mask;
  uint32_t rx_index;    /* lines consumed (absolute) */
  uint32_t rx_returned; /* lines given back (absolute) */
  uint32_t rx_batch;
  uint64_t taken; /* records and raw frames consumed */
  struct tx_slot *tx;
  struct descriptor *tx_ring; /* descriptor mode only */
  uint32_t tx_slots;
  uint32_t tx_mask;
  uint32_t tx_tail; /* slots filled (absolute) */
  uint32_t tx_head; /* slots taken, as last read or reclaimed */
  uint32_t tx_limit; /* the slot from which on room has to be looked for */
  uint32_t tx_told; /* slots that the order-entry session has been told of, and tx_end ... */
  uint32_t tx_end; /* ... the first that it does not allow; both only if it holds slots back */
  bool tx_held;
  const union rx_line *raw;
  uint32_t raw_mask;
  uint32_t raw_index; /* lines consumed (absolute) */
  uint8_t (*frames)[TX_FRAME_BYTES]; /* TX_FRAMES buffers for slots of kind frame */
  uint32_t frame_slot[TX_FRAMES];    /* 1 + absolute TX index of the slot that used the buffer last */
  uint32_t next_frame;
  uint32_t epoch;
};

/* Host memory the NIC may touch: rings, buffers and frames, and in descriptor mode a second window for the descriptors. */
struct nic_rings {
  union rx_line *rx;
  struct descriptor *rx_ring;
  struct tx_slot *tx;
  struct descriptor *tx_ring;
  union rx_line *raw;
  uint8_t (*frames)[TX_FRAME_BYTES];
  struct range window;
  struct range descriptors;
};

/* Identify the NIC, grant it the window, set up rings, group and session, and enable it; panics on any refusal. */
void nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
              const struct nic_rings *rings);

static inline uint32_t publish_word(uint32_t epoch, uint32_t index) { return PUBLISH_VALID | (epoch + index); }

static inline const union rx_line *published_line(const union rx_line *ring, uint32_t mask, uint32_t index,
                                                  uint32_t epoch) {
  const union rx_line *line = &ring[index & mask];
  return load_acquire(&line->record.publish) == publish_word(epoch, index) ? line : NULL;
}

static inline bool descriptor_done(const struct descriptor *descriptor) {
  return (load_acquire_u8(&descriptor->status) & DESCRIPTOR_DONE) != 0;
}

/* The next record, or NULL if there is none yet. The mode is a constant in each of the callers' loops. */
static inline const union rx_line *nic_record(const struct nic *nic, enum ring_mode mode) {
  if (mode == RING_MODE_LINES) return published_line(nic->rx, nic->rx_mask, nic->rx_index, nic->epoch);
  uint32_t slot = nic->rx_index & nic->rx_mask;
  return descriptor_done(&nic->rx_ring[slot]) ? &nic->rx[slot] : NULL;
}

/* Give all consumed lines back now. */
void nic_return_lines(struct nic *nic);

/* The record is finished: step over it and its continuation lines. True if a batch of lines went back with it. */
static inline bool nic_consume(struct nic *nic, const union rx_line *line, enum ring_mode mode) {
  uint32_t next = nic->rx_index + 1u + line->record.continuations;
  if (mode == RING_MODE_DESCRIPTORS) {
    for (uint32_t i = nic->rx_index; i != next; i++) nic->rx_ring[i & nic->rx_mask].status = 0;
  }
  nic->rx_index = next;
  nic->taken++;
  if (nic->rx_index - nic->rx_returned < nic->rx_batch) return false;
  nic_return_lines(nic);
  return true;
}

/*
 * The wait hook, the only thing that a run in lockstep time does differently from a free one: nothing is published, wait
 * until something is, or for deadline_ns (0: for ever), or until a host command is given. Returns false when the run is over.
 */
bool nic_wait(struct nic *nic, uint32_t deadline_ns);

/* A free TX slot, or NULL. What the NIC has taken is looked up only when the ring looks full. */
struct tx_slot *nic_slot(struct nic *nic);

/* Whether it looks full, and if not the next slot. */
static inline bool nic_full(const struct nic *nic) { return nic->tx_tail == nic->tx_limit; }

static inline struct tx_slot *nic_next_slot(const struct nic *nic) { return &nic->tx[nic->tx_tail & nic->tx_mask]; }

/*
 * Hold slots back from here on: those from `told` on are still to be read here, and only `room` more may be filled. Frames
 * are free of the latter.
 */
void nic_hold(struct nic *nic, uint32_t told, uint32_t room);

/* Off the hot path: take back the TX descriptors that are done. */
void nic_reclaim(struct nic *nic);

/* Off the hot path: stop messages of `locate` in the NIC. */
void nic_block(struct nic *nic, uint16_t locate);

/* Off the hot path: the next raw frame, its bytes gathered into `bytes` (RAW_LIMIT of them); false if there is none. */
bool nic_raw(struct nic *nic, struct raw *raw);

/* Off the hot path: room for a frame to send, and a slot for it, or NULL; nic_send_frame sends what was written there, before
 * anything else is sent. */
uint8_t *nic_frame(struct nic *nic);
void nic_send_frame(struct nic *nic, const uint8_t *frame, uint16_t length);

/* Off the hot path: all of the NIC's counters, in the order of NIC_COUNTER_REGISTERS, one read after the other. */
void nic_read_counters(struct mailbox_port *port, uint32_t values[NIC_COUNTERS]);

/* Publish the slot that nic_slot returned; in descriptor mode its descriptor stands ready since it was reclaimed. */
static inline void nic_publish(struct nic *nic, struct tx_slot *slot) {
  store_release(&slot->publish, publish_word(nic->epoch, nic->tx_tail));
  nic->tx_tail++;
}

static inline void nic_doorbell(struct nic *nic) { register_write(nic->port, REG_TX_TAIL, nic->tx_tail); }

#endif
