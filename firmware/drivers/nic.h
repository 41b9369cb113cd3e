/* SPDX-License-Identifier: MIT */
/*
 * The SmartNIC: register set-up, the RX ring of parsed messages, the TX ring of orders.
 *
 * RX: a record is there when the publish word of its first line carries the expected index mixed with the run's epoch; the
 * NIC writes that word last, so no index register is read. Lines go back in batches by RX_TAIL.
 * TX: a slot is published the same way; TX_TAIL is the doorbell.
 */
#ifndef TICKLOOP_NIC_H
#define TICKLOOP_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/mailbox.h"
#include "include/layout.h"

struct nic {
  struct mailbox_port *port;
  const union rx_line *rx;
  uint32_t rx_mask;
  uint32_t rx_index;    /* lines consumed (absolute) */
  uint32_t rx_returned; /* lines given back (absolute) */
  uint32_t rx_batch;
  struct tx_slot *tx;
  uint32_t tx_slots;
  uint32_t tx_tail; /* slots filled (absolute) */
  uint32_t tx_head; /* slots taken, as last read */
  uint32_t epoch;
};

/* Host memory the NIC may touch: both rings, and nothing else. */
struct nic_rings {
  union rx_line *rx;
  struct tx_slot *tx;
  uint64_t window_base;
  uint64_t window_bytes;
};

/* Identify the NIC, grant it the window, set up rings, group and session, and enable it; panics on any refusal. */
void nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
              const struct nic_rings *rings);

static inline uint32_t publish_word(uint32_t epoch, uint32_t index) {
  return PUBLISH_VALID | (epoch + index);
}

/* The next record, or NULL if none is published yet. */
static inline const union rx_line *nic_record(const struct nic *nic) {
  const union rx_line *line = &nic->rx[nic->rx_index & nic->rx_mask];
  uint32_t expected = publish_word(nic->epoch, nic->rx_index);
  return load_acquire(&line->record.publish) == expected ? line : NULL;
}

/* Give all consumed lines back now. */
void nic_return_lines(struct nic *nic);

/* The record is finished: step over it and its continuation lines. */
static inline void nic_consume(struct nic *nic, const union rx_line *line) {
  nic->rx_index += 1u + line->record.continuations;
  if (nic->rx_index - nic->rx_returned >= nic->rx_batch) nic_return_lines(nic);
}

/*
 * The wait hook, the only thing that a run in lockstep time does differently from a free one: nothing is published, wait
 * until something is. Returns false when the run is over. `records` is the number consumed so far.
 */
bool nic_wait(struct nic *nic, uint64_t records);

/* A free TX slot, or NULL. The NIC's head is read only when the ring looks full. */
struct tx_slot *nic_slot(struct nic *nic);

/* Publish the slot that nic_slot returned. */
static inline void nic_publish(struct nic *nic, struct tx_slot *slot) {
  store_release(&slot->publish, publish_word(nic->epoch, nic->tx_tail));
  nic->tx_tail++;
}

static inline void nic_doorbell(struct nic *nic) {
  register_write(nic->port, REG_TX_TAIL, nic->tx_tail);
}

#endif
