/* SPDX-License-Identifier: MIT */
/* See orders.h. */
#include "trading/orders.h"

#include "profile/taps.h"
#include "trading/commands.h"
#include "trading/notes.h"

/* The ring looks full: slots may have been taken, or only wait for the session to be told of them. */
static bool __attribute__((noinline, cold)) find_slot(struct kernel *kernel) {
  if (nic_slot(&kernel->nic) != NULL) return true;
  if (!connects(kernel)) return false;
  order_port_step(&kernel->orders, mailbox_now_ns(&kernel->port));
  return nic_slot(&kernel->nic) != NULL;
}

/* Check and send one intent; the doorbell is the caller's. Flat, for who else calls these functions must not cost calls here. */
static __attribute__((flatten)) bool send_intent(struct kernel *kernel, const struct book *book, uint64_t now_ns,
                                                 struct intent *intent) {
  struct engine *engine = &kernel->engine;
  if (engine_check(engine, book, now_ns, intent) != REFUSAL_NONE) return false;
  struct nic *nic = &kernel->nic;
  if (__builtin_expect(nic_full(nic), false) && !find_slot(kernel)) {
    engine_unsent(engine);
    return false;
  }
  struct tx_slot *slot = nic_next_slot(nic);
  if (intent->kind == INTENT_KIND_ENTER) {
    engine_entered(engine, now_ns, intent);
    ouch_enter(&kernel->ouch, intent, slot);
  } else {
    engine_changed(engine, now_ns, intent);
    ouch_change(&kernel->ouch, intent, slot);
  }
  nic_publish(nic, slot);
  return true;
}

void send_cancels(struct kernel *kernel) {
  struct intent intent;
  uint64_t sent = 0;
  uint32_t at = 0;
  while (nic_slot(&kernel->nic) != NULL && engine_next_cancel(&kernel->engine, &at, &intent)) {
    sent += send_intent(kernel, &kernel->engine.books.pool[intent.book], 0, &intent);
  }
  if (sent == 0) return;
  note(kernel, TRACE_KIND_CANCELS, sent);
  nic_doorbell(&kernel->nic);
}

/* The intents behind the first one. */
static unsigned __attribute__((noinline, cold)) send_rest(struct kernel *kernel, const struct book *book,
                                                          uint64_t now_ns) {
  struct engine *engine = &kernel->engine;
  unsigned sent = 0;
  for (uint32_t i = 1; i < engine->wanted; i++) sent += send_intent(kernel, book, now_ns, &engine->intents[i]);
  return sent;
}

unsigned send_orders(struct kernel *kernel, const struct book *book, uint64_t now_ns, uint32_t *doorbell) {
  struct engine *engine = &kernel->engine;
  if (mailbox_command_given(&kernel->port)) take_commands(kernel); /* a kill takes effect before the next order */
  TAP_BEGIN(clock);
  unsigned sent = send_intent(kernel, book, now_ns, &engine->intents[0]);
  if (engine->wanted != 1) sent += send_rest(kernel, book, now_ns);
  TAP(clock, TAP_ORDER);
  if (__builtin_expect(sent == 0, false)) return 0;
  *doorbell = work_tap(&kernel->port);
  nic_doorbell(&kernel->nic);
  return sent;
}
