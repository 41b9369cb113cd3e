/* SPDX-License-Identifier: MIT */
/* See recovery.h: each step is looked at before and after, for the console, the books and the trace. */
#include "trading/recovery.h"

#include "arch/pools.h"
#include "console/console.h"
#include "trading/notes.h"

#define ASK_AGAIN_NS 1000u /* a request that found no room to be sent */

static void apply_recovered(void *context, const union rx_line *line) {
  struct kernel *kernel = context;
  struct change change = {0};
  (void)engine_record(&kernel->engine, line, &change); /* every book is stale: no strategy would run */
  kernel->untold = true;
}

void take_recovery(struct kernel *kernel, struct range *memory, const struct config_header *config) {
  if (config->recovery_address == 0) return;
  union rx_line *held = pools_take(memory, "held records", config->recovery_held, sizeof *held, LINE_BYTES);
  const struct recovery_limits limits = {.timeout_ns = config->recovery_timeout_ns,
                                         .retries = config->recovery_retries,
                                         .held = config->recovery_held,
                                         .request = (uint16_t)config->recovery_request};
  struct mold_path path = {.our_address = config->source_address,
                           .server_address = config->recovery_address,
                           .our_port = config->recovery_local_port,
                           .server_port = config->recovery_port};
  __builtin_memcpy(path.our_mac, config->source_mac, sizeof path.our_mac);
  __builtin_memcpy(path.server_mac, config->destination_mac, sizeof path.server_mac);
  const struct recovery_sink sink = {.context = kernel, .apply = apply_recovered};
  recovery_init(&kernel->recovery, &limits, &path, held, sink);
}

/* Of the recovery before a step, to see what the step did. */
struct recovery_before {
  uint64_t losses;
  uint64_t ignored;
  uint32_t tries;
  uint8_t state;
};

static struct recovery_before look(const struct recovery *recovery) {
  return (struct recovery_before){recovery->losses, recovery->ignored, recovery->tries, recovery->state};
}

/* What a step of the recovery means for the books, and to whom reads the console. */
static void follow_recovery(struct kernel *kernel, const struct recovery_before *before) {
  static const char *const reasons[] = {
      [RECOVERY_LOSS_NONE] = "",
      [RECOVERY_LOSS_OVERFLOW] = "no room to hold more records",
      [RECOVERY_LOSS_SPENT] = "no useful answer",
      [RECOVERY_LOSS_SESSION] = "another session",
      [RECOVERY_LOSS_RUN_END] = "the run ends",
  };
  const struct recovery *recovery = &kernel->recovery;
  struct engine *engine = &kernel->engine;
  bool told = recovery->gaps <= GAPS_KEPT;
  if (recovery->losses != before->losses) {
    console_print("recovery: loss declared at sequence %lu: %s\n", recovery->next, reasons[recovery->loss]);
  } else if (recovery->state != before->state) {
    if (recovery->state == RECOVERY_STATE_RECOVERING) {
      market_stale(&engine->market, &engine->books);
      if (told) console_print("recovery: messages from sequence %lu on are missing\n", recovery->next);
    } else if (before->state == RECOVERY_STATE_RECOVERING) {
      market_fresh(&engine->market, &engine->books);
      if (told) console_print("recovery: complete, %lu messages recovered so far\n", recovery->recovered);
    }
  }
}

static void note_recovery(struct kernel *kernel, enum recovery_step step) {
  note(kernel, TRACE_KIND_RECOVERY, kernel->raw_frames << 16 | (uint64_t)step << 8 | kernel->recovery.state);
}

uint32_t ask_again(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  if (recovery->state != RECOVERY_STATE_RECOVERING) return 0;
  struct recovery_before before = look(recovery);
  uint8_t *frame = nic_frame(&kernel->nic);
  if (frame != NULL) {
    bool asked = recovery_request(recovery, frame, mailbox_now_ns(&kernel->port));
    if (asked || recovery->tries != before.tries || recovery->losses != before.losses) {
      follow_recovery(kernel, &before);
      note_recovery(kernel, RECOVERY_STEP_REQUEST);
    }
    if (asked) nic_send_frame(&kernel->nic, frame, MOLD_REQUEST_FRAME_BYTES);
  }
  uint64_t due = recovery_due_ns(recovery), now = mailbox_now_ns(&kernel->port);
  if (due == UINT64_MAX) return 0;
  if (due <= now) return ASK_AGAIN_NS;
  return due - now < UINT32_MAX ? (uint32_t)(due - now) : UINT32_MAX;
}

bool take_answer(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  struct recovery_before before = look(recovery);
  const struct raw *raw = &kernel->raw;
  bool brought =
      recovery_answer(recovery, raw->bytes, raw->length, raw->hw_timestamp_ns, mailbox_now_ns(&kernel->port));
  if (!brought && recovery->ignored == before.ignored) return false;
  follow_recovery(kernel, &before);
  note_recovery(kernel, RECOVERY_STEP_ANSWER);
  return true;
}

bool __attribute__((noinline)) hold_record(struct kernel *kernel, const union rx_line *line) {
  struct mailbox_port *port = &kernel->port;
  uint32_t dequeue = work_tap(port);
  struct recovery_before before = look(&kernel->recovery);
  bool held = recovery_record(&kernel->recovery, line, mailbox_now_ns(port));
  follow_recovery(kernel, &before);
  if (!held) return false;
  kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)] = (struct trace_entry){
      .sequence = line->record.sequence,
      .dequeue = dequeue,
      .applied = dequeue,
      .decision = dequeue,
      .doorbell = dequeue,
      .done = work_tap(port),
      .stock_locate = line->record.stock_locate,
      .type = line->record.type,
  };
  port->trace_index++;
  return true;
}

void __attribute__((noinline)) take_event(struct kernel *kernel, const union rx_line *line) {
  struct recovery *recovery = &kernel->recovery;
  struct rx_event event;
  __builtin_memcpy(&event, line, sizeof event);
  if ((event.status & ~STATUS_LINE_B) != STATUS_EVENT) {
    engine_event(&kernel->engine, line);
    return;
  }
  struct recovery_before before = look(recovery);
  uint64_t voided = recovery->voided;
  recovery_event(recovery, &event, mailbox_now_ns(&kernel->port));
  follow_recovery(kernel, &before);
  event.delivered -= (uint16_t)(recovery->voided - voided);
  if (event.reason != DROP_REASON_ACCEPT || (event.flags & FRAME_SESSION_CHANGE) != 0) {
    engine_event(&kernel->engine, (const union rx_line *)&event);
  }
  (void)ask_again(kernel);
}

void finish_recovery(struct kernel *kernel) {
  struct recovery *recovery = &kernel->recovery;
  struct statistics *statistics = &kernel->engine.statistics;
  struct recovery_before before = look(recovery);
  recovery_finish(recovery);
  follow_recovery(kernel, &before);
  statistics->recovery_gaps = recovery->gaps;
  statistics->recovery_requests = recovery->requests;
  statistics->recovery_answers = recovery->answers;
  statistics->recovery_ignored = recovery->ignored;
  statistics->recovered_messages = recovery->recovered;
  statistics->recovery_voided = recovery->voided;
  statistics->recovery_losses = recovery->losses;
}
