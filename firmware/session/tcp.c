/* SPDX-License-Identifier: MIT */
/* See tcp.h. Sequence numbers compare modulo 2^32 (RFC 9293, 3.4). */
#include "session/tcp.h"

#include "core/bytes.h"
#include "core/checksum.h"

#define ETHERNET_BYTES 14u
#define IPV4_BYTES 20u
#define TCP_BYTES 20u
#define MIN_FRAME_BYTES 60u
#define PROTOCOL_TCP 6u
#define DEFAULT_MSS 536u /* of a peer that announces none (RFC 9293, 3.7.1) */
#define SMALLEST_MSS 64u /* less is taken for this: no data would ever get through */
#define DUPLICATES 3u    /* acknowledgements of the same byte that mean a loss (RFC 5681, 3.2) */
#define BACK_OFF 7u      /* doublings of the time-out at most */
#define MAX_ACKNOWLEDGEMENTS 4u

enum flag { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct ethernet {
  uint8_t destination[6];
  uint8_t source[6];
  uint8_t ethertype[2];
};

struct ipv4 {
  uint8_t version_ihl;
  uint8_t service;
  uint8_t total_length[2];
  uint8_t identification[2];
  uint8_t fragment[2];
  uint8_t time_to_live;
  uint8_t protocol;
  uint8_t checksum[2];
  uint8_t source[4];
  uint8_t destination[4];
};

struct tcp_header {
  uint8_t source_port[2];
  uint8_t destination_port[2];
  uint8_t sequence[4];
  uint8_t acknowledge[4];
  uint8_t offset;
  uint8_t flags;
  uint8_t window[2];
  uint8_t checksum[2];
  uint8_t urgent[2];
};

_Static_assert(sizeof(struct ethernet) == ETHERNET_BYTES && sizeof(struct ipv4) == IPV4_BYTES &&
                   sizeof(struct tcp_header) == TCP_BYTES,
               "headers as on the wire");
_Static_assert(ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES + TCP_MSS <= MAX_TX_FRAME_BYTES, "the largest frame");

/* A segment that has passed all checks. */
struct segment {
  uint32_t sequence;
  uint32_t acknowledge;
  uint32_t window;
  uint32_t length; /* of data */
  uint16_t mss;    /* 0: not announced */
  uint8_t flags;
  const uint8_t *data;
};

/* How far `a` is past `b`: negative if it is before. */
static int32_t past(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

static uint32_t span(const struct segment *segment) {
  return segment->length + ((segment->flags & SYN) != 0) + ((segment->flags & FIN) != 0);
}

/* Sent data that are not acknowledged; SYN and FIN have numbers, but no bytes. */
static uint32_t unacknowledged_bytes(const struct tcp *tcp) {
  return tcp->next - tcp->unacknowledged - (tcp->fin_sent ? 1 : 0);
}

static bool has_peer(const struct tcp *tcp) { return tcp->state != TCP_CLOSED && tcp->state != TCP_SYN_SENT; }

void tcp_init(struct tcp *tcp, const struct tcp_path *path) {
  __builtin_memset(tcp, 0, sizeof *tcp);
  tcp->path = *path;
  tcp->due_ns = TCP_NEVER;
  tcp->reason = "not connected";
}

static void start_timer(struct tcp *tcp, uint64_t now_ns) {
  uint32_t doublings = tcp->timeouts < BACK_OFF ? tcp->timeouts : BACK_OFF;
  tcp->due_ns = now_ns + (tcp->path.retransmit_ns << doublings);
}

static void stop_timer(struct tcp *tcp) {
  tcp->due_ns = TCP_NEVER;
  tcp->timeouts = 0;
}

/* Nothing is kept but counters, and an RST that still has to leave. */
static void closed(struct tcp *tcp, const char *reason) {
  tcp->state = TCP_CLOSED;
  tcp->reason = reason;
  tcp->resend = false;
  tcp->acknowledgements = 0;
  tcp->range_count = 0;
  stop_timer(tcp);
}

void tcp_open(struct tcp *tcp, uint64_t now_ns, uint32_t initial) {
  tcp->state = TCP_SYN_SENT;
  tcp->unacknowledged = initial;
  tcp->next = initial + 1;
  tcp->recover = initial;
  tcp->window = 0;
  tcp->mss = DEFAULT_MSS;
  tcp->timeouts = 0;
  tcp->duplicates = 0;
  tcp->range_count = 0;
  tcp->acknowledgements = 0;
  tcp->fin_seen = false;
  tcp->fin_sent = false;
  tcp->finish = false;
  tcp->reset = false;
  tcp->resend = true;
  start_timer(tcp, now_ns);
}

uint32_t tcp_room(const struct tcp *tcp) {
  if ((tcp->state != TCP_ESTABLISHED && tcp->state != TCP_CLOSE_WAIT) || tcp->fin_sent) return 0;
  uint32_t limit = tcp->window < TCP_BUFFER ? tcp->window : TCP_BUFFER;
  uint32_t outstanding = tcp->next - tcp->unacknowledged;
  return outstanding < limit ? limit - outstanding : 0;
}

void tcp_sent(struct tcp *tcp, uint64_t now_ns, const uint8_t *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) tcp->sent[(tcp->next + i) % TCP_BUFFER] = bytes[i];
  tcp->next += count;
  if (tcp->due_ns == TCP_NEVER) start_timer(tcp, now_ns);
}

/* ---- Segments in */

/* The maximum segment size option (RFC 9293, 3.7.1); what is malformed ends the list. */
static uint16_t find_mss(const uint8_t *options, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes && options[at] != 0;) {
    if (options[at] == 1) {
      at++;
      continue;
    }
    if (bytes - at < 2 || options[at + 1] < 2 || options[at + 1] > bytes - at) return 0;
    if (options[at] == 2 && options[at + 1] == 4) return load_be16(options + at + 2);
    at += options[at + 1];
  }
  return 0;
}

/* Everything that must hold before a frame is a segment of this connection. */
static bool parse(const struct tcp_path *path, const uint8_t *frame, uint32_t length, struct segment *segment) {
  static const uint8_t ethertype[2] = {0x08, 0x00};
  if (length < ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES) return false;
  const struct ethernet *ethernet = (const void *)frame;
  if (__builtin_memcmp(ethernet->ethertype, ethertype, sizeof ethertype) != 0) return false;
  if (__builtin_memcmp(ethernet->destination, path->source_mac, sizeof path->source_mac) != 0) return false;

  const struct ipv4 *ipv4 = (const void *)(frame + ETHERNET_BYTES);
  uint32_t header = 4u * (ipv4->version_ihl & 15);
  uint32_t total = load_be16(ipv4->total_length);
  if (ipv4->version_ihl >> 4 != 4 || header < IPV4_BYTES) return false;
  if (total < header + TCP_BYTES || total > length - ETHERNET_BYTES) return false;
  if (ipv4->protocol != PROTOCOL_TCP || (load_be16(ipv4->fragment) & 0x3FFF) != 0) return false;
  if (load_be32(ipv4->source) != path->destination_address) return false;
  if (load_be32(ipv4->destination) != path->source_address) return false;
  if (checksum_fold(checksum_add(0, (const uint8_t *)ipv4, header)) != 0) return false;

  uint32_t bytes = total - header;
  const uint8_t *start = (const uint8_t *)ipv4 + header;
  const struct tcp_header *tcp = (const void *)start;
  uint32_t offset = 4u * (tcp->offset >> 4);
  if (offset < TCP_BYTES || offset > bytes) return false;
  if (load_be16(tcp->source_port) != path->destination_port) return false;
  if (load_be16(tcp->destination_port) != path->source_port) return false;
  uint64_t pseudo = checksum_pseudo(path->destination_address, path->source_address, PROTOCOL_TCP, bytes);
  if (checksum_fold(checksum_add(pseudo, start, bytes)) != 0) return false;

  *segment = (struct segment){
      .sequence = load_be32(tcp->sequence),
      .acknowledge = load_be32(tcp->acknowledge),
      .window = load_be16(tcp->window),
      .length = bytes - offset,
      .mss = find_mss(start + TCP_BYTES, offset - TCP_BYTES),
      .flags = tcp->flags,
      .data = start + offset,
  };
  return true;
}

static void want_acknowledgement(struct tcp *tcp) {
  if (tcp->acknowledgements < MAX_ACKNOWLEDGEMENTS) tcp->acknowledgements++;
}

static void send_reset(struct tcp *tcp, uint32_t sequence) {
  tcp->reset = true;
  tcp->reset_at = sequence;
}

/* RFC 9293, 3.10.7.3. */
static void answer_to_syn(struct tcp *tcp, const struct segment *segment) {
  bool good_ack = (segment->flags & ACK) != 0 && segment->acknowledge == tcp->next;
  if ((segment->flags & ACK) != 0 && !good_ack) {
    if ((segment->flags & RST) != 0) return;
    send_reset(tcp, segment->acknowledge); /* of a connection that only the peer remembers */
    tcp->resend = true;
    return;
  }
  if ((segment->flags & RST) != 0) {
    if (good_ack) closed(tcp, "connection refused");
    return;
  }
  if ((segment->flags & SYN) == 0 || !good_ack) return;
  tcp->state = TCP_ESTABLISHED;
  tcp->unacknowledged = segment->acknowledge;
  tcp->recover = segment->acknowledge;
  tcp->expected = segment->sequence + 1;
  tcp->read = tcp->expected;
  tcp->window = segment->window;
  tcp->mss = segment->mss == 0 ? DEFAULT_MSS : segment->mss < SMALLEST_MSS ? SMALLEST_MSS : segment->mss;
  if (tcp->mss > TCP_MSS) tcp->mss = TCP_MSS;
  tcp->resend = false;
  stop_timer(tcp);
  want_acknowledgement(tcp);
}

static uint32_t receive_window(const struct tcp *tcp) { return TCP_WINDOW - (tcp->expected - tcp->read); }

/* RFC 9293, 3.4: some of it lies in the window. */
static bool acceptable(const struct tcp *tcp, const struct segment *segment) {
  int32_t begin = past(segment->sequence, tcp->expected);
  int32_t window = (int32_t)receive_window(tcp);
  int32_t bytes = (int32_t)span(segment);
  if (bytes == 0) return window == 0 ? begin == 0 : begin >= 0 && begin < window;
  return begin < window && begin + bytes > 0;
}

/* The ACK field of a segment; false if the segment goes no further. */
static bool acknowledged(struct tcp *tcp, uint64_t now_ns, const struct segment *segment) {
  int32_t fresh = past(segment->acknowledge, tcp->unacknowledged);
  if (past(segment->acknowledge, tcp->next) > 0) {
    want_acknowledgement(tcp);
    return false;
  }
  if (fresh < 0) return true; /* old; its data may be new */
  uint32_t before = tcp->window;
  tcp->window = segment->window;
  if (fresh == 0) {
    if (segment->window == 0) tcp->timeouts = 0; /* it lives, and is asked for ever */
    if (span(segment) != 0 || tcp->next == tcp->unacknowledged) return true;
    if (before == 0 && segment->window != 0) tcp->resend = true;
    tcp->duplicates = before == segment->window && before != 0 ? tcp->duplicates + 1 : 0;
    if (tcp->duplicates == DUPLICATES) {
      tcp->recover = tcp->next;
      tcp->resend = true;
    }
    return true;
  }
  tcp->unacknowledged = segment->acknowledge;
  tcp->duplicates = 0;
  stop_timer(tcp);
  tcp->resend = past(tcp->recover, tcp->unacknowledged) > 0; /* more was lost (RFC 6582) */
  if (tcp->next != tcp->unacknowledged) {
    start_timer(tcp, now_ns);
    return true;
  }
  if (!tcp->fin_sent) return true;
  if (tcp->state == TCP_FIN_WAIT_1) {
    tcp->state = TCP_FIN_WAIT_2;
    start_timer(tcp, now_ns + (tcp->path.retransmit_ns << BACK_OFF)); /* the peer may never close */
  } else if (tcp->state == TCP_CLOSING) {
    tcp->state = TCP_TIME_WAIT;
    start_timer(tcp, now_ns);
  } else if (tcp->state == TCP_LAST_ACK) {
    closed(tcp, "closed");
  }
  return true;
}

/* Insert a range and join it with those it touches; false if there are too many. */
static bool add_range(struct tcp *tcp, uint32_t begin, uint32_t end) {
  struct tcp_range *ranges = tcp->ranges;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < tcp->range_count; i++) {
    if (past(ranges[i].begin, end) > 0 || past(begin, ranges[i].end) > 0) {
      ranges[kept++] = ranges[i];
      continue;
    }
    if (past(ranges[i].begin, begin) < 0) begin = ranges[i].begin;
    if (past(ranges[i].end, end) > 0) end = ranges[i].end;
  }
  tcp->range_count = kept;
  if (kept == TCP_RANGES) return false;
  ranges[tcp->range_count++] = (struct tcp_range){.begin = begin, .end = end};
  return true;
}

static void advance(struct tcp *tcp) {
  for (uint32_t i = 0; i < tcp->range_count;) {
    struct tcp_range *range = &tcp->ranges[i];
    if (past(range->begin, tcp->expected) > 0) {
      i++;
      continue;
    }
    if (past(range->end, tcp->expected) > 0) tcp->expected = range->end;
    *range = tcp->ranges[--tcp->range_count];
    i = 0;
  }
}

static bool receiving(const struct tcp *tcp) {
  return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT_1 || tcp->state == TCP_FIN_WAIT_2;
}

/* Data into their places; each segment with data is acknowledged, so that the peer sees what is missing. */
static void take_data(struct tcp *tcp, const struct segment *segment) {
  uint32_t begin = segment->sequence, end = segment->sequence + segment->length;
  const uint8_t *data = segment->data;
  if (past(begin, tcp->expected) < 0) {
    data += tcp->expected - begin;
    begin = tcp->expected;
  }
  uint32_t last = tcp->expected + receive_window(tcp);
  if (past(end, last) > 0) end = last;
  if (past(end, begin) <= 0) return;
  if (begin != tcp->expected && !add_range(tcp, begin, end)) return;
  for (uint32_t at = begin; at != end; at++) tcp->received[at % TCP_RING] = *data++;
  if (begin == tcp->expected) tcp->expected = end;
  advance(tcp);
}

static void take_fin(struct tcp *tcp, uint64_t now_ns) {
  if (!tcp->fin_seen || tcp->fin_at != tcp->expected) return;
  tcp->fin_seen = false;
  tcp->expected++;
  tcp->range_count = 0; /* nothing comes behind it, whatever was said */
  if (tcp->state == TCP_ESTABLISHED) {
    tcp->state = TCP_CLOSE_WAIT;
  } else if (tcp->state == TCP_FIN_WAIT_1) {
    tcp->state = TCP_CLOSING;
  } else {
    tcp->state = TCP_TIME_WAIT;
    tcp->timeouts = 0;
    start_timer(tcp, now_ns);
  }
}

bool tcp_receive(struct tcp *tcp, uint64_t now_ns, const uint8_t *frame, uint32_t length) {
  struct segment segment;
  if (!parse(&tcp->path, frame, length, &segment)) {
    tcp->ignored++;
    return false;
  }
  if (tcp->state == TCP_CLOSED) {
    if ((segment.flags & (RST | ACK)) == ACK) send_reset(tcp, segment.acknowledge);
    return true;
  }
  if (tcp->state == TCP_SYN_SENT) {
    answer_to_syn(tcp, &segment);
    return true;
  }
  /* RFC 9293, 3.10.7.4, in its order: sequence number, RST, SYN, ACK, data, FIN. */
  if (!acceptable(tcp, &segment)) {
    if ((segment.flags & RST) == 0) want_acknowledgement(tcp);
    return true;
  }
  if ((segment.flags & RST) != 0) {
    if (segment.sequence == tcp->expected) closed(tcp, "connection reset by the exchange");
    else want_acknowledgement(tcp); /* RFC 5961, 3.2: a blind reset must guess exactly */
    return true;
  }
  if ((segment.flags & SYN) != 0) {
    want_acknowledgement(tcp); /* RFC 5961, 4.2 */
    return true;
  }
  if ((segment.flags & ACK) == 0 || !acknowledged(tcp, now_ns, &segment)) return true;
  if (span(&segment) != 0 && tcp->state != TCP_CLOSED) want_acknowledgement(tcp);
  if (!receiving(tcp)) return true;
  if ((segment.flags & FIN) != 0) {
    tcp->fin_seen = true;
    tcp->fin_at = segment.sequence + segment.length;
  }
  take_data(tcp, &segment);
  take_fin(tcp, now_ns);
  return true;
}

uint32_t tcp_read(struct tcp *tcp, uint8_t *bytes, uint32_t count) {
  uint32_t end = tcp->expected;
  if (!has_peer(tcp)) return 0;
  if (!receiving(tcp)) end--; /* the peer's FIN has a number, too */
  uint32_t there = end - tcp->read;
  if (count > there) count = there;
  for (uint32_t i = 0; i < count; i++) bytes[i] = tcp->received[(tcp->read + i) % TCP_RING];
  tcp->read += count;
  return count;
}

/* ---- Time, and the end */

void tcp_close(struct tcp *tcp, uint64_t now_ns) {
  if (tcp->state == TCP_SYN_SENT) closed(tcp, "closed");
  if ((tcp->state != TCP_ESTABLISHED && tcp->state != TCP_CLOSE_WAIT) || tcp->fin_sent) return;
  tcp->state = tcp->state == TCP_ESTABLISHED ? TCP_FIN_WAIT_1 : TCP_LAST_ACK;
  tcp->fin_sent = true;
  tcp->finish = true;
  tcp->next++;
  tcp->recover = tcp->next;
  if (tcp->due_ns == TCP_NEVER) start_timer(tcp, now_ns);
}

void tcp_abort(struct tcp *tcp, const char *reason) {
  if (has_peer(tcp)) send_reset(tcp, tcp->next);
  closed(tcp, reason);
}

void tcp_tick(struct tcp *tcp, uint64_t now_ns) {
  if (now_ns < tcp->due_ns) return;
  if (tcp->state == TCP_TIME_WAIT || tcp->state == TCP_FIN_WAIT_2) {
    closed(tcp, "closed");
    return;
  }
  if (tcp->timeouts >= tcp->path.retransmit_limit) {
    tcp_abort(tcp, "no acknowledgement from the exchange");
    return;
  }
  tcp->timeouts++;
  tcp->recover = tcp->next;
  tcp->resend = true;
  start_timer(tcp, now_ns);
}

/* ---- Frames out */

static uint32_t build(struct tcp *tcp, uint8_t *frame, uint8_t flags, uint32_t sequence, uint32_t count) {
  const struct tcp_path *path = &tcp->path;
  struct ethernet *ethernet = (void *)frame;
  struct ipv4 *ipv4 = (void *)(frame + ETHERNET_BYTES);
  struct tcp_header *header = (void *)(frame + ETHERNET_BYTES + IPV4_BYTES);
  uint8_t *data = frame + ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES;
  uint32_t options = (flags & SYN) != 0 ? 4 : 0;
  uint32_t bytes = TCP_BYTES + options + count;

  __builtin_memset(frame, 0, MIN_FRAME_BYTES);
  __builtin_memcpy(ethernet->destination, path->destination_mac, sizeof ethernet->destination);
  __builtin_memcpy(ethernet->source, path->source_mac, sizeof ethernet->source);
  ethernet->ethertype[0] = 0x08;

  ipv4->version_ihl = 0x45;
  store_be16(ipv4->total_length, (uint16_t)(IPV4_BYTES + bytes));
  store_be16(ipv4->identification, tcp->identification++);
  store_be16(ipv4->fragment, 0x4000); /* do not fragment */
  ipv4->time_to_live = 64;
  ipv4->protocol = PROTOCOL_TCP;
  store_be32(ipv4->source, path->source_address);
  store_be32(ipv4->destination, path->destination_address);
  store_be16(ipv4->checksum, checksum_fold(checksum_add(0, (const uint8_t *)ipv4, IPV4_BYTES)));

  store_be16(header->source_port, path->source_port);
  store_be16(header->destination_port, path->destination_port);
  store_be32(header->sequence, sequence);
  if ((flags & ACK) != 0) store_be32(header->acknowledge, tcp->expected);
  header->offset = (uint8_t)((TCP_BYTES + options) / 4 << 4);
  header->flags = flags;
  store_be16(header->window, (uint16_t)((flags & SYN) != 0 ? TCP_WINDOW : receive_window(tcp)));
  if (options != 0) {
    data[0] = 2; /* maximum segment size */
    data[1] = 4;
    store_be16(data + 2, TCP_MSS);
  }
  for (uint32_t i = 0; i < count; i++) data[i] = tcp->sent[(sequence + i) % TCP_BUFFER];
  uint64_t pseudo = checksum_pseudo(path->source_address, path->destination_address, PROTOCOL_TCP, bytes);
  store_be16(header->checksum, checksum_fold(checksum_add(pseudo, (const uint8_t *)header, bytes)));
  uint32_t length = ETHERNET_BYTES + IPV4_BYTES + bytes;
  return length < MIN_FRAME_BYTES ? MIN_FRAME_BYTES : length;
}

static uint32_t build_resend(struct tcp *tcp, uint8_t *frame) {
  tcp->resend = false;
  if (tcp->state == TCP_SYN_SENT) {
    tcp->retransmissions += tcp->timeouts != 0;
    return build(tcp, frame, SYN, tcp->unacknowledged, 0);
  }
  uint32_t bytes = unacknowledged_bytes(tcp);
  uint32_t count = bytes < tcp->mss ? bytes : tcp->mss;
  bool fin = tcp->fin_sent && count == bytes;
  if (count == 0 && !fin) return 0;
  tcp->retransmissions += count != 0 || tcp->timeouts != 0;
  tcp->acknowledgements = 0; /* it carries one */
  return build(tcp, frame, (uint8_t)(ACK | (fin ? FIN : 0)), tcp->unacknowledged, count);
}

uint32_t tcp_frame(struct tcp *tcp, uint8_t *frame) {
  if (tcp->reset) {
    tcp->reset = false;
    return build(tcp, frame, RST, tcp->reset_at, 0);
  }
  if (tcp->resend) {
    uint32_t length = build_resend(tcp, frame);
    if (length != 0) return length;
  }
  if (tcp->finish && has_peer(tcp)) {
    tcp->finish = false;
    tcp->acknowledgements = 0;
    return build(tcp, frame, ACK | FIN, tcp->next - 1, 0);
  }
  if (tcp->acknowledgements != 0 && has_peer(tcp)) {
    tcp->acknowledgements--;
    return build(tcp, frame, ACK, tcp->next, 0);
  }
  return 0;
}
