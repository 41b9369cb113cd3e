/* SPDX-License-Identifier: MIT */
/* The checks before an order, in the order of enum refusal; the rate comes last so that a refused order takes no token. */
#include "core/risk.h"

#define BASIS_POINTS 10000u

void risk_init(struct risk *risk, const struct config_header *config) {
  *risk = (struct risk){
      .order_notional = config->risk_order_notional,
      .position = config->risk_position,
      .total_position = config->risk_total_position,
      .rate_interval_ns = config->risk_rate_interval_ns,
      .rate_burst = config->risk_rate_burst,
      .order_shares = config->risk_order_shares,
      .open_orders = config->risk_open_orders,
      .collar_bp = config->risk_collar_bp,
      .self_trade = config->risk_self_trade != 0,
      .short_selling = config->risk_short_selling != 0,
      .stops = config->session_mode == SESSION_MODE_CONNECT ? STOP_LINK : 0,
  };
  risk->limited = (risk->order_notional | risk->position | risk->total_position | risk->rate_interval_ns |
                   risk->order_shares | risk->open_orders | risk->collar_bp) != 0 ||
                  risk->self_trade;
}

static enum refusal __attribute__((noinline, cold)) stopped(const struct risk *risk, const struct intent *intent) {
  if ((risk->stops & STOP_KILL) != 0 && intent->kind <= INTENT_KIND_REPLACE) return REFUSAL_KILL;
  if ((risk->stops & STOP_LINK) != 0) return REFUSAL_LINK;
  if ((risk->stops & STOP_ANSWER) != 0 && intent->kind <= INTENT_KIND_REPLACE) return REFUSAL_ANSWER;
  return REFUSAL_NONE;
}

/* Distance from the best price of the other side, or where there is none of the own side. */
static bool beyond_collar(const struct risk *risk, const struct book *book, const struct intent *intent) {
  enum side own = oms_side(intent->side), other = own == SIDE_BID ? SIDE_ASK : SIDE_BID;
  const struct ladder *ladder = book->side[other].count != 0 ? &book->side[other] : &book->side[own];
  if (ladder->count == 0) return true;
  uint32_t key = ladder->best_key;
  uint64_t reference = ladder == &book->side[SIDE_BID] ? key : (uint32_t)~key;
  uint64_t distance = intent->price > reference ? intent->price - reference : reference - intent->price;
  return distance * BASIS_POINTS > reference * risk->collar_bp;
}

/* Whether an order of ours on the other side has a price at which the two could trade. */
static bool meets_own(const struct oms *oms, const struct book *book, const struct intent *intent) {
  bool buy = oms_side(intent->side) == SIDE_BID;
  uint32_t number = book->first[buy ? SIDE_ASK : SIDE_BID];
  while (number != 0) {
    const struct own_order *order = oms_entry(oms, number);
    if (buy ? intent->price >= order->price : intent->price <= order->price) return true;
    number = order->next;
  }
  return false;
}

/* Buying and selling shares of a book once `intent` stands in place of `original`. */
struct totals {
  uint64_t buying;
  uint64_t selling;
};

static struct totals totals_with(const struct book *book, const struct own_order *original,
                                 const struct intent *intent) {
  uint64_t open[2] = {book->open_shares[SIDE_BID], book->open_shares[SIDE_ASK]};
  enum side side = oms_side(intent->side);
  if (original != NULL && original->state != OWN_STATE_ASSUMED) open[side] -= original->shares;
  open[side] += intent->shares;
  return (struct totals){open[SIDE_BID], open[SIDE_ASK]};
}

static enum refusal check_position(const struct risk *risk, const struct oms *oms, const struct book *book,
                                   struct totals totals, const struct intent *intent) {
  int64_t position = book_position(book);
  int64_t reached = intent->side == 'B' ? position + (int64_t)totals.buying : (int64_t)totals.selling - position;
  if (risk->position != 0 && reached > 0 && (uint64_t)reached > risk->position) return REFUSAL_POSITION;
  if (risk->total_position != 0) {
    uint64_t others = oms->exposure - oms_exposure(position, book->open_shares[SIDE_BID], book->open_shares[SIDE_ASK]);
    if (others + oms_exposure(position, totals.buying, totals.selling) > risk->total_position) {
      return REFUSAL_TOTAL_POSITION;
    }
  }
  return REFUSAL_NONE;
}

/* Cancel and modify: only their order matters. */
static enum refusal check_reduction(const struct own_order *original, const struct intent *intent) {
  if (original->state == OWN_STATE_PENDING_REPLACE || original->state == OWN_STATE_PENDING_CANCEL ||
      original->state == OWN_STATE_UNKNOWN) {
    return REFUSAL_UNKNOWN_ORDER;
  }
  if (intent->kind == INTENT_KIND_CANCEL) return REFUSAL_NONE;
  if (original->state != OWN_STATE_LIVE) return REFUSAL_UNKNOWN_ORDER;
  return intent->shares == 0 || intent->shares > original->shares ? REFUSAL_SIZE : REFUSAL_NONE;
}

/* A new or replacing order that some limit, another side than buy, or a collar may refuse. */
static enum refusal __attribute__((noinline)) check_limits(const struct risk *risk, const struct oms *oms,
                                                           const struct book *book, const struct collar *collar,
                                                           const struct own_order *original, uint64_t now_ns,
                                                           struct intent *intent) {
  if (original != NULL && intent->shares + original->executed >= OUCH_SHARES_LIMIT) return REFUSAL_SIZE;
  if (risk->order_shares != 0 && intent->shares > risk->order_shares) return REFUSAL_SIZE;
  if (risk->order_notional != 0 && (uint64_t)intent->shares * intent->price > risk->order_notional) {
    return REFUSAL_NOTIONAL;
  }
  if (risk->collar_bp != 0 && beyond_collar(risk, book, intent)) return REFUSAL_COLLAR;
  if (collar->high != 0 && (intent->price < collar->low || intent->price > collar->high)) return REFUSAL_LULD;

  struct totals totals = totals_with(book, original, intent);
  if (intent->side != 'B' && (intent->side == 'T' || book_position(book) < (int64_t)totals.selling)) {
    /* A replace cannot change the side (OUCH 4.2, 2.2): one that was long stays within the position. */
    if (!risk->short_selling || (original != NULL && intent->side == 'S')) return REFUSAL_SHORT_SALE;
    if (book->restricted != 0 && intent->price <= book_best_bid(book)) return REFUSAL_SHORT_SALE;
    intent->side = 'T';
  }
  if ((risk->position | risk->total_position) != 0) {
    enum refusal refusal = check_position(risk, oms, book, totals, intent);
    if (refusal != REFUSAL_NONE) return refusal;
  }
  if (original == NULL && risk->open_orders != 0 && oms->open >= risk->open_orders) return REFUSAL_OPEN_ORDERS;
  if (risk->self_trade && meets_own(oms, book, intent)) return REFUSAL_SELF_TRADE;
  intent->number = oms_next_number(oms);
  if (intent->number == 0) return REFUSAL_OWN_ORDERS;
  if (risk->rate_interval_ns != 0 &&
      risk->next_token_ns > now_ns + (uint64_t)(risk->rate_burst - 1) * risk->rate_interval_ns) {
    return REFUSAL_RATE;
  }
  return REFUSAL_NONE;
}

enum refusal risk_check(const struct risk *risk, const struct oms *oms, const struct book *book,
                        const struct collar *collar, uint64_t now_ns, struct intent *intent) {
  bool adds = intent->kind <= INTENT_KIND_REPLACE;
  if (adds && (intent->price == 0 || intent->price >= PRICE_LIMIT)) return REFUSAL_PRICE;
  if (risk->stops != 0) {
    enum refusal refusal = stopped(risk, intent);
    if (refusal != REFUSAL_NONE) return refusal;
  }
  const struct own_order *original = NULL;
  if (intent->kind != INTENT_KIND_ENTER) {
    original = oms_find(oms, intent->original);
    if (original == NULL || &oms->books[original->book] != book) return REFUSAL_UNKNOWN_ORDER;
    intent->side = original->side;
    if (!adds) return check_reduction(original, intent);
    if (original->state != OWN_STATE_LIVE && original->state != OWN_STATE_ASSUMED) return REFUSAL_UNKNOWN_ORDER;
  }
  if (original == NULL && intent->side != 'B' && intent->side != 'S') return REFUSAL_SIDE;
  if (intent->shares == 0 || intent->shares >= OUCH_SHARES_LIMIT) return REFUSAL_SIZE;
  if (!risk->limited && original == NULL && intent->side == 'B' && collar->high == 0) {
    intent->number = oms_next_number(oms);
    return intent->number != 0 ? REFUSAL_NONE : REFUSAL_OWN_ORDERS;
  }
  return check_limits(risk, oms, book, collar, original, now_ns, intent);
}

void __attribute__((noinline, cold)) risk_take_token(struct risk *risk, uint64_t now_ns) {
  uint64_t from = risk->next_token_ns > now_ns ? risk->next_token_ns : now_ns;
  risk->next_token_ns = from + risk->rate_interval_ns;
}
