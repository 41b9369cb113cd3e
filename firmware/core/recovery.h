/* SPDX-License-Identifier: MIT */
/*
 * Recovery of lost messages: from a gap on, records are held back while a MoldUDP64 re-request server is asked for what is
 * missing; its answers and then the held records go to the books in sequence, as if nothing had been lost.
 *
 * Pure: the caller brings records, event lines, raw frames and the time, and sends the request frames written here. Every
 * record that recovery_in_order does not let pass goes through recovery_record.
 *
 * What cannot be recovered (no room for a record, nothing useful in an answer for too long, another session) is a
 * declared loss: what is held goes to the books as it is, and until the session ends nothing is asked for any more.
 */
#ifndef TICKLOOP_RECOVERY_H
#define TICKLOOP_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/moldudp64.h"

/* Takes one message that is due to the books, in sequence. */
struct recovery_sink {
  void *context;
  void (*apply)(void *context, const union rx_line *line);
};

enum recovery_loss {
  RECOVERY_LOSS_NONE = 0,
  RECOVERY_LOSS_OVERFLOW, /* no room to hold another record */
  RECOVERY_LOSS_SPENT,    /* as often as allowed, nothing useful came */
  RECOVERY_LOSS_SESSION,  /* the session ended, or its numbers began again */
  RECOVERY_LOSS_RUN_END,
};

struct recovery_limits {
  uint64_t timeout_ns; /* until a request is repeated */
  uint32_t retries;    /* repetitions without progress before the loss */
  uint32_t held;       /* records that can wait */
  uint16_t request;    /* messages asked for at once */
};

struct recovery {
  struct recovery_limits limits;
  struct mold_path path;
  struct recovery_sink sink;
  union rx_line *held; /* a queue of limits.held lines */
  uint32_t first;      /* its oldest entry */
  uint32_t waiting;    /* its entries in use */
  uint64_t next;       /* the sequence number due to the books; the caller counts it on while all goes well */
  uint64_t start;      /* the first one of all */
  uint64_t high;       /* what was due before the NIC went back to an older number: it may stand above next */
  uint64_t end;        /* while recovering: behind the newest number known of */
  uint64_t told;       /* ... behind the newest that a good frame's event told of */
  uint64_t deadline_ns;
  uint32_t tries; /* requests for what is missing now */
  uint8_t state;  /* enum recovery_state */
  uint8_t loss;   /* enum recovery_loss: the last one */
  bool started;
  bool session_known;
  bool request_due;
  uint8_t session[MOLD_SESSION_BYTES];
  uint64_t gaps;      /* ranges found missing */
  uint64_t requests;  /* frames asked for */
  uint64_t answers;   /* that brought something */
  uint64_t ignored;   /* raw frames for our port that did not */
  uint64_t recovered; /* messages */
  uint64_t voided;    /* held records of frames that turned out bad */
  uint64_t losses;
  union rx_line lines[MOLD_RECORD_LINES]; /* the recovered message in hand */
};

void recovery_init(struct recovery *recovery, const struct recovery_limits *limits, const struct mold_path *path,
                   union rx_line *held, struct recovery_sink sink);

/* Whether `line` is the one due, of a stream in order: nothing else is to be done with it. */
static inline bool recovery_in_order(struct recovery *recovery, const union rx_line *line) {
  if (line->record.sequence != recovery->next || recovery->state == RECOVERY_STATE_RECOVERING) return false;
  if (!recovery->started) return false;
  recovery->next++;
  return true;
}

/* Whether `line` is held; otherwise it is the caller's to apply now, after anything given to the sink meanwhile. */
bool recovery_record(struct recovery *recovery, const union rx_line *line, uint64_t now_ns);

/* An event line: what a heartbeat shows missing, which session it is, which records are void. */
void recovery_event(struct recovery *recovery, const struct rx_event *event, uint64_t now_ns);

/* Whether `frame` was an answer that brought something. */
bool recovery_answer(struct recovery *recovery, const uint8_t *frame, uint32_t length, uint64_t hw_timestamp_ns,
                     uint64_t now_ns);

/* Whether a request has been written into `frame` and is to be sent; may declare the loss instead. */
bool recovery_request(struct recovery *recovery, uint8_t frame[MOLD_REQUEST_FRAME_BYTES], uint64_t now_ns);

/* When recovery_request has something to do; UINT64_MAX: not before something else happens. */
uint64_t recovery_due_ns(const struct recovery *recovery);

/* At the end of a run: what is still missing is lost. */
void recovery_finish(struct recovery *recovery);

#endif
