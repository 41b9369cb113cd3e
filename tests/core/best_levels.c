/* SPDX-License-Identifier: MIT */
/*
 * best_levels MODULE ITCH: the best level of both sides of the book that a message touched, after every message that changed
 * it, as struct row on standard output.
 */
#include <stdlib.h>
#include <string.h>

#include "core/moldudp64.h"
#include "host.h"
#include "itch_input.h"

struct row {
  uint64_t message; /* from 1 */
  uint64_t shares[2];
  uint32_t price[2]; /* 0: none */
  uint32_t orders[2];
  uint32_t locate;
  uint32_t zero;
};

static struct row best_of(const struct books *books, const struct book *book) {
  struct row row = {.locate = book->stock_locate};
  for (unsigned side = 0; side < 2; side++) {
    uint32_t best = levels_best(&books->levels, &book->side[side]);
    if (best == 0) continue;
    const struct level *level = &books->levels.pool[best];
    row.shares[side] = level->shares;
    row.price[side] = level_price(level);
    row.orders[side] = level->orders;
  }
  return row;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  static struct host host;
  static struct row last[LOCATES];
  static union rx_line lines[MOLD_RECORD_LINES];
  uint64_t module_bytes, bytes, at = 0, sequence = 0;
  uint8_t *module = read_whole(argv[1], &module_bytes), *data = read_whole(argv[2], &bytes);
  const char *wrong = host_open(&host, module, module_bytes);
  if (wrong != NULL) {
    fprintf(stderr, "%s\n", wrong);
    return 2;
  }
  uint16_t length;
  for (const uint8_t *message; (message = next_message(data, bytes, &at, &length)) != NULL;) {
    (void)mold_record(message, length, ++sequence, 0, lines);
    struct change change = {0};
    if (engine_record(&host.engine, lines, &change) != EFFECT_BOOK) continue;
    struct row row = best_of(&host.engine.books, change_book(&host.engine.books, &change));
    if (memcmp(&row, &last[row.locate], sizeof row) == 0) continue;
    last[row.locate] = row;
    row.message = sequence;
    fwrite(&row, sizeof row, 1, stdout);
  }
  host_close(&host);
  free(module);
  free(data);
  return 0;
}
