/* SPDX-License-Identifier: MIT */
/*
 * The pure parts of tasks and processors as a host program under the sanitizers: ring, timers, ready lists, ACPI tables.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/acpi.h"
#include "tasks/ready.h"
#include "tasks/spsc.h"
#include "tasks/timers.h"

#define THINGS 16u

enum command {
  COMMAND_TIMER_SET = 1,    /* u64 number, due: u64 whether it is the first */
  COMMAND_TIMER_CLEAR = 2,  /* u64 number */
  COMMAND_TIMER_TAKE = 3,   /* u64 now: u64 number, THINGS: none; u64 when the next is due */
  COMMAND_READY_APPEND = 4, /* u64 number, priority */
  COMMAND_READY_PUSH = 5,   /* u64 number, priority */
  COMMAND_READY_TAKE = 6,   /* u64 priority: u64 whether there is one above, number or THINGS */
  COMMAND_RING_SEND = 7,    /* u64 value: u64 whether there was room, refused so far */
  COMMAND_RING_TAKE = 8,    /* u64 whether there was one, value */
  COMMAND_ACPI = 9,         /* u64 first address, memory: u64 result, struct acpi */
};

int main(void) {
  static struct timers timers;
  static struct timer timer[THINGS];
  static struct ready ready;
  static struct ready_link links[THINGS];
  static struct spsc ring;
  uint32_t header[2];
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] + 1);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    uint64_t in[2] = {0}, out[2] = {0};
    memcpy(in, payload, header[1] < sizeof in ? header[1] : sizeof in);
    struct acpi acpi;
    uint32_t bytes = sizeof out, more = 0;
    switch ((enum command)header[0]) {
      case COMMAND_TIMER_SET: out[0] = timers_set(&timers, &timer[in[0]], in[1]); break;
      case COMMAND_TIMER_CLEAR: timers_clear(&timers, &timer[in[0]]); break;
      case COMMAND_TIMER_TAKE: {
        const struct timer *taken = timers_take(&timers, in[0]);
        out[0] = taken == NULL ? THINGS : (uint64_t)(taken - timer);
        out[1] = timers_due_ns(&timers);
        break;
      }
      case COMMAND_READY_APPEND:
      case COMMAND_READY_PUSH:
        links[in[0]].priority = (uint8_t)in[1];
        (header[0] == COMMAND_READY_APPEND ? ready_append : ready_push)(&ready, &links[in[0]]);
        break;
      case COMMAND_READY_TAKE: {
        out[0] = ready_above(&ready, (uint8_t)in[0]);
        const struct ready_link *link = ready_take(&ready);
        out[1] = link == NULL ? THINGS : (uint64_t)(link - links);
        break;
      }
      case COMMAND_RING_SEND: {
        uint8_t *room = spsc_room(&ring);
        out[0] = room != NULL;
        if (room != NULL) {
          for (unsigned k = 0; k < SPSC_PAYLOAD / 8; k++) memcpy(room + 8 * k, &in[0], 8);
          spsc_send(&ring);
        }
        out[1] = ring.refused;
        break;
      }
      case COMMAND_RING_TAKE: {
        const uint8_t *message = spsc_message(&ring);
        out[0] = message != NULL;
        if (message != NULL) {
          memcpy(&out[1], message + SPSC_PAYLOAD - 8, 8);
          spsc_take(&ring);
        }
        break;
      }
      case COMMAND_ACPI: /* a copy of just the right size: a byte beyond it is the sanitizer's */
        out[0] = acpi_parse(&acpi, payload + 8, in[0], header[1] - 8);
        more = sizeof acpi;
        bytes = 8;
        break;
    }
    bytes += more;
    fwrite(&bytes, sizeof bytes, 1, stdout);
    fwrite(out, 1, bytes - more, stdout);
    if (more != 0) fwrite(&acpi, 1, more, stdout);
    fflush(stdout);
    free(payload);
  }
  return 0;
}
