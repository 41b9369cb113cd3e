/* SPDX-License-Identifier: MIT */
/* What the exchange says of an own order, in one form for both versions of OUCH: the order-entry session fills it in. */
#ifndef TICKLOOP_ANSWER_H
#define TICKLOOP_ANSWER_H

#include <stdint.h>

#include "include/layout.h"

struct answer {
  uint64_t timestamp; /* ns since midnight */
  uint64_t reference; /* accepted, replaced: the order's reference number, also in the feed */
  uint64_t match; /* executed, broken, corrected */
  uint32_t number; /* own order; replaced: the new one */
  uint32_t original; /* replaced: the one before */
  uint32_t shares; /* accepted, replaced, modified: open; executed: executed; canceled: taken off */
  uint32_t price; /* accepted, replaced, priority update: the order's; executed, corrected: the trade's */
  uint8_t kind; /* answer_kind */
  uint8_t side;
  uint8_t reason; /* canceled, rejected, broken; system_event: the event */
  uint8_t dead; /* accepted, replaced: 1, nothing of the order is open */
};

/* What became of it. */
enum answered {
  ANSWERED_APPLIED = 0,
  ANSWERED_UNKNOWN, /* about no order of ours */
  ANSWERED_BAD, /* it contradicts an order of ours */
};

#endif
