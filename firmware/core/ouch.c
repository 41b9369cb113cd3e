/* SPDX-License-Identifier: MIT */
/* OUCH 4.2, section 2.1 "Enter Order Message"; offsets come from the protocol table through struct ouch42_O. */
#include "core/ouch.h"

#include "core/bytes.h"

#define TOKEN_DIGITS 10u

void ouch_init(struct ouch *ouch, const struct config_header *config) {
  *ouch = (struct ouch){0};
  struct ouch42_O *order = &ouch->order;
  _Static_assert(sizeof order->order_token == sizeof config->token_prefix + TOKEN_DIGITS,
                 "a token is prefix and digits");
  order->message_type = 'O';
  __builtin_memcpy(order->order_token, config->token_prefix, sizeof config->token_prefix);
  __builtin_memset(order->order_token + sizeof config->token_prefix, '0', TOKEN_DIGITS);
  order->buy_sell_indicator = 'B';
  store_be32(order->time_in_force, config->time_in_force);
  __builtin_memcpy(order->firm, config->firm, sizeof order->firm);
  order->display = config->display;
  order->capacity = config->capacity;
  order->intermarket_sweep_eligibility = config->intermarket_sweep;
  store_be32(order->minimum_quantity, config->minimum_quantity);
  order->cross_type = config->cross_type;
  order->customer_type = config->customer_type;
}

static void set_number(struct ouch *ouch, uint32_t number) {
  uint8_t *digit = ouch->order.order_token + sizeof ouch->order.order_token;
  ouch->number = number;
  for (unsigned i = 0; i < TOKEN_DIGITS; i++, number /= 10) *--digit = (uint8_t)('0' + number % 10);
}

/* The next number costs one digit in nine of ten cases; others, after replaces and numbers passed over, all ten. */
static inline void next_token(struct ouch *ouch, uint32_t number) {
  if (number != ouch->number + 1) {
    set_number(ouch, number);
    return;
  }
  ouch->number = number;
  uint8_t *digit = ouch->order.order_token + sizeof ouch->order.order_token - 1;
  while (++*digit > '9') *digit-- = '0';
}

void ouch_encode(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  struct ouch42_O *order = &ouch->order;
  next_token(ouch, intent->number);
  order->buy_sell_indicator = intent->side;
  store_be32(order->shares, intent->shares);
  __builtin_memcpy(order->stock, &intent->stock, sizeof order->stock);
  store_be32(order->price, intent->price);
  __builtin_memcpy(slot->message, ouch->message, sizeof slot->message);
  slot->kind = TX_KIND_ORDER;
  slot->packet_type = SOUP_PACKET_UNSEQUENCED;
  slot->length = sizeof *order;
}
