/* SPDX-License-Identifier: MIT */
/*
 * Steps of some nanoseconds, measured: the time-stamp counter read around each, less what reading it costs. calibrate() first.
 */
#ifndef TICKLOOP_BENCH_STAMPS_H
#define TICKLOOP_BENCH_STAMPS_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

static double ns_per_tick, overhead_ns;

static inline double clock_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Everything before is done, nothing behind has begun. */
static inline uint64_t stamp(void) {
  _mm_lfence();
  uint64_t ticks = __rdtsc();
  _mm_lfence();
  return ticks;
}

static inline int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static inline void calibrate(void) {
  double start = clock_ns(CLOCK_MONOTONIC);
  uint64_t ticks = stamp();
  while (clock_ns(CLOCK_MONOTONIC) - start < 2e7) {
  }
  ns_per_tick = (clock_ns(CLOCK_MONOTONIC) - start) / (double)(stamp() - ticks);
  float empty[4096];
  for (unsigned i = 0; i < 4096; i++) {
    uint64_t from = stamp();
    empty[i] = (float)((double)(stamp() - from) * ns_per_tick);
  }
  qsort(empty, 4096, sizeof *empty, ascending);
  overhead_ns = empty[2048];
}

/* ns of a step between two stamps. */
static inline float since(uint64_t from, uint64_t to) {
  double ns = (double)(to - from) * ns_per_tick - overhead_ns;
  return ns > 0 ? (float)ns : 0;
}

#endif
