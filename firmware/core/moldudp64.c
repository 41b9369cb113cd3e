/* SPDX-License-Identifier: MIT */
/* MoldUDP64 1.00 over UDP (RFC 768), IPv4 (RFC 791) and Ethernet; see moldudp64.h. */
#include "core/moldudp64.h"

#include "core/bytes.h"
#include "core/checksum.h"
#include "include/itch.h"

struct ethernet {
  uint8_t destination[6];
  uint8_t source[6];
  uint8_t ethertype[2];
};
_Static_assert(sizeof(struct ethernet) == 14, "IEEE 802.3, 3.2");

struct ipv4 {
  uint8_t version_ihl;
  uint8_t service;
  uint8_t total_length[2];
  uint8_t identification[2];
  uint8_t fragment[2]; /* flags, offset */
  uint8_t time_to_live;
  uint8_t protocol;
  uint8_t checksum[2];
  uint8_t source[4];
  uint8_t destination[4];
};
_Static_assert(sizeof(struct ipv4) == 20, "RFC 791, 3.1");

struct udp {
  uint8_t source_port[2];
  uint8_t destination_port[2];
  uint8_t length[2];
  uint8_t checksum[2];
};
_Static_assert(sizeof(struct udp) == 8, "RFC 768");

#define ETHERTYPE_IPV4 0x0800u
#define PROTOCOL_UDP 17u
#define DONT_FRAGMENT 0x4000u
#define FRAGMENT_MASK 0x3FFFu /* more fragments, and the offset */
#define TIME_TO_LIVE 64u
#define END_OF_SESSION 0xFFFFu
#define RAW_BODY_OFFSET ((offsetof(struct rx_record, body) + 3u) / 4u * 4u) /* raw bytes begin at a multiple of 4 */

/* The IPv4 payload of a UDP datagram from the server to us, or NULL. */
static const uint8_t *ipv4_payload(const struct mold_path *path, const uint8_t *frame, uint32_t length,
                                   uint32_t *payload_bytes) {
  const struct ethernet *ethernet = (const struct ethernet *)frame;
  const struct ipv4 *ip = (const struct ipv4 *)(frame + sizeof *ethernet);
  if (length < sizeof *ethernet + sizeof *ip) return NULL;
  if (__builtin_memcmp(ethernet->destination, path->our_mac, sizeof path->our_mac) != 0) return NULL;
  if (load_be16(ethernet->ethertype) != ETHERTYPE_IPV4 || ip->version_ihl >> 4 != 4) return NULL;
  uint32_t header = (ip->version_ihl & 15u) * 4u, total = load_be16(ip->total_length);
  if (header < sizeof *ip || total < header || total > length - sizeof *ethernet) return NULL;
  if (checksum_fold(checksum_add(0, (const uint8_t *)ip, header)) != 0) return NULL;
  if ((load_be16(ip->fragment) & FRAGMENT_MASK) != 0 || ip->protocol != PROTOCOL_UDP) return NULL;
  if (load_be32(ip->source) != path->server_address || load_be32(ip->destination) != path->our_address) return NULL;
  *payload_bytes = total - header;
  return (const uint8_t *)ip + header;
}

bool mold_parse(struct mold_packet *packet, const struct mold_path *path, const uint8_t *frame, uint32_t length) {
  uint32_t bytes;
  const uint8_t *payload = ipv4_payload(path, frame, length, &bytes);
  const struct udp *udp = (const struct udp *)payload;
  if (payload == NULL || bytes < sizeof *udp) return false;
  uint32_t datagram = load_be16(udp->length);
  if (datagram < sizeof *udp + sizeof(struct mold_header) || datagram > bytes) return false;
  if (load_be16(udp->source_port) != path->server_port || load_be16(udp->destination_port) != path->our_port) {
    return false;
  }
  uint64_t pseudo = checksum_pseudo(path->server_address, path->our_address, PROTOCOL_UDP, datagram);
  if (load_be16(udp->checksum) != 0 && checksum_fold(checksum_add(pseudo, payload, datagram)) != 0) return false;

  const struct mold_header *mold = (const struct mold_header *)(udp + 1);
  uint16_t count = load_be16(mold->message_count);
  __builtin_memcpy(packet->session, mold->session, sizeof packet->session);
  packet->sequence = load_be64(mold->sequence_number);
  packet->count = count == END_OF_SESSION ? 0 : count;
  packet->at = (const uint8_t *)(mold + 1);
  packet->end = payload + datagram;
  return true;
}

const uint8_t *mold_next(struct mold_packet *packet, uint16_t *length) {
  const struct mold_block *block = (const struct mold_block *)packet->at;
  uint64_t left = (uint64_t)(packet->end - packet->at);
  if (packet->count == 0 || left < sizeof *block) return NULL;
  *length = load_be16(block->message_length);
  if (left - sizeof *block < *length) return NULL; /* truncated: what was cut off is lost, nothing follows */
  const uint8_t *message = packet->at + sizeof *block;
  packet->at = message + *length;
  packet->count--;
  packet->sequence++;
  return message;
}

static enum message_status status_of(const uint8_t *message, uint16_t length) {
  if (length == 0) return MESSAGE_STATUS_ZERO_LENGTH;
  uint16_t known = itch_length(message[0]);
  if (known == 0) return MESSAGE_STATUS_UNKNOWN_TYPE;
  if (length < known) return MESSAGE_STATUS_TOO_SHORT;
  return length > known ? MESSAGE_STATUS_TOO_LONG : MESSAGE_STATUS_OK;
}

/* The first bytes into the record, the others into continuation lines; returns the number of these. */
static uint8_t copy_raw(const uint8_t *message, uint16_t length, union rx_line *lines) {
  uint32_t head = length < RAW_FIRST_BYTES ? length : RAW_FIRST_BYTES;
  uint8_t *body = (uint8_t *)&lines[0] + RAW_BODY_OFFSET;
  __builtin_memcpy(body, message, head);
  uint8_t count = 0;
  for (uint32_t at = head; at < length; at += CONTINUATION_BYTES) {
    uint32_t bytes = length - at < CONTINUATION_BYTES ? length - at : CONTINUATION_BYTES;
    struct rx_continuation *line = &lines[++count].continuation;
    *line = (struct rx_continuation){0};
    __builtin_memcpy(line->data, message + at, bytes);
  }
  return count;
}

unsigned mold_record(const uint8_t *message, uint16_t length, uint64_t sequence, uint64_t hw_timestamp_ns,
                     union rx_line lines[MOLD_RECORD_LINES]) {
  enum message_status status = status_of(message, length);
  struct rx_record *record = &lines[0].record;
  *record = (struct rx_record){.sequence = sequence, .length = length, .status = (uint8_t)status};
  store_u48(record->hw_timestamp_ns, hw_timestamp_ns);
  if (length != 0) record->type = message[0];
  if (status == MESSAGE_STATUS_OK || status == MESSAGE_STATUS_TOO_LONG) {
    lines[1].continuation = (struct rx_continuation){0};
    record->continuations = itch_decode(message, lines);
  } else {
    record->status |= STATUS_RAW;
    record->continuations = copy_raw(message, length, lines);
  }
  return 1u + record->continuations;
}

void mold_request(uint8_t frame[MOLD_REQUEST_FRAME_BYTES], const struct mold_path *path,
                  const uint8_t session[MOLD_SESSION_BYTES], uint64_t sequence, uint16_t count) {
  struct ethernet *ethernet = (struct ethernet *)frame;
  struct ipv4 *ip = (struct ipv4 *)(ethernet + 1);
  struct udp *udp = (struct udp *)(ip + 1);
  struct mold_request *request = (struct mold_request *)(udp + 1);
  uint16_t datagram = sizeof *udp + sizeof *request;

  __builtin_memset(frame, 0, MOLD_REQUEST_FRAME_BYTES);
  __builtin_memcpy(ethernet->destination, path->server_mac, sizeof ethernet->destination);
  __builtin_memcpy(ethernet->source, path->our_mac, sizeof ethernet->source);
  store_be16(ethernet->ethertype, ETHERTYPE_IPV4);
  ip->version_ihl = 0x45;
  store_be16(ip->total_length, (uint16_t)(sizeof *ip + datagram));
  store_be16(ip->fragment, DONT_FRAGMENT); /* atomic: its identification has no meaning (RFC 6864, 4.1) */
  ip->time_to_live = TIME_TO_LIVE;
  ip->protocol = PROTOCOL_UDP;
  store_be32(ip->source, path->our_address);
  store_be32(ip->destination, path->server_address);
  store_be16(ip->checksum, checksum_fold(checksum_add(0, (const uint8_t *)ip, sizeof *ip)));
  store_be16(udp->source_port, path->our_port);
  store_be16(udp->destination_port, path->server_port);
  store_be16(udp->length, datagram);
  __builtin_memcpy(request->session, session, sizeof request->session);
  store_be64(request->sequence_number, sequence);
  store_be16(request->requested_message_count, count);
  uint64_t pseudo = checksum_pseudo(path->our_address, path->server_address, PROTOCOL_UDP, datagram);
  uint16_t checksum = checksum_fold(checksum_add(pseudo, (const uint8_t *)udp, datagram));
  store_be16(udp->checksum, checksum != 0 ? checksum : 0xFFFF); /* 0 would mean none (RFC 768) */
}
