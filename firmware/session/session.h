/* SPDX-License-Identifier: MIT */
/*
 * The order-entry session: connect, log in, trade, survive what breaks, log out.
 *
 * Pure, like core/: the caller has the clock, the rings and the registers. What it does, each time it comes by:
 *   session_step      tells of the slots published meanwhile, and lets time pass
 *   session_receive   for each frame that arrived, then session_next until there is nothing
 *   session_settle    when all frames have been taken
 *   session_packet    while it is true: publish the slot it filled (a login, a heartbeat, a logout)
 *   session_frame     while it is not 0: send the frame it built
 * and it comes by again no later than session_due. Sequence numbers follow from published slots alone: what is published
 * while there is a connection is sent.
 *
 * After a broken connection it logs in again at the next sequenced message. What the exchange did meanwhile is replayed
 * first; the first heartbeat behind it says that nothing more is missing, and only then the link is ready again. Where the
 * exchange always has something else to say, the time in which it would have sent a heartbeat takes its place.
 */
#ifndef TICKLOOP_SESSION_H
#define TICKLOOP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/answer.h"
#include "include/layout.h"
#include "session/ouch.h"
#include "session/soup.h"
#include "session/tcp.h"

#define SESSION_PACKET_BYTES \
  (SOUP_FRAMING_BYTES + sizeof(((struct tx_slot *)0)->message)) /* that a slot sends, at most */

enum session_state {
  SESSION_CLOSED = 0, /* connects at retry_ns */
  SESSION_CONNECTING,
  SESSION_LOGIN,
  SESSION_REPLAY, /* logged in again; what happened meanwhile is coming */
  SESSION_READY,
  SESSION_LOGOUT,
  SESSION_OVER, /* for ever: logged out, rejected, ended by the exchange, or given up */
};

enum session_event {
  SESSION_NOTHING = 0,
  SESSION_ANSWER, /* the exchange says something of an order */
  SESSION_LINK,   /* session.link is new, or still down for a new reason: session.reason */
};

struct session {
  const struct config_header *config;
  const struct ouch *ouch;
  const struct tx_slot *slots;
  uint32_t slot_mask;
  uint32_t told; /* slots that the connection has been told of (absolute) */
  enum session_state state;
  enum link_state link;
  const char *reason;
  bool news;          /* of the link */
  bool was_ready;     /* so a later login has something to catch up with */
  bool login_due;
  bool logout_due;
  bool close_due;     /* once the logout has been told of */
  uint8_t id[SOUP_SESSION_BYTES];
  uint64_t next;      /* sequenced message; SOUP_NO_NUMBER until the first login */
  uint64_t repeated;  /* sequenced messages to come that were here before */
  uint64_t replay_ns; /* since when, after a new login, the exchange has been heard without a break */
  uint64_t heard_ns;
  uint64_t said_ns;
  uint64_t retry_ns;
  uint32_t connections; /* established so far: at each new one the NIC gets its numbers */
  uint32_t attempts;    /* to connect, since the link was ready */
  uint32_t violations;  /* of the protocol, since the link was ready */
  uint64_t answers;
  uint64_t malformed;
  struct tcp tcp;
  struct soup_reader reader;
};

/* `slots` of a power of two is the TX ring, empty. The first connection is due at once. */
void session_init(struct session *session, const struct config_header *config, const struct ouch *ouch,
                  const struct tx_slot *slots, uint32_t slot_count);

/* `published` slots in all, and this is the time. */
void session_step(struct session *session, uint64_t now_ns, uint32_t published);

/* False: the frame is none of this connection's. */
bool session_receive(struct session *session, uint64_t now_ns, const uint8_t *frame, uint32_t length);

/* What has come of it, one thing a call; `answer` is valid with SESSION_ANSWER. */
enum session_event session_next(struct session *session, uint64_t now_ns, struct answer *answer);

/* Everything that has arrived has been taken: a replay may be over. */
void session_settle(struct session *session);

bool session_packet(struct session *session, uint64_t now_ns, struct tx_slot *slot);
uint32_t session_frame(struct session *session, uint8_t *frame);

/* Whether session_packet would fill a slot. */
bool session_has_packet(const struct session *session, uint64_t now_ns);

uint64_t session_due(const struct session *session);

/* Slots that may be published before the next step, so that nothing is sent for which the exchange has no room. */
static inline uint32_t session_room(const struct session *session) {
  return tcp_room(&session->tcp) / (uint32_t)SESSION_PACKET_BYTES;
}

/* The link goes down; log out and close. The state is SESSION_OVER when that is done. */
void session_logout(struct session *session, uint64_t now_ns);

#endif
