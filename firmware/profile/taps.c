/* SPDX-License-Identifier: MIT */
/* See taps.h; empty in a build without them. */
#include "profile/taps.h"

#ifdef PROFILE

#include "console/console.h"

#define BOUND 16384u
#define LARGEST 256u
#define TRIALS 1000u
#define CPUID_RDTSCP (1u << 27) /* CPUID.80000001:EDX */

struct histogram tap_histograms[TAPS];
static struct histogram nothing; /* taps with nothing between them */
static uint64_t counts[TAPS + 1][BOUND];
static uint64_t largest[TAPS + 1][LARGEST];

static bool has_rdtscp(void) {
  uint32_t eax = 0x80000001, ebx, ecx = 0, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return (edx & CPUID_RDTSCP) != 0;
}

void taps_init(void) {
  if (!has_rdtscp()) panic("taps need a processor with RDTSCP");
  for (unsigned tap = 0; tap < TAPS; tap++) {
    histogram_init(&tap_histograms[tap], counts[tap], BOUND, largest[tap], LARGEST);
  }
  histogram_init(&nothing, counts[TAPS], BOUND, largest[TAPS], LARGEST);
  for (unsigned trial = 0; trial < TRIALS; trial++) {
    uint64_t begin = tap_clock();
    histogram_add(&nothing, tap_clock() - begin);
  }
}

static void print(const char *name, const struct histogram *histogram) {
  static const uint32_t parts[] = {5000, 9900, 9990};
  struct percentile at[3];
  for (unsigned i = 0; i < 3; i++) at[i] = histogram_percentile(histogram, parts[i]);
  console_print("tap: %s count %lu mean %lu p50 %s%lu p99 %s%lu p99.9 %s%lu max %lu\n", name, histogram->count,
                histogram_mean(histogram), at[0].exact ? "" : ">", at[0].value, at[1].exact ? "" : ">", at[1].value,
                at[2].exact ? "" : ">", at[2].value, histogram->most);
}

void taps_print(void) {
  static const char *const names[TAPS] = {
      [TAP_HEADERS] = "headers",   [TAP_UNPACK] = "unpack", [TAP_BOOK] = "book",
      [TAP_DECISION] = "decision", [TAP_ORDER] = "order",   [TAP_DOORBELL] = "doorbell",
  };
  print("nothing", &nothing);
  for (unsigned tap = 0; tap < TAPS; tap++) {
    if (tap_histograms[tap].count != 0) print(names[tap], &tap_histograms[tap]);
  }
}

#endif
