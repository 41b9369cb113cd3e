/* SPDX-License-Identifier: MIT */
/* See session.h. A packet that no exchange may send ends the connection; a message that OUCH does not know stops trading. */
#include "session/session.h"

#include "core/bytes.h"

#define ISS_STEP 0x10000u /* between the initial sequence numbers of connections */
#define BACK_OFF 7u /* doublings of the time between attempts at most */
#define VIOLATIONS 3u /* in a row, after which the exchange is not asked again */

/* Login Accepted, behind its type. */
struct accepted {
  uint8_t session[SOUP_SESSION_BYTES];
  uint8_t number[SOUP_NUMBER_BYTES];
};

void session_init(struct session *session, const struct config_header *config, const struct ouch *ouch,
                  const struct tx_slot *slots, uint32_t slot_count) {
  __builtin_memset(session, 0, sizeof *session);
  session->config = config;
  session->ouch = ouch;
  session->slots = slots;
  session->slot_mask = slot_count - 1;
  session->link = LINK_STATE_DOWN;
  session->reason = "not connected";
  session->next = config->soup_sequence != 0 ? config->soup_sequence : SOUP_NO_NUMBER;
  __builtin_memcpy(session->id, config->soup_session, sizeof session->id);
  struct tcp_path path = {
      .source_address = config->source_address,
      .destination_address = config->destination_address,
      .source_port = config->source_port,
      .destination_port = config->destination_port,
      .retransmit_ns = config->retransmit_ns,
      .retransmit_limit = config->retransmit_limit,
  };
  __builtin_memcpy(path.source_mac, config->source_mac, sizeof path.source_mac);
  __builtin_memcpy(path.destination_mac, config->destination_mac, sizeof path.destination_mac);
  tcp_init(&session->tcp, &path);
  session->tcp.next = config->tcp_sequence - ISS_STEP; /* so that the first connection begins at it */
}

static bool is_connected(const struct session *session) {
  return session->state >= SESSION_LOGIN && session->state <= SESSION_LOGOUT;
}

static bool is_logged_in(const struct session *session) {
  return session->state == SESSION_REPLAY || session->state == SESSION_READY;
}

static void set_link(struct session *session, enum link_state link, const char *reason) {
  session->link = link;
  session->reason = reason;
  session->news = true;
}

/* The connection is gone; another one follows, later each time. */
static void lost(struct session *session, uint64_t now_ns) {
  bool done = session->state == SESSION_LOGOUT;
  const char *reason = session->tcp.reason;
  session->login_due = false;
  session->logout_due = false;
  session->close_due = false;
  session->state = done ? SESSION_OVER : SESSION_CLOSED;
  uint32_t doublings = session->attempts < BACK_OFF ? session->attempts : BACK_OFF;
  session->retry_ns = now_ns + (session->config->retransmit_ns << doublings);
  session->attempts++;
  set_link(session, LINK_STATE_DOWN, done ? "logged out" : reason);
}

/* No connection follows: what is there is closed. */
static void over(struct session *session, uint64_t now_ns, const char *reason) {
  session->state = SESSION_OVER;
  tcp_close(&session->tcp, now_ns);
  set_link(session, LINK_STATE_DOWN, reason);
}

static void violation(struct session *session, uint64_t now_ns, const char *reason) {
  tcp_abort(&session->tcp, reason);
  lost(session, now_ns);
  if (++session->violations >= VIOLATIONS) session->state = SESSION_OVER;
}

static void connect(struct session *session, uint64_t now_ns) {
  session->state = SESSION_CONNECTING;
  tcp_open(&session->tcp, now_ns, session->tcp.next + ISS_STEP);
}

static void connected(struct session *session, uint64_t now_ns) {
  session->state = SESSION_LOGIN;
  session->connections++;
  session->login_due = true;
  session->heard_ns = now_ns;
  session->said_ns = now_ns;
  session->reader = (struct soup_reader){0};
}

static void ready(struct session *session) {
  session->state = SESSION_READY;
  session->was_ready = true;
  session->attempts = 0;
  session->violations = 0;
  set_link(session, LINK_STATE_READY, "ready");
}

/* ---- What has been sent, and time */

static void tell(struct session *session, uint64_t now_ns, const struct tx_slot *slot) {
  uint8_t framing[SOUP_FRAMING_BYTES];
  store_be16(framing, (uint16_t)(1 + slot->length));
  framing[2] = slot->packet_type;
  tcp_sent(&session->tcp, now_ns, framing, sizeof framing);
  tcp_sent(&session->tcp, now_ns, slot->message, slot->length);
  session->said_ns = now_ns;
}

void session_step(struct session *session, uint64_t now_ns, uint32_t published) {
  for (; session->told != published; session->told++) {
    const struct tx_slot *slot = &session->slots[session->told & session->slot_mask];
    if (slot->kind == TX_KIND_ORDER && is_connected(session)) tell(session, now_ns, slot);
  }
  if (session->close_due) {
    session->close_due = false;
    tcp_close(&session->tcp, now_ns);
  }
  tcp_tick(&session->tcp, now_ns);
  if (session->state == SESSION_CLOSED && now_ns >= session->retry_ns) connect(session, now_ns);
  if (is_connected(session) && now_ns >= session->heard_ns + session->config->server_timeout_ns) {
    tcp_abort(&session->tcp, "nothing heard from the exchange");
  }
}

static bool has_room(const struct session *session) { return tcp_room(&session->tcp) >= SESSION_PACKET_BYTES; }

uint64_t session_due(const struct session *session) {
  if (session->news || ((session->login_due || session->logout_due) && has_room(session))) return 0;
  uint64_t due = session->tcp.due_ns;
  if (session->state == SESSION_CLOSED && session->retry_ns < due) due = session->retry_ns;
  if (is_connected(session)) {
    uint64_t silent = session->heard_ns + session->config->server_timeout_ns;
    if (silent < due) due = silent;
  }
  if (is_logged_in(session) && has_room(session)) {
    uint64_t heartbeat = session->said_ns + session->config->heartbeat_ns;
    if (heartbeat < due) due = heartbeat;
  }
  return due;
}

void session_logout(struct session *session, uint64_t now_ns) {
  if (is_logged_in(session)) {
    session->logout_due = true;
    session->state = SESSION_LOGOUT;
    set_link(session, LINK_STATE_DOWN, "logging out");
  } else if (session->state == SESSION_CONNECTING || session->state == SESSION_LOGIN) {
    session->state = SESSION_LOGOUT;
    tcp_close(&session->tcp, now_ns);
  } else if (session->state == SESSION_CLOSED) {
    session->state = SESSION_OVER;
  }
}

/* ---- What has arrived */

bool session_receive(struct session *session, uint64_t now_ns, const uint8_t *frame, uint32_t length) {
  return tcp_receive(&session->tcp, now_ns, frame, length);
}

static void accepted(struct session *session, uint64_t now_ns) {
  const struct accepted *accepted = (const void *)soup_payload(&session->reader);
  uint64_t number = soup_number(accepted->number);
  bool again = session->was_ready;
  if (soup_length(&session->reader) != sizeof *accepted || number == SOUP_NO_NUMBER || number == 0) {
    violation(session, now_ns, "malformed Login Accepted");
  } else if (again && __builtin_memcmp(accepted->session, session->id, sizeof session->id) != 0) {
    over(session, now_ns, "the exchange has begun another session");
  } else if (session->next != SOUP_NO_NUMBER && number > session->next) {
    over(session, now_ns, "the exchange has skipped sequenced messages");
  } else {
    __builtin_memcpy(session->id, accepted->session, sizeof session->id);
    if (session->next == SOUP_NO_NUMBER) session->next = number;
    session->repeated = session->next - number;
    session->said_ns = now_ns;
    session->replay_ns = now_ns;
    if (again) session->state = SESSION_REPLAY;
    else ready(session);
  }
}

static const char *rejection(const struct soup_reader *reader) {
  if (soup_length(reader) != 1) return "login rejected, without a reason";
  switch (soup_payload(reader)[0]) {
    case 'A': return "login rejected: not authorized";
    case 'S': return "login rejected: session not available";
    default: return "login rejected, for a reason unknown";
  }
}

/* A sequenced message; false if it was here before. */
static bool sequenced(struct session *session, struct answer *answer) {
  if (session->repeated != 0) {
    session->repeated--;
    return false;
  }
  const struct soup_reader *reader = &session->reader;
  session->next++;
  session->answers++;
  uint32_t length = soup_length(reader) <= SOUP_LIMIT ? soup_length(reader) : 0; /* longer than any message */
  if (!ouch_parse(session->ouch, soup_payload(reader), length, answer)) session->malformed++;
  return true;
}

/* One whole packet; true if it was a new sequenced message. */
static bool take_packet(struct session *session, uint64_t now_ns, struct answer *answer) {
  const struct soup_reader *reader = &session->reader;
  bool in_login = session->state == SESSION_LOGIN;
  /* After such a silence there would have been a heartbeat: more than it may be on its way still. */
  if (now_ns - session->heard_ns >= session->config->heartbeat_ns) session->replay_ns = now_ns;
  session->heard_ns = now_ns;
  switch (soup_type(reader)) {
    case SOUP_PACKET_DEBUG: return false;
    case SOUP_PACKET_SEQUENCED:
      if (!in_login) return sequenced(session, answer);
      violation(session, now_ns, "sequenced data before login");
      return false;
    case SOUP_PACKET_SERVER_HEARTBEAT:
      if (soup_length(reader) != 0) violation(session, now_ns, "malformed heartbeat");
      else if (session->state == SESSION_REPLAY && session->repeated == 0) ready(session);
      return false;
    case SOUP_PACKET_LOGIN_ACCEPTED:
      if (in_login) accepted(session, now_ns);
      else violation(session, now_ns, "Login Accepted out of turn");
      return false;
    case SOUP_PACKET_LOGIN_REJECTED:
      if (in_login) over(session, now_ns, rejection(reader));
      else violation(session, now_ns, "Login Rejected out of turn");
      return false;
    case SOUP_PACKET_END_OF_SESSION: over(session, now_ns, "end of session"); return false;
    default: violation(session, now_ns, "SoupBinTCP packet of a type that no server sends"); return false;
  }
}

enum session_event session_next(struct session *session, uint64_t now_ns, struct answer *answer) {
  uint8_t scratch[256];
  for (;;) {
    if (session->news) {
      session->news = false;
      return SESSION_LINK;
    }
    if (session->state == SESSION_CONNECTING && session->tcp.state >= TCP_ESTABLISHED) connected(session, now_ns);
    if (!is_connected(session)) {
      bool failed = session->state == SESSION_CONNECTING && session->tcp.state == TCP_CLOSED;
      if (!failed) return SESSION_NOTHING;
      lost(session, now_ns);
      continue;
    }
    uint8_t *to;
    uint32_t wanted = soup_wanted(&session->reader, scratch, sizeof scratch, &to);
    uint32_t count = tcp_read(&session->tcp, to, wanted);
    if (count != 0) {
      enum soup_result result = soup_came(&session->reader, count);
      if (result == SOUP_EMPTY) violation(session, now_ns, "SoupBinTCP packet of no bytes");
      else if (result == SOUP_PACKET && take_packet(session, now_ns, answer)) return SESSION_ANSWER;
      continue;
    }
    bool logged_out = session->state == SESSION_LOGOUT && session->tcp.state == TCP_TIME_WAIT;
    if (session->tcp.state == TCP_CLOSED || logged_out) {
      lost(session, now_ns);
    } else if (session->tcp.state == TCP_CLOSE_WAIT) {
      tcp_close(&session->tcp, now_ns);
      if (session->state != SESSION_LOGOUT) {
        session->tcp.reason = "closed by the exchange";
        lost(session, now_ns);
      }
    } else {
      return SESSION_NOTHING;
    }
  }
}

void session_settle(struct session *session) {
  if (session->state != SESSION_REPLAY || session->repeated != 0 || session->tcp.range_count != 0) return;
  if (session->heard_ns < session->replay_ns + session->config->heartbeat_ns) return; /* silence settles nothing */
  ready(session);
}

/* ---- What is to be sent */

bool session_has_packet(const struct session *session, uint64_t now_ns) {
  if (!has_room(session)) return false;
  return session->login_due || session->logout_due ||
         (is_logged_in(session) && now_ns >= session->said_ns + session->config->heartbeat_ns);
}

bool session_packet(struct session *session, uint64_t now_ns, struct tx_slot *slot) {
  if (!session_has_packet(session, now_ns)) return false;
  session->said_ns = now_ns;
  if (session->login_due) {
    session->login_due = false;
    soup_login(slot, session->config, session->id, session->next == SOUP_NO_NUMBER ? 0 : session->next);
  } else if (session->logout_due) {
    session->logout_due = false;
    session->close_due = true;
    soup_bare(slot, SOUP_PACKET_LOGOUT_REQUEST);
  } else {
    soup_bare(slot, SOUP_PACKET_CLIENT_HEARTBEAT);
  }
  return true;
}

uint32_t session_frame(struct session *session, uint8_t *frame) { return tcp_frame(&session->tcp, frame); }
