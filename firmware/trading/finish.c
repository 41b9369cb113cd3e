/* SPDX-License-Identifier: MIT */
/* See finish.h. */
#include "trading/finish.h"

#include "console/console.h"
#include "core/export.h"
#include "trading/recovery.h"

static void print_statistics(const struct kernel *kernel, uint64_t work) {
  const struct engine *engine = &kernel->engine;
  const struct statistics *s = &engine->statistics;
  const struct books *books = &engine->books;
  const struct {
    const char *name;
    uint64_t value;
  } facts[] = {
      {"records", engine_records(engine)},
      {"book messages", s->book_messages},
      {"other messages", s->other_messages},
      {"unsubscribed", s->unsubscribed},
      {"unknown references", s->unknown_references},
      {"duplicate references", s->duplicate_references},
      {"over-executions", s->over_executions},
      {"invalid messages", s->invalid_messages},
      {"bad records", s->bad_records},
      {"sequence gaps", s->sequence_gaps},
      {"bad frames", s->bad_frames},
      {"lost messages", s->lost_messages},
      {"raw frames", kernel->raw_frames},
      {"pool full", s->pool_full},
      {"orders sent", s->orders_sent},
      {"orders refused, price", s->refused[REFUSAL_PRICE]},
      {"orders refused, ring full", s->refused[REFUSAL_RING]},
      {"books", books->count},
      {"live orders", orders_live(&books->orders)},
      {"live levels", levels_live(&books->levels)},
      {"instructions", work},
  };
  for (unsigned i = 0; i < sizeof facts / sizeof facts[0]; i++) {
    console_print("statistics: %s %lu\n", facts[i].name, facts[i].value);
  }
}

void trading_finish(struct kernel *kernel) {
  finish_recovery(kernel);
  uint64_t work = work_now(&kernel->port);
  uint64_t bytes = export_write(&kernel->engine, work, kernel->raw_frames, kernel->export, kernel->export_bytes);
  if (bytes == 0) panic("the export does not fit its pool");
  mailbox_export(&kernel->port, kernel->export, bytes);
  tell_trading(&kernel->told, &kernel->engine);
  desk_finish(&kernel->desk);
  print_statistics(kernel, work);
  print_trading(&kernel->engine);
  mailbox_request(&kernel->port, MAILBOX_OP_EXIT, 0, 0);
}
