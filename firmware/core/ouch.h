/* SPDX-License-Identifier: MIT */
/*
 * OUCH 4.2 Enter Order (message 'O') as a template: what never changes is encoded once, an order patches the rest.
 *
 * Tokens are day-unique: the configured prefix and a decimal order number from 1, kept as digits and counted up in place.
 */
#ifndef TICKLOOP_OUCH_H
#define TICKLOOP_OUCH_H

#include <stdint.h>

#include "include/layout.h"

/* An order the strategy wants and the checks have passed. */
struct intent {
  uint64_t stock; /* as the eight bytes stand on the wire */
  uint32_t shares;
  uint32_t price;
};

struct ouch {
  union {
    struct ouch42_O order;
    uint8_t message[sizeof(((struct tx_slot *)0)->message)];
  };
};

void ouch_init(struct ouch *ouch, const struct config_header *config);

/* Encode `intent` with the next token into a TX slot; the publish word is the caller's. */
void ouch_enter_order(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);

#endif
