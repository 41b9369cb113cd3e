/* SPDX-License-Identifier: MIT */
/* Walks in the table of live orders beyond the first entry; see orders.h. */
#include "core/orders.h"

struct order *orders_probe_on(const struct orders *orders, uint64_t reference, uint64_t home) {
  for (uint64_t step = 1; step <= PROBE_LIMIT; step++) {
    struct order *order = &orders->entries[(home + step) & orders->mask];
    if (order->shares == 0 || order->reference == reference) return order;
  }
  return orders_no_place(orders);
}

/* In place of an order whose removal would take too long: its reference is one whose own probes never come here. */
static void bar(const struct orders *orders, uint64_t hole) {
  uint64_t far = (orders->mask / 2) / 2; /* its home is some 2.6 times as far: beyond the middle */
  bool near = ((hole - orders_home(orders, far)) & orders->mask) <= PROBE_LIMIT;
  orders->entries[hole] = (struct order){.reference = near ? 0 : far, .shares = BARRIER_SHARES};
}

void orders_close_up(struct orders *orders, uint64_t hole) {
  uint64_t first = hole;
  for (uint64_t step = 1; step <= SHIFT_LIMIT; step++) {
    uint64_t at = (first + step) & orders->mask;
    const struct order *next = &orders->entries[at];
    if (next->shares == 0) {
      orders->entries[hole].shares = 0;
      return;
    }
    uint64_t distance = (at - orders_home(orders, next->reference)) & orders->mask;
    if (distance >= ((at - hole) & orders->mask) && next->level != 0) { /* a barrier stands where nothing finds it */
      orders->entries[hole] = *next;
      hole = at;
    }
  }
  bar(orders, hole);
}
