/* SPDX-License-Identifier: MIT */
/*
 * A histogram whose percentiles are exact, not those of a bucket: one counter for each value below a bound, and the largest
 * samples at or above it as they are.
 *
 * Both come from the caller: what a histogram holds is decided where it is made. A percentile is the sample of nearest rank,
 * the smallest one that at least that share of all samples does not exceed. It is exact if that sample lies below the bound
 * or among the `room` largest; of one in between only a lower bound is known, and the answer says so. No sample is ever left
 * out of count, sum, least and most.
 */
#ifndef TICKLOOP_HISTOGRAM_H
#define TICKLOOP_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_PARTS 10000u /* a rank is given in ten-thousandths: 5000 is the median, 9999 p99.99 */

struct histogram {
  uint64_t *counts;  /* of each value below `bound` */
  uint64_t *largest; /* min-heap of the `kept` largest of the others */
  uint32_t bound;
  uint32_t room; /* of `largest` */
  uint32_t kept;
  uint64_t count;
  uint64_t sum;
  uint64_t least; /* UINT64_MAX while there is no sample */
  uint64_t most;
};

struct percentile {
  uint64_t value;
  bool exact; /* if not, `value` is a lower bound of it */
};

/* Empty; `counts` has `bound` entries, `largest` has `room`, and neither may be 0. */
void histogram_init(struct histogram *histogram, uint64_t *counts, uint32_t bound, uint64_t *largest, uint32_t room);

/* A sample at or above the bound. */
void histogram_add_large(struct histogram *histogram, uint64_t value);

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
  histogram->count++;
  histogram->sum += value;
  if (value < histogram->least) histogram->least = value;
  if (value > histogram->most) histogram->most = value;
  if (value < histogram->bound) histogram->counts[value]++;
  else histogram_add_large(histogram, value);
}

/* The sample that `parts` of HISTOGRAM_PARTS of all samples do not exceed; 0 and exact while there is none. */
struct percentile histogram_percentile(const struct histogram *histogram, uint32_t parts);

/* Rounded down; 0 while there is no sample. */
static inline uint64_t histogram_mean(const struct histogram *histogram) {
  return histogram->count != 0 ? histogram->sum / histogram->count : 0;
}

#endif
