/* SPDX-License-Identifier: MIT */
/* See soup.h. */
#include "session/soup.h"

#include "core/bytes.h"

#define LENGTH_BYTES 2u

struct login {
  uint8_t username[6];
  uint8_t password[10];
  uint8_t session[SOUP_SESSION_BYTES];
  uint8_t number[SOUP_NUMBER_BYTES];
};
_Static_assert(sizeof(struct login) == SOUP_LOGIN_BYTES, "Login Request, behind its type");
_Static_assert(sizeof(struct login) <= sizeof(((struct tx_slot *)0)->message), "it fits a TX slot");

uint32_t soup_wanted(struct soup_reader *reader, uint8_t *scratch, uint32_t scratch_bytes, uint8_t **to) {
  uint8_t *bytes = reader->bytes;
  if (reader->have < SOUP_FRAMING_BYTES) {
    *to = bytes + reader->have;
    return reader->have < LENGTH_BYTES ? LENGTH_BYTES - reader->have : 1;
  }
  uint32_t rest = reader->length - reader->have;
  if (reader->have < sizeof reader->bytes) {
    uint32_t room = (uint32_t)sizeof reader->bytes - reader->have;
    *to = bytes + reader->have;
    return rest < room ? rest : room;
  }
  *to = scratch;
  return rest < scratch_bytes ? rest : scratch_bytes;
}

enum soup_result soup_came(struct soup_reader *reader, uint32_t count) {
  reader->have += count;
  if (reader->have < LENGTH_BYTES) return SOUP_MORE;
  reader->length = LENGTH_BYTES + load_be16(reader->bytes);
  if (reader->length == LENGTH_BYTES) return SOUP_EMPTY;
  if (reader->have < reader->length) return SOUP_MORE;
  reader->have = 0;
  return SOUP_PACKET;
}

uint64_t soup_number(const uint8_t text[SOUP_NUMBER_BYTES]) {
  uint32_t at = 0;
  while (at < SOUP_NUMBER_BYTES && text[at] == ' ') at++;
  if (at == SOUP_NUMBER_BYTES) return SOUP_NO_NUMBER;
  uint64_t number = 0;
  for (; at < SOUP_NUMBER_BYTES; at++) {
    uint64_t digit = (uint64_t)text[at] - '0';
    if (digit > 9 || number > (SOUP_NO_NUMBER - 1 - digit) / 10) return SOUP_NO_NUMBER;
    number = 10 * number + digit;
  }
  return number;
}

void soup_store_number(uint8_t text[SOUP_NUMBER_BYTES], uint64_t number) {
  __builtin_memset(text, ' ', SOUP_NUMBER_BYTES);
  uint32_t at = SOUP_NUMBER_BYTES;
  do {
    text[--at] = (uint8_t)('0' + number % 10);
    number /= 10;
  } while (number != 0);
}

void soup_login(struct tx_slot *slot, const struct config_header *config, const uint8_t session[SOUP_SESSION_BYTES],
                uint64_t sequence) {
  struct login *login = (struct login *)slot->message;
  __builtin_memcpy(login->username, config->soup_username, sizeof login->username);
  __builtin_memcpy(login->password, config->soup_password, sizeof login->password);
  __builtin_memcpy(login->session, session, sizeof login->session);
  soup_store_number(login->number, sequence);
  slot->kind = TX_KIND_ORDER;
  slot->packet_type = SOUP_PACKET_LOGIN_REQUEST;
  slot->length = sizeof *login;
}

void soup_bare(struct tx_slot *slot, enum soup_packet type) {
  slot->kind = TX_KIND_ORDER;
  slot->packet_type = (uint8_t)type;
  slot->length = 0;
}
