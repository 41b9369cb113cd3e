/* SPDX-License-Identifier: MIT */
/* What a strategy wants of the exchange: the one form in which orders travel from decision through checks to encoding. */
#ifndef TICKLOOP_INTENT_H
#define TICKLOOP_INTENT_H

#include <stdint.h>

#include "include/layout.h"

#define INTENTS 4u /* that one change of a book may cause */

struct intent {
  uint64_t stock; /* as the eight bytes stand on the wire */
  uint32_t number; /* of the new order (enter, replace); strictly increasing */
  uint32_t original; /* own order concerned (replace, cancel, modify) */
  uint32_t shares; /* wanted open; a sent replace or modify counts what the original has executed too (OUCH 4.2, 2.2) */
  uint32_t price;
  uint16_t book;
  uint8_t kind; /* intent_kind */
  uint8_t side; /* 'B' buy, 'S' sell, 'T' sell short; strategies say B or S */
};

#endif
