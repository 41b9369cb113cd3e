/* SPDX-License-Identifier: MIT */
/*
 * Raw frames: what arrives for this host beside market data, and the answer to the one kind the kernel answers itself.
 *
 * Everything here is off the hot path, and nothing in a frame is believed before its length has been checked.
 */
#ifndef TICKLOOP_RAW_H
#define TICKLOOP_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define RAW_LIMIT MAX_FRAME_BYTES

/* A frame out of its ring lines. */
struct raw {
  uint64_t hw_timestamp_ns;
  uint16_t length; /* of bytes */
  uint8_t line;
  uint8_t bytes[RAW_LIMIT];
};

/* Copy the frame whose first line is `head`, at `index` of `ring`; its continuation lines follow, around the ring's end. */
void raw_gather(struct raw *raw, const struct raw_frame *head, const union rx_line *ring, uint32_t mask,
                uint32_t index);

#define ARP_FRAME_BYTES 60u /* the shortest Ethernet frame, without FCS */

/* Write the reply to an ARP request for our address (RFC 826); false if `raw` is none. */
bool arp_reply(const struct raw *raw, const struct config_header *config, uint8_t reply[ARP_FRAME_BYTES]);

#endif
