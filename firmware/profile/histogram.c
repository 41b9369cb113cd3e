/* SPDX-License-Identifier: MIT */
/* Histograms with exact percentiles; see histogram.h. Reading one walks its counters: for the console, not for the loop. */
#include "profile/histogram.h"

void histogram_init(struct histogram *histogram, uint64_t *counts, uint32_t bound, uint64_t *largest, uint32_t room) {
  *histogram =
      (struct histogram){.counts = counts, .largest = largest, .bound = bound, .room = room, .least = UINT64_MAX};
  for (uint32_t value = 0; value < bound; value++) counts[value] = 0;
}

static void sift_up(uint64_t *heap, uint32_t at) {
  while (at != 0 && heap[(at - 1) / 2] > heap[at]) {
    uint64_t child = heap[at];
    heap[at] = heap[(at - 1) / 2];
    at = (at - 1) / 2;
    heap[at] = child;
  }
}

static void sift_down(uint64_t *heap, uint32_t count) {
  uint64_t value = heap[0];
  uint32_t at = 0;
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && heap[child + 1] < heap[child]) child++;
    if (heap[child] >= value) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = value;
}

void histogram_add_large(struct histogram *histogram, uint64_t value) {
  uint64_t *heap = histogram->largest;
  if (histogram->kept < histogram->room) {
    heap[histogram->kept] = value;
    sift_up(heap, histogram->kept++);
  } else if (value > heap[0]) {
    heap[0] = value;
    sift_down(heap, histogram->kept);
  }
}

/* ceil(count parts / PARTS), at least 1, without a product that could overflow. */
static uint64_t rank_of(uint64_t count, uint32_t parts) {
  uint64_t rest = count % HISTOGRAM_PARTS * parts;
  uint64_t rank = count / HISTOGRAM_PARTS * parts + (rest + HISTOGRAM_PARTS - 1) / HISTOGRAM_PARTS;
  return rank != 0 ? rank : 1;
}

/* The sample with `above` others before it in descending order, equal ones by place. The heap stays as it is for the writer. */
static uint64_t select_largest(const struct histogram *histogram, uint64_t above) {
  const uint64_t *heap = histogram->largest;
  for (uint32_t i = 0; i < histogram->kept; i++) {
    uint64_t before = 0;
    for (uint32_t j = 0; j < histogram->kept; j++) before += heap[j] > heap[i] || (heap[j] == heap[i] && j < i);
    if (before == above) return heap[i];
  }
  return histogram->most;
}

struct percentile histogram_percentile(const struct histogram *histogram, uint32_t parts) {
  if (histogram->count == 0) return (struct percentile){.exact = true};
  if (parts > HISTOGRAM_PARTS) parts = HISTOGRAM_PARTS;
  uint64_t rank = rank_of(histogram->count, parts), above = histogram->count - rank;
  if (above < histogram->kept) return (struct percentile){select_largest(histogram, above), true};
  uint64_t seen = 0;
  for (uint32_t value = 0; value < histogram->bound; value++) {
    seen += histogram->counts[value];
    if (seen >= rank) return (struct percentile){value, true};
  }
  return (struct percentile){histogram->bound, false};
}
