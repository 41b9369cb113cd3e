/* SPDX-License-Identifier: MIT */
/*
 * The desk of whoever watches the kernel: the console, what its commands may look at, and what it may ask for.
 *
 * Commands look at the trading core through const pointers and only while it stands still or on another processor; what
 * is to change something goes to the trading loop as a command, by the same way as one of the host.
 */
#ifndef TICKLOOP_CONSOLE_DESK_H
#define TICKLOOP_CONSOLE_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "console/files.h"
#include "console/latencies.h"
#include "console/shell.h"
#include "core/engine.h"
#include "drivers/mailbox.h"
#include "drivers/nic.h"
#include "session/session.h"

/* What the trading loop has to show. */
struct trading_view {
  const struct engine *engine;
  const struct nic *nic;
  const struct session *session; /* NULL: no session that the kernel connects */
  const uint64_t *raw_frames;
  struct mailbox_port *port; /* to take commands */
  struct follower follower;  /* of its trace */
};

/* Commands of the host that the console carries out: when there is time. */
#define POSTED 4u

/*
 * The NIC's counters. Registers are the trading loop's to read, on whichever processor that is; who wants them shown may be
 * on another one. A state is left by one side alone: the console's, the loop's, the console's.
 */
enum counters_state { COUNTERS_NONE = 0, COUNTERS_WANTED, COUNTERS_READ };

struct nic_counters {
  uint32_t state;
  uint32_t values[NIC_COUNTERS];
};

/* What the command line's `console=` chooses. */
enum desk_mode {
  DESK_OFF = 0, /* nothing is read; the default where the kernel trades */
  DESK_LIVE,    /* keys and received bytes are commands; the default where it does not */
  DESK_HELD,    /* the same, and the run waits for "go" before its first record */
};

struct desk {
  struct shell shell;
  struct trading_view trading; /* engine NULL: nothing trades */
  bool live;                   /* input is read */
  bool apart;                  /* a task of another processor reads it: the trading loop does not */
  bool over;                   /* "exit" was given */
  bool held;                   /* the run stands still until told to go on */
  uint64_t hold_at_ns;         /* simulated time at which it is held again; UINT64_MAX: not before told so */
  struct ramfs *files;
  struct lines running; /* a file of commands */
  bool kill_wanted;     /* by a file with a wrong line; it may have to wait for room */
  uint32_t turns;       /* of waits */
  struct nic_counters counters;
  char posted[POSTED][COMMAND_BYTES];
  uint32_t posted_given;
  uint32_t posted_done;
};

extern const char *const desk_words[];

/* Panics if it names none. */
enum desk_mode desk_mode(const char *command_line, enum desk_mode usual);

void desk_init(struct desk *desk, enum desk_mode mode, struct ramfs *files);

/* There is a trading loop. */
void desk_attach(struct desk *desk, const struct trading_view *trading);

/* Take what has been typed; never waits. */
void desk_attend(struct desk *desk);

/* Where the desk is apart: from now on a task of this processor takes what is typed. */
void desk_part(struct desk *desk);

/* The run is over: tell what was begun and is not done. */
void desk_finish(const struct desk *desk);

/* Whether `text` is one of the console's own commands, which the host gives; then it is done when there is time, or told that there are too many. */
bool desk_post(struct desk *desk, const char *text);

#endif
