/* SPDX-License-Identifier: MIT */
/*
 * Frames to records in software: what the SmartNIC's receive path does, for a NIC that hands over frames.
 *
 * A frame is judged whole, as in verified delivery, and becomes the same lines that the RTL writes: one record a message, then
 * an event line where the stream has something to tell. There are two ways for the parts that cost most, unpacking and
 * checksums: C, and assembly (unpack.h); they differ in nothing else, and in no byte of what comes out.
 *
 * Pure: no I/O, no globals. Of a frame no byte behind its end is read, whatever its headers say.
 */
#ifndef TICKLOOP_PARSER_H
#define TICKLOOP_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/moldudp64.h"
#include "include/layout.h"

#define PARSER_REASONS (DROP_REASON_OVERFLOW + 1u)
#define PARSER_STATUSES (MESSAGE_STATUS_TOO_LONG + 1u)

/* The frame in hand: what is still to be delivered of it. */
struct parser_packet {
  const uint8_t *at;
  const uint8_t *end;
  uint64_t sequence; /* of the next block */
  uint64_t first;    /* of the packet */
  uint64_t gap_from;
  uint64_t hw_timestamp_ns;
  uint16_t count; /* as announced */
  uint16_t left;  /* blocks that follow */
  uint16_t delivered;
  uint8_t kind;  /* frame_kind */
  uint8_t flags; /* as rx_event.flags */
  bool open;
};

struct parser {
  uint32_t group_address; /* first octet in bits 31:24 */
  uint16_t group_port;
  bool assembly;

  bool started; /* a packet has been accepted: session and next_expected are valid */
  bool ended;   /* ... and its session has been told to be over */
  uint8_t session[MOLD_SESSION_BYTES];
  uint64_t next_expected;

  uint64_t frames;
  uint64_t accepted;
  uint64_t dropped[PARSER_REASONS];
  uint64_t messages[PARSER_STATUSES];
  uint64_t duplicates;
  uint64_t gaps;

  struct parser_packet packet;
  union rx_line lines[MOLD_RECORD_LINES];
};

void parser_init(struct parser *parser, uint32_t group_address, uint16_t group_port, bool assembly);

/*
 * A frame without FCS: accepted, or the first reason to drop it. `frame` must stay as it is until parser_next has returned
 * NULL or the next frame is opened; hw_timestamp_ns goes into its lines.
 */
enum drop_reason parser_open(struct parser *parser, const uint8_t *frame, uint32_t length, uint64_t hw_timestamp_ns);

/*
 * The next line of the opened frame with its continuation lines behind it, publish words 0: a record or, at the end, an
 * event; NULL if there is none. It stays there until the next call.
 */
const union rx_line *parser_next(struct parser *parser);

#endif
