/* SPDX-License-Identifier: MIT */
/* Walks in the table of live orders beyond the first entry; see orders.h. */
#include "core/orders.h"

void orders_init(struct orders *orders, struct order *entries, uint32_t log2, uint32_t limit) {
  *orders = (struct orders){.entries = entries,
                            .full = &entries[(1ull << log2) + 1],
                            .mask = (1ull << log2) - 1,
                            .stride = orders_stride(log2),
                            .shift = 64 - log2 - ORDER_LOG2,
                            .limit = limit,
                            .room = limit};
  orders->full->shares = BARRIER_SHARES;
}

struct order *orders_probe_on(const struct orders *orders, uint64_t reference) {
  uint64_t home = orders_home(orders, reference);
  for (uint64_t step = 1; step <= PROBE_LIMIT; step++) {
    struct order *order = &orders->entries[(home + step) & orders->mask];
    if (order->shares == 0 || order->reference == reference) return order;
  }
  return orders_no_place(orders);
}

struct order *orders_place_on(const struct orders *orders, uint64_t reference) {
  uint64_t home = orders_home(orders, reference);
  struct order *order = &orders->entries[home];
  if (order->reference == reference) return order;
  order = orders_probe_on(orders, reference);
  if (order->shares != 0) return order;
  if (order == orders_no_place(orders)) return orders->full;
  uint64_t end = (uint64_t)(order - orders->entries);
  for (uint64_t at = home; at != end; at = (at + 1) & orders->mask) orders->entries[at].level |= ORDER_PASSED;
  return order;
}

/* In place of an order whose removal would take too long: its reference is one whose own probes never come here. */
static void bar(const struct orders *orders, uint64_t hole) {
  uint64_t far = (orders->mask / 2) / 2; /* its home is some 2.6 times as far: beyond the middle */
  bool near = ((hole - orders_home(orders, far)) & orders->mask) <= PROBE_LIMIT;
  orders->entries[hole] = (struct order){.reference = near ? 0 : far, .shares = BARRIER_SHARES};
}

void orders_close_up(struct orders *orders, struct order *order) {
  uint64_t first = (uint64_t)(order - orders->entries), hole = first;
  for (uint64_t step = 1; step <= SHIFT_LIMIT; step++) {
    uint64_t at = (first + step) & orders->mask;
    const struct order *next = &orders->entries[at];
    if (next->shares == 0) {
      orders->entries[hole].shares = 0;
      return;
    }
    uint64_t distance = (at - orders_home(orders, next->reference)) & orders->mask;
    /* A barrier stands where nothing finds it. The mark moves with its order: who went past where it stood comes past here. */
    if (distance >= ((at - hole) & orders->mask) && order_level(next) != 0) {
      orders->entries[hole] = *next;
      hole = at;
    }
  }
  bar(orders, hole);
}
