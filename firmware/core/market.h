/* SPDX-License-Identifier: MIT */
/*
 * Trading state: what the feed says of symbols and of the market beside their orders (ITCH 5.0: H, h, V, W, Y, J), and
 * which books can be trusted. All of it off the hot path; what it decides stands in one byte of each book.
 */
#ifndef TICKLOOP_MARKET_H
#define TICKLOOP_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/books.h"
#include "core/risk.h"

#define MARKET_NOTES 8u

/* Why a book became suspect, for the console. */
struct note {
  uint64_t stock; /* 0: not named yet */
  uint16_t locate;
  uint8_t outcome;
};

struct market {
  struct collar *collars; /* by locate, zeroed by the owner */
  uint64_t halts;
  uint64_t suspects;
  uint8_t breached; /* level of the last W, 0: none */
  uint8_t breached_before;
  uint32_t old;     /* books numbered up to this are those of sessions before: stale for good */
  bool stale;       /* messages of this session are missing: every book is stale, also those yet to come */
  struct note notes[MARKET_NOTES]; /* the first ones */
};

/* A decoded record without effect on orders: H h W Y J change what may be traded, others nothing.
 * True: the state of one symbol. */
bool market_message(struct market *market, struct books *books, const union rx_line *line);

/* The last W was none. */
void market_unbreach(struct market *market, struct books *books);

/* Messages of this session are missing, or no longer. */
void market_stale(struct market *market, struct books *books);
void market_fresh(struct market *market, struct books *books);

/* A new session: what exists is stale, but for books numbered above `before`; what comes into being is not. */
void market_session(struct market *market, struct books *books, uint32_t before);

/* Subscribed symbols that are suspect, those included that were not known to be ours when they became it. */
uint64_t market_suspects(const struct books *books);

/* `outcome` for the console; OUTCOME_APPLIED stands for a bad frame. */
void market_suspect(struct market *market, struct books *books, uint16_t locate, enum outcome outcome);

#endif
