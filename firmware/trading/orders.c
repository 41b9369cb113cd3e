/* SPDX-License-Identifier: MIT */
/* See orders.h. */
#include "trading/orders.h"

#include "profile/taps.h"
#include "trading/commands.h"
#include "trading/notes.h"

/* The ring looks full: slots may only wait for the session to be told of them. */
static struct tx_slot *__attribute__((noinline, cold)) find_slot(struct kernel *kernel) {
  if (!connects(kernel)) return NULL;
  order_port_step(&kernel->orders, mailbox_now_ns(&kernel->port));
  return nic_slot(&kernel->nic);
}

/* Check and send one intent; the doorbell is the caller's. Flat, for who else calls these functions must not cost calls here. */
static __attribute__((flatten)) bool send_intent(struct kernel *kernel, uint64_t now_ns, struct intent *intent) {
  struct engine *engine = &kernel->engine;
  if (engine_check(engine, now_ns, intent) != REFUSAL_NONE) return false;
  struct tx_slot *slot = nic_slot(&kernel->nic);
  if (slot == NULL) slot = find_slot(kernel);
  if (slot == NULL) {
    engine_unsent(engine);
    return false;
  }
  engine_sent(engine, now_ns, intent);
  ouch_encode(&kernel->ouch, intent, slot);
  nic_publish(&kernel->nic, slot);
  return true;
}

void send_cancels(struct kernel *kernel) {
  struct intent intent;
  uint64_t sent = 0;
  while (nic_slot(&kernel->nic) != NULL && engine_next_cancel(&kernel->engine, &intent)) {
    sent += send_intent(kernel, 0, &intent);
  }
  if (sent == 0) return;
  note(kernel, TRACE_KIND_CANCELS, sent);
  nic_doorbell(&kernel->nic);
}

unsigned __attribute__((noinline)) send_orders(struct kernel *kernel, uint64_t now_ns, uint32_t *doorbell) {
  struct engine *engine = &kernel->engine;
  unsigned sent = 0;
  if (mailbox_command_given(&kernel->port)) take_command(kernel); /* a kill takes effect before the next order */
  TAP_BEGIN(clock);
  for (uint32_t i = 0; i < engine->wanted; i++) sent += send_intent(kernel, now_ns, &engine->intents[i]);
  TAP(clock, TAP_ORDER);
  if (sent == 0) return 0;
  *doorbell = work_tap(&kernel->port);
  nic_doorbell(&kernel->nic);
  return sent;
}
