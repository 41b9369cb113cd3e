/* SPDX-License-Identifier: MIT */
/*
 * small_model MODULE LENGTH FULL FIRST LAST: every sequence of LENGTH book messages over 2 orders, 2 prices and 2 sides, the
 * trading core against a reference of a few lines that keeps orders in an array and adds up levels when asked.
 *
 * After every message both are compared: levels of both sides from the best on, live orders, and what became of the message.
 * FULL 1: all kinds of messages; 0: only one of those that take one path in the core. FIRST and LAST bound the first message
 * of a sequence, to share the work. Prints how many messages there are to choose from and how many were compared.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/moldudp64.h"
#include "host.h"

#define LONGEST 8u
#define MOST 64u
#define ORDERS 2u
#define LOCATE 7u

static const uint32_t prices[2] = {10000, 10100};

struct message {
  char text[24];
  uint8_t kind;
  uint8_t order, other; /* reference numbers 1 and 2, as 0 and 1 */
  uint8_t side;
  uint32_t price, shares;
  union rx_line lines[MOLD_RECORD_LINES];
};

static struct message alphabet[MOST];
static unsigned letters;

/* ---- the reference ---- */
struct reference {
  struct {
    uint32_t shares; /* 0: not live */
    uint32_t price;
    uint8_t side;
  } orders[ORDERS];
  uint64_t applied, unknown, duplicate, over, full;
  uint32_t max_orders, max_levels;
};

static unsigned live_orders(const struct reference *r) {
  return (r->orders[0].shares != 0) + (r->orders[1].shares != 0);
}

static bool has_level(const struct reference *r, uint8_t side, uint32_t price) {
  for (unsigned i = 0; i < ORDERS; i++) {
    if (r->orders[i].shares != 0 && r->orders[i].side == side && r->orders[i].price == price) return true;
  }
  return false;
}

static unsigned live_levels(const struct reference *r) {
  unsigned count = 0;
  for (unsigned side = 0; side < 2; side++) {
    for (unsigned p = 0; p < 2; p++) count += has_level(r, (uint8_t)side, prices[p]);
  }
  return count;
}

/* Whether there is room; only then the order is there. */
static bool insert(struct reference *r, unsigned order, uint8_t side, uint32_t price, uint32_t shares) {
  if (live_orders(r) == r->max_orders || (!has_level(r, side, price) && live_levels(r) == r->max_levels)) return false;
  r->orders[order].shares = shares;
  r->orders[order].price = price;
  r->orders[order].side = side;
  return true;
}

static void refer(struct reference *r, const struct message *m) {
  bool there = r->orders[m->order].shares != 0;
  if (m->kind == 'A' || m->kind == 'F') {
    if (there) r->duplicate++;
    else if (insert(r, m->order, m->side, m->price, m->shares)) r->applied++;
    else r->full++;
    return;
  }
  if (!there) {
    r->unknown++;
    return;
  }
  if (m->kind == 'U') {
    if (m->other != m->order && r->orders[m->other].shares != 0) {
      r->duplicate++;
      return;
    }
    r->orders[m->order].shares = 0;
    if (insert(r, m->other, r->orders[m->order].side, m->price, m->shares)) r->applied++;
    else r->full++;
    return;
  }
  uint32_t left = r->orders[m->order].shares;
  r->applied++;
  r->over += m->kind != 'D' && m->shares > left;
  r->orders[m->order].shares = m->kind == 'D' || m->shares >= left ? 0 : left - m->shares;
}

/* ---- the comparison ---- */
static const char *compare(const struct host *host, const struct reference *r) {
  const struct books *books = &host->engine.books;
  const struct statistics *s = &host->engine.statistics;
  if (s->book_messages != r->applied || s->unknown_references != r->unknown ||
      s->duplicate_references != r->duplicate || s->over_executions != r->over || s->pool_full != r->full) {
    return "what became of the messages";
  }
  if (orders_live(&books->orders) != live_orders(r) || levels_live(&books->levels) != live_levels(r))
    return "live orders or levels";
  for (unsigned side = 0; side < 2; side++) {
    const struct book *book = &books->pool[1];
    const struct ladder *ladder = &book->side[side];
    uint32_t at = books->count != 0 ? levels_best(&books->levels, ladder) : 0;
    if (books->count != 0 && ladder->best_key != (at != 0 ? books->levels.pool[at].key : 0)) return "the best key";
    for (unsigned p = 0; p < 2; p++) {
      uint32_t price = prices[side == SIDE_BID ? 1 - p : p];
      uint64_t shares = 0;
      uint32_t orders = 0;
      for (unsigned i = 0; i < ORDERS; i++) {
        if (r->orders[i].side != side || r->orders[i].price != price) continue;
        shares += r->orders[i].shares;
        orders += r->orders[i].shares != 0;
      }
      if (orders == 0) continue;
      const struct level *level = &books->levels.pool[at];
      if (at == 0 || level_price(level) != price || level->shares != shares || level->orders != orders)
        return "a level";
      at = levels_neighbour(&books->levels, ladder, at, 0);
    }
    if (at != 0) return "a level that should not be there";
  }
  return NULL;
}

/* ---- all sequences: the core's state is put back for each message tried ---- */
#define KEPT offsetof(struct engine, intents) /* what a record changes */

struct state {
  uint8_t engine[KEPT];
  struct order orders[16];
  struct level levels[8];
  struct tick_row rows[2];
  struct book books[2];
  struct locate locate;
};

static struct host host;
static struct state states[LONGEST];
static struct reference references[LONGEST + 1];
static unsigned path[LONGEST];
static uint64_t compared;

static void keep(struct state *state) {
  memcpy(state->engine, &host.engine, KEPT);
  memcpy(state->orders, host.memory.orders, sizeof state->orders);
  memcpy(state->levels, host.memory.levels, (host.config->max_levels + 1) * sizeof(struct level));
  memcpy(state->rows, host.memory.rows, sizeof state->rows);
  memcpy(state->books, host.memory.books, sizeof state->books);
  state->locate = host.memory.locates[LOCATE];
}

static void put_back(const struct state *state) {
  memcpy(&host.engine, state->engine, KEPT);
  memcpy(host.memory.orders, state->orders, sizeof state->orders);
  memcpy(host.memory.levels, state->levels, (host.config->max_levels + 1) * sizeof(struct level));
  memcpy(host.memory.rows, state->rows, sizeof state->rows);
  memcpy(host.memory.books, state->books, sizeof state->books);
  host.memory.locates[LOCATE] = state->locate;
}

static void report(unsigned depth, const char *wrong) {
  printf("different: %s after", wrong);
  for (unsigned i = 0; i <= depth; i++) printf(" [%s]", alphabet[path[i]].text);
  printf("\n");
  exit(1);
}

static void descend(unsigned depth, unsigned length, unsigned first, unsigned last) {
  keep(&states[depth]);
  for (unsigned letter = first; letter < last; letter++) {
    struct message *message = &alphabet[letter];
    path[depth] = letter;
    message->lines[0].record.sequence = depth + 1;
    static struct tx_slot slots[INTENTS];
    (void)host_record(&host, message->lines, slots);
    references[depth + 1] = references[depth];
    refer(&references[depth + 1], message);
    const char *wrong = compare(&host, &references[depth + 1]);
    if (wrong != NULL) report(depth, wrong);
    compared++;
    if (depth + 1 < length) descend(depth + 1, length, 0, letters);
    put_back(&states[depth]);
  }
}

/* ---- the messages ---- */
static void letter(uint8_t kind, unsigned order, unsigned other, unsigned side, unsigned price, uint32_t shares) {
  struct message *m = &alphabet[letters++];
  *m = (struct message){.kind = kind,
                        .order = (uint8_t)order,
                        .other = (uint8_t)other,
                        .side = (uint8_t)side,
                        .price = prices[price],
                        .shares = shares};
  snprintf(m->text, sizeof m->text, "%c %u %u %c %u %u", kind, order + 1, other + 1, "BS"[side], prices[price], shares);
  struct itch_A *a = &m->lines[0].A;
  struct rx_record *record = &m->lines[0].record;
  *record = (struct rx_record){.type = kind, .stock_locate = LOCATE};
  switch (kind) {
    case 'A':
    case 'F':
      a->order_reference_number = order + 1;
      a->buy_sell_indicator = (uint8_t)"BS"[side];
      a->shares = shares;
      a->price = prices[price];
      memcpy(a->stock, "SMALL   ", 8);
      break;
    case 'E':
    case 'C':
      m->lines[0].E.order_reference_number = order + 1;
      m->lines[0].E.executed_shares = shares;
      break;
    case 'X':
      m->lines[0].X.order_reference_number = order + 1;
      m->lines[0].X.canceled_shares = shares;
      break;
    case 'D': m->lines[0].D.order_reference_number = order + 1; break;
    default:
      m->lines[0].U.original_order_reference_number = order + 1;
      m->lines[0].U.new_order_reference_number = other + 1;
      m->lines[0].U.shares = shares;
      m->lines[0].U.price = prices[price];
  }
}

static void spell(bool full) {
  for (unsigned order = 0; order < ORDERS; order++) {
    for (unsigned side = 0; side < 2; side++) {
      for (unsigned price = 0; price < 2; price++) {
        letter('A', order, 0, side, price, 2);
        if (full) letter('F', order, 0, side, price, 3);
      }
    }
    for (unsigned price = 0; price < 2; price++) {
      for (unsigned other = 0; other < ORDERS; other++) letter('U', order, other, 0, price, 2);
    }
    letter('D', order, 0, 0, 0, 0);
    for (uint32_t shares = 1; shares <= 3; shares++) { /* a part, all, more than there is */
      letter('E', order, 0, 0, 0, shares);
      if (full) letter('X', order, 0, 0, 0, shares);
      if (full) letter('C', order, 0, 0, 0, shares);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  static uint8_t module[1 << 16];
  FILE *file = fopen(argv[1], "rb");
  size_t bytes = file != NULL ? fread(module, 1, sizeof module, file) : 0;
  const char *wrong = host_open(&host, module, bytes);
  if (wrong != NULL || host.config->max_orders > 8 || host.config->max_levels > 7 || host.config->max_books != 1) {
    printf("configuration: %s\n", wrong != NULL ? wrong : "too large for the states kept here");
    return 2;
  }
  unsigned length = (unsigned)atoi(argv[2]);
  spell(atoi(argv[3]) != 0);
  unsigned first = (unsigned)atoi(argv[4]), last = (unsigned)atoi(argv[5]);
  if (length == 0 || length > LONGEST) return 2;
  references[0] = (struct reference){.max_orders = host.config->max_orders, .max_levels = host.config->max_levels};
  descend(0, length, first, last < letters ? last : letters);
  printf("%u messages, %lu compared\n", letters, compared);
  fclose(file);
  host_close(&host);
  return 0;
}
