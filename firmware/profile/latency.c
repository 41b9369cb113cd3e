/* SPDX-License-Identifier: MIT */
/* See latency.h. */
#include "profile/latency.h"

#include <stddef.h>

#define FIRST_TYPE 'A' /* entries below are notes of what happened beside messages */

void latency_init(struct latency *latency) {
  static const char *const names[LATENCY_STAGES] = {
      [LATENCY_BOOK] = "book",
      [LATENCY_DECISION] = "decision",
      [LATENCY_DOORBELL] = "doorbell",
      [LATENCY_MESSAGE] = "message",
  };
  latency->taken = latency->missed = 0;
  for (unsigned stage = 0; stage < LATENCY_STAGES; stage++) {
    histogram_init(&latency->histograms[stage], latency->counts[stage], LATENCY_BOUND, latency->largest[stage],
                   LATENCY_LARGEST);
    latency->table[stage] = (struct named_histogram){names[stage], &latency->histograms[stage]};
  }
  latency->table[LATENCY_STAGES] = (struct named_histogram){NULL, NULL};
}

static void add(struct latency *latency, const struct trace_entry *entry) {
  struct histogram *histograms = latency->histograms;
  if (entry->type < FIRST_TYPE) return;
  /* A tap that a message did not reach stands where the dequeue does. */
  if (entry->applied != entry->dequeue) histogram_add(&histograms[LATENCY_BOOK], entry->applied - entry->dequeue);
  if (entry->decision != entry->dequeue) histogram_add(&histograms[LATENCY_DECISION], entry->decision - entry->applied);
  if (entry->orders != 0) histogram_add(&histograms[LATENCY_DOORBELL], entry->doorbell - entry->dequeue);
  histogram_add(&histograms[LATENCY_MESSAGE], entry->done - entry->dequeue);
}

void latency_gather(struct latency *latency, const struct trace_entry *ring, uint64_t entries, uint64_t written) {
  if (written <= latency->taken) return;
  if (written - latency->taken > entries) {
    latency->missed += written - latency->taken - entries;
    latency->taken = written - entries;
  }
  for (; latency->taken < written; latency->taken++) add(latency, &ring[latency->taken & (entries - 1)]);
}
