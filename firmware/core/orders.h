/* SPDX-License-Identifier: MIT */
/*
 * Live orders by reference number: an open-addressed table of 16-byte entries, four a cache line.
 *
 * Linear probing on a multiplicative hash, at most a quarter full, so a probe always ends; deletion shifts the rest of the
 * run back instead of leaving tombstones, so the table never ages. References of a trading day are near-sequential.
 * Following ones lie the golden ratio = 1.618 entries apart, around the table again and again: new orders stand near one
 * another, in lines and pages that the cache has just seen, and yet even references without any gap between them leave two
 * fifths of their stretch free, more than a table of old orders under it takes.
 *
 * An order that others' probes go past is marked: only such a one has entries behind it that must move up when it goes.
 *
 * References chosen against the multiplier could make long runs, so every walk has an end. An order that would stand more
 * than PROBE_LIMIT entries from its home is refused as by a full table, so none is looked for beyond; and a removal that
 * has moved entries for SHIFT_LIMIT steps leaves a barrier in its place, which probes pass and never find.
 *
 * A reference may be any 64-bit value, 0 too: an entry is in use if its shares are not 0.
 */
#ifndef TICKLOOP_ORDERS_H
#define TICKLOOP_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

struct order {
  uint64_t reference;
  uint32_t shares; /* left; 0: the entry is free */
  uint32_t level;  /* in struct levels; it knows price, side and book; and ORDER_PASSED */
};
#define ORDER_LOG2 4u
_Static_assert(sizeof(struct order) == 1u << ORDER_LOG2, "four orders a cache line");

#define PROBE_LIMIT 256u
#define SHIFT_LIMIT 1024u

/* Some order may stand behind this one that would stand here, had it been free. */
#define ORDER_PASSED (1u << 31)

static inline uint32_t order_level(const struct order *order) { return order->level & ~ORDER_PASSED; }

/* Level 0 is none: an order of it is a barrier. */
#define BARRIER_SHARES 1u

struct orders {
  struct order *entries; /* orders_init; two more than the table: orders_no_place and full */
  struct order *full;    /* what an order to come finds that has no place: never free */
  uint64_t mask;
  uint64_t stride; /* from a reference to the next one, as a fraction of the table times 2^64 */
  uint32_t shift; /* from that fraction to bytes of the table */
  uint32_t limit; /* live orders allowed, at most a quarter of the entries */
  uint32_t room;  /* orders that may still come */
};

static inline uint32_t orders_live(const struct orders *orders) { return orders->limit - orders->room; }

/* log2 of the entries for `limit` live orders: at least four times as many. */
static inline uint32_t orders_log2(uint32_t limit) {
  uint32_t log2 = 4;
  while ((1ull << log2) < 4ull * limit) log2++;
  return log2;
}

/* The golden ratio in entries; 2^log2 of them are the whole table. */
static inline uint64_t orders_stride(uint32_t log2) { return (1ull << (64 - log2)) + (0x9E3779B97F4A7C15ull >> log2); }

static inline uint64_t orders_home(const struct orders *orders, uint64_t reference) {
  return (reference * orders->stride) >> orders->shift >> ORDER_LOG2;
}

static inline struct order *orders_at_home(const struct orders *orders, uint64_t reference) {
  uint64_t bytes = (reference * orders->stride) >> orders->shift & ~(sizeof(struct order) - 1);
  return (struct order *)((uint8_t *)orders->entries + bytes);
}

/* What is found where there is no such order, and no place for one: always free. */
static inline struct order *orders_no_place(const struct orders *orders) { return &orders->entries[orders->mask + 1]; }

/* A table of 2^log2 entries and the two more, all zeroed by the owner. */
void orders_init(struct orders *orders, struct order *entries, uint32_t log2, uint32_t limit);

/* The entry of `reference`, or a free one (orders_no_place if there is none): shares tell which. */
__attribute__((noinline, cold)) struct order *orders_probe_on(const struct orders *orders, uint64_t reference);

static inline struct order *orders_probe(const struct orders *orders, uint64_t reference) {
  struct order *order = orders_at_home(orders, reference);
  if (order->shares == 0 || order->reference == reference) return order;
  return orders_probe_on(orders, reference);
}

/* Likewise for an order to come: where it is free, it may go there; orders->full if there is none. */
__attribute__((noinline, cold)) struct order *orders_place_on(const struct orders *orders, uint64_t reference);

static inline struct order *orders_place(const struct orders *orders, uint64_t reference) {
  struct order *order = orders_at_home(orders, reference);
  if (order->shares == 0) return order;
  return orders_place_on(orders, reference);
}

/* Free `order`: entries behind it move up unless that would put them before their home. */
__attribute__((noinline, cold)) void orders_close_up(struct orders *orders, struct order *order);

static inline void orders_remove(struct orders *orders, struct order *order) {
  orders->room++;
  if ((order->level & ORDER_PASSED) == 0) order->shares = 0;
  else orders_close_up(orders, order);
}

#endif
