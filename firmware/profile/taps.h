/* SPDX-License-Identifier: MIT */
/*
 * Taps between the stages of a message, in a build that asks for them: `make -C firmware PROFILE=1`. In any other build they
 * are nothing at all: no instruction, no byte of memory.
 *
 * A tap reads the time-stamp counter by RDTSCP, which waits until all instructions before it have been executed (Intel SDM
 * 2B), and adds the time since the tap before to its stage's histogram. What that costs itself is measured and printed.
 */
#ifndef TICKLOOP_TAPS_H
#define TICKLOOP_TAPS_H

#include <stdint.h>

#include "profile/latency.h"

enum tap {
  TAP_HEADERS,  /* a frame's headers and checksums */
  TAP_UNPACK,   /* a message's bytes to its record */
  TAP_BOOK,     /* ... its book */
  TAP_DECISION, /* ... its strategy */
  TAP_ORDER,    /* checks and encoding of all that it sends */
  TAP_DOORBELL, /* ... and telling the NIC */
  TAPS,
};

#ifdef PROFILE

#define TAP_BEGIN(clock) uint64_t clock = tap_clock()
#define TAP_SKIP(clock) ((clock) = tap_clock()) /* what lies before it is no stage */
#define TAP(clock, stage) ((clock) = tap_add((stage), (clock)))
#define TAPS_INIT() taps_init()
#define TAPS_PRINT() taps_print()

extern struct histogram tap_histograms[TAPS];

static inline uint64_t tap_clock(void) {
  uint32_t low, high;
  __asm__ volatile("rdtscp" : "=a"(low), "=d"(high) : : "ecx", "memory");
  return (uint64_t)high << 32 | low;
}

/* Returns when the next stage begins: what the histogram costs belongs to none. */
static inline uint64_t tap_add(enum tap stage, uint64_t since) {
  histogram_add(&tap_histograms[stage], tap_clock() - since);
  return tap_clock();
}

/* Panics without RDTSCP. */
void taps_init(void);
void taps_print(void);

#else

#define TAP_BEGIN(clock)
#define TAP_SKIP(clock)
#define TAP(clock, stage)
#define TAPS_INIT()
#define TAPS_PRINT()

#endif

#endif
