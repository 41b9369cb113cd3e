/* SPDX-License-Identifier: MIT */
/* The trading loop's trace on the console: its latencies as histograms, and its entries one by one if that is asked for. */
#ifndef TICKLOOP_CONSOLE_LATENCIES_H
#define TICKLOOP_CONSOLE_LATENCIES_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/latency.h"

/* Who follows the trace ring of a trading loop. */
struct follower {
  struct trace_entry *const *trace; /* the ring, set up later than this */
  const uint64_t *written; /* entries in all */
  uint64_t entries; /* of the ring */
  struct latency *latency;
  uint64_t shown;
  bool showing;
};

/* Take what is new: into the histograms, and onto the console if showing. */
void follow_trace(struct follower *follower);

void show_trace(struct follower *follower, bool on);

void view_latencies(struct follower *follower);

#endif
