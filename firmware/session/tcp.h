/* SPDX-License-Identifier: MIT */
/*
 * The client's end of one TCP connection (RFC 9293), as much of it as an order-entry session needs.
 *
 * Data go out through TX slots, which the NIC makes segments of: tcp_sent is told of them afterwards and keeps their bytes
 * until they are acknowledged. Everything else (SYN, ACK, FIN, RST, retransmissions) is a frame that tcp_frame builds;
 * such frames never have PSH set, the NIC's segments always do.
 *
 * Kept small on purpose: the peer's window is respected, but there is no congestion window, for the path is one switch;
 * time-outs begin at a configured value and double; what arrives out of order is kept in a few ranges. Times are in ns.
 */
#ifndef TICKLOOP_TCP_H
#define TICKLOOP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define TCP_WINDOW 65535u /* bytes that may arrive */
#define TCP_RING 65536u /* ... and where they are kept; a power of two */
#define TCP_BUFFER 65536u /* bytes that may be unacknowledged; a power of two */
#define TCP_RANGES 8u     /* of bytes that arrived ahead of missing ones */
#define TCP_MSS 1460u
#define TCP_NEVER UINT64_MAX

enum tcp_state {
  TCP_CLOSED = 0,
  TCP_SYN_SENT,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT_1,
  TCP_FIN_WAIT_2,
  TCP_CLOSE_WAIT,
  TCP_CLOSING,
  TCP_LAST_ACK,
  TCP_TIME_WAIT,
};

struct tcp_path {
  uint8_t source_mac[6];
  uint8_t destination_mac[6];
  uint32_t source_address;
  uint32_t destination_address;
  uint16_t source_port;
  uint16_t destination_port;
  uint64_t retransmit_ns;
  uint32_t retransmit_limit;
};

struct tcp_range {
  uint32_t begin;
  uint32_t end;
};

struct tcp {
  struct tcp_path path;
  enum tcp_state state;
  const char *reason; /* why it is closed */
  uint32_t unacknowledged;
  uint32_t next; /* to be sent, FIN included */
  uint32_t expected;
  uint32_t read; /* up to where the user has taken what arrived */
  uint32_t window; /* the peer's */
  uint32_t recover; /* retransmissions go on up to here while acknowledgements advance */
  uint16_t mss;      /* the peer's */
  uint16_t identification;
  uint64_t due_ns;   /* of the time-out, TCP_NEVER: none */
  uint32_t timeouts; /* in a row */
  uint32_t duplicates;
  uint32_t range_count;
  uint32_t acknowledgements; /* to be sent now */
  uint32_t fin_at;           /* the peer's, if fin_seen */
  uint32_t reset_at;
  bool fin_seen;
  bool fin_sent; /* it has a number */
  bool finish;   /* ... and is to be sent now */
  bool resend;  /* the first unacknowledged bytes, SYN or FIN are to be sent (again) */
  bool reset;   /* an RST with number reset_at is to be sent */
  uint64_t retransmissions; /* counters for reports */
  uint64_t ignored;
  struct tcp_range ranges[TCP_RANGES];
  uint8_t sent[TCP_BUFFER];     /* by sequence number */
  uint8_t received[TCP_RING]; /* by sequence number */
};

void tcp_init(struct tcp *tcp, const struct tcp_path *path);

/* Begin a connection with this initial sequence number; data follow at the next one. */
void tcp_open(struct tcp *tcp, uint64_t now_ns, uint32_t initial);

/* So many bytes may be sent now: there is a connection, the peer has room, and so have we. */
uint32_t tcp_room(const struct tcp *tcp);

/* These bytes have been sent, behind all before. */
void tcp_sent(struct tcp *tcp, uint64_t now_ns, const uint8_t *bytes, uint32_t count);

/* A frame; false if it is no good segment for this path. */
bool tcp_receive(struct tcp *tcp, uint64_t now_ns, const uint8_t *frame, uint32_t length);

/* Up to `count` bytes of what has arrived in order; returns how many. */
uint32_t tcp_read(struct tcp *tcp, uint8_t *bytes, uint32_t count);

/* FIN behind what has been sent; RST, and closed for this reason. */
void tcp_close(struct tcp *tcp, uint64_t now_ns);
void tcp_abort(struct tcp *tcp, const char *reason);

/* Let time-outs happen. */
void tcp_tick(struct tcp *tcp, uint64_t now_ns);

/* Build the next frame that is to be sent, of at most MAX_TX_FRAME_BYTES; returns its length, 0: none. */
uint32_t tcp_frame(struct tcp *tcp, uint8_t *frame);

#endif
