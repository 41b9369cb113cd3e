/* SPDX-License-Identifier: MIT */
/* The software parser; see parser.h. The order of the checks is the order of the reasons: the first that applies counts. */
#include "parser/parser.h"

#include "core/bytes.h"
#include "core/checksum.h"
#include "parser/unpack.h"

#define ADDRESSES_BYTES 12u /* IEEE 802.3, 3.2: destination and source */
#define TYPE_BYTES 2u
#define TAG_BYTES 4u /* IEEE 802.1Q, 9.3 */
#define MAX_TAGS 2u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_C_TAG 0x8100u
#define ETHERTYPE_S_TAG 0x88A8u

/* RFC 791, 3.1 */
#define IP_BYTES 20u
#define IP_TOTAL_LENGTH 2u
#define IP_FRAGMENT 6u
#define IP_PROTOCOL 9u
#define IP_SOURCE 12u
#define IP_DESTINATION 16u
#define FRAGMENT_MASK 0x3FFFu /* more fragments, and the offset */
#define PROTOCOL_UDP 17u

/* RFC 768 */
#define UDP_BYTES 8u
#define UDP_DESTINATION_PORT 2u
#define UDP_LENGTH 4u
#define UDP_CHECKSUM 6u

#define END_OF_SESSION 0xFFFFu /* MoldUDP64 1.00, 2.2: in place of a count */
#define FLAG_TRUNCATED 0x01u
#define FLAG_EXTRA_DATA 0x02u
#define FLAG_END_OF_SESSION 0x10u
#define FLAGS_TOLD (FLAG_TRUNCATED | FRAME_GAP | FRAME_SESSION_CHANGE | FLAG_END_OF_SESSION)

/* A datagram that is for us. */
struct datagram {
  const uint8_t *payload;
  uint32_t bytes;
};

void parser_init(struct parser *parser, uint32_t group_address, uint16_t group_port, bool assembly) {
  *parser = (struct parser){.group_address = group_address, .group_port = group_port, .assembly = assembly};
}

/* ---- Checksums: the sum is the same whatever the order of a word's bytes (RFC 1071, 2 (B)), so nothing is swapped */

static inline uint64_t add_carry(uint64_t sum, uint64_t word) {
  sum += word;
  return sum + (sum < word);
}

static inline uint16_t load_u16(const uint8_t *from) {
  uint16_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

static uint64_t sum_words(uint64_t sum, const uint8_t *data, uint32_t bytes) {
  for (; bytes >= 8; data += 8, bytes -= 8) sum = add_carry(sum, load_u64(data));
  uint64_t rest = 0;
  for (uint32_t i = 0; i < bytes; i++) rest |= (uint64_t)data[i] << 8 * i;
  return add_carry(sum, rest);
}

static inline bool sum_is_good(uint64_t sum) {
  sum = (sum & 0xFFFFFFFF) + (sum >> 32);
  return checksum_fold(sum) == 0;
}

static bool ip_checksum_good(const uint8_t *ip, uint32_t header_bytes) {
  uint64_t sum = 0;
  for (uint32_t at = 0; at < header_bytes; at += 4) {
    uint32_t word;
    __builtin_memcpy(&word, ip + at, sizeof word);
    sum += word;
  }
  return sum_is_good(sum);
}

static bool udp_checksum_good(const uint8_t *ip, const uint8_t *udp, uint32_t length, bool assembly) {
  if (load_u16(udp + UDP_CHECKSUM) == 0) return true; /* the sender computed none */
  uint64_t pseudo = add_carry(load_u64(ip + IP_SOURCE), (PROTOCOL_UDP << 8) + (uint64_t)load_u16(udp + UDP_LENGTH));
  return sum_is_good(assembly ? unpack_sum(pseudo, udp, length) : sum_words(pseudo, udp, length));
}

/* ---- Headers */

static inline __attribute__((always_inline)) enum drop_reason find_ip(const uint8_t *frame, uint32_t length,
                                                                      uint32_t *ip_start) {
  uint32_t at = ADDRESSES_BYTES;
  for (unsigned tags = 0;; tags++) {
    if (length < at + TYPE_BYTES) return DROP_REASON_NOT_IPV4;
    uint16_t type = load_be16(frame + at);
    if (type == ETHERTYPE_IPV4) break;
    if (type != ETHERTYPE_C_TAG && type != ETHERTYPE_S_TAG) return DROP_REASON_NOT_IPV4;
    if (tags == MAX_TAGS) return DROP_REASON_VLAN_DEPTH;
    at += TAG_BYTES;
  }
  *ip_start = at + TYPE_BYTES;
  return DROP_REASON_ACCEPT;
}

static inline __attribute__((always_inline)) enum drop_reason find_datagram(const struct parser *parser,
                                                                            const uint8_t *frame, uint32_t length,
                                                                            struct datagram *datagram) {
  uint32_t ip_start;
  if (length > MAX_FRAME_BYTES) return DROP_REASON_OVERSIZE;
  enum drop_reason reason = find_ip(frame, length, &ip_start);
  if (reason != DROP_REASON_ACCEPT) return reason;

  const uint8_t *ip = frame + ip_start;
  uint32_t left = length - ip_start;
  if (left < IP_BYTES) return DROP_REASON_TRUNCATED_IP;
  uint32_t header = (ip[0] & 15u) * 4u;
  if (left < header) return DROP_REASON_TRUNCATED_IP;
  if (ip[0] >> 4 != 4) return DROP_REASON_BAD_IP_VERSION;
  if (header < IP_BYTES) return DROP_REASON_BAD_IHL;
  if (!ip_checksum_good(ip, header)) return DROP_REASON_BAD_IP_CHECKSUM;
  uint32_t total = load_be16(ip + IP_TOTAL_LENGTH);
  if (total < header || total > left) return DROP_REASON_IP_LENGTH;
  if ((load_be16(ip + IP_FRAGMENT) & FRAGMENT_MASK) != 0) return DROP_REASON_IP_FRAGMENT;
  if (ip[IP_PROTOCOL] != PROTOCOL_UDP) return DROP_REASON_NOT_UDP;
  if (load_be32(ip + IP_DESTINATION) != parser->group_address) return DROP_REASON_OTHER_DESTINATION;

  const uint8_t *udp = ip + header;
  uint32_t room = total - header;
  if (room < UDP_BYTES) return DROP_REASON_UDP_LENGTH;
  uint32_t bytes = load_be16(udp + UDP_LENGTH);
  if (bytes < UDP_BYTES) return DROP_REASON_UDP_LENGTH;
  if (load_be16(udp + UDP_DESTINATION_PORT) != parser->group_port) return DROP_REASON_OTHER_PORT;
  if (bytes > room) return DROP_REASON_UDP_LENGTH;
  if (!udp_checksum_good(ip, udp, bytes, parser->assembly)) return DROP_REASON_BAD_UDP_CHECKSUM;
  if (bytes - UDP_BYTES < sizeof(struct mold_header)) return DROP_REASON_SHORT_MOLD_HEADER;
  *datagram = (struct datagram){.payload = udp + UDP_BYTES, .bytes = bytes - UDP_BYTES};
  return DROP_REASON_ACCEPT;
}

/* ---- The stream */

static inline bool same_session(const uint8_t *a, const uint8_t *b) {
  return load_u64(a) == load_u64(b) && load_u16(a + 8) == load_u16(b + 8);
}
_Static_assert(MOLD_SESSION_BYTES == 10, "as same_session compares it");

/* Where the packet stands in the stream: what it tells of a gap or another session, and the numbers that follow. */
static void enter_stream(struct parser *parser, struct parser_packet *packet, const uint8_t *session) {
  if (!parser->started || !same_session(parser->session, session)) {
    if (parser->started) packet->flags |= FRAME_SESSION_CHANGE;
    __builtin_memcpy(parser->session, session, sizeof parser->session);
    parser->started = true;
    parser->ended = false;
    parser->next_expected = packet->first;
  } else if ((int64_t)(packet->first - parser->next_expected) > 0) {
    packet->flags |= FRAME_GAP;
    packet->gap_from = parser->next_expected;
    parser->next_expected = packet->first;
    parser->gaps++;
  }
}

enum drop_reason parser_open(struct parser *parser, const uint8_t *frame, uint32_t length, uint64_t hw_timestamp_ns) {
  struct parser_packet *packet = &parser->packet;
  struct datagram datagram;
  parser->frames++;
  packet->open = false;
  enum drop_reason reason = find_datagram(parser, frame, length, &datagram);
  if (reason != DROP_REASON_ACCEPT) {
    parser->dropped[reason]++;
    return reason;
  }
  parser->accepted++;

  const struct mold_header *mold = (const struct mold_header *)datagram.payload;
  uint16_t count = load_be16(mold->message_count);
  uint64_t sequence = load_be64(mold->sequence_number);
  *packet = (struct parser_packet){
      .at = (const uint8_t *)(mold + 1),
      .end = datagram.payload + datagram.bytes,
      .sequence = sequence,
      .first = sequence,
      .hw_timestamp_ns = hw_timestamp_ns,
      .count = count,
      .left = count == END_OF_SESSION ? 0 : count,
      .open = true,
  };
  enter_stream(parser, packet, mold->session);
  if (count == END_OF_SESSION) {
    packet->kind = FRAME_KIND_END_OF_SESSION;
    if (!parser->ended) packet->flags |= FLAG_END_OF_SESSION;
    parser->ended = true;
  } else if (count == 0) {
    packet->kind = FRAME_KIND_HEARTBEAT;
  }
  return DROP_REASON_ACCEPT;
}

/* ---- Messages */

static const union rx_line *event(struct parser *parser, const struct parser_packet *packet) {
  struct rx_event *line = (struct rx_event *)&parser->lines[0];
  *line = (struct rx_event){
      .sequence = packet->first,
      .count = packet->count,
      .gap_from = packet->gap_from,
      .delivered = packet->delivered,
      .status = STATUS_EVENT,
      .kind = packet->kind,
      .flags = packet->flags,
  };
  store_u48(line->hw_timestamp_ns, packet->hw_timestamp_ns);
  __builtin_memcpy(line->session, parser->session, sizeof line->session);
  return &parser->lines[0];
}

static const union rx_line *finish(struct parser *parser, struct parser_packet *packet) {
  if (packet->left != 0) packet->flags |= FLAG_TRUNCATED; /* what was cut off is lost, and shows as a gap later */
  else if (packet->at != packet->end) packet->flags |= FLAG_EXTRA_DATA;
  packet->open = false;
  return (packet->flags & FLAGS_TOLD) != 0 ? event(parser, packet) : NULL;
}

const union rx_line *parser_next(struct parser *parser) {
  struct parser_packet *packet = &parser->packet;
  if (!packet->open) return NULL;
  while (packet->left != 0) {
    const struct mold_block *block = (const struct mold_block *)packet->at;
    uint64_t room = (uint64_t)(packet->end - packet->at);
    if (room < sizeof *block) break;
    uint16_t length = load_be16(block->message_length);
    if (room - sizeof *block < length) break;
    const uint8_t *message = packet->at + sizeof *block;
    uint64_t sequence = packet->sequence++;
    packet->at = message + length;
    packet->left--;
    if ((int64_t)(sequence - parser->next_expected) < 0) {
      parser->duplicates++;
      continue;
    }
    parser->next_expected = sequence + 1;
    packet->delivered++;
    if (parser->assembly) (void)unpack_record(message, length, sequence, packet->hw_timestamp_ns, parser->lines);
    else (void)mold_record(message, length, sequence, packet->hw_timestamp_ns, parser->lines);
    parser->messages[parser->lines[0].record.status & ~STATUS_RAW]++;
    return &parser->lines[0];
  }
  return finish(parser, packet);
}
