/* SPDX-License-Identifier: MIT */
/*
 * What the trace entry of a record says of the book that it changed, at no cache line of its own.
 *
 * The book's number stands in the level. A best price is written down only where the strategy was to be asked: a side whose
 * best price changed is in hand then. Who reads the trace carries the others forward.
 */
#ifndef TICKLOOP_TRACE_H
#define TICKLOOP_TRACE_H

#include "core/books.h"

struct trace_top {
  uint32_t number; /* of the book, 0: none */
  uint32_t bid, ask;
  uint32_t tells;
};

/* Of a change whose strategy is not to be asked (engine_asks). */
static inline struct trace_top trace_quiet(const struct change *change) {
  return (struct trace_top){.number = change->level->book};
}

static inline struct trace_top trace_asked(const struct book *book, enum side side) {
  uint32_t key = book->side[side].best_key; /* read once: the other side's is in another line */
  if (side == SIDE_BID) return (struct trace_top){.number = book->number, .bid = key, .tells = TELLS_BID};
  return (struct trace_top){.number = book->number, .ask = ~key, .tells = TELLS_ASK};
}

#endif
