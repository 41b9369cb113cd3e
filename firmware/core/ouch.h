/* SPDX-License-Identifier: MIT */
/*
 * OUCH 4.2 Enter Order (message 'O') as a template: what never changes is encoded once, an order patches the rest.
 *
 * Tokens are day-unique: the configured prefix and a decimal order number from 1, kept as digits and counted up in place.
 */
#ifndef TICKLOOP_OUCH_H
#define TICKLOOP_OUCH_H

#include <stdint.h>

#include "core/intent.h"
#include "include/layout.h"

struct ouch {
  uint32_t number; /* of the token that stands in the template */
  union {
    struct ouch42_O order;
    uint8_t message[sizeof(((struct tx_slot *)0)->message)];
  };
};

void ouch_init(struct ouch *ouch, const struct config_header *config);

/* Encode `intent`, an enter with a number above all before, into a TX slot; the publish word is the caller's. */
void ouch_encode(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot);

#endif
