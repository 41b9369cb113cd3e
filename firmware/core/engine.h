/* SPDX-License-Identifier: MIT */
/*
 * The trading core: one record of the RX ring in, books updated; then, of a changed book, at most one order wanted.
 *
 * Pure: no I/O, no globals. The caller owns the rings, the clock and the memory.
 */
#ifndef TICKLOOP_ENGINE_H
#define TICKLOOP_ENGINE_H

#include <stdint.h>

#include "core/books.h"
#include "core/ouch.h"

/* Counters; the names are those of struct export_header, where their meaning stands. */
struct statistics {
  uint64_t records;
  uint64_t book_messages;
  uint64_t other_messages;
  uint64_t unsubscribed;
  uint64_t unknown_references;
  uint64_t duplicate_references;
  uint64_t over_executions;
  uint64_t pool_full;
  uint64_t orders_sent;
  uint64_t orders_refused_price;
  uint64_t orders_refused_ring;
  uint64_t sequence_gaps;
  uint64_t bad_records;
  uint64_t invalid_messages;
  uint64_t bad_frames;
  uint64_t lost_messages;
};

#define GAPS_KEPT 4u

struct gap {
  uint64_t expected;
  uint64_t received;
};

/* What a record did. */
enum effect {
  EFFECT_NONE = 0,
  EFFECT_BLOCK, /* its locate is of no interest: the NIC may keep its messages back */
  EFFECT_BOOK,  /* engine.change says which book changed: engine_decide is due */
};

enum decision {
  DECISION_NONE = 0, /* no strategy ran */
  DECISION_HOLD,
  DECISION_ORDER, /* engine.intent holds the order */
};

struct engine {
  struct books books;
  struct ouch ouch;
  struct change change;
  struct intent intent;
  struct statistics statistics;
  uint64_t next_sequence;
  struct gap gaps[GAPS_KEPT]; /* the first ones, for the console */
};

/* Memory for `config`, carved by the caller: entries of each array. */
struct engine_sizes {
  uint64_t orders;
  uint64_t levels;
  uint64_t books;
  uint64_t locates;
  uint64_t symbol_index;
};

/* Arrays of those sizes; orders, locates and symbol_index zeroed. */
struct engine_memory {
  struct order *orders;
  struct level *levels;
  struct book *books;
  struct locate *locates;
  uint32_t *symbol_index;
};

struct engine_sizes engine_sizes(const struct config_header *config);

/* Returns NULL, or what is wrong with the configuration. `config` is validated and stays in place. */
const char *engine_init(struct engine *engine, const struct config_header *config, const struct engine_memory *memory);

/* A line of the RX ring that is no message: an event of a frame, or messages lost for want of room. */
void engine_event(struct engine *engine, const union rx_line *line);

enum effect engine_record(struct engine *engine, const union rx_line *line);

/* The strategy of the book that the last record changed. */
enum decision engine_decide(struct engine *engine);

#endif
