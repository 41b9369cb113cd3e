/* SPDX-License-Identifier: MIT */
/*
 * The software parser as a host program under the sanitizers, driven by parser_harness.py.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }. A
 * frame ends at the end of a page with nothing mapped behind it: the assembly, too, faults at a byte too far.
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "parser/parser.h"

#define ROOM 0x20000u

enum command {
  COMMAND_OPEN = 1,     /* u32 group address, u16 port, u16 assembly */
  COMMAND_FRAME = 2,    /* u64 hw_timestamp_ns, frame: u32 reason, then all lines */
  COMMAND_COUNTERS = 3, /* struct counters */
};

struct counters {
  uint64_t frames, accepted, duplicates, gaps, started, next_expected;
  uint64_t messages[PARSER_STATUSES];
  uint64_t dropped[PARSER_REASONS];
};

static struct parser parser;
static uint8_t *end; /* of the page */
static uint8_t *out;
static size_t out_bytes;

static void put(const void *data, size_t bytes) {
  out = realloc(out, out_bytes + bytes + 1);
  memcpy(out + out_bytes, data, bytes);
  out_bytes += bytes;
}

static void frame(const uint8_t *payload, uint32_t bytes) {
  uint64_t time_ns;
  memcpy(&time_ns, payload, sizeof time_ns);
  uint32_t length = bytes - (uint32_t)sizeof time_ns;
  uint8_t *at = end - length;
  memcpy(at, payload + sizeof time_ns, length);
  uint32_t reason = parser_open(&parser, at, length, time_ns);
  put(&reason, sizeof reason);
  memset(parser.lines, 0xA5, sizeof parser.lines);
  for (const union rx_line *line; (line = parser_next(&parser)) != NULL;) {
    put(line, (1u + line->record.continuations) * sizeof *line);
    memset(parser.lines, 0xA5, sizeof parser.lines);
  }
  if (parser_next(&parser) != NULL) abort();
}

int main(void) {
  uint32_t header[2];
  uint8_t *pages = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + ROOM, 4096, PROT_NONE) != 0) return 1;
  end = pages + ROOM;
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] + 1);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    out_bytes = 0;
    switch ((enum command)header[0]) {
      case COMMAND_OPEN: {
        uint32_t address;
        uint16_t words[2];
        memcpy(&address, payload, sizeof address);
        memcpy(words, payload + sizeof address, sizeof words);
        parser_init(&parser, address, words[0], words[1] != 0);
        break;
      }
      case COMMAND_FRAME: frame(payload, header[1]); break;
      case COMMAND_COUNTERS: {
        struct counters counters = {parser.frames,  parser.accepted,      parser.duplicates, parser.gaps,
                                    parser.started, parser.next_expected, .messages = {0},   .dropped = {0}};
        memcpy(counters.messages, parser.messages, sizeof counters.messages);
        memcpy(counters.dropped, parser.dropped, sizeof counters.dropped);
        put(&counters, sizeof counters);
        break;
      }
    }
    uint32_t bytes = (uint32_t)out_bytes;
    fwrite(&bytes, sizeof bytes, 1, stdout);
    if (bytes != 0) fwrite(out, 1, out_bytes, stdout);
    fflush(stdout);
    free(payload);
  }
  free(out);
  return 0;
}
