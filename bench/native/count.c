/* SPDX-License-Identifier: MIT */
/*
 * count MODULE ITCH: the trading core over a file, between the begin and the end of measured(), for callgrind, which counts
 * the instructions of each function (scripts/budget.py).
 */
#include <stdlib.h>

#include "core/moldudp64.h"
#include "host.h"
#include "itch_input.h"

static __attribute__((noinline)) uint64_t measured(struct host *host, const union rx_line *lines, uint64_t count) {
  struct tx_slot slots[INTENTS] = {0};
  uint64_t orders = 0;
  for (uint64_t i = 0; i < count; i++) orders += host_record(host, &lines[i], slots);
  return orders;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  static struct host host;
  uint64_t module_bytes, bytes, at = 0, count = 0;
  uint8_t *module = read_whole(argv[1], &module_bytes), *data = read_whole(argv[2], &bytes);
  uint16_t length;
  while (next_message(data, bytes, &at, &length) != NULL) count++;
  union rx_line *lines = malloc((count + MOLD_RECORD_LINES) * sizeof *lines);
  at = 0;
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t *message = next_message(data, bytes, &at, &length);
    (void)mold_record(message, length, i + 1, i, &lines[i]); /* a continuation line is overwritten: no book reads it */
  }
  const char *wrong = host_open(&host, module, module_bytes);
  if (wrong != NULL) {
    fprintf(stderr, "%s\n", wrong);
    return 2;
  }
  printf("%lu orders\n", measured(&host, lines, count));
  host_close(&host);
  free(lines);
  free(module);
  free(data);
  return 0;
}
