/* SPDX-License-Identifier: MIT */
/*
 * soak MODULE MESSAGES SEED: a long random stream of book messages through the trading core, and its invariants on the way.
 *
 * The stream never crosses a book: bids stay below a middle that moves, asks above it, and what the middle would pass is
 * taken out first. So a crossed book, a level that is not the sum of its orders, or an order too many or too few is the
 * core's fault. One message in a hundred is one that must be refused.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "itch_input.h"

#define SYMBOLS 200u
#define LIVE 60000u       /* orders at most */
#define CHECK_EVERY 500000u
#define DEPTH 300u        /* ticks from the middle */

struct live {
  uint64_t reference;
  uint32_t shares, price;
  uint16_t symbol;
  uint8_t side;
};

static struct host host;
static struct live live[LIVE];
static uint32_t count;
static uint32_t middle[SYMBOLS];
static uint64_t state, last_reference, sequence, refused;
static uint32_t last_symbol;

static uint32_t below(uint32_t limit) { /* xorshift64* */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 0x2545F4914F6CDD1Dull) >> 32) % limit;
}

static void fail(const char *what) {
  printf("message %lu: %s\n", sequence, what);
  exit(1);
}

static void send(union rx_line *line, uint8_t kind, uint32_t symbol) {
  line->record.type = kind;
  line->record.stock_locate = (uint16_t)(symbol + 1);
  line->record.sequence = ++sequence;
  last_symbol = symbol;
  static struct tx_slot slots[INTENTS];
  (void)host_record(&host, line, slots);
}

static uint32_t price_of(uint32_t symbol, uint8_t side) {
  uint32_t away = (1 + below(1 + below(DEPTH))) * TICK; /* more of them near the middle */
  return side == SIDE_BID ? middle[symbol] - away : middle[symbol] + away;
}

static void name(uint32_t symbol, uint8_t *stock) {
  char text[9];
  snprintf(text, sizeof text, "S%-7u", symbol);
  memcpy(stock, text, 8);
}

static void add(uint32_t symbol) {
  struct live *order = &live[count];
  uint8_t side = (uint8_t)below(2);
  *order = (struct live){.reference = last_reference += 1 + below(9),
                         .shares = 1 + below(1000),
                         .price = price_of(symbol, side),
                         .symbol = (uint16_t)symbol,
                         .side = side};
  union rx_line line = {0};
  line.A.order_reference_number = order->reference;
  line.A.buy_sell_indicator = side == SIDE_BID ? 'B' : 'S';
  line.A.shares = order->shares;
  line.A.price = order->price;
  name(symbol, line.A.stock);
  send(&line, below(4) != 0 ? 'A' : 'F', symbol);
  count++;
}

static void erase(uint32_t at) { live[at] = live[--count]; }

static void delete (uint32_t at) {
  union rx_line line = {0};
  line.D.order_reference_number = live[at].reference;
  send(&line, 'D', live[at].symbol);
  erase(at);
}

static void reduce(uint32_t at) {
  struct live *order = &live[at];
  union rx_line line = {0};
  uint32_t shares = 1 + below(order->shares);
  uint8_t kind = (uint8_t)"ECX"[below(3)];
  if (kind == 'X') {
    line.X.order_reference_number = order->reference;
    line.X.canceled_shares = shares;
  } else {
    line.E.order_reference_number = order->reference;
    line.E.executed_shares = shares;
  }
  send(&line, kind, order->symbol);
  order->shares -= shares;
  if (order->shares == 0) erase(at);
}

static void replace(uint32_t at) {
  struct live *order = &live[at];
  union rx_line line = {0};
  line.U.original_order_reference_number = order->reference;
  order->reference = last_reference += 1 + below(9);
  order->shares = 1 + below(1000);
  order->price = price_of(order->symbol, order->side);
  line.U.new_order_reference_number = order->reference;
  line.U.shares = order->shares;
  line.U.price = order->price;
  send(&line, 'U', order->symbol);
}

/* A reference that nobody has, or one that somebody has already. */
static void refuse(uint32_t at) {
  union rx_line line = {0};
  if (below(2) != 0 || count == 0) {
    line.D.order_reference_number = last_reference + 1000;
    send(&line, 'D', below(SYMBOLS));
  } else {
    line.A.order_reference_number = live[at].reference;
    line.A.buy_sell_indicator = 'B';
    line.A.shares = 1;
    line.A.price = 1;
    name(live[at].symbol, line.A.stock);
    send(&line, 'A', live[at].symbol);
  }
  refused++;
}

/* The middle moves by a tick; orders that it meets are deleted first. */
static void move(uint32_t symbol) {
  uint32_t to = below(2) != 0 ? middle[symbol] + TICK : middle[symbol] - TICK;
  for (uint32_t at = 0; at < count;) {
    bool met = live[at].symbol == symbol && (live[at].side == SIDE_BID ? live[at].price >= to : live[at].price <= to);
    if (met) delete (at);
    else at++;
  }
  middle[symbol] = to;
}

static void check(void) {
  const struct books *books = &host.engine.books;
  struct sum {
    uint64_t shares;
    uint32_t orders;
  } *sums = calloc(host.config->max_levels + 1ull, sizeof *sums);
  uint32_t orders = 0, levels = 0;
  for (uint64_t i = 0; i <= books->orders.mask; i++) {
    struct order *order = &books->orders.entries[i];
    if (order->shares == 0 || order_level(order) == 0) continue; /* free, or a barrier */
    orders++;
    if (orders_probe(&books->orders, order->reference) != order) fail("an order cannot be found");
    sums[order_level(order)].shares += order->shares;
    sums[order_level(order)].orders++;
  }
  for (uint32_t number = 1; number <= books->count; number++) {
    for (unsigned side = 0; side < 2; side++) {
      const struct ladder *ladder = &books->pool[number].side[side];
      uint64_t before = 1ull << 32;
      for (uint32_t at = levels_best(&books->levels, ladder); at != 0;
           at = levels_neighbour(&books->levels, ladder, at, 0)) {
        const struct level *level = &books->levels.pool[at];
        if (level->key >= before) fail("levels are out of order");
        if (level->orders == 0 || level->shares != sums[at].shares || level->orders != sums[at].orders) {
          fail("a level is not the sum of its orders");
        }
        before = level->key;
        levels++;
      }
    }
  }
  free(sums);
  if (orders != count || orders_live(&books->orders) != count) fail("an order was leaked or lost");
  if (levels != levels_live(&books->levels)) fail("a level was leaked or lost");
  for (uint32_t at = 0; at < count; at++) {
    const struct order *order = orders_probe(&books->orders, live[at].reference);
    if (order->shares != live[at].shares || level_price(&books->levels.pool[order_level(order)]) != live[at].price) {
      fail("an order has other shares or another price than the stream says");
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint64_t bytes;
  uint8_t *module = read_whole(argv[1], &bytes);
  const char *wrong = host_open(&host, module, bytes);
  if (wrong != NULL) {
    printf("%s\n", wrong);
    return 2;
  }
  uint64_t messages = strtoull(argv[2], NULL, 10), due = CHECK_EVERY;
  state = 0x9E3779B97F4A7C15ull ^ strtoull(argv[3], NULL, 10);
  for (uint32_t i = 0; i < SYMBOLS; i++) middle[i] = 1000000 + below(1000) * TICK;
  while (sequence < messages) {
    uint32_t symbol = below(SYMBOLS), at = count != 0 ? below(count) : 0, kind = below(10000);
    if (kind < 2) move(symbol);
    else if (kind < 100) refuse(at);
    else if (count == 0 || (kind < 5200 && count < LIVE)) add(symbol);
    else if (kind < 7200) replace(at);
    else if (kind < 8400) reduce(at);
    else delete (at);
    const struct books *books = &host.engine.books;
    const struct book *book = &books->pool[books->symbols.locates[last_symbol + 1].book];
    if (book->stock != 0 && book_best_bid(book) >= book_best_ask(book))
      fail("a book is crossed that the feed does not cross");
    if (sequence >= due) {
      check();
      due += CHECK_EVERY;
    }
  }
  check();
  const struct statistics *s = &host.engine.statistics;
  if (s->book_messages + refused != sequence || s->unknown_references + s->duplicate_references != refused) {
    fail("messages were refused that should not be, or the other way round");
  }
  printf("%lu messages, %lu refused, %u orders and %u levels live\n", sequence, refused, count,
         levels_live(&host.engine.books.levels));
  host_close(&host);
  free(module);
  return 0;
}
