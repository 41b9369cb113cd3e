/* SPDX-License-Identifier: MIT */
/* See bell.h. Who rings writes, then looks whether anybody listens; who stops listening writes that, then looks: one sees the other. */
#include "tasks/bell.h"

#include <stddef.h>

#include "arch/apic.h"
#include "arch/traps.h"

static struct bell *bells;
static struct {
  _Alignas(64) uint32_t now;
} listening;

static void on_interrupt(void *context) {
  (void)context;
  bells_listen();
}

void bell_hang(struct bell *bell) {
  bell->next = bells;
  bells = bell;
  interrupt_set(INTERRUPT_WAKE, on_interrupt, NULL);
}

void bell_ring(struct bell *bell, uint32_t to) {
  (void)__atomic_fetch_add(&bell->rung, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&listening.now, __ATOMIC_SEQ_CST) == 0) apic_send(to, INTERRUPT_WAKE);
}

void bell_wait(struct bell *bell) { event_wait(&bell->event); }

void bells_listen(void) {
  for (struct bell *bell = bells; bell != NULL; bell = bell->next) {
    uint32_t rung = __atomic_load_n(&bell->rung, __ATOMIC_SEQ_CST);
    if (rung == bell->heard) continue;
    bell->heard = rung;
    event_signal(&bell->event);
  }
}

void bells_begin(void) { __atomic_store_n(&listening.now, 1, __ATOMIC_SEQ_CST); }

void bells_end(void) {
  __atomic_store_n(&listening.now, 0, __ATOMIC_SEQ_CST);
  bells_listen();
}
