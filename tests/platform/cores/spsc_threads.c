/* SPDX-License-Identifier: MIT */
/* The kernel's ring between two host threads: messages that are a function of their number, from one to the other. */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "tasks/spsc.h"

static struct spsc ring;
static uint64_t messages;
static uint64_t seed;

/* Now and then a thread rests, so that the ring is full, empty and everything in between. */
static uint64_t rest(uint64_t state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  if (state >> 56 == 0) sched_yield();
  return state;
}

static void *produce(void *unused) {
  uint64_t state = seed;
  for (uint64_t i = 0; i < messages; i++) {
    uint64_t *words;
    while ((words = (uint64_t *)spsc_room(&ring)) == NULL) sched_yield();
    for (unsigned k = 0; k < SPSC_PAYLOAD / 8; k++) words[k] = i * 0x9E3779B97F4A7C15u + k;
    spsc_send(&ring);
    state = rest(state);
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  messages = strtoull(argv[1], NULL, 10);
  seed = strtoull(argv[2], NULL, 10);
  pthread_t producer;
  if (pthread_create(&producer, NULL, produce, NULL) != 0) return 2;
  uint64_t wrong = 0, state = ~seed;
  for (uint64_t i = 0; i < messages; i++) {
    const uint64_t *words;
    while ((words = (const uint64_t *)spsc_message(&ring)) == NULL) sched_yield();
    for (unsigned k = 0; k < SPSC_PAYLOAD / 8; k++) wrong += words[k] != i * 0x9E3779B97F4A7C15u + k;
    spsc_take(&ring);
    state = rest(state);
  }
  pthread_join(producer, NULL);
  printf("%" PRIu64 " taken, %" PRIu64 " words wrong, %s\n", ring.head, wrong,
         ring.tail == ring.head && spsc_message(&ring) == NULL ? "empty" : "not empty");
  return wrong != 0;
}
