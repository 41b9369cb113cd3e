/* SPDX-License-Identifier: MIT */
/*
 * The checks between every intent and the TX ring. risk_check looks and changes nothing; what it lets pass is committed by
 * risk_sent and oms_enter or oms_change, or not at all.
 *
 * A cancel, and a modify, which can only take shares off, pass while trading is stopped: they never add risk.
 */
#ifndef TICKLOOP_RISK_H
#define TICKLOOP_RISK_H

#include <stdint.h>

#include "core/books.h"
#include "core/intent.h"
#include "core/oms.h"

/* Why nothing may be entered. */
enum stop { STOP_KILL = 1, STOP_LINK = 2, STOP_ANSWER = 4 };

/* Auction collar of a symbol (J); high 0: none. */
struct collar {
  uint32_t low;
  uint32_t high;
};

struct risk {
  uint64_t order_notional; /* the limits: 0 is none */
  uint64_t position;
  uint64_t total_position;
  uint64_t rate_interval_ns;
  uint32_t rate_burst;
  uint32_t order_shares;
  uint32_t open_orders;
  uint32_t collar_bp;
  bool self_trade;
  bool short_selling;
  bool limited;  /* there is any limit */
  uint8_t stops;           /* enum stop */
  uint64_t next_token_ns;  /* when the bucket would be full again */
};

void risk_init(struct risk *risk, const struct config_header *config);

/*
 * Whether `intent`, of `book`, may go out at `now_ns`; if so, it gets its number. A sale that would leave the symbol short becomes a short sale; the
 * side of a replace, cancel or modify is that of its order.
 */
enum refusal risk_check(const struct risk *risk, const struct oms *oms, const struct book *book,
                        const struct collar *collar, uint64_t now_ns, struct intent *intent);

void risk_take_token(struct risk *risk, uint64_t now_ns);

/* `intent` goes out. */
static inline void risk_sent(struct risk *risk, uint64_t now_ns, const struct intent *intent) {
  if (risk->rate_interval_ns != 0 && intent->kind <= INTENT_KIND_REPLACE) risk_take_token(risk, now_ns);
}

#endif
