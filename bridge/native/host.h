/* SPDX-License-Identifier: MIT */
/* The kernel's trading core as part of a host program: its pools from malloc, its records and orders in memory. */
#ifndef TICKLOOP_NATIVE_HOST_H
#define TICKLOOP_NATIVE_HOST_H

#include <stdint.h>

#include "core/engine.h"
#include "session/ouch.h"

struct host {
  struct config_header *config; /* its own copy of the module */
  struct engine_memory memory;
  struct engine engine;
  struct ouch ouch;
};

/* NULL, or what is wrong with the configuration module. */
const char *host_open(struct host *host, const void *module, uint64_t bytes);

void host_close(struct host *host);

/*
 * One record, as the kernel takes it from its ring: books, strategy, checks. The orders it leads to are encoded into `slots`;
 * returns how many there are.
 */
static inline unsigned host_record(struct host *host, const union rx_line *line, struct tx_slot slots[INTENTS]) {
  struct engine *engine = &host->engine;
  struct change change = {0};
  if (engine_record(engine, line, &change) != EFFECT_BOOK) return 0;
  if (engine_decide(engine, &change) != DECISION_ORDER) return 0;
  uint64_t now_ns = rx_record_hw_timestamp_ns(&line->record);
  unsigned sent = 0;
  for (uint32_t i = 0; i < engine->wanted; i++) {
    struct intent *intent = &engine->intents[i];
    if (engine_check(engine, change_book(&engine->books, &change), now_ns, intent) != REFUSAL_NONE) continue;
    engine_sent(engine, now_ns, intent);
    ouch_encode(&host->ouch, intent, &slots[sent++]);
  }
  return sent;
}

#endif
