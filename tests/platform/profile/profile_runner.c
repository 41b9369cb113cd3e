/* SPDX-License-Identifier: MIT */
/*
 * What is pure of firmware/profile/, under the sanitizers, driven by test_profile.py: `describe EAX EBX EDX` prints what the
 * processor's counters are; `gather ENTRIES WRITTEN...` reads a trace ring from standard input and gathers it in steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/counters.h"
#include "profile/latency.h"

static uint32_t number(const char *text) { return (uint32_t)strtoul(text, NULL, 0); }

static void describe(char **words) {
  struct counters_found found = counters_describe(number(words[0]), number(words[1]), number(words[2]));
  printf("%u %u", found.version, found.width);
  for (unsigned counter = 0; counter < COUNTERS; counter++) {
    if (found.has[counter]) printf(" %s%u", found.fixed[counter] ? "fixed" : "pmc", found.number[counter]);
    else printf(" none");
  }
  printf("\n");
}

static int gather(int steps, char **words) {
  static struct latency latency;
  uint32_t entries = number(words[0]);
  struct trace_entry *ring = malloc(entries * sizeof *ring);
  latency_init(&latency);
  for (int step = 1; step < steps; step++) {
    if (fread(ring, sizeof *ring, entries, stdin) != entries) return 1;
    latency_gather(&latency, ring, entries, number(words[step]));
  }
  printf("%lu %lu\n", latency.taken, latency.missed);
  for (const struct named_histogram *entry = latency.table; entry->name != NULL; entry++) {
    const struct histogram *histogram = entry->histogram;
    printf("%s %lu %lu %lu\n", entry->name, histogram->count, histogram->sum,
           histogram_percentile(histogram, 9900).value);
  }
  free(ring);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "describe") == 0) describe(argv + 2);
  else if (argc >= 3 && strcmp(argv[1], "gather") == 0) return gather(argc - 2, argv + 2);
  else return 2;
  return 0;
}
