/* SPDX-License-Identifier: MIT */
/* See commands.h; what the trading core does not know itself concerns the session. */
#include "trading/commands.h"

#include "console/console.h"
#include "trading/notes.h"
#include "trading/orders.h"
#include "trading/session.h"

/* A trading command typed at the console: its text, as the model of the kernel is told of it. */
static void note_text(struct kernel *kernel, const char text[COMMAND_BYTES]) {
  uint64_t piece;
  for (uint32_t i = 0; i < COMMAND_BYTES; i += sizeof piece) {
    __builtin_memcpy(&piece, text + i, sizeof piece);
    note(kernel, TRACE_KIND_CONSOLE, piece);
    if (text[i + sizeof piece - 1] == '\0') return;
  }
}

/* NULL: done, or why not. */
static const char *follow(struct kernel *kernel, const char *text) {
  if (engine_command(&kernel->engine, text)) return NULL;
  const char *wrong = engine_command_wrong(&kernel->engine, text);
  if (wrong != NULL) return wrong;
  if (connects(kernel) && __builtin_memcmp(text, "logout", sizeof "logout") == 0) {
    uint64_t now_ns = mailbox_now_ns(&kernel->port);
    session_logout(&kernel->orders.session, now_ns);
    take_news(kernel, now_ns); /* the link is down for the orders of the batch in hand too */
    return NULL;
  }
  return desk_post(&kernel->desk, text) ? NULL : "not known";
}

void __attribute__((noinline, cold)) take_commands(struct kernel *kernel) {
  char text[COMMAND_BYTES] = {0};
  enum command_source source;
  while ((source = mailbox_take_command(&kernel->port, text)) != COMMAND_NONE) {
    const char *wrong = follow(kernel, text);
    if (wrong == NULL) console_print("command: %s\n", text);
    else console_print("command: %s: %s\n", text, wrong);
    if (source == COMMAND_HOST) note(kernel, TRACE_KIND_COMMAND, kernel->port.commands_taken);
    else note_text(kernel, text);
    if (kernel->engine.cancel_due) send_cancels(kernel);
  }
}
