/* SPDX-License-Identifier: MIT */
/*
 * OUCH, version 4.2 or 5.0: intents to messages, the exchange's messages to answers.
 *
 * An Enter Order stands ready as a template, in the slots too: what never changes is written to a slot once, and an order
 * that finds an Enter Order there writes the rest. So a slot belongs to one `struct ouch`, and is zeroed before. Own order
 * numbers are OUCH 5.0's UserRefNum, and the ten decimal digits behind the configured prefix of an OUCH 4.2 token (5.0:
 * of the ClOrdID); they are kept as digits and counted up in place.
 */
#ifndef TICKLOOP_OUCH_H
#define TICKLOOP_OUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/answer.h"
#include "core/intent.h"
#include "include/layout.h"

#define OUCH_TOKEN_BYTES 14u
#define OUCH_PREFIX_BYTES 4u
#define OUCH_DIGITS (OUCH_TOKEN_BYTES - OUCH_PREFIX_BYTES)
#define OUCH_REPLACE_APPENDAGE 12u /* of OUCH 5.0: minimum quantity, expiry */

struct ouch {
  uint32_t number; /* whose digits stand in the template */
  uint16_t length; /* of an Enter Order */
  uint8_t version; /* ouch_version */
  union {
    struct ouch42_O v42;
    struct ouch50_O v50; /* and its appendage */
    uint8_t message[sizeof(((struct tx_slot *)0)->message)];
  } enter;
  union {
    struct ouch42_U v42;
    struct {
      struct ouch50_U fields;
      uint8_t appendage[OUCH_REPLACE_APPENDAGE];
    } v50;
  } replace;
  uint16_t replace_length;
};

/* NULL, or what of the configuration does not fit this version. */
const char *ouch_init(struct ouch *ouch, const struct config_header *config);

/* The template into the `count` slots of a ring. */
void ouch_prepare(const struct ouch *ouch, struct tx_slot *slots, uint32_t count);

/* Encode `intent` into a TX slot; the publish word is the caller's. */
void ouch42_enter(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);
void ouch50_enter(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);
void ouch42_change(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);
void ouch50_change(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);

static inline void ouch_enter(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  if (ouch->version == OUCH_VERSION_V42) ouch42_enter(ouch, intent, slot);
  else ouch50_enter(ouch, intent, slot);
}

/* Of an order that is there. */
static inline void ouch_change(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  if (ouch->version == OUCH_VERSION_V42) ouch42_change(ouch, intent, slot);
  else ouch50_change(ouch, intent, slot);
}

static inline void ouch_encode(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  if (intent->kind == INTENT_KIND_ENTER) ouch_enter(ouch, intent, slot);
  else ouch_change(ouch, intent, slot);
}

/*
 * A message of the exchange. False: its type is unknown or its length is not the type's, and the answer is of kind
 * malformed. A token or number that can be none of ours is 0, which no order has.
 */
bool ouch42_parse(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer);
bool ouch50_parse(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer);

static inline bool ouch_parse(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  if (ouch->version == OUCH_VERSION_V42) return ouch42_parse(ouch, message, length, answer);
  return ouch50_parse(ouch, message, length, answer);
}

/* Of both versions, for their own files. */
void ouch42_init(struct ouch *ouch, const struct config_header *config);
const char *ouch50_init(struct ouch *ouch, const struct config_header *config);

static inline void ouch_digits(uint8_t *digits, uint32_t number) {
  for (uint32_t i = OUCH_DIGITS; i-- != 0; number /= 10) digits[i] = (uint8_t)('0' + number % 10);
}

/* The next number costs one digit in nine of ten cases; another one, after numbers passed over, all ten. */
static inline void ouch_count(struct ouch *ouch, uint8_t *digits, uint32_t number) {
  bool next = number == ouch->number + 1;
  ouch->number = number;
  if (!next) {
    ouch_digits(digits, number);
    return;
  }
  uint8_t *digit = digits + OUCH_DIGITS - 1;
  while (++*digit > '9') *digit-- = '0';
}

static inline void ouch_fill_slot(struct tx_slot *slot, uint16_t length) {
  slot->kind = TX_KIND_ORDER;
  slot->packet_type = SOUP_PACKET_UNSEQUENCED;
  slot->length = length;
}

/* Whether the slot holds an Enter Order of `length` already. */
static inline bool ouch_stands_ready(const struct tx_slot *slot, uint16_t length) {
  uint32_t head, wanted = TX_KIND_ORDER | SOUP_PACKET_UNSEQUENCED << 8 | (uint32_t)length << 16;
  __builtin_memcpy(&head, &slot->kind, sizeof head);
  return __builtin_expect(head == wanted && slot->message[0] == 'O', true);
}
_Static_assert(offsetof(struct tx_slot, packet_type) == offsetof(struct tx_slot, kind) + 1 &&
                   offsetof(struct tx_slot, length) == offsetof(struct tx_slot, kind) + 2,
               "ouch_stands_ready");

/* The template into a slot; one that was never used is published as little as before. */
static inline void ouch_fill(const struct ouch *ouch, struct tx_slot *slot) {
  __builtin_memcpy(slot->message, ouch->enter.message, sizeof slot->message);
  ouch_fill_slot(slot, ouch->length);
}

#endif
