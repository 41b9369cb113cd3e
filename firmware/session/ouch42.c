/* SPDX-License-Identifier: MIT */
/* OUCH 4.2; every offset comes from the protocol table through the structs of layout.h. */
#include "core/bytes.h"
#include "session/ouch.h"

_Static_assert(sizeof(((struct ouch42_O *)0)->order_token) == OUCH_TOKEN_BYTES, "a token is prefix and digits");
_Static_assert(sizeof(((struct config_header *)0)->token_prefix) == OUCH_PREFIX_BYTES, "its prefix");

void ouch42_init(struct ouch *ouch, const struct config_header *config) {
  struct ouch42_O *enter = &ouch->enter.v42;
  enter->message_type = 'O';
  __builtin_memcpy(enter->order_token, config->token_prefix, OUCH_PREFIX_BYTES);
  ouch_digits(enter->order_token + OUCH_PREFIX_BYTES, 0);
  store_be32(enter->time_in_force, config->time_in_force);
  __builtin_memcpy(enter->firm, config->firm, sizeof enter->firm);
  enter->display = config->display;
  enter->capacity = config->capacity;
  enter->intermarket_sweep_eligibility = config->intermarket_sweep;
  store_be32(enter->minimum_quantity, config->minimum_quantity);
  enter->cross_type = config->cross_type;
  enter->customer_type = config->customer_type;
  ouch->length = sizeof *enter;

  struct ouch42_U *replace = &ouch->replace.v42;
  replace->message_type = 'U';
  __builtin_memcpy(replace->existing_order_token, config->token_prefix, OUCH_PREFIX_BYTES);
  __builtin_memcpy(replace->replacement_order_token, config->token_prefix, OUCH_PREFIX_BYTES);
  store_be32(replace->time_in_force, config->time_in_force);
  replace->display = config->display;
  replace->intermarket_sweep_eligibility = config->intermarket_sweep;
  store_be32(replace->minimum_quantity, config->minimum_quantity);
  ouch->replace_length = sizeof *replace;
}

static void encode_replace(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  struct ouch42_U *replace = &ouch->replace.v42;
  ouch_digits(replace->existing_order_token + OUCH_PREFIX_BYTES, intent->original);
  ouch_digits(replace->replacement_order_token + OUCH_PREFIX_BYTES, intent->number);
  store_be32(replace->shares, intent->shares);
  store_be32(replace->price, intent->price);
  __builtin_memcpy(slot->message, replace, sizeof *replace);
  ouch_fill_slot(slot, sizeof *replace);
}

static void store_token(const struct ouch *ouch, uint8_t token[OUCH_TOKEN_BYTES], uint32_t number) {
  __builtin_memcpy(token, ouch->enter.v42.order_token, OUCH_PREFIX_BYTES);
  ouch_digits(token + OUCH_PREFIX_BYTES, number);
}

static void encode_cancel(const struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  struct ouch42_X *cancel = (struct ouch42_X *)slot->message;
  cancel->message_type = 'X';
  store_token(ouch, cancel->order_token, intent->original);
  store_be32(cancel->shares, intent->shares);
  ouch_fill_slot(slot, sizeof *cancel);
}

static void encode_modify(const struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  struct ouch42_M *modify = (struct ouch42_M *)slot->message;
  modify->message_type = 'M';
  store_token(ouch, modify->order_token, intent->original);
  modify->buy_sell_indicator = intent->side;
  store_be32(modify->shares, intent->shares);
  ouch_fill_slot(slot, sizeof *modify);
}

void __attribute__((noinline)) ouch42_change(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  switch (intent->kind) {
    case INTENT_KIND_REPLACE: encode_replace(ouch, intent, slot); break;
    case INTENT_KIND_CANCEL: encode_cancel(ouch, intent, slot); break;
    default: encode_modify(ouch, intent, slot);
  }
}

void ouch42_enter(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  uint8_t *digits = ouch->enter.v42.order_token + OUCH_PREFIX_BYTES;
  struct ouch42_O *enter = (struct ouch42_O *)slot->message;
  ouch_count(ouch, digits, intent->number);
  if (!ouch_stands_ready(slot, sizeof *enter)) ouch_fill(ouch, slot);
  __builtin_memcpy(enter->order_token + OUCH_PREFIX_BYTES, digits, OUCH_DIGITS);
  enter->buy_sell_indicator = intent->side;
  store_be32(enter->shares, intent->shares);
  __builtin_memcpy(enter->stock, &intent->stock, sizeof enter->stock);
  store_be32(enter->price, intent->price);
}

/* The own order number of a token, 0 if it is none of ours. */
static uint32_t token_number(const struct ouch *ouch, const uint8_t token[OUCH_TOKEN_BYTES]) {
  if (__builtin_memcmp(token, ouch->enter.v42.order_token, OUCH_PREFIX_BYTES) != 0) return 0;
  uint64_t number = 0;
  for (uint32_t i = OUCH_PREFIX_BYTES; i < OUCH_TOKEN_BYTES; i++) {
    if (token[i] < '0' || token[i] > '9') return 0;
    number = 10 * number + (uint64_t)(token[i] - '0');
  }
  return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* The message as its type's struct, if it is as long as that. */
#define AS(kind) const struct ouch42_out_##kind *m = length == sizeof *m ? (const void *)message : NULL

/* The fields that nearly all types begin with: type, timestamp, token. */
static bool about_order(const struct ouch *ouch, const uint8_t *message, enum answer_kind kind, struct answer *answer) {
  const struct ouch42_out_P *m = (const void *)message;
  answer->kind = (uint8_t)kind;
  answer->timestamp = load_be64(m->timestamp);
  answer->number = token_number(ouch, m->order_token);
  return true;
}

static bool parse_accepted(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(A);
  if (m == NULL) return false;
  about_order(ouch, message, ANSWER_KIND_ACCEPTED, answer);
  answer->side = m->buy_sell_indicator;
  answer->shares = load_be32(m->shares);
  answer->price = load_be32(m->price);
  answer->reference = load_be64(m->order_reference_number);
  answer->dead = m->order_state == 'D';
  return true;
}

static bool parse_replaced(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(U);
  if (m == NULL) return false;
  about_order(ouch, message, ANSWER_KIND_REPLACED, answer);
  answer->original = token_number(ouch, m->previous_order_token);
  answer->side = m->buy_sell_indicator;
  answer->shares = load_be32(m->shares);
  answer->price = load_be32(m->price);
  answer->reference = load_be64(m->order_reference_number);
  answer->dead = m->order_state == 'D';
  return true;
}

static bool parse_canceled(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(C);
  if (m == NULL) return false;
  answer->shares = load_be32(m->decrement_shares);
  answer->reason = m->reason;
  return about_order(ouch, message, ANSWER_KIND_CANCELED, answer);
}

static bool parse_aiq_canceled(const struct ouch *ouch, const uint8_t *message, uint32_t length,
                               struct answer *answer) {
  AS(D);
  if (m == NULL) return false;
  answer->shares = load_be32(m->decrement_shares);
  answer->reason = m->reason;
  return about_order(ouch, message, ANSWER_KIND_AIQ_CANCELED, answer);
}

/* An execution, one with its reference price, and a correction begin with the same fields. */
static bool parse_trade(const struct ouch *ouch, const uint8_t *message, uint32_t length, uint32_t size,
                        enum answer_kind kind, struct answer *answer) {
  const struct ouch42_out_E *m = (const void *)message;
  if (length != size) return false;
  answer->shares = load_be32(m->executed_shares);
  answer->price = load_be32(m->execution_price);
  answer->match = load_be64(m->match_number);
  return about_order(ouch, message, kind, answer);
}

static bool parse_broken(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(B);
  if (m == NULL) return false;
  answer->match = load_be64(m->match_number);
  answer->reason = m->reason;
  return about_order(ouch, message, ANSWER_KIND_BROKEN, answer);
}

static bool parse_rejected(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(J);
  if (m == NULL) return false;
  answer->reason = m->reason;
  return about_order(ouch, message, ANSWER_KIND_REJECTED, answer);
}

static bool parse_priority(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(T);
  if (m == NULL) return false;
  answer->price = load_be32(m->price);
  answer->reference = load_be64(m->order_reference_number);
  return about_order(ouch, message, ANSWER_KIND_PRIORITY_UPDATE, answer);
}

static bool parse_modified(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(M);
  if (m == NULL) return false;
  answer->side = m->buy_sell_indicator;
  answer->shares = load_be32(m->shares);
  return about_order(ouch, message, ANSWER_KIND_MODIFIED, answer);
}

static bool parse_event(const uint8_t *message, uint32_t length, struct answer *answer) {
  AS(S);
  if (m == NULL) return false;
  answer->kind = ANSWER_KIND_SYSTEM_EVENT;
  answer->timestamp = load_be64(m->timestamp);
  answer->reason = m->event_code;
  return true;
}

/* Cancel pending, cancel reject, trade now: nothing but the order concerned. */
static bool parse_bare(const struct ouch *ouch, const uint8_t *message, uint32_t length, enum answer_kind kind,
                       struct answer *answer) {
  return length == sizeof(struct ouch42_out_P) && about_order(ouch, message, kind, answer);
}

bool ouch42_parse(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  *answer = (struct answer){.kind = ANSWER_KIND_MALFORMED};
  if (length == 0) return false;
  switch (message[0]) {
    case 'S': return parse_event(message, length, answer);
    case 'A': return parse_accepted(ouch, message, length, answer);
    case 'U': return parse_replaced(ouch, message, length, answer);
    case 'C': return parse_canceled(ouch, message, length, answer);
    case 'D': return parse_aiq_canceled(ouch, message, length, answer);
    case 'E': return parse_trade(ouch, message, length, sizeof(struct ouch42_out_E), ANSWER_KIND_EXECUTED, answer);
    case 'G': return parse_trade(ouch, message, length, sizeof(struct ouch42_out_G), ANSWER_KIND_EXECUTED, answer);
    case 'F':
      if (!parse_trade(ouch, message, length, sizeof(struct ouch42_out_F), ANSWER_KIND_CORRECTED, answer)) return false;
      answer->reason = ((const struct ouch42_out_F *)message)->reason;
      return true;
    case 'B': return parse_broken(ouch, message, length, answer);
    case 'J': return parse_rejected(ouch, message, length, answer);
    case 'P': return parse_bare(ouch, message, length, ANSWER_KIND_CANCEL_PENDING, answer);
    case 'I': return parse_bare(ouch, message, length, ANSWER_KIND_CANCEL_REJECT, answer);
    case 'T': return parse_priority(ouch, message, length, answer);
    case 'M': return parse_modified(ouch, message, length, answer);
    case 'N': return parse_bare(ouch, message, length, ANSWER_KIND_TRADE_NOW, answer);
    default: return false;
  }
}

/* What parse_trade, parse_bare and about_order rely on: these types have the fields of another at the same places. */
#define SAME(kind, field)                                                                                         \
  _Static_assert(offsetof(struct ouch42_out_##kind, field) == offsetof(struct ouch42_out_E, field) &&             \
                     sizeof(((struct ouch42_out_##kind *)0)->field) == sizeof(((struct ouch42_out_E *)0)->field), \
                 #kind)
#define SAME_ORDER(kind) \
  _Static_assert(offsetof(struct ouch42_out_##kind, order_token) == offsetof(struct ouch42_out_P, order_token), #kind)
SAME(G, executed_shares);
SAME(G, execution_price);
SAME(G, match_number);
SAME(F, executed_shares);
SAME(F, execution_price);
SAME(F, match_number);
SAME_ORDER(A);
SAME_ORDER(C);
SAME_ORDER(D);
SAME_ORDER(E);
SAME_ORDER(G);
SAME_ORDER(F);
SAME_ORDER(B);
SAME_ORDER(J);
SAME_ORDER(I);
SAME_ORDER(T);
SAME_ORDER(M);
SAME_ORDER(N);
_Static_assert(offsetof(struct ouch42_out_U, replacement_order_token) == offsetof(struct ouch42_out_P, order_token),
               "U");
_Static_assert(sizeof(struct ouch42_out_I) == sizeof(struct ouch42_out_P), "I");
_Static_assert(sizeof(struct ouch42_out_N) == sizeof(struct ouch42_out_P), "N");
