/* SPDX-License-Identifier: MIT */
/*
 * An exchange in the loop: what the NIC sends goes to it, the frames that it answers join the player's schedule and the
 * run's recorded stimulus. It is a function of the simulator's Python, called in this process.
 *
 * A frame sent at t is answered at t + latency, so what the exchange does before until is known once everything sent before
 * until - latency is. It is called in the last clock before it has to do something (an event of its own, or the answer to
 * the first frame that it has not seen), and then looks ahead by a whole latency: the clocks of the calls depend on nothing
 * but the run.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static struct {
  tl_exchange advance; /* NULL: there is none */
  uint64_t latency_ps, next_ps; /* of its next own event, from the time of the first frame; NEVER */
  bool finished;
  uint8_t *sent; /* stimulus_frame entries that it has not seen */
  uint64_t bytes, capacity;
} exchange;

void exchange_open(void) { memset(&exchange, 0, sizeof exchange); }

void exchange_close(void) {
  free(exchange.sent);
  exchange_open();
}

void tl_set_exchange(tl_exchange advance, uint64_t latency_ps) {
  exchange.advance = advance;
  exchange.latency_ps = latency_ps;
  exchange.next_ps = NEVER;
}

void tl_exchange_answer(const void *frames, uint64_t bytes, uint64_t next_ps, uint32_t finished) {
  player_add(frames, bytes);
  exchange.next_ps = next_ps;
  exchange.finished = finished;
}

void tl_exchange_failed(const char *message) { core_fail(TL_EXCHANGE, "%s", message); }

bool exchange_attached(void) { return exchange.advance != NULL; }
bool exchange_done(void) { return !exchange.advance || (exchange.finished && exchange.bytes == 0); }

static bool make_room(uint64_t bytes) {
  if (exchange.bytes + bytes <= exchange.capacity) return true;
  const uint64_t capacity = 2 * (exchange.capacity + bytes);
  uint8_t *larger = realloc(exchange.sent, capacity);
  if (!larger) {
    core_fail(TL_FAILED, "out of memory");
    return false;
  }
  exchange.sent = larger;
  exchange.capacity = capacity;
  return true;
}

/* Times in the entries are of the simulation until the exchange is called: the first frame's may not be known yet. */
void exchange_sent(uint64_t clock, const void *frame, uint32_t length) {
  const struct stimulus_frame head = {.time_ps = clock * clock_ps, .length = length};
  const uint32_t padding = -length & 7u;
  if (!make_room(sizeof head + length + padding)) return;
  uint8_t *at = exchange.sent + exchange.bytes;
  memcpy(at, &head, sizeof head);
  memcpy(at + sizeof head, frame, length);
  memset(at + sizeof head + length, 0, padding);
  exchange.bytes += sizeof head + length + padding;
}

/* From the time of the first frame, and no earlier. */
static uint64_t since_first(uint64_t ps) {
  const uint64_t origin_ps = player_origin() * clock_ps;
  return ps > origin_ps ? ps - origin_ps : 0;
}

/* When the exchange has something to do. */
static uint64_t due_ps(void) {
  if (!exchange.advance || player_origin() == NEVER) return NEVER;
  if (exchange.bytes == 0) return exchange.next_ps;
  const uint64_t answered =
      since_first(((struct stimulus_frame *)(void *)exchange.sent)->time_ps) + exchange.latency_ps;
  return answered < exchange.next_ps ? answered : exchange.next_ps;
}

uint64_t exchange_due(void) {
  const uint64_t ps = due_ps();
  return ps == NEVER ? NEVER : player_origin() + ps / clock_ps;
}

void exchange_act(uint64_t clock) {
  while (exchange_due() <= clock && !core_failed()) {
    const uint64_t until_ps = due_ps() + exchange.latency_ps, bytes = exchange.bytes;
    for (uint64_t at = 0; at < bytes;) {
      struct stimulus_frame *head = (void *)(exchange.sent + at);
      head->time_ps = since_first(head->time_ps);
      at += sizeof *head + ((head->length + 7ull) & ~7ull);
    }
    exchange.bytes = 0;
    if (exchange.advance(until_ps, exchange.sent, bytes) != 0)
      core_fail(TL_EXCHANGE, "the exchange failed without a word");
    if (exchange.next_ps < until_ps) core_fail(TL_EXCHANGE, "the exchange left something undone");
  }
}
