/* SPDX-License-Identifier: MIT */
/*
 * A packet of an open order-entry session as a frame, for a NIC that does not build it: SoupBinTCP, TCP, IPv4, Ethernet, as
 * the SmartNIC's TX path does from a slot. What does not change stands in a template with its sums.
 */
#ifndef TICKLOOP_SEGMENT_H
#define TICKLOOP_SEGMENT_H

#include <stdint.h>

#include "include/layout.h"

#define SEGMENT_HEADER_BYTES (14u + 20u + 20u) /* Ethernet, IPv4, TCP, without options */
#define SEGMENT_LIMIT (SEGMENT_HEADER_BYTES + 3u + sizeof(((struct tx_slot *)0)->message))

struct segment_stream {
  uint8_t header[SEGMENT_HEADER_BYTES];
  uint32_t ip_sum;  /* of the template, lengths and checksums 0 */
  uint32_t tcp_sum; /* ... with the pseudo header */
  uint32_t sequence;
  uint16_t identification;
};

/* A session that stands as the configuration says. */
void segment_init(struct segment_stream *stream, const struct config_header *config);

/* Write the frame that carries the slot's packet; returns its length. The stream moves on. */
uint16_t segment_build(struct segment_stream *stream, const struct tx_slot *slot, uint8_t frame[SEGMENT_LIMIT]);

#endif
