/* SPDX-License-Identifier: MIT */
/* Raw frames; ARP as in RFC 826, for IPv4 over Ethernet. */
#include "core/raw.h"

#include "core/bytes.h"

void raw_gather(struct raw *raw, const struct raw_frame *head, const union rx_line *ring, uint32_t mask,
                uint32_t index) {
  uint32_t room = head->continuations * CONTINUATION_BYTES;
  uint32_t length = head->length;
  if (length > room) length = room;
  if (length > RAW_LIMIT) length = RAW_LIMIT;
  raw->hw_timestamp_ns = raw_frame_hw_timestamp_ns(head);
  raw->length = (uint16_t)length;
  raw->line = head->line;
  for (uint32_t at = 0; at < length; at += CONTINUATION_BYTES) {
    const struct rx_continuation *line = &ring[++index & mask].continuation;
    uint32_t bytes = length - at < CONTINUATION_BYTES ? length - at : CONTINUATION_BYTES;
    __builtin_memcpy(raw->bytes + at, line->data, bytes);
  }
}

/* An ARP packet behind its Ethernet header: hardware and protocol type, their address lengths, operation, addresses. */
struct arp {
  uint8_t destination[6];
  uint8_t source[6];
  uint8_t ethertype[2];
  uint8_t types[6];
  uint8_t operation[2];
  uint8_t sender_mac[6];
  uint8_t sender_address[4];
  uint8_t target_mac[6];
  uint8_t target_address[4];
};
_Static_assert(sizeof(struct arp) == 42, "RFC 826 behind an Ethernet header");

bool arp_reply(const struct raw *raw, const struct config_header *config, uint8_t reply[ARP_FRAME_BYTES]) {
  static const uint8_t ethertype[2] = {0x08, 0x06};
  static const uint8_t ethernet_ipv4[6] = {0, 1, 0x08, 0x00, 6, 4};
  static const uint8_t request_operation[2] = {0, 1}, reply_operation[2] = {0, 2};
  uint8_t ours[4];
  store_be32(ours, config->source_address);

  const struct arp *request = (const struct arp *)raw->bytes;
  if (raw->length < sizeof *request) return false;
  if (__builtin_memcmp(request->ethertype, ethertype, sizeof ethertype) != 0) return false;
  if (__builtin_memcmp(request->types, ethernet_ipv4, sizeof ethernet_ipv4) != 0) return false;
  if (__builtin_memcmp(request->operation, request_operation, sizeof request_operation) != 0) return false;
  if (__builtin_memcmp(request->target_address, ours, sizeof ours) != 0) return false;

  struct arp answer;
  __builtin_memcpy(answer.destination, request->sender_mac, sizeof answer.destination);
  __builtin_memcpy(answer.source, config->source_mac, sizeof answer.source);
  __builtin_memcpy(answer.ethertype, ethertype, sizeof answer.ethertype);
  __builtin_memcpy(answer.types, ethernet_ipv4, sizeof answer.types);
  __builtin_memcpy(answer.operation, reply_operation, sizeof answer.operation);
  __builtin_memcpy(answer.sender_mac, config->source_mac, sizeof answer.sender_mac);
  __builtin_memcpy(answer.sender_address, ours, sizeof answer.sender_address);
  __builtin_memcpy(answer.target_mac, request->sender_mac, sizeof answer.target_mac);
  __builtin_memcpy(answer.target_address, request->sender_address, sizeof answer.target_address);
  __builtin_memset(reply, 0, ARP_FRAME_BYTES);
  __builtin_memcpy(reply, &answer, sizeof answer);
  return true;
}
