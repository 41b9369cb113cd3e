/* SPDX-License-Identifier: MIT */
/*
 * software_parser FRAMES ROUNDS: what the software parsers cost on this machine, as JSON on standard output.
 *
 * FRAMES is a file of { u32 length, frame }. Of each frame it is measured how long it takes until its first record is there,
 * and until all of it has been delivered; the cost of reading the time-stamp counter is measured and taken off. Samples are
 * nanoseconds, of frames that lie in the cache as a NIC with direct cache access leaves them.
 */
#include <stdlib.h>
#include <string.h>

#include "itch_input.h"
#include "parser/parser.h"
#include "stamps.h"

static void print(const char *name, float *samples, uint64_t count) {
  static const struct {
    const char *name;
    uint64_t of_10000;
  } parts[] = {{"p50", 5000}, {"p99", 9900}, {"p99_9", 9990}};
  qsort(samples, count, sizeof *samples, ascending);
  printf("\"%s\": {", name);
  for (unsigned i = 0; i < 3; i++) {
    printf("%s\"%s\": %.1f", i != 0 ? ", " : "", parts[i].name,
           samples[(count * parts[i].of_10000 + 9999) / 10000 - 1]);
  }
  printf("}");
}

static void measure(const uint8_t *data, uint64_t bytes, uint64_t rounds, bool assembly) {
  static struct parser parser;
  uint64_t room = 1u << 16, count = 0, messages = 0;
  float *first = malloc(room * sizeof *first), *whole = malloc(room * sizeof *whole);
  double best = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    double spent = 0;
    parser_init(&parser, 0xE9360C6F, 26477, assembly);
    uint32_t length;
    for (uint64_t at = 0; at < bytes; at += sizeof length + length) {
      memcpy(&length, data + at, sizeof length);
      if (count == room) {
        room *= 2;
        first = realloc(first, room * sizeof *first);
        whole = realloc(whole, room * sizeof *whole);
      }
      const uint8_t *frame = data + at + sizeof length;
      for (uint32_t line = 0; line < length; line += 64) _mm_prefetch((const char *)frame + line, _MM_HINT_T0);
      uint64_t begin = stamp(), record = begin;
      if (parser_open(&parser, frame, length, 0) == DROP_REASON_ACCEPT && parser_next(&parser) != NULL) {
        record = stamp();
        while (parser_next(&parser) != NULL) {
        }
      }
      first[count] = since(begin, record);
      whole[count] = since(begin, stamp());
      spent += whole[count++];
    }
    if (round == 0 || spent < best) best = spent;
    for (unsigned status = 0; round == 0 && status < PARSER_STATUSES; status++) messages += parser.messages[status];
  }
  printf("\"%s\": {\"mean_ns\": %.1f, ", assembly ? "assembly" : "c", best / (double)messages);
  print("first_record", first, count);
  printf(", ");
  print("frame", whole, count);
  printf("}");
  free(first);
  free(whole);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  uint64_t bytes;
  uint8_t *data = read_whole(argv[1], &bytes);
  uint64_t rounds = strtoull(argv[2], NULL, 10);
  calibrate();
  printf("{");
  measure(data, bytes, rounds, false);
  printf(", ");
  measure(data, bytes, rounds, true);
  printf("}\n");
  free(data);
  return 0;
}
