/* SPDX-License-Identifier: MIT */
/*
 * SoupBinTCP 3.00, client side: the stream cut into packets, and the payload of those that we send.
 *
 * A packet is u16 length (of what follows), u8 type, payload; segments hold parts of packets, or several. A payload longer
 * than any message of OUCH is passed over, so that a hostile length costs nothing but its own bytes.
 */
#ifndef TICKLOOP_SOUP_H
#define TICKLOOP_SOUP_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define SOUP_FRAMING_BYTES 3u
#define SOUP_LIMIT 512u /* of a payload that is kept */
#define SOUP_SESSION_BYTES 10u
#define SOUP_NUMBER_BYTES 20u
#define SOUP_LOGIN_BYTES 46u
#define SOUP_NO_NUMBER UINT64_MAX

struct soup_reader {
  uint32_t have;   /* bytes of the packet so far */
  uint32_t length; /* of the packet with its length field, once that is there */
  uint8_t bytes[SOUP_FRAMING_BYTES + SOUP_LIMIT];
};

enum soup_result {
  SOUP_MORE = 0, /* the packet is not complete yet */
  SOUP_PACKET,   /* it is: soup_type, soup_payload, soup_length */
  SOUP_EMPTY,    /* a packet without a type: nothing behind it can be believed */
};

/* Bytes that the reader wants at most next, and where it wants them. */
uint32_t soup_wanted(struct soup_reader *reader, uint8_t *scratch, uint32_t scratch_bytes, uint8_t **to);

/* So many of them have come. After a packet the reader begins the next one by itself. */
enum soup_result soup_came(struct soup_reader *reader, uint32_t count);

static inline uint8_t soup_type(const struct soup_reader *reader) { return reader->bytes[2]; }
static inline const uint8_t *soup_payload(const struct soup_reader *reader) {
  return reader->bytes + SOUP_FRAMING_BYTES;
}

/* Length of the payload on the wire; above SOUP_LIMIT its end was passed over. */
static inline uint32_t soup_length(const struct soup_reader *reader) { return reader->length - SOUP_FRAMING_BYTES; }

/* A sequence number as text, left padded with spaces; SOUP_NO_NUMBER if it is none. */
uint64_t soup_number(const uint8_t text[SOUP_NUMBER_BYTES]);
void soup_store_number(uint8_t text[SOUP_NUMBER_BYTES], uint64_t number);

/* Fill a TX slot with a Login Request, or a packet without payload. */
void soup_login(struct tx_slot *slot, const struct config_header *config, const uint8_t session[SOUP_SESSION_BYTES],
                uint64_t sequence);
void soup_bare(struct tx_slot *slot, enum soup_packet type);

#endif
