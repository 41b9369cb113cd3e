/* SPDX-License-Identifier: MIT */
/* See relay.h. A message is as many characters as fit, or a whole line; a bell tells the task, so there is no tick. */
#include "tasks/relay.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "arch/processor.h"
#include "arch/timer.h"
#include "console/console.h"
#include "tasks/bell.h"
#include "tasks/scheduler.h"
#include "tasks/spsc.h"

#define PRIORITY 6u
#define SETTLE_NS 1000000000u
#define TEXT_BYTES (SPSC_PAYLOAD - 1)
#define LINE_BYTES 255u /* longer ones are printed in parts */

struct text {
  uint8_t length;
  char characters[TEXT_BYTES];
};
_Static_assert(sizeof(struct text) == SPSC_PAYLOAD, "a message");

static struct spsc relay_ring;
static struct {
  _Alignas(SPSC_LINE) struct text *text; /* being written; the trading loop's processor alone looks at it */
  uint32_t to; /* APIC of who prints, whose own line changes with each interrupt */
  bool direct;
} sender;
static struct {
  _Alignas(SPSC_LINE) uint32_t started;
} receiver;
static struct {
  _Alignas(SPSC_LINE) uint32_t length;
  char text[LINE_BYTES + 1];
} line; /* has not come as a whole yet; of who prints */
static struct bell arrived;

static void print_line(void) {
  line.text[line.length] = '\0';
  line.length = 0;
  console_print("%s", line.text);
}

/* A line in one piece: between two messages of it another task may print. */
static void print_all(void) {
  const struct text *text;
  while ((text = (const struct text *)spsc_message(&relay_ring)) != NULL) {
    for (uint8_t i = 0; i < text->length && i < TEXT_BYTES; i++) {
      line.text[line.length++] = text->characters[i];
      if (text->characters[i] == '\n' || line.length == LINE_BYTES) print_line();
    }
    spsc_take(&relay_ring);
  }
}

static void run(void *argument) {
  (void)argument;
  for (;;) {
    bell_wait(&arrived);
    print_all();
  }
}

void relay_start(void) {
  bell_hang(&arrived);
  sender.to = processors[0].apic_id;
  if (!task_start("relay", PRIORITY, run, NULL)) panic("no room for the relay's task");
  store_release(&receiver.started, 1);
}

static void send(void) {
  sender.text = NULL;
  spsc_send(&relay_ring);
  bell_ring(&arrived, sender.to);
}

/* The first of these is before all others: until another processor runs, nothing but that is looked at. */
bool relay_takes(void) {
  return load_acquire(&receiver.started) != 0 && this_processor()->index != 0 && !sender.direct;
}

bool relay_put(char c) {
  if (!relay_takes()) return false;
  if (sender.text == NULL) {
    sender.text = (struct text *)spsc_room(&relay_ring);
    if (sender.text == NULL) return true;
    sender.text->length = 0;
  }
  sender.text->characters[sender.text->length++] = c;
  if (c == '\n' || sender.text->length == TEXT_BYTES) send();
  return true;
}

static bool taken(const struct spsc_slot *slot) {
  uint64_t end = timer_now_ns() + SETTLE_NS;
  while (__atomic_load_n(&slot->full, __ATOMIC_ACQUIRE) != 0) {
    if (timer_now_ns() >= end) return false;
    cpu_pause();
  }
  return true;
}

/* In the order in which they are taken, so a slow processor 0 is waited for as long as it goes on. */
static bool all_taken(void) {
  uint64_t tail = relay_ring.tail;
  for (uint64_t i = tail < SPSC_SLOTS ? 0 : tail - SPSC_SLOTS; i < tail; i++) {
    if (!taken(&relay_ring.slots[i & (SPSC_SLOTS - 1)])) return false;
  }
  return true;
}

void relay_settle(void) {
  if (!relay_takes()) return;
  if (sender.text != NULL) send();
  bool all = all_taken();
  sender.direct = true;
  if (!all) print_all();
  if (line.length != 0) print_line();
  if (relay_ring.refused != 0) console_print("relay: %lu characters found no room\n", relay_ring.refused);
}
