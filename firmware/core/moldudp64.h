/* SPDX-License-Identifier: MIT */
/*
 * MoldUDP64 over unicast UDP: requests to a re-request server, and its answers as the records the NIC would have written.
 *
 * The NIC parses only the group's packets; an answer comes out of the raw ring as a frame, of which nothing is believed
 * before it has been checked. Offsets are those of the protocol tables (include/layout.h, include/itch.h).
 */
#ifndef TICKLOOP_MOLDUDP64_H
#define TICKLOOP_MOLDUDP64_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define MOLD_SESSION_BYTES sizeof(((struct mold_header *)0)->session)
#define MOLD_REQUEST_FRAME_BYTES (14u + 20u + 8u + sizeof(struct mold_request)) /* Ethernet, IPv4, UDP */

/* Lines of the largest record: a message that fills the largest frame. */
#define MOLD_RECORD_LINES (1u + (MAX_FRAME_BYTES - RAW_FIRST_BYTES + CONTINUATION_BYTES - 1u) / CONTINUATION_BYTES)

/* Both ends of the unicast path; addresses with the first octet in bits 31:24. */
struct mold_path {
  uint8_t our_mac[6];
  uint8_t server_mac[6]; /* of the gateway, if there is one between */
  uint32_t our_address;
  uint32_t server_address;
  uint16_t our_port;
  uint16_t server_port;
};

struct mold_packet {
  uint8_t session[MOLD_SESSION_BYTES];
  uint64_t sequence; /* of the block at `at` */
  uint16_t count;    /* blocks that follow; 0 in a heartbeat and at the end of a session */
  const uint8_t *at;
  const uint8_t *end;
};

/*
 * Open the packet in `frame` (without FCS); false unless it is a good IPv4/UDP datagram from the server to us with a whole
 * MoldUDP64 header. `packet` points into `frame`.
 */
bool mold_parse(struct mold_packet *packet, const struct mold_path *path, const uint8_t *frame, uint32_t length);

/* The next whole message, whose sequence number is packet->sequence - 1 afterwards; NULL after the last one. */
const uint8_t *mold_next(struct mold_packet *packet, uint16_t *length);

/*
 * The lines of one message as the NIC writes them on line A, publish words 0: the record, then its continuation lines.
 * Returns how many there are. A frame holds no message for which MOLD_RECORD_LINES are too few.
 */
unsigned mold_record(const uint8_t *message, uint16_t length, uint64_t sequence, uint64_t hw_timestamp_ns,
                     union rx_line lines[MOLD_RECORD_LINES]);

/* Write the frame that asks for `count` messages from `sequence` on. */
void mold_request(uint8_t frame[MOLD_REQUEST_FRAME_BYTES], const struct mold_path *path,
                  const uint8_t session[MOLD_SESSION_BYTES], uint64_t sequence, uint16_t count);

#endif
