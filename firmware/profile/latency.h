/* SPDX-License-Identifier: MIT */
/*
 * Latencies of the trading loop, from its trace ring: the taps that every run has anyway, gathered where there is nothing to
 * trade on. Times are those of the taps: executed instructions in lockstep, time-stamp cycles otherwise. Pure.
 */
#ifndef TICKLOOP_LATENCY_H
#define TICKLOOP_LATENCY_H

#include <stdint.h>

#include "include/layout.h"
#include "profile/histogram.h"

#define LATENCY_BOUND 4096u  /* exact below it, and for the largest LATENCY_LARGEST samples */
#define LATENCY_LARGEST 128u

struct named_histogram {
  const char *name; /* NULL behind the last one of a table */
  struct histogram *histogram;
};

enum latency_stage {
  LATENCY_BOOK,     /* dequeue until the book has changed */
  LATENCY_DECISION, /* ... until the strategy has decided, where it was asked */
  LATENCY_DOORBELL, /* dequeue to doorbell, of messages with an order */
  LATENCY_MESSAGE,  /* dequeue to done */
  LATENCY_STAGES,
};

struct latency {
  uint64_t taken;  /* entries of the trace ring, in all */
  uint64_t missed; /* ... that were overwritten before they could be taken */
  struct histogram histograms[LATENCY_STAGES];
  struct named_histogram table[LATENCY_STAGES + 1];
  uint64_t counts[LATENCY_STAGES][LATENCY_BOUND];
  uint64_t largest[LATENCY_STAGES][LATENCY_LARGEST];
};

void latency_init(struct latency *latency);

/* Take what was written since the last call into a ring of `entries` (a power of two), of which `written` were in all. */
void latency_gather(struct latency *latency, const struct trace_entry *ring, uint64_t entries, uint64_t written);

#endif
