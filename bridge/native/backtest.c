/* SPDX-License-Identifier: MIT */
/*
 * backtest MODULE ORDERS EXPORT CLOCK_PS < ITCH: the trading core over a Nasdaq ITCH 5.0 file, without RTL and kernel.
 *
 * Messages become records as the NIC writes them: consecutive messages with equal timestamps share a packet up to 1,472
 * bytes, packets go over a 10 or 25 Gbit/s line one after the other, and a record carries its packet's time. One line on
 * standard output says what was done; ORDERS is a sequence of struct backtest_order.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/export.h"
#include "core/moldudp64.h"
#include "host.h"
#include "include/itch.h"

#define READ_BYTES (1u << 20)
#define LENGTH_BYTES 2u
#define MAX_PAYLOAD 1472u       /* of a UDP datagram with more than one message */
#define HEADER_BYTES (14u + 20u + 8u)
#define LINE_OVERHEAD 24u       /* preamble, FCS and gap (IEEE 802.3) */
#define MESSAGE_LIMIT (MAX_FRAME_BYTES - HEADER_BYTES - sizeof(struct mold_header) - sizeof(struct mold_block))
#define TIMESTAMP_OFFSET 5u     /* of every ITCH message, 48 bits */

struct backtest_order {
  uint64_t sequence; /* of the message that caused it */
  uint64_t time_ns;  /* of its packet */
  uint8_t message[56];
  uint32_t length;
  uint32_t zero;
};

/* The packet that a message travels in, and the line it goes over. */
struct feed {
  uint64_t clock_ps;
  bool started;
  uint64_t first_ns; /* timestamp of the first message */
  uint64_t now_ns;   /* of the message in hand, from the first one; never goes back */
  uint64_t packet_ns;
  uint64_t start_ps; /* of the packet in hand, on the line */
  uint64_t free_ps;  /* when the line is free again */
  uint32_t payload;  /* bytes of the packet so far, 0: none yet */
};

struct result {
  uint64_t messages;
  uint64_t bytes;
  uint64_t orders;
  uint64_t too_long; /* messages that no frame can carry */
  uint64_t backward; /* timestamps before their predecessor's */
  uint64_t left;     /* bytes of a message cut short at the end */
  double seconds;    /* in the core, without reading the file */
};

static void fail(const char *what, const char *why) {
  fprintf(stderr, "backtest: %s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Nothing says that an odd message holds a timestamp: it has its predecessor's. */
static void take_time(struct feed *feed, struct result *result, const uint8_t *message, uint32_t length) {
  uint16_t known = length != 0 ? itch_length(message[0]) : 0;
  if (known == 0 || length < known) return;
  uint64_t timestamp = load_be48(message + TIMESTAMP_OFFSET);
  if (!feed->started) feed->first_ns = timestamp;
  feed->started = true;
  if (timestamp >= feed->first_ns && timestamp - feed->first_ns >= feed->now_ns) {
    feed->now_ns = timestamp - feed->first_ns;
  } else {
    result->backward++;
  }
}

/* Returns the NIC's time of the packet that the message travels in. */
static uint64_t pack(struct feed *feed, uint32_t length) {
  uint32_t needed = (uint32_t)sizeof(struct mold_block) + length;
  if (feed->payload == 0 || feed->now_ns != feed->packet_ns || feed->payload + needed > MAX_PAYLOAD) {
    if (feed->payload != 0) {
      uint64_t bytes = HEADER_BYTES + feed->payload + LINE_OVERHEAD;
      feed->free_ps = feed->start_ps + bytes * feed->clock_ps / 8;
    }
    feed->packet_ns = feed->now_ns;
    feed->start_ps = feed->now_ns * 1000 > feed->free_ps ? feed->now_ns * 1000 : feed->free_ps;
    feed->payload = sizeof(struct mold_header);
  }
  feed->payload += needed;
  return (feed->start_ps + feed->clock_ps - 1) / feed->clock_ps * feed->clock_ps / 1000;
}

/* Whole messages of `data`; returns how many bytes they are. */
static size_t take(struct host *host, struct feed *feed, struct result *result, const uint8_t *data, size_t bytes,
                   FILE *orders) {
  static union rx_line lines[MOLD_RECORD_LINES];
  size_t at = 0;
  while (bytes - at >= LENGTH_BYTES) {
    uint16_t length = load_be16(data + at);
    if (bytes - at - LENGTH_BYTES < length) break;
    const uint8_t *message = data + at + LENGTH_BYTES;
    at += LENGTH_BYTES + length;
    uint64_t sequence = ++result->messages;
    take_time(feed, result, message, length);
    uint64_t time_ns = pack(feed, length);
    if (length > MESSAGE_LIMIT) {
      result->too_long++;
      continue;
    }
    (void)mold_record(message, length, sequence, time_ns, lines);
    static struct tx_slot slots[INTENTS];
    unsigned sent = host_record(host, lines, slots);
    for (unsigned i = 0; i < sent; i++) {
      struct backtest_order order = {.sequence = sequence, .time_ns = time_ns, .length = slots[i].length};
      memcpy(order.message, slots[i].message, sizeof order.message);
      if (fwrite(&order, sizeof order, 1, orders) != 1) fail("orders", strerror(errno));
    }
    result->orders += sent;
  }
  result->bytes += at;
  return at;
}

static void run(struct host *host, struct feed *feed, struct result *result, FILE *orders) {
  static uint8_t buffer[READ_BYTES + LENGTH_BYTES + UINT16_MAX];
  size_t held = 0;
  for (;;) {
    ssize_t got = read(STDIN_FILENO, buffer + held, sizeof buffer - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("input", strerror(errno));
    if (got == 0) break;
    held += (size_t)got;
    double start = now();
    size_t used = take(host, feed, result, buffer, held, orders);
    result->seconds += now() - start;
    memmove(buffer, buffer + used, held - used);
    held -= used;
  }
  result->left = held;
}

static void *load(const char *path, uint64_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path, strerror(errno));
  fseek(file, 0, SEEK_END);
  *bytes = (uint64_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes + 1);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes) fail(path, "cannot be read");
  fclose(file);
  return data;
}

static void write_export(const struct host *host, const char *path) {
  uint64_t capacity = export_limit(host->config);
  void *data = malloc(capacity);
  uint64_t bytes = data != NULL ? export_write(&host->engine, 0, 0, data, capacity) : 0;
  FILE *file = fopen(path, "wb");
  if (bytes == 0 || file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) {
    fail(path, strerror(errno));
  }
  free(data);
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "backtest MODULE ORDERS EXPORT CLOCK_PS < ITCH");
  static struct host host;
  uint64_t bytes;
  void *module = load(argv[1], &bytes);
  const char *wrong = host_open(&host, module, bytes);
  if (wrong != NULL) fail("configuration", wrong);
  FILE *orders = fopen(argv[2], "wb");
  if (orders == NULL) fail(argv[2], strerror(errno));

  struct feed feed = {.clock_ps = strtoull(argv[4], NULL, 10)};
  struct result result = {0};
  run(&host, &feed, &result, orders);
  if (fclose(orders) != 0) fail(argv[2], strerror(errno));
  write_export(&host, argv[3]);
  printf(
      "{\"messages\": %lu, \"bytes\": %lu, \"orders\": %lu, \"too_long\": %lu, \"backward\": %lu, \"left\": %lu, "
      "\"seconds\": %.6f}\n",
      result.messages, result.bytes, result.orders, result.too_long, result.backward, result.left, result.seconds);
  host_close(&host);
  free(module);
  return 0;
}
