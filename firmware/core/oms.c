/* SPDX-License-Identifier: MIT */
/* Own orders; see oms.h. In oms_answer each case checks first; the line "commit" marks where nothing can fail any more. */
#include "core/oms.h"

void oms_init(struct oms *oms, struct own_order *orders, uint32_t log2, struct book *books, bool assume) {
  *oms = (struct oms){.orders = orders, .books = books, .mask = (1u << log2) - 1, .assume = assume};
}

/* Numbers do not wrap: 0, which follows the last one, has no order. */
uint32_t __attribute__((noinline, cold)) oms_pass_over(const struct oms *oms) {
  for (uint32_t number = oms->number + 1; number - oms->number <= OMS_SKIPS && number != 0; number++) {
    if (oms_entry_free(oms_entry(oms, number))) return number;
  }
  return 0;
}

static uint64_t book_exposure(const struct book *book) {
  return oms_exposure(book_position(book), book->open_shares[SIDE_BID], book->open_shares[SIDE_ASK]);
}

static uint64_t book_shares(const struct book *book) {
  int64_t position = book_position(book);
  return (uint64_t)(position < 0 ? -position : position);
}

/* Whatever changes a book's own line happens between these two, so that the sums over all books follow. */
static void leave_sums(struct oms *oms, const struct book *book) {
  oms->exposure -= book_exposure(book);
  oms->positions -= book_shares(book);
}

static void join_sums(struct oms *oms, const struct book *book) {
  oms->exposure += book_exposure(book);
  oms->positions += book_shares(book);
}

static void set_shares(struct oms *oms, struct own_order *order, uint32_t shares) {
  struct book *book = &oms->books[order->book];
  leave_sums(oms, book);
  book->open_shares[oms_side(order->side)] += shares - order->shares;
  join_sums(oms, book);
  order->shares = shares;
}

static void link_order(struct oms *oms, struct own_order *order) {
  struct book *book = &oms->books[order->book];
  uint32_t *first = &book->first[oms_side(order->side)];
  order->next = *first;
  if (*first != 0) oms_entry(oms, *first)->previous = order->number;
  *first = order->number;
  book->open++;
  oms->open++;
}

static void unlink_order(struct oms *oms, struct own_order *order) {
  struct book *book = &oms->books[order->book];
  if (order->previous != 0) oms_entry(oms, order->previous)->next = order->next;
  else book->first[oms_side(order->side)] = order->next;
  if (order->next != 0) oms_entry(oms, order->next)->previous = order->previous;
  book->open--;
  oms->open--;
}

/* The order is over. The one it was to replace goes on; its own replacement was never taken, and is over too. */
static void bury(struct oms *oms, struct own_order *order) {
  struct own_order *replacement = oms_find(oms, order->replacement);
  order->replacement = 0;
  if (replacement != NULL) {
    replacement->original = 0;
    bury(oms, replacement); /* a replacement that is not accepted has none itself: it ends here */
  }
  set_shares(oms, order, 0);
  unlink_order(oms, order);
  order->state = OWN_STATE_DEAD;
  order->cancel = false;
  struct own_order *original = oms_find(oms, order->original);
  if (original != NULL && original->replacement == order->number) {
    original->replacement = 0;
    if (original->state == OWN_STATE_PENDING_REPLACE) original->state = OWN_STATE_LIVE;
  } else {
    original = NULL;
  }
  uint32_t *working = &oms->books[order->book].working[oms_side(order->side)];
  if (*working == order->number) *working = original != NULL ? original->number : 0;
}

static inline void place(struct oms *oms, const struct intent *intent, uint32_t original, uint32_t shares) {
  struct own_order *order = oms_entry(oms, intent->number);
  struct book *book = &oms->books[intent->book];
  order->number = intent->number;
  order->original = original;
  order->replacement = 0;
  order->executed = 0;
  order->price = intent->price;
  order->book = intent->book;
  order->side = intent->side;
  order->accepted = false;
  order->cancel = false; /* of an assumed order that stood here it may have been due */
  oms->number = intent->number;
  book->working[oms_side(intent->side)] = intent->number;
  if (oms->assume) {
    order->state = OWN_STATE_ASSUMED;
    order->shares = shares;
    return;
  }
  order->state = OWN_STATE_PENDING;
  order->shares = 0;
  order->previous = 0;
  link_order(oms, order);
  set_shares(oms, order, shares);
}

void __attribute__((noinline)) oms_change(struct oms *oms, struct intent *intent) {
  struct own_order *original = oms_find(oms, intent->original);
  switch (intent->kind) {
    case INTENT_KIND_REPLACE: {
      uint32_t wanted = intent->shares;
      bool cancel = original->cancel; /* the replacement may take over its very entry */
      intent->shares += original->executed;
      original->replacement = intent->number;
      original->state = oms->assume ? OWN_STATE_DEAD : OWN_STATE_PENDING_REPLACE;
      if (oms->assume) original->cancel = false;
      place(oms, intent, intent->original, wanted);
      oms_entry(oms, intent->number)->cancel = cancel;
      break;
    }
    case INTENT_KIND_CANCEL:
      if (oms->assume) {
        original->state = OWN_STATE_DEAD;
        original->cancel = false;
        uint32_t *working = &oms->books[original->book].working[oms_side(original->side)];
        if (*working == original->number) *working = 0;
      } else {
        original->state = OWN_STATE_PENDING_CANCEL;
      }
      break;
    default: intent->shares += original->executed; /* a modify changes nothing before it is answered */
  }
}

void oms_enter(struct oms *oms, const struct intent *intent) { place(oms, intent, 0, intent->shares); }

void oms_cancel_all(struct oms *oms) {
  for (uint32_t i = 0; i <= oms->mask; i++) {
    struct own_order *order = &oms->orders[i];
    order->cancel = order->state != OWN_STATE_FREE && order->state != OWN_STATE_DEAD;
  }
}

struct own_order *oms_to_cancel(const struct oms *oms, uint32_t *at) {
  for (; *at <= oms->mask; ++*at) {
    struct own_order *order = &oms->orders[*at];
    bool can = order->state == OWN_STATE_PENDING || order->state == OWN_STATE_LIVE || order->state == OWN_STATE_ASSUMED;
    if (order->cancel && can) return order;
  }
  return NULL;
}

bool oms_cancels(const struct oms *oms) {
  for (uint32_t i = 0; i <= oms->mask; i++) {
    if (oms->orders[i].cancel && !oms_entry_free(&oms->orders[i])) return true;
  }
  return false;
}

static bool has_price(const struct answer *answer) { return answer->price != 0 && answer->price < PRICE_LIMIT; }

/* What is accepted or replaces is what was sent, but for its price and for less of it; all sales are one side. */
static bool fits(const struct own_order *order, const struct answer *answer) {
  return answer->shares <= order->shares && oms_side(answer->side) == oms_side(order->side) && has_price(answer);
}

/* Its answers say that it exists: it may be reduced, executed, and end. */
static bool is_open(const struct own_order *order) {
  return order != NULL && order->state != OWN_STATE_ASSUMED && order->accepted;
}

static bool is_new(const struct own_order *order) {
  return order != NULL && order->state != OWN_STATE_ASSUMED && !order->accepted;
}

static void accept(struct oms *oms, struct own_order *order, const struct answer *answer) {
  order->accepted = true;
  order->original = 0;
  order->reference = answer->reference;
  order->price = answer->price;
  if (order->state != OWN_STATE_PENDING_CANCEL) order->state = OWN_STATE_LIVE;
  set_shares(oms, order, answer->shares);
  if (answer->dead != 0 || answer->shares == 0) bury(oms, order);
}

static void reduce(struct oms *oms, struct own_order *order, uint32_t shares) {
  set_shares(oms, order, order->shares - shares);
  if (order->shares == 0) bury(oms, order);
}

/* Shares and cash of a trade; `undone` takes it back. False: the cash would not fit, and nothing changed. */
static bool book_trade(struct oms *oms, uint16_t number, uint8_t side, uint32_t shares, uint32_t price, bool undone) {
  struct book *book = &oms->books[number];
  int64_t value = (int64_t)((uint64_t)shares * price); /* below 2^31 x 2^20 */
  if ((side == 'B') != undone) value = -value;
  int64_t cash, total;
  if (__builtin_add_overflow(book->cash, value, &cash) || __builtin_add_overflow(oms->cash, value, &total))
    return false;
  uint64_t *count = side == 'B' ? &book->bought : &book->sold;
  leave_sums(oms, book);
  *count = undone ? *count - shares : *count + shares;
  join_sums(oms, book);
  book->cash = cash;
  oms->cash = total;
  return true;
}

static enum answered executed(struct oms *oms, struct own_order *order, const struct answer *answer) {
  if (!is_open(order) || answer->shares == 0 || answer->shares > order->shares) return ANSWERED_BAD;
  if (!has_price(answer)) return ANSWERED_BAD;
  if (!book_trade(oms, order->book, order->side, answer->shares, answer->price, false)) return ANSWERED_BAD;

  /* commit */
  oms->matches[oms->matches_next] = (struct oms_match){.match = answer->match,
                                                       .number = order->number,
                                                       .shares = answer->shares,
                                                       .price = answer->price,
                                                       .book = order->book,
                                                       .side = order->side};
  oms->matches_next = (oms->matches_next + 1) % OMS_MATCHES;
  oms->books[order->book].last_price = answer->price;
  order->executed += answer->shares;
  reduce(oms, order, answer->shares);
  return ANSWERED_APPLIED;
}

/* The execution that the answer names; NULL: none, or broken. */
static struct oms_match *find_match(struct oms *oms, const struct answer *answer) {
  for (uint32_t i = 0; i < OMS_MATCHES; i++) {
    struct oms_match *match = &oms->matches[i];
    if (match->shares != 0 && match->match == answer->match && match->number == answer->number) return match;
  }
  return NULL;
}

static enum answered broken(struct oms *oms, const struct answer *answer) {
  struct oms_match *match = find_match(oms, answer);
  if (match == NULL) return ANSWERED_UNKNOWN;
  if (!book_trade(oms, match->book, match->side, match->shares, match->price, true)) return ANSWERED_BAD;
  match->shares = 0;
  return ANSWERED_APPLIED;
}

/* The match has another price. */
static enum answered corrected(struct oms *oms, const struct answer *answer) {
  struct oms_match *match = find_match(oms, answer);
  if (match == NULL) return ANSWERED_UNKNOWN;
  if (answer->shares != match->shares || !has_price(answer)) return ANSWERED_BAD;
  if (!book_trade(oms, match->book, match->side, match->shares, match->price, true)) return ANSWERED_BAD;
  bool fits = book_trade(oms, match->book, match->side, match->shares, answer->price, false);
  if (fits) match->price = answer->price;
  else book_trade(oms, match->book, match->side, match->shares, match->price, false); /* as it was, so it fits */
  return fits ? ANSWERED_APPLIED : ANSWERED_BAD;
}

static enum answered replaced(struct oms *oms, struct own_order *order, const struct answer *answer) {
  if (!is_new(order) || order->original == 0 || order->original != answer->original) return ANSWERED_BAD;
  struct own_order *original = oms_find(oms, order->original);
  if (!is_open(original) || !fits(order, answer)) return ANSWERED_BAD;

  /* commit */
  original->replacement = 0;
  bury(oms, original);
  accept(oms, order, answer);
  return ANSWERED_APPLIED;
}

/* What can only be said of an order that is there, of one that is over here: it was taken for lost, and is not. */
static bool is_back(const struct oms *oms, const struct answer *answer) {
  if (oms->assume || answer->number == 0 || answer->number > oms->number) return false;
  return answer->kind == ANSWER_KIND_ACCEPTED || answer->kind == ANSWER_KIND_REPLACED ||
         answer->kind == ANSWER_KIND_EXECUTED;
}

enum answered oms_answer(struct oms *oms, const struct answer *answer) {
  switch (answer->kind) {
    case ANSWER_KIND_SYSTEM_EVENT:
    case ANSWER_KIND_ACCOUNT: return ANSWERED_APPLIED;
    case ANSWER_KIND_BROKEN: return broken(oms, answer);
    case ANSWER_KIND_CORRECTED: return corrected(oms, answer);
    case ANSWER_KIND_MALFORMED: return ANSWERED_BAD;
    default: break;
  }
  struct own_order *order = oms_find(oms, answer->number);
  if (order == NULL) return is_back(oms, answer) ? ANSWERED_BAD : ANSWERED_UNKNOWN;
  if (order->state == OWN_STATE_ASSUMED) return ANSWERED_UNKNOWN;
  switch (answer->kind) {
    case ANSWER_KIND_ACCEPTED:
      if (!is_new(order) || order->original != 0 || !fits(order, answer)) return ANSWERED_BAD;
      accept(oms, order, answer);
      return ANSWERED_APPLIED;
    case ANSWER_KIND_REPLACED: return replaced(oms, order, answer);
    case ANSWER_KIND_CANCELED:
    case ANSWER_KIND_AIQ_CANCELED:
      if (!is_open(order) || answer->shares == 0 || answer->shares > order->shares) return ANSWERED_BAD;
      if (order->state == OWN_STATE_PENDING_CANCEL) order->state = OWN_STATE_LIVE;
      reduce(oms, order, answer->shares);
      return ANSWERED_APPLIED;
    case ANSWER_KIND_EXECUTED: return executed(oms, order, answer);
    case ANSWER_KIND_REJECTED:
      if (!is_new(order)) return ANSWERED_BAD;
      bury(oms, order);
      return ANSWERED_APPLIED;
    case ANSWER_KIND_CANCEL_PENDING:
      if (!is_open(order)) return ANSWERED_BAD;
      if (order->replacement == 0) order->state = OWN_STATE_PENDING_CANCEL;
      return ANSWERED_APPLIED;
    case ANSWER_KIND_CANCEL_REJECT:
      if (!is_open(order)) return ANSWERED_BAD;
      if (order->state == OWN_STATE_PENDING_CANCEL) order->state = OWN_STATE_LIVE;
      order->cancel = false; /* asked for and refused: not again and again */
      return ANSWERED_APPLIED;
    case ANSWER_KIND_MODIFIED:
      if (!is_open(order) || answer->shares > order->shares) return ANSWERED_BAD;
      reduce(oms, order, order->shares - answer->shares);
      return ANSWERED_APPLIED;
    case ANSWER_KIND_PRIORITY_UPDATE:
      if (!is_open(order) || !has_price(answer)) return ANSWERED_BAD;
      order->reference = answer->reference;
      order->price = answer->price;
      return ANSWERED_APPLIED;
    case ANSWER_KIND_RESTATED:
    case ANSWER_KIND_TRADE_NOW: return is_open(order) ? ANSWERED_APPLIED : ANSWERED_BAD;
    default: return ANSWERED_BAD;
  }
}

void oms_link_down(struct oms *oms) {
  for (uint32_t i = 0; i <= oms->mask; i++) {
    if (!oms_entry_free(&oms->orders[i])) oms->orders[i].state = OWN_STATE_UNKNOWN;
  }
}

void oms_link_ready(struct oms *oms) {
  for (uint32_t i = 0; i <= oms->mask; i++) {
    struct own_order *order = &oms->orders[i];
    if (order->state != OWN_STATE_UNKNOWN || order->accepted) continue;
    oms->lost++;
    bury(oms, order);
  }
  for (uint32_t i = 0; i <= oms->mask; i++) {
    if (oms->orders[i].state == OWN_STATE_UNKNOWN) oms->orders[i].state = OWN_STATE_LIVE;
  }
}

uint32_t oms_mark(const struct book *book) {
  int64_t position = book_position(book);
  if (position > 0 && book->side[SIDE_BID].count != 0) return book_best_bid(book);
  if (position < 0 && book->side[SIDE_ASK].count != 0) return book_best_ask(book);
  return book->last_price;
}
