/* SPDX-License-Identifier: MIT */
/* See desk.h. */
#include "console/desk.h"

#include <stddef.h>

#include "arch/command_line.h"
#include "arch/cpu.h"
#include "console/commands.h"
#include "console/console.h"
#include "console/views.h"
#include "tasks/scheduler.h"

static const char *const modes[] = {[DESK_OFF] = "off", [DESK_LIVE] = "live", [DESK_HELD] = "held"};
#define MODES (sizeof modes / sizeof modes[0])

const char *const desk_words[] = {"console", "idle", NULL};

enum desk_mode desk_mode(const char *command_line, enum desk_mode usual) {
  struct command_line_word word = command_line_find(command_line, "console");
  if (word.name[0] == '\0') return usual;
  unsigned mode = 0;
  while (mode < MODES && !command_line_equal(word.value, modes[mode])) mode++;
  if (mode == MODES) panic("command line: console=%s is not known", word.value);
  return (enum desk_mode)mode;
}

void desk_init(struct desk *desk, enum desk_mode mode, struct ramfs *files) {
  *desk = (struct desk){.files = files, .live = mode != DESK_OFF, .held = mode == DESK_HELD, .hold_at_ns = UINT64_MAX};
  if (desk->live) shell_init(&desk->shell);
}

static bool posted_waits(const struct desk *desk) { return desk->posted_done != load_acquire(&desk->posted_given); }

static void copy(char to[COMMAND_BYTES], const char *from) {
  uint32_t length = 0;
  for (; length < COMMAND_BYTES - 1 && from[length] != '\0'; length++) to[length] = from[length];
  to[length] = '\0';
}

/* Taken before it is done: if it faults, the next wait goes on behind it. */
static void do_posted(struct desk *desk) {
  char text[COMMAND_BYTES];
  while (posted_waits(desk)) {
    copy(text, desk->posted[desk->posted_done % POSTED]);
    store_release(&desk->posted_done, desk->posted_done + 1);
    command_line(desk, text);
  }
}

/* Reading a port stops the emulator's other work, which has to bring what is typed: some 50 us between two looks. */
#define TURNS_A_LOOK 4096u

void desk_attend(struct desk *desk) {
  command_file(desk);
  if (desk->live && shell_attend(&desk->shell)) command_line(desk, desk->shell.editor.text);
}

/* The trace and what the host wants to be shown: of one processor only, as all that is printed from there. */
static void look_around(struct desk *desk) {
  follow_trace(&desk->trading.follower);
  do_posted(desk);
}

static void read_counters(struct mailbox_port *port, void *context) {
  struct nic_counters *counters = context;
  nic_read_counters(port, counters->values);
  store_release(&counters->state, COUNTERS_READ);
}

static void fetch_counters(struct desk *desk) {
  if (load_acquire(&desk->counters.state) != COUNTERS_WANTED) return;
  mailbox_between(desk->trading.port, read_counters, &desk->counters);
}

static void show_counters(struct desk *desk) {
  if (load_acquire(&desk->counters.state) != COUNTERS_READ) return;
  store_release(&desk->counters.state, COUNTERS_NONE);
  view_network(&desk->trading, desk->counters.values);
}

/* Whether there is anything to be done in the next wait too, without anybody who types. */
static bool goes_on(const struct desk *desk) {
  return desk->trading.follower.showing || desk->running.file != NULL || desk->kill_wanted ||
         desk->counters.state != COUNTERS_NONE;
}

static bool is_turn(const struct desk *desk) { return desk->live && desk->turns % TURNS_A_LOOK == 0; }

/* In the waits of the trading loop, as a task's doing: a fault in what somebody asked for is not the loop's. */
static void attend_here(void *context) {
  struct desk *desk = context;
  look_around(desk);
  if (is_turn(desk)) desk_attend(desk);
  else command_file(desk);
}

static void show_here(void *desk) { show_counters(desk); }

/* While the kernel waits for a record; whether it is to wait on when there is one. */
static bool attend(struct desk *desk, bool answered) {
  struct mailbox_port *port = desk->trading.port;
  if (!desk->apart) {
    desk->turns++;
    if (is_turn(desk) || goes_on(desk) || posted_waits(desk)) task_alone("console", attend_here, desk);
    else follow_trace(&desk->trading.follower);
  }
  if (answered) fetch_counters(desk);
  if (!desk->apart && desk->counters.state == COUNTERS_READ) task_alone("console", show_here, desk);
  if (!desk->live) {
    if (answered && !goes_on(desk)) port->meanwhile = NULL; /* not before: the wait calls it again */
    return false;
  }
  if (!answered || desk->held) return desk->held;
  uint64_t now_ns = port->shared->now_ps / 1000;
  if (now_ns < desk->hold_at_ns) return false;
  desk->hold_at_ns = UINT64_MAX;
  desk->held = true;
  console_print("held: at %lu ns\n", now_ns);
  return true;
}

/* Printing has no account here: the whole wait is in none. */
static bool meanwhile(void *context, bool answered) {
  struct desk *desk = context;
  console_account(NULL);
  bool longer = attend(desk, answered);
  console_account(&desk->trading.port->not_work);
  return longer;
}

static void look_in(struct desk *desk) {
  desk->trading.port->context = desk;
  desk->trading.port->meanwhile = meanwhile;
}

void desk_attach(struct desk *desk, const struct trading_view *trading) {
  desk->trading = *trading;
  if (!desk->live) return;
  if (desk->held)
    console_print("held: before the first record; \"go\" lets the run go on, \"help\" lists the commands\n");
  look_in(desk);
}

#define LOOK_NS 1000000u
#define PRIORITY 1u

static void attend_apart(void *argument) {
  struct desk *desk = argument;
  for (;;) {
    look_around(desk);
    desk_attend(desk);
    show_counters(desk);
    task_sleep_ns(LOOK_NS);
  }
}

void desk_part(struct desk *desk) {
  if (!desk->live) return;
  if (!task_start("console", PRIORITY, attend_apart, desk)) panic("no room for the console's task");
}

bool desk_post(struct desk *desk, const char *text) {
  if (!command_is_consoles(text)) return false;
  if (desk->posted_given - load_acquire(&desk->posted_done) == POSTED) {
    console_print("console: %u commands wait already; the next one is not done\n", POSTED);
    return true;
  }
  copy(desk->posted[desk->posted_given % POSTED], text);
  store_release(&desk->posted_given, desk->posted_given + 1); /* whoever looks may be another processor */
  if (!desk->apart) look_in(desk);
  return true;
}

void desk_finish(const struct desk *desk) {
  const struct typed *typed = &desk->trading.port->typed;
  uint32_t late = load_acquire(&typed->given) - typed->taken;
  if (late != 0) console_print("console: the run is over; %u command(s) came too late\n", late);
  if (desk->running.file == NULL) return;
  console_print("run: %s, line %u: the run is over; what comes behind it is not done\n", desk->running.file->name,
                desk->running.number);
}
