/* SPDX-License-Identifier: MIT */
/* See commands.h; what the trading core does not know itself concerns the session. */
#include "trading/commands.h"

#include "console/console.h"
#include "trading/notes.h"
#include "trading/orders.h"

void __attribute__((noinline, cold)) take_command(struct kernel *kernel) {
  char text[COMMAND_BYTES];
  mailbox_take_command(&kernel->port, text);
  bool known = engine_command(&kernel->engine, text);
  if (!known && connects(kernel) && __builtin_memcmp(text, "logout", sizeof "logout") == 0) {
    session_logout(&kernel->orders.session, mailbox_now_ns(&kernel->port));
    known = true;
  }
  console_print(known ? "command: %s\n" : "command: %s: not known\n", text);
  note(kernel, TRACE_KIND_COMMAND, kernel->engine.statistics.commands);
  send_cancels(kernel);
}
