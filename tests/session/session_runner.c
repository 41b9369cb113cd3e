/* SPDX-License-Identifier: MIT */
/*
 * The order-entry session as a host program under the address and undefined-behaviour sanitizers, driven by
 * session_harness.py.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }.
 * COMMAND_SERVICE does what main.c does each time it comes by; a slot that is published is told of with the answer, and
 * becomes a segment in the harness, as it would in the NIC.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

enum command {
  COMMAND_CONFIGURE = 1, /* a configuration header: the answer is what OUCH finds wrong with it */
  COMMAND_SERVICE,       /* struct service, frames: the answer is a list of struct item, then struct report */
  COMMAND_ENCODE,        /* struct intent: the answer is the slot */
  COMMAND_PARSE,         /* a message of the exchange: the answer is the struct answer */
};

enum item_kind {
  ITEM_ANSWER = 1, /* struct answer */
  ITEM_LINK,       /* u32 link_state, then the reason */
  ITEM_SLOT,       /* struct tx_slot */
  ITEM_FRAME,      /* a frame */
  ITEM_CONNECTION, /* u32 SESSION_SEQUENCE, u32 SESSION_ACKNOWLEDGE: a new connection's */
};

struct service {
  uint64_t now_ns;
  uint32_t slots;  /* struct tx_slot follow: what the kernel published since */
  uint32_t frames; /* u32 length and bytes each follow behind them */
  uint32_t logout;
  uint32_t quiet; /* 1: no items, only the report */
};

struct report {
  uint64_t due_ns;
  uint64_t next;
  uint64_t answers;
  uint64_t malformed;
  uint64_t retransmissions;
  uint32_t state;
  uint32_t link;
  uint32_t tcp_state;
  uint32_t acknowledge;
  uint32_t room;
  uint32_t connections;
};

#define SLOTS 64u

static struct config_header config;
static struct ouch ouch;
static struct session *session;
static struct tx_slot slots[SLOTS];
static uint32_t tail;
static uint32_t connections;
static uint8_t *out;
static size_t out_bytes, out_limit;

static void put(const void *data, size_t bytes) {
  if (out_bytes + bytes > out_limit) out = realloc(out, out_limit = 2 * (out_bytes + bytes) + 4096);
  memcpy(out + out_bytes, data, bytes);
  out_bytes += bytes;
}

static void item(enum item_kind kind, const void *data, uint32_t bytes) {
  uint32_t head[2] = {kind, bytes};
  put(head, sizeof head);
  put(data, bytes);
}

static void flush(void) {
  uint32_t bytes = (uint32_t)out_bytes;
  fwrite(&bytes, sizeof bytes, 1, stdout);
  if (out_bytes != 0) fwrite(out, 1, out_bytes, stdout);
  fflush(stdout);
  out_bytes = 0;
}

static void fail(const char *what) {
  fprintf(stderr, "session: %s\n", what);
  abort();
}

/* What holds after whatever has arrived. */
static void check(void) {
  const struct tcp *tcp = &session->tcp;
  if (session->reason == NULL || tcp->reason == NULL) fail("a state without a reason");
  if (tcp->state == TCP_CLOSED || tcp->state == TCP_SYN_SENT) return;
  if (tcp->expected - tcp->read > TCP_WINDOW + 1) fail("more has arrived than there is room for");
  if (tcp->next - tcp->unacknowledged > TCP_BUFFER + 1) fail("more is unacknowledged than is kept");
  if (tcp->range_count > TCP_RANGES) fail("too many ranges");
  for (uint32_t i = 0; i < tcp->range_count; i++) {
    uint32_t begin = tcp->ranges[i].begin - tcp->expected, end = tcp->ranges[i].end - tcp->expected;
    if (begin == 0 || begin >= end || end > TCP_WINDOW) fail("a range outside the window");
    for (uint32_t j = 0; j < i; j++) {
      uint32_t other = tcp->ranges[j].begin - tcp->expected, other_end = tcp->ranges[j].end - tcp->expected;
      if (begin <= other_end && other <= end) fail("ranges touch");
    }
  }
  if (session->link == LINK_STATE_READY && session->state != SESSION_READY) fail("ready, and yet not");
}

static void publish(const struct tx_slot *slot) { slots[tail++ % SLOTS] = *slot; }

static void drain(const struct service *service) {
  struct answer answer;
  enum session_event event;
  while ((event = session_next(session, service->now_ns, &answer)) != SESSION_NOTHING) {
    if (service->quiet != 0) continue;
    if (event == SESSION_ANSWER) {
      item(ITEM_ANSWER, &answer, sizeof answer);
    } else {
      uint8_t text[4 + 128];
      uint32_t link = session->link;
      memcpy(text, &link, sizeof link);
      memcpy(text + 4, session->reason, strlen(session->reason));
      item(ITEM_LINK, text, (uint32_t)(4 + strlen(session->reason)));
    }
  }
  if (session->connections != connections) {
    connections = session->connections;
    uint32_t numbers[2] = {session->tcp.next, session->tcp.expected};
    item(ITEM_CONNECTION, numbers, sizeof numbers);
  }
}

static void service(const uint8_t *payload) {
  struct service service;
  memcpy(&service, payload, sizeof service);
  payload += sizeof service;
  for (uint32_t i = 0; i < service.slots; i++, payload += sizeof(struct tx_slot)) {
    struct tx_slot slot;
    memcpy(&slot, payload, sizeof slot);
    publish(&slot);
  }
  session_step(session, service.now_ns, tail);
  drain(&service);
  for (uint32_t i = 0; i < service.frames; i++) {
    uint32_t length;
    memcpy(&length, payload, sizeof length);
    uint8_t *frame = malloc(length != 0 ? length : 1); /* of exactly its size */
    memcpy(frame, payload + sizeof length, length);
    payload += sizeof length + length;
    session_receive(session, service.now_ns, frame, length);
    free(frame);
    drain(&service);
    check();
  }
  if (service.logout != 0) session_logout(session, service.now_ns);
  session_settle(session);
  drain(&service);
  struct tx_slot slot = {0};
  while (session_packet(session, service.now_ns, &slot)) {
    publish(&slot);
    item(ITEM_SLOT, &slot, sizeof slot);
    session_step(session, service.now_ns, tail);
  }
  uint8_t *frame = malloc(MAX_TX_FRAME_BYTES);
  for (uint32_t length; (length = session_frame(session, frame)) != 0;) {
    if (service.quiet == 0) item(ITEM_FRAME, frame, length);
  }
  free(frame);
  check();
  struct report report = {
      .due_ns = session_due(session),
      .next = session->next,
      .answers = session->answers,
      .malformed = session->malformed,
      .retransmissions = session->tcp.retransmissions,
      .state = session->state,
      .link = session->link,
      .tcp_state = session->tcp.state,
      .acknowledge = session->tcp.expected,
      .room = session_room(session),
      .connections = session->connections,
  };
  put(&report, sizeof report);
}

static void configure(const uint8_t *payload) {
  memcpy(&config, payload, sizeof config);
  const char *wrong = ouch_init(&ouch, &config);
  memset(slots, 0, sizeof slots);
  tail = connections = 0;
  free(session);
  session = malloc(sizeof *session);
  memset(session, 0xA5, sizeof *session);
  session_init(session, &config, &ouch, slots, SLOTS);
  if (wrong != NULL) put(wrong, strlen(wrong));
}

int main(void) {
  uint32_t header[2];
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] != 0 ? header[1] : 1);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    switch ((enum command)header[0]) {
      case COMMAND_CONFIGURE: configure(payload); break;
      case COMMAND_SERVICE: service(payload); break;
      case COMMAND_ENCODE: {
        struct intent intent;
        memcpy(&intent, payload, sizeof intent);
        struct tx_slot slot = {0};
        ouch_encode(&ouch, &intent, &slot);
        put(&slot, sizeof slot);
        break;
      }
      case COMMAND_PARSE: {
        struct answer answer;
        ouch_parse(&ouch, payload, header[1], &answer);
        put(&answer, sizeof answer);
        break;
      }
    }
    flush();
    free(payload);
  }
  free(session);
  free(out);
  return 0;
}
