/* SPDX-License-Identifier: MIT */
/* Recovery as a state machine; see recovery.h. Sequence numbers compare modulo 2^64: ahead if less than 2^63 ahead. */
#include "core/recovery.h"

static bool ahead(uint64_t sequence, uint64_t of) { return (int64_t)(sequence - of) > 0; }

static uint64_t later(uint64_t a, uint64_t b) { return ahead(a, b) ? a : b; }

static union rx_line *held_at(const struct recovery *recovery, uint32_t position) {
  uint32_t at = recovery->first + position;
  return &recovery->held[at < recovery->limits.held ? at : at - recovery->limits.held];
}

static void drop_first(struct recovery *recovery) {
  recovery->first = recovery->first + 1 == recovery->limits.held ? 0 : recovery->first + 1;
  recovery->waiting--;
}

void recovery_init(struct recovery *recovery, const struct recovery_limits *limits, const struct mold_path *path,
                   union rx_line *held, struct recovery_sink sink) {
  *recovery = (struct recovery){.limits = *limits, .path = *path, .held = held, .sink = sink};
}

static void open(struct recovery *recovery, uint64_t next, uint64_t now_ns) {
  recovery->state = RECOVERY_STATE_RECOVERING;
  recovery->next = recovery->end = recovery->told = next;
  recovery->tries = 0;
  recovery->request_due = true;
  recovery->deadline_ns = now_ns + recovery->limits.timeout_ns;
}

/* In order again: records go straight to the books from `next` on. */
static void close(struct recovery *recovery, enum recovery_state state, uint64_t next) {
  recovery->state = (uint8_t)state;
  recovery->next = recovery->high = next;
  recovery->request_due = false;
}

static void declare_loss(struct recovery *recovery, enum recovery_loss loss) {
  recovery->loss = (uint8_t)loss;
  recovery->losses++;
  uint64_t end = recovery->end;
  close(recovery, RECOVERY_STATE_LOST, end);
  for (; recovery->waiting != 0; drop_first(recovery)) {
    recovery->sink.apply(recovery->sink.context, held_at(recovery, 0));
  }
}

/* Where the missing range at `next` ends. */
static uint64_t missing_end(const struct recovery *recovery) {
  return recovery->waiting != 0 ? held_at(recovery, 0)->record.sequence : recovery->end;
}

/* Give what is held and due to the books, up to the next missing message. */
static void settle(struct recovery *recovery) {
  for (; recovery->waiting != 0 && held_at(recovery, 0)->record.sequence == recovery->next; drop_first(recovery)) {
    recovery->sink.apply(recovery->sink.context, held_at(recovery, 0));
    recovery->next++;
  }
  if (recovery->next == recovery->end) close(recovery, RECOVERY_STATE_IDLE, recovery->end);
}

/* The newest records held are void; what only they showed missing is not. */
static void drop_newest(struct recovery *recovery, uint32_t count) {
  recovery->waiting -= count;
  recovery->end = recovery->told;
  if (recovery->waiting != 0) {
    recovery->end = later(recovery->end, held_at(recovery, recovery->waiting - 1)->record.sequence + 1);
  }
}

/* The NIC delivers older numbers again: behind a bad frame, or in a new session that is told of after its messages. */
static void go_back(struct recovery *recovery, uint64_t sequence) {
  uint32_t void_records = 0;
  while (void_records < recovery->waiting &&
         !ahead(sequence, held_at(recovery, recovery->waiting - 1 - void_records)->record.sequence)) {
    void_records++;
  }
  recovery->voided += void_records;
  drop_newest(recovery, void_records);
}

static bool hold(struct recovery *recovery, const union rx_line *line) {
  uint64_t sequence = line->record.sequence;
  if (ahead(recovery->next, sequence)) {
    declare_loss(recovery, RECOVERY_LOSS_SESSION);
    recovery->next = recovery->high = sequence + 1;
    return false;
  }
  if (ahead(recovery->end, sequence)) go_back(recovery, sequence);
  if (recovery->waiting == recovery->limits.held) {
    recovery->end = sequence + 1;
    declare_loss(recovery, RECOVERY_LOSS_OVERFLOW);
    return false;
  }
  if (ahead(sequence, recovery->end)) recovery->gaps++;
  recovery->waiting++;
  *held_at(recovery, recovery->waiting - 1) = *line;
  recovery->end = later(recovery->end, sequence + 1);
  return true;
}

bool recovery_record(struct recovery *recovery, const union rx_line *line, uint64_t now_ns) {
  uint64_t sequence = line->record.sequence;
  if (recovery->state == RECOVERY_STATE_RECOVERING) {
    bool held = hold(recovery, line);
    if (held) settle(recovery);
    return held;
  }
  uint64_t due = later(recovery->next, recovery->high);
  if (!recovery->started || recovery->state == RECOVERY_STATE_LOST || !ahead(sequence, due)) {
    if (!recovery->started) recovery->start = due = sequence;
    recovery->started = true;
    recovery->high = due;
    recovery->next = sequence + 1;
    return false;
  }
  open(recovery, due, now_ns);
  return hold(recovery, line);
}

/* Its records are void: those held go, and those that went to the books count as never numbered. */
static void bad_frame(struct recovery *recovery, const struct rx_event *event) {
  if (recovery->state == RECOVERY_STATE_IDLE) {
    if (event->sequence == recovery->start && recovery->next == recovery->start + event->delivered) {
      recovery->started = false; /* nothing but this frame has come yet */
    } else {
      recovery->next = later(recovery->next, recovery->high);
    }
  } else if (recovery->state == RECOVERY_STATE_RECOVERING) {
    uint32_t void_records = event->delivered < recovery->waiting ? event->delivered : recovery->waiting;
    recovery->voided += void_records;
    drop_newest(recovery, void_records);
    settle(recovery);
  }
}

void recovery_event(struct recovery *recovery, const struct rx_event *event, uint64_t now_ns) {
  if (event->reason != DROP_REASON_ACCEPT) {
    bad_frame(recovery, event);
    return;
  }
  if ((event->flags & FRAME_SESSION_CHANGE) != 0) {
    if (recovery->state == RECOVERY_STATE_RECOVERING) declare_loss(recovery, RECOVERY_LOSS_SESSION);
    close(recovery, RECOVERY_STATE_IDLE, event->sequence + event->delivered);
    recovery->started = true;
  }
  __builtin_memcpy(recovery->session, event->session, sizeof recovery->session);
  recovery->session_known = true;
  if (!recovery->started || recovery->state == RECOVERY_STATE_LOST) return;
  uint64_t due = later(recovery->next, recovery->high);
  if (recovery->state == RECOVERY_STATE_IDLE) {
    if (!ahead(event->sequence, due)) return;
    open(recovery, due, now_ns);
  }
  recovery->told = later(recovery->told, event->sequence);
  if (ahead(event->sequence, recovery->end)) {
    recovery->gaps++;
    recovery->end = event->sequence;
  }
}

bool recovery_answer(struct recovery *recovery, const uint8_t *frame, uint32_t length, uint64_t hw_timestamp_ns,
                     uint64_t now_ns) {
  struct mold_packet packet;
  if (!mold_parse(&packet, &recovery->path, frame, length)) return false;
  uint64_t before = recovery->next;
  if (recovery->state == RECOVERY_STATE_RECOVERING && recovery->session_known &&
      __builtin_memcmp(packet.session, recovery->session, sizeof packet.session) == 0) {
    uint64_t end = missing_end(recovery);
    uint16_t bytes;
    const uint8_t *message;
    while (recovery->next != end && (message = mold_next(&packet, &bytes)) != NULL) {
      if (packet.sequence - 1 != recovery->next) continue;
      (void)mold_record(message, bytes, recovery->next, hw_timestamp_ns, recovery->lines);
      recovery->sink.apply(recovery->sink.context, recovery->lines);
      recovery->next++;
      recovery->recovered++;
    }
  }
  if (recovery->next == before) {
    recovery->ignored++;
    return false;
  }
  recovery->answers++;
  recovery->tries = 0;
  recovery->request_due = true;
  recovery->deadline_ns = now_ns + recovery->limits.timeout_ns;
  settle(recovery);
  return true;
}

bool recovery_request(struct recovery *recovery, uint8_t frame[MOLD_REQUEST_FRAME_BYTES], uint64_t now_ns) {
  if (recovery->state != RECOVERY_STATE_RECOVERING) return false;
  bool fresh = recovery->request_due && recovery->session_known;
  if (!fresh && now_ns < recovery->deadline_ns) return false;
  if (recovery->tries > recovery->limits.retries) {
    declare_loss(recovery, RECOVERY_LOSS_SPENT);
    return false;
  }
  recovery->tries++;
  recovery->deadline_ns = now_ns + recovery->limits.timeout_ns;
  if (!recovery->session_known) return false; /* no event has told it yet */
  recovery->request_due = false;
  uint64_t missing = missing_end(recovery) - recovery->next;
  uint16_t count = missing < recovery->limits.request ? (uint16_t)missing : recovery->limits.request;
  mold_request(frame, &recovery->path, recovery->session, recovery->next, count);
  recovery->requests++;
  return true;
}

uint64_t recovery_due_ns(const struct recovery *recovery) {
  if (recovery->state != RECOVERY_STATE_RECOVERING) return UINT64_MAX;
  return recovery->request_due && recovery->session_known ? 0 : recovery->deadline_ns;
}

void recovery_finish(struct recovery *recovery) {
  if (recovery->state == RECOVERY_STATE_RECOVERING) declare_loss(recovery, RECOVERY_LOSS_RUN_END);
}
