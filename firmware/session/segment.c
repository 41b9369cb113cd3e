/* SPDX-License-Identifier: MIT */
/* See segment.h; offsets are those of IEEE 802.3, RFC 791 and RFC 9293 behind each other. */
#include "session/segment.h"

#include "core/bytes.h"
#include "core/checksum.h"
#include "session/soup.h"
#include "session/tcp.h"

#define ETHERTYPE_AT 12u
#define IP_AT 14u
#define IP_BYTES 20u
#define IP_LENGTH_AT (IP_AT + 2u)
#define IP_IDENTIFICATION_AT (IP_AT + 4u)
#define IP_FRAGMENT_AT (IP_AT + 6u)
#define IP_CHECKSUM_AT (IP_AT + 10u)
#define IP_SOURCE_AT (IP_AT + 12u)
#define IP_DESTINATION_AT (IP_AT + 16u)
#define TCP_AT (IP_AT + IP_BYTES)
#define TCP_HEADER_BYTES 20u
#define TCP_SEQUENCE_AT (TCP_AT + 4u)
#define TCP_CHECKSUM_AT (TCP_AT + 16u)

#define PROTOCOL_TCP 6u
#define TIME_TO_LIVE 64u
#define DONT_FRAGMENT 0x4000u
#define PSH_ACK 0x18u

void segment_init(struct segment_stream *stream, const struct config_header *config) {
  *stream = (struct segment_stream){.sequence = config->tcp_sequence};
  uint8_t *header = stream->header;
  __builtin_memcpy(header, config->destination_mac, 6);
  __builtin_memcpy(header + 6, config->source_mac, 6);
  store_be16(header + ETHERTYPE_AT, 0x0800);
  header[IP_AT] = 0x45;
  store_be16(header + IP_FRAGMENT_AT, DONT_FRAGMENT);
  header[IP_AT + 8] = TIME_TO_LIVE;
  header[IP_AT + 9] = PROTOCOL_TCP;
  store_be32(header + IP_SOURCE_AT, config->source_address);
  store_be32(header + IP_DESTINATION_AT, config->destination_address);
  store_be16(header + TCP_AT, config->source_port);
  store_be16(header + TCP_AT + 2, config->destination_port);
  store_be32(header + TCP_AT + 8, config->tcp_acknowledge);
  header[TCP_AT + 12] = TCP_HEADER_BYTES / 4 << 4;
  header[TCP_AT + 13] = PSH_ACK;
  store_be16(header + TCP_AT + 14, TCP_WINDOW);
  uint64_t pseudo = checksum_pseudo(config->source_address, config->destination_address, PROTOCOL_TCP, 0);
  stream->ip_sum = (uint32_t)checksum_add(0, header + IP_AT, IP_BYTES);
  stream->tcp_sum = (uint32_t)checksum_add(pseudo, header + TCP_AT, TCP_HEADER_BYTES);
}

uint16_t segment_build(struct segment_stream *stream, const struct tx_slot *slot, uint8_t frame[SEGMENT_LIMIT]) {
  uint16_t soup_bytes = (uint16_t)(SOUP_FRAMING_BYTES + slot->length);
  uint16_t tcp_bytes = (uint16_t)(TCP_HEADER_BYTES + soup_bytes);
  uint8_t *payload = frame + SEGMENT_HEADER_BYTES;
  __builtin_memcpy(frame, stream->header, SEGMENT_HEADER_BYTES);
  store_be16(payload, (uint16_t)(slot->length + 1u)); /* the type counts, the length itself does not */
  payload[2] = slot->packet_type;
  __builtin_memcpy(payload + SOUP_FRAMING_BYTES, slot->message, sizeof slot->message);

  store_be16(frame + IP_LENGTH_AT, (uint16_t)(IP_BYTES + tcp_bytes));
  store_be16(frame + IP_IDENTIFICATION_AT, stream->identification);
  store_be16(frame + IP_CHECKSUM_AT,
             checksum_fold((uint64_t)stream->ip_sum + IP_BYTES + tcp_bytes + stream->identification));
  store_be32(frame + TCP_SEQUENCE_AT, stream->sequence);
  uint64_t sum = (uint64_t)stream->tcp_sum + tcp_bytes + (stream->sequence >> 16) + (stream->sequence & 0xFFFF);
  store_be16(frame + TCP_CHECKSUM_AT, checksum_fold(checksum_add(sum, payload, soup_bytes)));
  stream->sequence += soup_bytes;
  stream->identification++;
  return (uint16_t)(SEGMENT_HEADER_BYTES + soup_bytes);
}
