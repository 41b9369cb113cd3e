/* SPDX-License-Identifier: MIT */
/*
 * The trading core: one record of the RX ring in, books updated; then, of a changed book, what its strategy wants.
 *
 * Pure: no I/O, no globals. The caller owns the rings, the clock and the memory. A record may lead to intents; for each of
 * them engine_check says whether it may go out, and engine_sent that it does.
 */
#ifndef TICKLOOP_ENGINE_H
#define TICKLOOP_ENGINE_H

#include <stdint.h>

#include "core/answer.h"
#include "core/books.h"
#include "core/intent.h"
#include "core/market.h"
#include "core/oms.h"
#include "core/risk.h"
#include "core/strategy.h"

/* Counters; the names are those of struct export_header, where their meaning stands. */
#define REFUSALS (REFUSAL_RATE + 1u)

struct statistics {
  uint64_t book_messages;
  uint64_t other_messages;
  uint64_t unsubscribed;
  uint64_t unknown_references;
  uint64_t duplicate_references;
  uint64_t over_executions;
  uint64_t pool_full;
  uint64_t orders_sent;
  uint64_t sequence_gaps;
  uint64_t bad_records;
  uint64_t invalid_messages;
  uint64_t bad_frames;
  uint64_t lost_messages;
  uint64_t answers;
  uint64_t answers_unknown;
  uint64_t answers_bad;
  uint64_t executions;
  uint64_t commands;
  uint64_t refused[REFUSALS]; /* by enum refusal */
  uint64_t recovery_gaps; /* these are the recovery's, whose owner copies them */
  uint64_t recovery_requests;
  uint64_t recovery_answers;
  uint64_t recovery_ignored;
  uint64_t recovered_messages;
  uint64_t recovery_voided;
  uint64_t recovery_losses;
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
  EFFECT_BOOK,  /* a book changed: engine_decide is due */
};

enum decision {
  DECISION_NONE = 0, /* no strategy ran */
  DECISION_HOLD,
  DECISION_ORDER, /* engine.intents holds engine.wanted of them */
};

/* A strategy of the configuration, with its parameters. */
struct instance {
  const struct strategy *strategy; /* stored last */
  const uint32_t *parameters;
};

/* For who looks from another processor: with a strategy it has parameters. */
static inline const struct strategy *instance_strategy(const struct instance *instance) {
  return __atomic_load_n(&instance->strategy, __ATOMIC_ACQUIRE);
}

#define INSTANCES 256u /* number 0 is none */

/* The last record whose sequence number was not the next one: undone if its frame turns out bad. */
struct jump {
  uint64_t record; /* records consumed with it */
  uint64_t expected;
  uint32_t books; /* that there were */
  bool started;   /* a number was expected at all */
  bool stale;     /* messages were missing before */
};

/* More than a jumbo frame has messages that set the state of a symbol or name it: with its length none has less than 22. */
#define TOUCHES 512u

/* A power of two, and more than a jumbo frame has records: with the length of its block none takes less than 2 bytes of it. */
#define CHANGES 8192u

/* One of the latest of them, to be distrusted if its frame turns out bad. */
struct touch {
  uint32_t record; /* records consumed with it */
  uint16_t locate;
};

struct engine {
  struct books books;
  struct statistics statistics;
  uint64_t next_sequence;
  uint64_t skipped; /* what next_sequence is ahead of the number of records, modulo 2^64 */
  bool started;     /* next_sequence is known */
  bool filtered; /* the NIC keeps messages back: only its event lines tell what is missing */
  bool asks_each; /* a command has given a book another strategy: its levels do not tell when that runs */
  struct jump jump;
  uint64_t breach; /* records consumed with the last W */
  struct touch touches[TOUCHES];
  uint32_t touches_next;
  struct market market;
  struct oms oms;
  struct risk risk;
  struct strategy_view view; /* of the strategy that was asked last */
  struct intent intents[INTENTS];
  uint32_t wanted;
  struct answer bad_answer; /* the last one, for the console */
  bool cancelling; /* orders may be there that a "cancel all" meant */
  bool cancel_due; /* ... and that can be cancelled now */
  struct instance instances[INSTANCES];
  uint8_t any_change[INSTANCES];
  struct gap gaps[GAPS_KEPT]; /* the first ones, for the console */
  uint32_t configured; /* instances that the configuration has; those behind are set by commands ... */
  uint32_t set[INSTANCES][STRATEGY_PARAMETERS]; /* ... with these parameters */
  struct symbol_setting set_symbols[SYMBOL_SETTINGS];
  uint16_t changed[CHANGES]; /* the book that each of the latest records changed, by their number; 0: none */
};

/* Records consumed so far. */
static inline uint64_t engine_records(const struct engine *engine) { return engine->next_sequence - engine->skipped; }

/* What a record did to a book is noted beside the records, not in the book: of that a message may need nothing else. */
static inline void engine_note_change(struct engine *engine, uint16_t book) {
  engine->changed[engine_records(engine) & (CHANGES - 1)] = book;
}

/* Memory for `config`, carved by the caller: entries of each array. */
struct engine_sizes {
  uint64_t orders;
  uint64_t levels;
  uint64_t books;
  uint64_t locates;
  uint64_t symbol_index;
  uint64_t rows;
  uint64_t collars;
  uint64_t own_orders;
};

/* Arrays of those sizes; all but levels, books and rows zeroed. */
struct engine_memory {
  struct order *orders;
  struct level *levels;
  struct book *books;
  struct locate *locates;
  uint32_t *symbol_index;
  struct tick_row *rows;
  struct collar *collars;
  struct own_order *own_orders;
};

struct engine_sizes engine_sizes(const struct config_header *config);

/* Returns NULL, or what is wrong with the configuration. `config` is validated and stays in place. */
const char *engine_init(struct engine *engine, const struct config_header *config, const struct engine_memory *memory);

/* A line of the RX ring that is no message: an event of a frame, or messages lost for want of room. */
void engine_event(struct engine *engine, const union rx_line *line);

/* One record; of a book that it changed, `change` says how. */
enum effect engine_record(struct engine *engine, const union rx_line *line, struct change *change);

/* The same in steps, for a loop with a way of its own for each type: the record's number, then by status and type what it is. */
__attribute__((noinline, cold)) void engine_jump(struct engine *engine, uint64_t received);

/* Whether it is the next one; otherwise engine_jump is due. */
static inline bool engine_follows(struct engine *engine, const struct rx_record *record) {
  if (record->sequence != engine->next_sequence || !engine->started) return false;
  engine->next_sequence = record->sequence + 1;
  return true;
}

/* Whichever line it came on. */
static inline bool record_is_decoded(const struct rx_record *record) {
  unsigned status = record->status & ~STATUS_LINE_B;
  return status == MESSAGE_STATUS_OK || status == MESSAGE_STATUS_TOO_LONG;
}

/* A decoded A or F (type 'A'), E or C ('E'), X, D, U. */
enum effect engine_book(struct engine *engine, const union rx_line *line, uint8_t type, struct change *change);

/* Everything else; a decoded message of a type without any effect is only counted. */
enum effect engine_other(struct engine *engine, const union rx_line *line);

static inline void engine_nothing(struct engine *engine) {
  engine->statistics.other_messages++;
  engine_note_change(engine, 0);
}

/* Whether a changed book may have to ask its strategy: most messages change no best price, and most strategies wait for that. */
static inline bool engine_asks(const struct engine *engine, const struct change *change) {
  return change->moved || change->level->any || engine->asks_each;
}

/* With the side that changed, and its best key before. */
enum decision engine_ask_strategy(struct engine *engine, struct book *book, enum side side, uint32_t key_before);

/* The strategy of a book that a record changed. */
static inline enum decision engine_decide(struct engine *engine, const struct change *change) {
  if (!engine_asks(engine, change)) return DECISION_NONE;
  struct book *book = change_book(&engine->books, change);
  return engine_ask_strategy(engine, book, change_side(change), change_key_before(change, book));
}

/* Whether an intent of `book` may go out at `now_ns`; a refusal has been counted. */
enum refusal engine_check(struct engine *engine, const struct book *book, uint64_t now_ns, struct intent *intent);

/* A checked intent goes out: it gets its number. */
static inline void engine_entered(struct engine *engine, uint64_t now_ns, const struct intent *intent) {
  risk_sent(&engine->risk, now_ns, intent);
  oms_enter(&engine->oms, intent);
  engine->statistics.orders_sent++;
}

static inline void engine_changed(struct engine *engine, uint64_t now_ns, struct intent *intent) {
  risk_sent(&engine->risk, now_ns, intent);
  oms_change(&engine->oms, intent);
  engine->statistics.orders_sent++;
}

static inline void engine_sent(struct engine *engine, uint64_t now_ns, struct intent *intent) {
  if (intent->kind == INTENT_KIND_ENTER) engine_entered(engine, now_ns, intent);
  else engine_changed(engine, now_ns, intent);
}

/* It could not, for want of a slot. */
static inline void engine_unsent(struct engine *engine) { engine->statistics.refused[REFUSAL_RING]++; }

void engine_answer(struct engine *engine, const struct answer *answer);

void engine_link(struct engine *engine, enum link_state state);

/* "kill", "resume", "cancel all", "strategy SYM off", "strategy SYM on", and what core/setting.h has; false: no such command, or
 * it cannot be followed, for the reason that engine_command_wrong gives. */
bool engine_command(struct engine *engine, const char *text);

/* Why a command cannot be followed now; NULL if it can, or is none of these. */
const char *engine_command_wrong(const struct engine *engine, const char *text);

struct setting;

/* Whether it is one that can be followed and sets a strategy and its parameters; to what. */
bool engine_command_sets(const struct engine *engine, const char *text, struct setting *setting);

/* The next cancel that a "cancel all" wants, of the book it names, from entry `at` of the table on; false: none, until an answer
 * or the link changes that. It is to be checked and sent like any other. */
bool engine_next_cancel(struct engine *engine, uint32_t *at, struct intent *intent);

/* Cash and positions at their marks, 4 implied decimals. */
int64_t engine_profit(const struct engine *engine);

#endif
