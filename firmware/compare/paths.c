/* SPDX-License-Identifier: MIT */
/* See paths.h. */
#include "compare/paths.h"

#include <stddef.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/processor.h"
#include "arch/timer.h"
#include "arch/traps.h"
#include "console/console.h"
#include "tasks/bell.h"
#include "tasks/scheduler.h"
#include "tasks/spsc.h"

#define GAP_NS 1000u      /* the shortest between two messages */
#define GAP_MASK 2047u    /* and so many time-stamp counts more, at random */
#define REST_FACTOR 20u   /* a consumer that sleeps is given longer to fall asleep */
#define NAIVE_SLOTS 1024u /* as linux_hft has them */
#define TURN 250u         /* messages of a path, then the next path */
#define MESSAGE_VECTOR 0x50u
#define PRODUCER_PRIORITY 1u
#define PARTNER_PRIORITY 3u /* the consumer's own: they take turns */

/* The blocking path's message, a line for each writer. */
static struct {
  _Alignas(SPSC_LINE) uint64_t stamp;
  uint64_t given; /* by the bell */
  _Alignas(SPSC_LINE) uint64_t taken;
  uint64_t ready; /* there is a consumer */
  _Alignas(SPSC_LINE) uint64_t handled; /* when the handler ran */
} message;

/* What a first attempt looks like: both indices and the slots side by side, each side reading the other's index every time. */
static struct {
  uint32_t head;
  uint32_t tail;
  struct {
    uint64_t stamp;
    uint64_t number;
  } slots[NAIVE_SLOTS];
} naive;

static struct spsc ring;
static struct event arrived;
static struct bell bell;
static uint64_t gap_tsc;
static uint64_t random_state = 1;

static void on_message(void *context) {
  (void)context;
  message.handled = rdtsc();
  event_signal(&arrived);
}

void paths_init(void) {
  gap_tsc = GAP_NS * 1000 / (timer_tsc_ns(1000000) / 1000 + 1) + 1;
  interrupt_set(MESSAGE_VECTOR, on_message, NULL);
  bell_hang(&bell);
}

static void wait_tsc(uint64_t counts) {
  uint64_t end = rdtsc() + counts;
  while (rdtsc() < end) cpu_pause();
}

/* A different pause each time, so that no two loops fall into step. */
static void rest(uint64_t factor) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  wait_tsc(gap_tsc * factor + (random_state >> 40 & GAP_MASK));
}

static void send_blocking(uint32_t to) {
  message.stamp = rdtsc();
  apic_send(to, MESSAGE_VECTOR);
}

static void take_blocking(const struct path_samples *samples, uint32_t i) {
  event_wait(&arrived);
  uint64_t now = rdtsc();
  samples->blocking[i] = now - message.stamp;
  samples->interrupt[i] = message.handled - message.stamp;
  __atomic_store_n(&message.taken, i + 1, __ATOMIC_RELEASE);
}

static void send_woken(uint32_t i, uint32_t to) {
  message.stamp = rdtsc();
  __atomic_store_n(&message.given, i + 1, __ATOMIC_RELEASE);
  bell_ring(&bell, to);
}

static void take_woken(const struct path_samples *samples, uint32_t i) {
  do bell_wait(&bell);
  while (__atomic_load_n(&message.given, __ATOMIC_ACQUIRE) != i + 1);
  samples->woken[i] = rdtsc() - message.stamp;
  __atomic_store_n(&message.taken, i + 1, __ATOMIC_RELEASE);
}

static void send_naive(uint32_t i) {
  while (__atomic_load_n(&naive.head, __ATOMIC_ACQUIRE) + NAIVE_SLOTS == naive.tail) cpu_pause();
  naive.slots[i % NAIVE_SLOTS].number = i;
  naive.slots[i % NAIVE_SLOTS].stamp = rdtsc();
  __atomic_store_n(&naive.tail, naive.tail + 1, __ATOMIC_RELEASE);
}

static void take_naive(const struct path_samples *samples, uint32_t i) {
  while (__atomic_load_n(&naive.tail, __ATOMIC_ACQUIRE) == naive.head) {
  }
  uint64_t stamp = naive.slots[i % NAIVE_SLOTS].stamp;
  samples->naive[i] = rdtsc() - stamp;
  if (naive.slots[i % NAIVE_SLOTS].number != i) panic("compare: message %u is another one", i);
  __atomic_store_n(&naive.head, naive.head + 1, __ATOMIC_RELEASE);
}

static void send_ring(uint32_t i) {
  uint64_t *words;
  while ((words = (uint64_t *)spsc_room(&ring)) == NULL) cpu_pause();
  words[1] = i;
  words[0] = rdtsc();
  spsc_send(&ring);
}

static void take_ring(const struct path_samples *samples, uint32_t i) {
  const uint64_t *words;
  while ((words = (const uint64_t *)spsc_message(&ring)) == NULL) {
  }
  uint64_t stamp = words[0];
  samples->ring[i] = rdtsc() - stamp;
  if (words[1] != i) panic("compare: message %u is another one", i);
  spsc_take(&ring);
}

static void take_changes(void *argument) {
  const struct path_samples *samples = argument;
  for (uint32_t i = 0; i < samples->count; i++) {
    samples->change[i] = rdtsc() - message.stamp;
    task_yield();
  }
}

static void change_tasks(const struct path_samples *samples) {
  if (!task_start("partner", PARTNER_PRIORITY, take_changes, (void *)(uint64_t)samples)) {
    panic("compare: no room for the partner");
  }
  for (uint32_t i = 0; i < samples->count; i++) {
    message.stamp = rdtsc();
    task_yield();
  }
}

/* The paths take turns: where the host puts the two processors changes now and then, and is to meet all of them. */
static uint32_t end_of_turn(uint32_t start, uint32_t count) { return count - start < TURN ? count : start + TURN; }

void paths_consume(const struct path_samples *samples) {
  __atomic_store_n(&message.ready, 1, __ATOMIC_RELEASE);
  for (uint32_t start = 0, end; start < samples->count; start = end) {
    end = end_of_turn(start, samples->count);
    for (uint32_t i = start; i < end; i++) take_blocking(samples, i);
    for (uint32_t i = start; i < end; i++) take_woken(samples, i);
    for (uint32_t i = start; i < end; i++) take_naive(samples, i);
    for (uint32_t i = start; i < end; i++) take_ring(samples, i);
  }
  change_tasks(samples);
}

static void wait_for_task(uint32_t taken) {
  while (__atomic_load_n(&message.taken, __ATOMIC_ACQUIRE) != taken) cpu_pause();
}

static void wait_for_naive(void) {
  while (__atomic_load_n(&naive.head, __ATOMIC_ACQUIRE) != naive.tail) cpu_pause();
}

static void wait_for_ring(void) {
  const struct spsc_slot *last = &ring.slots[(ring.tail - 1) & (SPSC_SLOTS - 1)];
  while (__atomic_load_n(&last->full, __ATOMIC_ACQUIRE) != 0) cpu_pause();
}

/* The producer waits for the last message to be taken by what each path has for that. */
void paths_produce(uint32_t count) {
  while (__atomic_load_n(&message.ready, __ATOMIC_ACQUIRE) == 0) cpu_pause();
  for (uint32_t start = 0, end; start < count; start = end) {
    end = end_of_turn(start, count);
    for (uint32_t i = start; i < end; i++) {
      rest(REST_FACTOR);
      send_blocking(processors[0].apic_id);
      wait_for_task(i + 1);
    }
    for (uint32_t i = start; i < end; i++) {
      rest(REST_FACTOR);
      send_woken(i, processors[0].apic_id);
      wait_for_task(i + 1);
    }
    for (uint32_t i = start; i < end; i++) {
      rest(1);
      send_naive(i);
      wait_for_naive();
    }
    for (uint32_t i = start; i < end; i++) {
      rest(1);
      send_ring(i);
      wait_for_ring();
    }
  }
}

static void produce_for_tasks(void *argument) {
  uint32_t count = *(const uint32_t *)argument, to = processors[0].apic_id;
  for (uint32_t i = 0; i < count; i++) {
    rest(1);
    send_blocking(to);
    wait_for_task(i + 1);
  }
  for (uint32_t i = 0; i < count; i++) {
    rest(1);
    send_woken(i, to);
    wait_for_task(i + 1);
  }
}

void paths_alone(const struct path_samples *samples) {
  if (!task_start("producer", PRODUCER_PRIORITY, produce_for_tasks, (void *)(uint64_t)&samples->count)) {
    panic("compare: no room for the producer");
  }
  for (uint32_t i = 0; i < samples->count; i++) take_blocking(samples, i);
  for (uint32_t i = 0; i < samples->count; i++) take_woken(samples, i);
  for (uint32_t i = 0; i < samples->count; i++) {
    rest(1);
    send_naive(i);
    take_naive(samples, i);
  }
  for (uint32_t i = 0; i < samples->count; i++) {
    rest(1);
    send_ring(i);
    take_ring(samples, i);
  }
  change_tasks(samples);
}
