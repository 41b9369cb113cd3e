/* SPDX-License-Identifier: MIT */
/*
 * The histogram as a host program under the sanitizers, driven by test_histogram.py.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/histogram.h"

enum command {
  COMMAND_OPEN = 1,       /* u32 bound, u32 room */
  COMMAND_ADD = 2,        /* u64 samples */
  COMMAND_PERCENTILE = 3, /* u32 parts: u64 value, u64 exact */
  COMMAND_SUMS = 4,       /* u64 count, sum, least, most, mean */
};

int main(void) {
  uint32_t header[2];
  struct histogram histogram = {0};
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] + 1);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    uint64_t out[5] = {0};
    uint32_t words[2] = {0}, bytes = 0;
    switch ((enum command)header[0]) {
      case COMMAND_OPEN:
        memcpy(words, payload, sizeof words);
        free(histogram.counts);
        free(histogram.largest);
        histogram_init(&histogram, malloc(words[0] * sizeof(uint64_t)), words[0], malloc(words[1] * sizeof(uint64_t)),
                       words[1]);
        break;
      case COMMAND_ADD:
        for (uint32_t at = 0; at < header[1]; at += sizeof(uint64_t)) {
          uint64_t value;
          memcpy(&value, payload + at, sizeof value);
          histogram_add(&histogram, value);
        }
        break;
      case COMMAND_PERCENTILE: {
        memcpy(words, payload, sizeof words[0]);
        struct percentile percentile = histogram_percentile(&histogram, words[0]);
        out[0] = percentile.value;
        out[1] = percentile.exact;
        bytes = 16;
        break;
      }
      case COMMAND_SUMS:
        memcpy(out, (uint64_t[]){histogram.count, histogram.sum, histogram.least, histogram.most}, 32);
        out[4] = histogram_mean(&histogram);
        bytes = 40;
        break;
    }
    fwrite(&bytes, sizeof bytes, 1, stdout);
    fwrite(out, 1, bytes, stdout);
    fflush(stdout);
    free(payload);
  }
  free(histogram.counts);
  free(histogram.largest);
  return 0;
}
