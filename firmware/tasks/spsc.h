/* SPDX-License-Identifier: MIT */
/*
 * A ring of messages from one processor to another, lock-free: one producer, one consumer, neither ever waits.
 *
 * A message costs one shared line: the word that says that the slot is filled lies in the slot, behind the payload. The
 * consumer gives slots back by clearing that word, so neither side ever reads the other's index; each has its own in a line
 * that nobody else touches.
 */
#ifndef TICKLOOP_SPSC_H
#define TICKLOOP_SPSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPSC_LINE 64u
#define SPSC_PAYLOAD 56u
#define SPSC_SLOTS 1024u /* a power of two */

struct spsc_slot {
  _Alignas(SPSC_LINE) uint8_t payload[SPSC_PAYLOAD];
  uint64_t full;
};
_Static_assert(sizeof(struct spsc_slot) == SPSC_LINE, "a message is one line");
_Static_assert(offsetof(struct spsc_slot, full) == SPSC_PAYLOAD, "written last, in the payload's own line");

struct spsc {
  _Alignas(SPSC_LINE) uint64_t tail; /* the producer's alone: messages sent */
  uint64_t refused;                  /* for want of room */
  _Alignas(SPSC_LINE) uint64_t head; /* the consumer's alone: messages taken */
  struct spsc_slot slots[SPSC_SLOTS];
};
_Static_assert(offsetof(struct spsc, head) == SPSC_LINE, "the two indices are in lines of their own");
_Static_assert(offsetof(struct spsc, slots) == 2 * SPSC_LINE, "and so is every slot");
_Static_assert(sizeof(struct spsc) == (2 + SPSC_SLOTS) * SPSC_LINE, "no line is shared with what lies behind");
_Static_assert((SPSC_SLOTS & (SPSC_SLOTS - 1)) == 0, "a power of two");

/* The producer: where to write the next message, or NULL if there is no room, which is counted. */
static inline uint8_t *spsc_room(struct spsc *ring) {
  struct spsc_slot *slot = &ring->slots[ring->tail & (SPSC_SLOTS - 1)];
  /* Acquire: the consumer has read the slot before it gave it back (C11 5.1.2.4; on x86 a plain load). */
  if (__atomic_load_n(&slot->full, __ATOMIC_ACQUIRE) != 0) {
    ring->refused++;
    return NULL;
  }
  return slot->payload;
}

/* The producer: the message is written. */
static inline void spsc_send(struct spsc *ring) {
  __atomic_store_n(&ring->slots[ring->tail & (SPSC_SLOTS - 1)].full, 1, __ATOMIC_RELEASE);
  ring->tail++;
}

/* The consumer: the next message, or NULL if there is none. */
static inline const uint8_t *spsc_message(const struct spsc *ring) {
  const struct spsc_slot *slot = &ring->slots[ring->head & (SPSC_SLOTS - 1)];
  return __atomic_load_n(&slot->full, __ATOMIC_ACQUIRE) != 0 ? slot->payload : NULL;
}

/* The consumer: the message has been read. */
static inline void spsc_take(struct spsc *ring) {
  __atomic_store_n(&ring->slots[ring->head & (SPSC_SLOTS - 1)].full, 0, __ATOMIC_RELEASE);
  ring->head++;
}

#endif
