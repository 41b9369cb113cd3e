/* SPDX-License-Identifier: MIT */
/* See session.h. Each answer and each change of the link is noted in the trace, so that the model can follow. */
#include "trading/session.h"

#include "console/console.h"
#include "trading/notes.h"

void take_news(struct kernel *kernel, uint64_t now_ns) {
  struct session *session = &kernel->orders.session;
  struct answer answer;
  enum session_event event;
  uint64_t noted = session->answers;
  for (;;) {
    event = session_next(session, now_ns, &answer);
    if (event == SESSION_ANSWER) {
      engine_answer(&kernel->engine, &answer);
      continue;
    }
    if (noted != session->answers) note(kernel, TRACE_KIND_ANSWERS, session->answers);
    noted = session->answers;
    if (event == SESSION_NOTHING) return;
    console_print("session: %s: %s\n", session->link == LINK_STATE_READY ? "up" : "down", session->reason);
    if (session->link == kernel->link) continue;
    kernel->link = session->link;
    engine_link(&kernel->engine, kernel->link);
    note(kernel, TRACE_KIND_LINK, kernel->link);
  }
}

bool is_for_session(struct kernel *kernel) {
  if (!connects(kernel)) return false;
  uint64_t now_ns = mailbox_now_ns(&kernel->port);
  if (!session_receive(&kernel->orders.session, now_ns, kernel->raw.bytes, kernel->raw.length)) return false;
  take_news(kernel, now_ns);
  return true;
}

uint32_t next_due(const struct kernel *kernel) {
  if (!connects(kernel)) return 0;
  uint64_t due_ns = session_due(&kernel->orders.session);
  if (due_ns == TCP_NEVER) return 0;
  uint64_t now_ns = mailbox_now_ns(&kernel->port);
  if (due_ns <= now_ns) return 1;
  return due_ns - now_ns < UINT32_MAX ? (uint32_t)(due_ns - now_ns) : UINT32_MAX;
}
