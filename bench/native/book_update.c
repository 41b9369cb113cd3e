/* SPDX-License-Identifier: MIT */
/*
 * book_update MODULE ITCH ROUNDS: what the trading core costs on this machine, as JSON on standard output.
 *
 * Messages lie ready as the NIC leaves them in the RX ring. A round is the whole file from empty books: once untimed inside,
 * for the mean, once with the time-stamp counter read around each step, for percentiles; the cost of reading it is measured
 * and taken off. Samples are nanoseconds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/moldudp64.h"
#include "host.h"
#include "itch_input.h"
#include "parser/parser.h"
#include "session/segment.h"
#include "stamps.h"

#define PACKET_MESSAGES 4u
#define RING_LOG2 10u
#define RING_SLOTS (1u << RING_LOG2)

enum step { STEP_MESSAGE, STEP_BOOK, STEP_ORDER, STEP_RISK, STEP_PACKET, STEP_QUEUE, STEP_FRAME, STEPS };

static const char *const names[STEPS] = {"message", "book_update", "record_to_order", "risk_check",
                                         "packet",  "queue",       "frame_to_order"};

struct samples {
  float *ns;
  uint64_t count, limit;
};

static struct samples samples[STEPS];
static void keep(enum step step, uint64_t from, uint64_t to) {
  struct samples *s = &samples[step];
  if (s->count == s->limit) {
    s->limit = s->limit != 0 ? 2 * s->limit : 1u << 16;
    s->ns = realloc(s->ns, s->limit * sizeof *s->ns);
  }
  s->ns[s->count++] = since(from, to);
}

static void open_host(struct host *host, const void *module, uint64_t bytes) {
  const char *wrong = host_open(host, module, bytes);
  if (wrong != NULL) {
    fprintf(stderr, "%s\n", wrong);
    exit(2);
  }
}

/* As host_record, with the counter read between the steps. */
static __attribute__((flatten)) void timed(struct host *host, const union rx_line *line) {
  struct engine *engine = &host->engine;
  static struct tx_slot slot;
  uint64_t start = stamp();
  struct change change = {0};
  enum effect effect = engine_record(engine, line, &change);
  uint64_t applied = stamp(), end = applied;
  if (effect == EFFECT_BOOK) {
    keep(STEP_BOOK, start, applied);
    if (engine_decide(engine, &change) == DECISION_ORDER) {
      uint64_t now = rx_record_hw_timestamp_ns(&line->record);
      for (uint32_t i = 0; i < engine->wanted; i++) {
        uint64_t check = stamp();
        enum refusal refusal = engine_check(engine, change_book(&engine->books, &change), now, &engine->intents[i]);
        keep(STEP_RISK, check, stamp());
        if (refusal != REFUSAL_NONE) continue;
        engine_sent(engine, now, &engine->intents[i]);
        ouch_encode(&host->ouch, &engine->intents[i], &slot);
      }
      end = stamp();
      keep(STEP_ORDER, start, end);
    } else {
      end = stamp();
    }
  }
  keep(STEP_MESSAGE, start, end);
}

/* The next `count` messages of a file as what `path`'s server sends; returns the frame's length, 0 at the file's end. */
static uint32_t build_frame(uint8_t *frame, const struct mold_path *path, uint64_t sequence, unsigned count,
                            const uint8_t *data, uint64_t bytes, uint64_t *at) {
  struct mold_path turned = *path; /* what the server sends has the ends of a request turned around */
  memcpy(turned.our_mac, path->server_mac, 6);
  memcpy(turned.server_mac, path->our_mac, 6);
  turned.our_address = path->server_address;
  turned.server_address = path->our_address;
  turned.our_port = path->server_port;
  turned.server_port = path->our_port;
  mold_request(frame, &turned, (const uint8_t *)"TICKLOOP01", sequence, (uint16_t)count);
  uint32_t used = MOLD_REQUEST_FRAME_BYTES;
  for (unsigned i = 0; i < count; i++) {
    uint16_t length;
    const uint8_t *message = next_message(data, bytes, at, &length);
    if (message == NULL) return 0;
    memcpy(frame + used, message - 2, length + 2u);
    used += length + 2u;
  }
  store_be16(frame + 16, (uint16_t)(used - 14));
  store_be16(frame + 24, 0);
  uint32_t sum = 0;
  for (unsigned i = 14; i < 34; i += 2) sum += load_be16(frame + i);
  sum = (sum & 0xFFFF) + (sum >> 16);
  store_be16(frame + 24, (uint16_t)~((sum & 0xFFFF) + (sum >> 16)));
  store_be16(frame + 38, (uint16_t)(used - 34));
  store_be16(frame + 40, 0); /* no UDP checksum */
  return used;
}

/* A few messages in a frame, parsed from its first header to the last record. */
static void packets(const uint8_t *data, uint64_t bytes) {
  static const struct mold_path path = {.our_mac = {2, 0, 0, 0, 0, 1},
                                        .server_mac = {2, 0, 0, 0, 0, 2},
                                        .our_address = 0x0A000001,
                                        .server_address = 0x0A000003,
                                        .our_port = 26500,
                                        .server_port = 26478};
  static union rx_line lines[MOLD_RECORD_LINES];
  uint8_t frame[MAX_TX_FRAME_BYTES];
  uint64_t at = 0;
  for (unsigned packet = 0; packet < 50000; packet++) {
    uint32_t used = build_frame(frame, &path, packet, PACKET_MESSAGES, data, bytes, &at);
    if (used == 0) return;
    uint64_t start = stamp();
    struct mold_packet parsed;
    uint16_t length;
    unsigned count = 0;
    if (mold_parse(&parsed, &path, frame, used)) {
      for (const uint8_t *message; (message = mold_next(&parsed, &length)) != NULL; count++) {
        (void)mold_record(message, length, parsed.sequence - 1, 0, lines);
      }
    }
    keep(STEP_PACKET, start, stamp());
    if (count != PACKET_MESSAGES) {
      fprintf(stderr, "a packet was not parsed\n");
      exit(2);
    }
  }
}

/* All in software: from a frame of one message in the cache to the whole frame of its order. */
static void frames_to_orders(struct host *host, const uint8_t *data, uint64_t bytes) {
  static struct parser parser;
  static struct segment_stream stream;
  static struct tx_slot slots[INTENTS];
  const struct config_header *config = host->config;
  const struct mold_path path = {.our_mac = {1, 0, 0x5E, 0, 0, 1},
                                 .server_mac = {2, 0, 0, 0, 0, 2},
                                 .our_address = config->group_address,
                                 .server_address = 0x0A000003,
                                 .our_port = (uint16_t)config->group_port,
                                 .server_port = 26478};
  uint8_t frame[MAX_TX_FRAME_BYTES], order[SEGMENT_LIMIT];
  uint64_t at = 0;
  parser_init(&parser, config->group_address, (uint16_t)config->group_port, false);
  segment_init(&stream, config);
  uint32_t used;
  for (uint64_t sequence = 1; (used = build_frame(frame, &path, sequence, 1, data, bytes, &at)) != 0; sequence++) {
    uint64_t start = stamp();
    unsigned orders = 0;
    if (parser_open(&parser, frame, used, sequence) == DROP_REASON_ACCEPT) {
      for (const union rx_line *line; (line = parser_next(&parser)) != NULL;) orders += host_record(host, line, slots);
    }
    for (unsigned i = 0; i < orders; i++) (void)segment_build(&stream, &slots[i], order);
    if (orders != 0) keep(STEP_FRAME, start, stamp());
  }
  if (parser.accepted == 0 || parser.accepted != parser.frames) {
    fprintf(stderr, "a frame was not taken\n");
    exit(2);
  }
}

/* One line into a ring and out again, by its publish word: the pair of operations. */
static void queue(const union rx_line *line) {
  static union rx_line ring[RING_SLOTS];
  volatile uint64_t sink = 0;
  for (uint32_t index = 0; index < 200000; index++) {
    uint64_t start = stamp();
    union rx_line *slot = &ring[index & (RING_SLOTS - 1)];
    *slot = *line;
    __atomic_store_n(&slot->record.publish, PUBLISH_VALID | index, __ATOMIC_RELEASE);
    if (__atomic_load_n(&slot->record.publish, __ATOMIC_ACQUIRE) == (PUBLISH_VALID | index))
      sink += slot->record.sequence;
    keep(STEP_QUEUE, start, stamp());
  }
}

static double percentile(const struct samples *s, double p) {
  uint64_t rank = (uint64_t)ceil(p * (double)s->count);
  return s->ns[rank != 0 ? rank - 1 : 0];
}

static void print(double mean_ns, uint64_t messages, uint64_t orders) {
  printf("{\"messages\": %lu, \"orders\": %lu, \"mean_ns\": %.2f, \"overhead_ns\": %.2f", messages, orders, mean_ns,
         overhead_ns);
  for (unsigned i = 0; i < STEPS; i++) {
    struct samples *s = &samples[i];
    if (s->count == 0) continue;
    qsort(s->ns, s->count, sizeof *s->ns, ascending);
    double sum = 0;
    for (uint64_t n = 0; n < s->count; n++) sum += s->ns[n];
    printf(
        ", \"%s\": {\"count\": %lu, \"mean\": %.1f, \"p50\": %.1f, \"p99\": %.1f, \"p99_9\": %.1f, \"p99_99\": %.1f}",
        names[i], s->count, sum / (double)s->count, percentile(s, 0.5), percentile(s, 0.99), percentile(s, 0.999),
        percentile(s, 0.9999));
  }
  printf("}\n");
}

/* All of it in one loop, as in the kernel: no message pays for calls. Returns the number of orders. */
static __attribute__((noinline, flatten)) uint64_t apply(struct host *host, const union rx_line *lines,
                                                         uint64_t count) {
  static struct tx_slot slots[INTENTS];
  uint64_t orders = 0;
  for (uint64_t i = 0; i < count; i++) orders += host_record(host, &lines[i], slots);
  return orders;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint64_t module_bytes, bytes, at = 0, count = 0, orders = 0;
  uint8_t *module = read_whole(argv[1], &module_bytes), *data = read_whole(argv[2], &bytes);
  uint16_t length;
  while (next_message(data, bytes, &at, &length) != NULL) count++;
  union rx_line *lines = aligned_alloc(4096, (count + MOLD_RECORD_LINES) * sizeof *lines);
  at = 0;
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t *message = next_message(data, bytes, &at, &length);
    (void)mold_record(message, length, i + 1, i, &lines[i]); /* a continuation line is overwritten: no book reads it */
  }
  calibrate();
  double best = INFINITY;
  for (int round = 0; round < atoi(argv[3]); round++) {
    static struct host host;
    open_host(&host, module, module_bytes);
    double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    orders = apply(&host, lines, count);
    double mean = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)count;
    if (mean < best) best = mean;
    host_close(&host);
    open_host(&host, module, module_bytes);
    for (uint64_t i = 0; i < count; i++) timed(&host, &lines[i]);
    host_close(&host);
    open_host(&host, module, module_bytes);
    frames_to_orders(&host, data, bytes);
    host_close(&host);
  }
  packets(data, bytes);
  queue(lines);
  print(best, count, orders);
  return 0;
}
