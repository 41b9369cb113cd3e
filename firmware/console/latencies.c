/* SPDX-License-Identifier: MIT */
/* See latencies.h. Times are the taps': executed instructions in lockstep, time-stamp cycles otherwise. */
#include "console/latencies.h"

#include <stddef.h>

#include "console/console.h"

static void show(const struct trace_entry *entry) {
  if (entry->ask == UINT32_MAX && entry->type < 'A') {
    console_print("trace: note of kind %u, value 0x%lx\n", entry->type, entry->sequence);
    return;
  }
  console_print("trace: message %lu, type %c, locate %u: %u instructions", entry->sequence,
                entry->type >= ' ' && entry->type <= '~' ? entry->type : '?', entry->stock_locate,
                entry->done - entry->dequeue);
  if (entry->orders != 0) {
    console_print(", %u order(s), doorbell after %u", entry->orders, entry->doorbell - entry->dequeue);
  }
  console_print("\n");
}

static void show_new(struct follower *follower, uint64_t written) {
  if (written <= follower->shown) return;
  if (written - follower->shown > follower->entries) {
    console_print("trace: %lu entries were overwritten before they could be shown\n",
                  written - follower->entries - follower->shown);
    follower->shown = written - follower->entries;
  }
  for (; follower->shown < written; follower->shown++) {
    show(&(*follower->trace)[follower->shown & (follower->entries - 1)]);
  }
}

void follow_trace(struct follower *follower) {
  uint64_t written = __atomic_load_n(follower->written, __ATOMIC_RELAXED);
  if (*follower->trace == NULL) return;
  latency_gather(follower->latency, *follower->trace, follower->entries, written);
  if (follower->showing) show_new(follower, written);
}

void show_trace(struct follower *follower, bool on) {
  follower->showing = on;
  follower->shown = __atomic_load_n(follower->written, __ATOMIC_RELAXED);
}

static void print_percentile(const struct histogram *histogram, uint32_t parts) {
  struct percentile percentile = histogram_percentile(histogram, parts);
  console_print("%s%9lu", percentile.exact ? " " : ">", percentile.value);
}

void view_latencies(struct follower *follower) {
  follow_trace(follower);
  console_print("  stage          count     least      mean       p50       p99     p99.9      most\n");
  for (const struct named_histogram *named = follower->latency->table; named->name != NULL; named++) {
    const struct histogram *histogram = named->histogram;
    if (histogram->count == 0) continue;
    console_print("  %-10s%10lu%10lu%10lu", named->name, histogram->count, histogram->least, histogram_mean(histogram));
    print_percentile(histogram, 5000);
    print_percentile(histogram, 9900);
    print_percentile(histogram, 9990);
    console_print("%10lu\n", histogram->most);
  }
  console_print("lat: of %lu entries of the trace", follower->latency->taken);
  if (follower->latency->missed != 0) console_print(", %lu more were overwritten before", follower->latency->missed);
  console_print("\n");
}
