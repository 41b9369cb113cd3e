/* SPDX-License-Identifier: MIT */
/*
 * The recovery of lost messages as a host program under the sanitizers, driven by recovery_harness.py.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }:
 * of a step a struct report, then the request frame if one was written, then the first lines of the messages that went to
 * the books; of a message or a frame all lines. Every buffer is allocated at exactly its size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recovery.h"

enum command {
  COMMAND_OPEN = 1,    /* struct recovery_limits, struct mold_path */
  COMMAND_RECORD = 2,  /* u64 now, line */
  COMMAND_EVENT = 3,   /* u64 now, line */
  COMMAND_ANSWER = 4,  /* u64 now, u64 hw_timestamp_ns, frame */
  COMMAND_REQUEST = 5, /* u64 now */
  COMMAND_FINISH = 6,
  COMMAND_MESSAGE = 7, /* u64 sequence, u64 hw_timestamp_ns, message: its lines */
  COMMAND_PARSE = 8,   /* frame: session and the lines of all its messages; empty if it is refused */
};

struct report {
  uint64_t next, due_ns, gaps, requests, answers, ignored, recovered, voided, losses;
  uint32_t result, state, loss, waiting;
};

static struct recovery recovery;
static union rx_line *held;
static uint8_t *out;
static size_t out_bytes;

static void put(const void *data, size_t bytes) {
  out = realloc(out, out_bytes + bytes + 1);
  memcpy(out + out_bytes, data, bytes);
  out_bytes += bytes;
}

static void apply(void *context, const union rx_line *line) {
  if (context != &recovery) abort();
  put(line, sizeof *line);
}

static void put_lines(const uint8_t *message, uint16_t length, uint64_t sequence, uint64_t hw_timestamp_ns) {
  union rx_line *lines = malloc(MOLD_RECORD_LINES * sizeof *lines);
  memset(lines, 0xA5, MOLD_RECORD_LINES * sizeof *lines);
  put(lines, mold_record(message, length, sequence, hw_timestamp_ns, lines) * sizeof *lines);
  free(lines);
}

static void parse(const uint8_t *frame, uint32_t bytes) {
  struct mold_packet packet;
  if (!mold_parse(&packet, &recovery.path, frame, bytes)) return;
  put(packet.session, sizeof packet.session);
  uint16_t length;
  for (const uint8_t *message; (message = mold_next(&packet, &length)) != NULL;) {
    put_lines(message, length, packet.sequence - 1, 0);
  }
}

static void open_recovery(const uint8_t *payload) {
  struct recovery_limits limits;
  struct mold_path path;
  memcpy(&limits, payload, sizeof limits);
  memcpy(&path, payload + sizeof limits, sizeof path);
  free(held);
  held = malloc(limits.held * sizeof *held);
  recovery_init(&recovery, &limits, &path, held, (struct recovery_sink){.context = &recovery, .apply = apply});
}

/* A frame of exactly its length, so that a byte too far is an error. */
static uint8_t *exact(const uint8_t *data, uint32_t bytes) {
  uint8_t *copy = malloc(bytes);
  memcpy(copy, data, bytes);
  return copy;
}

static void step(enum command command, const uint8_t *payload, uint32_t bytes) {
  struct report report;
  uint8_t request[MOLD_REQUEST_FRAME_BYTES];
  uint64_t now = 0, hw_timestamp_ns;
  union rx_line line;
  uint32_t result = 0;
  put(&report, sizeof report);
  if (bytes >= sizeof now) memcpy(&now, payload, sizeof now);
  switch (command) {
    case COMMAND_RECORD:
      memcpy(&line, payload + 8, sizeof line);
      result = recovery_record(&recovery, &line, now);
      break;
    case COMMAND_EVENT:
      memcpy(&line, payload + 8, sizeof line);
      recovery_event(&recovery, (const struct rx_event *)&line, now);
      break;
    case COMMAND_ANSWER: {
      memcpy(&hw_timestamp_ns, payload + 8, sizeof hw_timestamp_ns);
      uint8_t *frame = exact(payload + 16, bytes - 16);
      result = recovery_answer(&recovery, frame, bytes - 16, hw_timestamp_ns, now);
      free(frame);
      break;
    }
    case COMMAND_REQUEST: result = recovery_request(&recovery, request, now); break;
    default: recovery_finish(&recovery);
  }
  report = (struct report){.next = recovery.started ? recovery.next : 0,
                           .due_ns = recovery_due_ns(&recovery),
                           .gaps = recovery.gaps,
                           .requests = recovery.requests,
                           .answers = recovery.answers,
                           .ignored = recovery.ignored,
                           .recovered = recovery.recovered,
                           .voided = recovery.voided,
                           .losses = recovery.losses,
                           .result = result,
                           .state = recovery.state,
                           .loss = recovery.loss,
                           .waiting = recovery.waiting};
  memcpy(out, &report, sizeof report);
  if (command == COMMAND_REQUEST && result != 0) put(request, sizeof request);
}

int main(void) {
  uint32_t header[2];
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] + 1);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    out_bytes = 0;
    put("", 0); /* there is a buffer, be it empty */
    switch ((enum command)header[0]) {
      case COMMAND_OPEN: open_recovery(payload); break;
      case COMMAND_MESSAGE: {
        uint64_t sequence, hw_timestamp_ns;
        memcpy(&sequence, payload, sizeof sequence);
        memcpy(&hw_timestamp_ns, payload + 8, sizeof hw_timestamp_ns);
        uint8_t *message = exact(payload + 16, header[1] - 16);
        put_lines(message, (uint16_t)(header[1] - 16), sequence, hw_timestamp_ns);
        free(message);
        break;
      }
      case COMMAND_PARSE: {
        uint8_t *frame = exact(payload, header[1]);
        parse(frame, header[1]);
        free(frame);
        break;
      }
      default: step((enum command)header[0], payload, header[1]);
    }
    uint32_t bytes = (uint32_t)out_bytes;
    fwrite(&bytes, sizeof bytes, 1, stdout);
    fwrite(out, 1, out_bytes, stdout);
    fflush(stdout);
    free(payload);
  }
  free(held);
  free(out);
  return 0;
}
