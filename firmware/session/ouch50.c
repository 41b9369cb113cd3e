/* SPDX-License-Identifier: MIT */
/*
 * OUCH 5.0; every offset comes from the protocol table through the structs of layout.h.
 *
 * Optional fields travel in an appendage: u8 length (of tag and value), u8 tag, value, and so on. A TX slot leaves nine
 * bytes for it behind an Enter Order, which the firm and the customer type fill.
 */
#include "core/bytes.h"
#include "session/ouch.h"

#define APPENDAGE_LENGTH_BYTES 2u

/* Tags of the appendage (protocol table). */
enum tag { TAG_FIRM = 2, TAG_MIN_QTY = 3, TAG_CUSTOMER_TYPE = 4, TAG_EXPIRE_TIME = 15 };

/* OUCH 4.2's time in force is in seconds, with two values of its own; OUCH 5.0's is a letter. */
#define MARKET_HOURS_42 99998u
#define SYSTEM_HOURS_42 99999u

static uint8_t time_in_force(uint32_t seconds) {
  switch (seconds) {
    case 0: return '3';
    case MARKET_HOURS_42: return '0';
    case SYSTEM_HOURS_42: return '5';
    default: return '6';
  }
}

static uint32_t add_tag(uint8_t *appendage, uint32_t at, uint8_t tag, const uint8_t *value, uint8_t bytes) {
  appendage[at] = bytes + 1;
  appendage[at + 1] = tag;
  __builtin_memcpy(appendage + at + 2, value, bytes);
  return at + 2 + bytes;
}

/* What a replace repeats, too: the minimum quantity, and the seconds of an order that expires. */
static uint32_t add_terms(uint8_t *appendage, uint32_t at, const struct config_header *config) {
  uint8_t value[4];
  if (config->minimum_quantity != 0) {
    store_be32(value, config->minimum_quantity);
    at = add_tag(appendage, at, TAG_MIN_QTY, value, sizeof value);
  }
  if (time_in_force(config->time_in_force) == '6') {
    store_be32(value, config->time_in_force);
    at = add_tag(appendage, at, TAG_EXPIRE_TIME, value, sizeof value);
  }
  return at;
}

static bool all_spaces(const uint8_t *text, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) {
    if (text[i] != ' ') return false;
  }
  return true;
}

const char *ouch50_init(struct ouch *ouch, const struct config_header *config) {
  uint8_t appendage[32];
  uint32_t bytes = 0;
  if (!all_spaces(config->firm, sizeof config->firm)) {
    bytes = add_tag(appendage, bytes, TAG_FIRM, config->firm, sizeof config->firm);
  }
  if (config->customer_type != ' ') {
    bytes = add_tag(appendage, bytes, TAG_CUSTOMER_TYPE, &config->customer_type, 1);
  }
  bytes = add_terms(appendage, bytes, config);
  struct ouch50_O *enter = &ouch->enter.v50;
  if (sizeof *enter + bytes > sizeof ouch->enter) {
    return "OUCH 5.0: firm, customer type, minimum quantity and expiry do not fit one slot together";
  }
  enter->message_type = 'O';
  enter->time_in_force = time_in_force(config->time_in_force);
  enter->display = config->display;
  enter->capacity = config->capacity;
  enter->intermarket_sweep_eligibility = config->intermarket_sweep;
  enter->cross_type = config->cross_type;
  __builtin_memcpy(enter->clordid, config->token_prefix, OUCH_PREFIX_BYTES);
  ouch_digits(enter->clordid + OUCH_PREFIX_BYTES, 0);
  store_be16(enter->appendage_length, (uint16_t)bytes);
  __builtin_memcpy(ouch->enter.message + sizeof *enter, appendage, bytes);
  ouch->length = (uint16_t)(sizeof *enter + bytes);

  struct ouch50_U *replace = &ouch->replace.v50.fields;
  replace->message_type = 'U';
  replace->time_in_force = enter->time_in_force;
  replace->display = config->display;
  replace->intermarket_sweep_eligibility = config->intermarket_sweep;
  __builtin_memcpy(replace->clordid, config->token_prefix, OUCH_PREFIX_BYTES);
  bytes = add_terms(ouch->replace.v50.appendage, 0, config);
  store_be16(replace->appendage_length, (uint16_t)bytes);
  ouch->replace_length = (uint16_t)(sizeof *replace + bytes);
  return NULL;
}

_Static_assert(sizeof(struct ouch50_U) + OUCH_REPLACE_APPENDAGE <= sizeof(((struct tx_slot *)0)->message),
               "a replace fits a slot with all it may append");

static void encode_replace(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  struct ouch50_U *replace = &ouch->replace.v50.fields;
  store_be32(replace->orig_user_ref_num, intent->original);
  store_be32(replace->user_ref_num, intent->number);
  store_be32(replace->quantity, intent->shares);
  store_be64(replace->price, intent->price);
  ouch_digits(replace->clordid + OUCH_PREFIX_BYTES, intent->number);
  __builtin_memcpy(slot->message, &ouch->replace.v50, sizeof ouch->replace.v50);
  ouch_fill_slot(slot, ouch->replace_length);
}

static void encode_cancel(const struct intent *intent, struct tx_slot *slot) {
  struct ouch50_X *cancel = (struct ouch50_X *)slot->message;
  cancel->message_type = 'X';
  store_be32(cancel->user_ref_num, intent->original);
  store_be32(cancel->quantity, intent->shares);
  ouch_fill_slot(slot, sizeof *cancel);
}

static void encode_modify(const struct intent *intent, struct tx_slot *slot) {
  struct ouch50_M *modify = (struct ouch50_M *)slot->message;
  modify->message_type = 'M';
  store_be32(modify->user_ref_num, intent->original);
  modify->side = intent->side;
  store_be32(modify->quantity, intent->shares);
  ouch_fill_slot(slot, sizeof *modify);
}

void __attribute__((noinline)) ouch50_change(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  switch (intent->kind) {
    case INTENT_KIND_REPLACE: encode_replace(ouch, intent, slot); break;
    case INTENT_KIND_CANCEL: encode_cancel(intent, slot); break;
    default: encode_modify(intent, slot);
  }
}

void ouch50_enter(struct ouch *ouch, const struct intent *intent, struct tx_slot *slot) {
  uint8_t *digits = ouch->enter.v50.clordid + OUCH_PREFIX_BYTES;
  struct ouch50_O *enter = (struct ouch50_O *)slot->message;
  ouch_count(ouch, digits, intent->number);
  if (!ouch_stands_ready(slot, ouch->length)) ouch_fill(ouch, slot);
  __builtin_memcpy(enter->clordid + OUCH_PREFIX_BYTES, digits, OUCH_DIGITS);
  store_be32(enter->user_ref_num, intent->number);
  enter->side = intent->side;
  store_be32(enter->quantity, intent->shares);
  __builtin_memcpy(enter->symbol, &intent->stock, sizeof enter->symbol);
  store_be64(enter->price, intent->price);
}

/* Whether `bytes` from an appendage's length on are that appendage and nothing else. */
static bool is_appendage(const uint8_t *at, uint32_t bytes) {
  if (bytes < APPENDAGE_LENGTH_BYTES) return false;
  uint32_t rest = load_be16(at);
  at += APPENDAGE_LENGTH_BYTES;
  if (rest != bytes - APPENDAGE_LENGTH_BYTES) return false;
  while (rest != 0) {
    uint32_t tag = 1u + at[0];
    if (at[0] == 0 || tag > rest) return false;
    at += tag;
    rest -= tag;
  }
  return true;
}

/* A type with an appendage ends with its length, which always stands there. */
static bool fits_appended(const uint8_t *message, uint32_t length, uint32_t size) {
  return length >= size &&
         is_appendage(message + size - APPENDAGE_LENGTH_BYTES, length - size + APPENDAGE_LENGTH_BYTES);
}

/* Of every other type the whole appendage may be left out. */
static bool fits(const uint8_t *message, uint32_t length, uint32_t size) {
  return length == size || (length > size && is_appendage(message + size, length - size));
}

static bool load_price(const uint8_t *from, struct answer *answer) {
  uint64_t price = load_be64(from);
  answer->price = (uint32_t)price;
  return price <= UINT32_MAX;
}

/* The fields that nearly all types begin with: type, timestamp, number. */
static bool about_order(const uint8_t *message, enum answer_kind kind, struct answer *answer) {
  const struct ouch50_out_P *m = (const void *)message;
  answer->kind = (uint8_t)kind;
  answer->timestamp = load_be64(m->timestamp);
  answer->number = load_be32(m->user_ref_num);
  return true;
}

static bool parse_accepted(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_A *m = (const void *)message;
  if (!fits_appended(message, length, sizeof *m) || !load_price(m->price, answer)) return false;
  answer->side = m->side;
  answer->shares = load_be32(m->quantity);
  answer->reference = load_be64(m->order_reference_number);
  answer->dead = m->order_state == 'D';
  return about_order(message, ANSWER_KIND_ACCEPTED, answer);
}

static bool parse_replaced(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_U *m = (const void *)message;
  if (!fits_appended(message, length, sizeof *m) || !load_price(m->price, answer)) return false;
  about_order(message, ANSWER_KIND_REPLACED, answer);
  answer->number = load_be32(m->user_ref_num); /* the one common to all types is the original's here */
  answer->original = load_be32(m->orig_user_ref_num);
  answer->side = m->side;
  answer->shares = load_be32(m->quantity);
  answer->reference = load_be64(m->order_reference_number);
  answer->dead = m->order_state == 'D';
  return true;
}

static bool parse_canceled(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_C *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->shares = load_be32(m->quantity);
  answer->reason = m->reason;
  return about_order(message, ANSWER_KIND_CANCELED, answer);
}

static bool parse_aiq_canceled(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_D *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->shares = load_be32(m->decrement_shares);
  answer->reason = m->reason;
  return about_order(message, ANSWER_KIND_AIQ_CANCELED, answer);
}

static bool parse_executed(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_E *m = (const void *)message;
  if (!fits_appended(message, length, sizeof *m) || !load_price(m->price, answer)) return false;
  answer->shares = load_be32(m->quantity);
  answer->match = load_be64(m->match_number);
  return about_order(message, ANSWER_KIND_EXECUTED, answer);
}

static bool parse_broken(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_B *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->match = load_be64(m->match_number);
  answer->reason = m->reason;
  return about_order(message, ANSWER_KIND_BROKEN, answer);
}

static bool parse_corrected(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_F *m = (const void *)message;
  if (!fits(message, length, sizeof *m) || !load_price(m->price, answer)) return false;
  answer->shares = load_be32(m->quantity);
  answer->match = load_be64(m->match_number);
  answer->reason = m->reason;
  return about_order(message, ANSWER_KIND_CORRECTED, answer);
}

static bool parse_rejected(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_J *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  uint16_t reason = load_be16(m->reason);
  answer->reason = reason < UINT8_MAX ? (uint8_t)reason : UINT8_MAX;
  return about_order(message, ANSWER_KIND_REJECTED, answer);
}

static bool parse_priority(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_T *m = (const void *)message;
  if (!fits(message, length, sizeof *m) || !load_price(m->price, answer)) return false;
  answer->reference = load_be64(m->order_reference_number);
  return about_order(message, ANSWER_KIND_PRIORITY_UPDATE, answer);
}

static bool parse_modified(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_M *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->side = m->side;
  answer->shares = load_be32(m->quantity);
  return about_order(message, ANSWER_KIND_MODIFIED, answer);
}

static bool parse_restated(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_R *m = (const void *)message;
  if (!fits_appended(message, length, sizeof *m)) return false;
  answer->reason = m->reason;
  return about_order(message, ANSWER_KIND_RESTATED, answer);
}

static bool parse_event(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_S *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->kind = ANSWER_KIND_SYSTEM_EVENT;
  answer->timestamp = load_be64(m->timestamp);
  answer->reason = m->event_code;
  return true;
}

static bool parse_account(const uint8_t *message, uint32_t length, struct answer *answer) {
  const struct ouch50_out_Q *m = (const void *)message;
  if (!fits(message, length, sizeof *m)) return false;
  answer->kind = ANSWER_KIND_ACCOUNT;
  answer->timestamp = load_be64(m->timestamp);
  answer->number = load_be32(m->next_user_ref_num);
  return true;
}

static bool parse_bare(const uint8_t *message, uint32_t length, enum answer_kind kind, struct answer *answer) {
  return fits(message, length, sizeof(struct ouch50_out_P)) && about_order(message, kind, answer);
}

static bool parse(const uint8_t *message, uint32_t length, struct answer *answer) {
  switch (message[0]) {
    case 'S': return parse_event(message, length, answer);
    case 'A': return parse_accepted(message, length, answer);
    case 'U': return parse_replaced(message, length, answer);
    case 'C': return parse_canceled(message, length, answer);
    case 'D': return parse_aiq_canceled(message, length, answer);
    case 'E': return parse_executed(message, length, answer);
    case 'B': return parse_broken(message, length, answer);
    case 'F': return parse_corrected(message, length, answer);
    case 'J': return parse_rejected(message, length, answer);
    case 'P': return parse_bare(message, length, ANSWER_KIND_CANCEL_PENDING, answer);
    case 'I': return parse_bare(message, length, ANSWER_KIND_CANCEL_REJECT, answer);
    case 'T': return parse_priority(message, length, answer);
    case 'M': return parse_modified(message, length, answer);
    case 'R': return parse_restated(message, length, answer);
    case 'Q': return parse_account(message, length, answer);
    default: return false;
  }
}

bool ouch50_parse(const struct ouch *ouch, const uint8_t *message, uint32_t length, struct answer *answer) {
  (void)ouch;
  *answer = (struct answer){.kind = ANSWER_KIND_MALFORMED};
  if (length != 0 && parse(message, length, answer)) return true;
  *answer = (struct answer){.kind = ANSWER_KIND_MALFORMED};
  return false;
}

_Static_assert(sizeof(struct ouch50_out_I) == sizeof(struct ouch50_out_P), "I has the fields of P");
