/* SPDX-License-Identifier: MIT */
/* See commands.h. */
#include "console/commands.h"

#include <stddef.h>

#include "console/console.h"
#include "console/platform.h"
#include "console/settings.h"
#include "console/views.h"
#include "memory/heap.h"
#include "memory/memory.h"

#define NS_PER_US 1000u

/* What a command is about: which of them there are depends on what runs. */
enum about {
  ABOUT_CONSOLE,
  ABOUT_TRADING, /* looks at the trading core */
  ABOUT_ORDERS,  /* changes something there: carried out by the trading loop */
  ABOUT_FILES,
  ABOUT_MACHINE, /* where nothing trades */
  ABOUT_RUN,     /* holds it and lets it go on */
};

struct command {
  const char *word;
  const char *argument; /* for help; "" none; in brackets: it may be left out */
  const char *help;
  enum about about;
  void (*run)(struct desk *desk, const char *argument);
};

static void help(struct desk *desk, const char *argument);

static void book(struct desk *desk, const char *argument) { view_book(&desk->trading, argument); }

static void top(struct desk *desk, const char *argument) {
  (void)argument;
  view_top(&desk->trading);
}

static void positions(struct desk *desk, const char *argument) {
  (void)argument;
  view_positions(&desk->trading);
}

static void orders(struct desk *desk, const char *argument) {
  (void)argument;
  view_orders(&desk->trading);
}

static void risk(struct desk *desk, const char *argument) {
  (void)argument;
  view_risk(&desk->trading);
}

static void strategy_list(struct desk *desk, const char *argument) {
  (void)argument;
  view_strategies(&desk->trading);
}

static void network(struct desk *desk, const char *argument) {
  (void)argument;
  if (load_acquire(&desk->counters.state) == COUNTERS_NONE) store_release(&desk->counters.state, COUNTERS_WANTED);
}

static void latencies(struct desk *desk, const char *argument) {
  (void)argument;
  view_latencies(&desk->trading.follower);
}

static void trace(struct desk *desk, const char *argument) {
  bool on = argument[1] == 'n';
  show_trace(&desk->trading.follower, on);
}

static void memory(struct desk *desk, const char *argument) {
  (void)desk, (void)argument;
  view_memory();
}

static void tasks(struct desk *desk, const char *argument) {
  (void)desk, (void)argument;
  view_tasks();
}

static void uptime(struct desk *desk, const char *argument) {
  (void)desk, (void)argument;
  view_uptime();
}

static void hold(struct desk *desk, const char *argument) {
  (void)argument;
  if (desk->held) console_print("hold: the run is held already\n");
  else desk->hold_at_ns = 0;
}

/* Digits alone, and not too many of them. */
static bool number(const char *text, uint64_t *value) {
  uint32_t digits = 0;
  for (*value = 0; text[digits] >= '0' && text[digits] <= '9' && digits < 16; digits++) {
    *value = *value * 10 + (uint64_t)(text[digits] - '0');
  }
  return digits != 0 && text[digits] == '\0';
}

static void go(struct desk *desk, const char *argument) {
  uint64_t us = 0;
  if (*argument != '\0' && !number(argument, &us)) {
    console_print("go: %s is no number of simulated microseconds\n", argument);
    return;
  }
  if (*argument != '\0' && desk->trading.port->free) {
    console_print("go: a free run has no simulated time to stop at\n");
    return;
  }
  if (*argument != '\0') desk->hold_at_ns = desk->trading.port->shared->now_ps / 1000 + us * NS_PER_US;
  desk->held = false;
}

static void list(struct desk *desk, const char *argument) { files_list(desk->files, argument); }

static void print_file(struct desk *desk, const char *argument) { files_print(desk->files, argument); }

static void make_directory(struct desk *desk, const char *argument) { files_make_directory(desk->files, argument); }

static void remove_file(struct desk *desk, const char *argument) { files_remove(desk->files, argument); }

static void copy_file(struct desk *desk, const char *argument) { files_copy(desk->files, argument); }

static void move_file(struct desk *desk, const char *argument) { files_move(desk->files, argument); }

static void add_line(struct desk *desk, const char *argument) { files_add(desk->files, argument); }

static void run_file(struct desk *desk, const char *argument);

static void leave(struct desk *desk, const char *argument) {
  (void)argument;
  desk->over = true;
}

static const struct command commands[] = {
    {"help", "", "this list", ABOUT_CONSOLE, help},
    {"book", "SYM", "a symbol's book, ten levels of each side", ABOUT_TRADING, book},
    {"top", "", "the books that changed last: best prices, position, strategy", ABOUT_TRADING, top},
    {"pos", "", "positions, cash, profit and loss", ABOUT_TRADING, positions},
    {"orders", "", "own orders that are not over", ABOUT_TRADING, orders},
    {"risk", "", "limits, what of them is used, what was refused", ABOUT_TRADING, risk},
    {"strategy", "", "strategies and the symbols that have them", ABOUT_TRADING, strategy_list},
    {"netstat", "", "rings, the NIC's counters, the order session", ABOUT_TRADING, network},
    {"lat", "", "latencies of messages, as percentiles", ABOUT_TRADING, latencies},
    {"trace", "on|off", "print each message as it is done", ABOUT_TRADING, trace},
    {"mem", "", "free pages by zone, the heap, what lives there", ABOUT_CONSOLE, memory},
    {"ps", "", "housekeeping's tasks", ABOUT_CONSOLE, tasks},
    {"uptime", "", "time since boot", ABOUT_CONSOLE, uptime},
    {"kill", "", "no more orders", ABOUT_ORDERS, NULL},
    {"resume", "", "orders again, behind a kill or a bad answer", ABOUT_ORDERS, NULL},
    {"strategy", "SYM ...", "\"off\", \"on\", or another: NAME KEY=NUMBER ...", ABOUT_ORDERS, NULL},
    {"cancel", "all", "cancel every open order", ABOUT_ORDERS, NULL},
    {"logout", "", "end the order session", ABOUT_ORDERS, NULL},
    {"hold", "", "let the run stand still", ABOUT_RUN, hold},
    {"go", "[US]", "let it go on, for so many simulated microseconds", ABOUT_RUN, go},
    {"ls", "[DIR]", "files", ABOUT_FILES, list},
    {"cat", "FILE", "print a file", ABOUT_FILES, print_file},
    {"mkdir", "DIR", "make a directory", ABOUT_FILES, make_directory},
    {"rm", "FILE", "remove a file, or a directory that is empty", ABOUT_FILES, remove_file},
    {"cp", "FROM TO", "copy a file", ABOUT_FILES, copy_file},
    {"mv", "FROM TO", "move or rename", ABOUT_FILES, move_file},
    {"add", "FILE LINE", "write a line behind the others of a file", ABOUT_FILES, add_line},
    {"run", "FILE", "carry out a file's commands; none if a line is wrong", ABOUT_FILES, run_file},
    {"exit", "", "end the kernel", ABOUT_MACHINE, leave},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static bool available(const struct desk *desk, const struct command *command) {
  switch (command->about) {
    case ABOUT_TRADING:
    case ABOUT_ORDERS: return desk->trading.engine != NULL;
    case ABOUT_RUN: return desk->trading.engine != NULL && desk->live;
    case ABOUT_MACHINE: return desk->trading.engine == NULL;
    case ABOUT_FILES:
    case ABOUT_CONSOLE: break;
  }
  return true;
}

static void help(struct desk *desk, const char *argument) {
  (void)argument;
  for (unsigned i = 0; i < COMMANDS; i++) {
    const struct command *command = &commands[i];
    if (!available(desk, command)) continue;
    console_print("  %-9s%-10s%s\n", command->word, command->argument, command->help);
  }
}

/* Of several words with a bar between. */
static bool one_of(const char *words, const char *text) {
  for (const char *at = text;; words++) {
    if (*words == '|' || *words == '\0') {
      if (*at == '\0') return true;
      if (*words == '\0') return false;
      at = text;
    } else if (*words == *at) {
      at++;
    } else {
      while (words[1] != '|' && words[1] != '\0') words++;
      at = "?"; /* not this one */
    }
  }
}

/* Whether what stands behind the word is what the command takes. */
static bool fits(const struct command *command, const char *argument) {
  if (command->argument[0] == '[') return true;
  if (command->argument[0] == '\0') return *argument == '\0';
  bool literal = command->argument[0] >= 'a';
  return literal ? one_of(command->argument, argument) : *argument != '\0';
}

/* The command that `text` begins with, of several the one that takes what follows the word; `argument` is that. */
static const struct command *find(const char *text, const char **argument) {
  const struct command *found = NULL;
  for (unsigned i = 0; i < COMMANDS; i++) {
    const char *word = commands[i].word, *at = text;
    while (*word != '\0' && *at == *word) at++, word++;
    if (*word != '\0' || (*at != '\0' && *at != ' ')) continue;
    while (*at == ' ') at++;
    *argument = at;
    if (found == NULL || fits(&commands[i], at)) found = &commands[i];
  }
  return found;
}

bool command_is_consoles(const char *text) {
  const char *argument;
  const struct command *command = find(text, &argument);
  return command != NULL && fits(command, argument) &&
         (command->about <= ABOUT_TRADING || command->about == ABOUT_FILES);
}

/* One space between words, none around them. */
static void tidy(char to[COMMAND_BYTES], const char *from) {
  uint32_t length = 0;
  for (; *from != '\0' && length < COMMAND_BYTES - 1; from++) {
    if (*from != ' ' || (length != 0 && to[length - 1] != ' ')) to[length++] = *from;
  }
  if (length != 0 && to[length - 1] == ' ') length--;
  to[length] = '\0';
}

void command_line(struct desk *desk, const char *line) {
  const char *argument, *wrong;
  char text[COMMAND_BYTES];
  tidy(text, line);
  if (*text == '\0') return;
  const struct command *command = find(text, &argument);
  if (command == NULL) {
    console_print("command: %s: not known\n", text);
  } else if (!available(desk, command)) {
    console_print(desk->trading.engine == NULL ? "%s: nothing trades here\n" : "%s: not in this run\n", command->word);
  } else if (!fits(command, argument)) {
    const char *between = command->argument[0] != '\0' ? " " : "";
    console_print("%s: the command is \"%s%s%s\"\n", command->word, command->word, between, command->argument);
  } else if (command->about == ABOUT_FILES && desk->running.file != NULL) {
    console_print("%s: a file is being carried out\n", command->word);
  } else if (command->about != ABOUT_ORDERS) {
    command->run(desk, argument);
  } else if ((wrong = engine_command_wrong(desk->trading.engine, text)) != NULL) {
    console_print("%s: %s\n", text, wrong);
  } else if (!mailbox_type_command(desk->trading.port, text)) {
    console_print("%s: %u commands wait already; this one is not taken\n", command->word, TYPED);
  }
}

/* What may stand in a file: everything but the commands that concern files or the run. */
static bool may_run(const struct desk *desk, const char *text, const struct command **command) {
  const char *argument;
  *command = find(text, &argument);
  return *command != NULL && available(desk, *command) && fits(*command, argument) && (*command)->about <= ABOUT_ORDERS;
}

/* What is wrong with a line of a file, `settings` being those of the lines before; NULL: nothing. */
static const char *wrong_line(const struct desk *desk, enum line step, const char *text, struct settings *settings) {
  struct setting setting;
  const struct command *command;
  if (step != LINE_TEXT) return "too long";
  if (*text == '\0') return NULL;
  if (!may_run(desk, text, &command)) return "not a command of this run";
  if (command->about != ABOUT_ORDERS) return NULL;
  const struct engine *engine = desk->trading.engine;
  const char *wrong = engine_command_wrong(engine, text);
  if (wrong != NULL) return wrong;
  if (!engine_command_sets(engine, text, &setting) || settings_fit(settings, &setting)) return NULL;
  return "there is no room for so many settings";
}

static bool all_right(struct desk *desk, const char *path, struct lines lines, struct settings *settings) {
  char line[COMMAND_BYTES], text[COMMAND_BYTES];
  enum line step;
  while ((step = lines_next(desk->files, &lines, line)) != LINE_END) {
    tidy(text, line);
    const char *wrong = wrong_line(desk, step, text, settings);
    if (wrong == NULL) continue;
    console_print("run: %s, line %u: %s: %s\n", path, lines.number, text, wrong);
    return false;
  }
  return true;
}

/* Look through the whole file first: if a line of a configuration is wrong, none of it holds, and nothing is traded on. */
static void run_file(struct desk *desk, const char *path) {
  struct lines lines = {.file = ramfs_find(desk->files, path)};
  if (lines.file == NULL || lines.file->kind != RAMFS_FILE) {
    console_print("run: %s: there is no such file\n", path);
    return;
  }
  struct settings *settings = heap_take(&kernel_heap, sizeof *settings, "looking through a file");
  if (settings == NULL) {
    console_print("run: %s: there is no memory to look through it\n", path);
    return;
  }
  const struct engine *engine = desk->trading.engine;
  if (engine != NULL) settings_begin(settings, engine);
  if (all_right(desk, path, lines, settings)) desk->running = lines;
  else desk->kill_wanted = engine != NULL;
  (void)heap_free(&kernel_heap, settings);
}

#define LEFT_FREE 1u /* of the places for commands, by a file, for what is typed meanwhile */

/* False: it is over, or has to wait for room. */
static bool run_line(struct desk *desk) {
  const struct command *command;
  char line[COMMAND_BYTES], text[COMMAND_BYTES];
  struct lines before = desk->running;
  if (before.file == NULL) return false;
  if (before.file->kind != RAMFS_FILE || lines_next(desk->files, &desk->running, line) == LINE_END) {
    desk->running.file = NULL;
    return false;
  }
  tidy(text, line);
  if (*text == '\0' || !may_run(desk, text, &command)) return true;
  if (command->about != ABOUT_ORDERS) {
    command_line(desk, text);
  } else if (!mailbox_has_room(desk->trading.port, 1 + LEFT_FREE) || !mailbox_type_command(desk->trading.port, text)) {
    desk->running = before;
    return false;
  }
  return true;
}

void command_file(struct desk *desk) {
  if (desk->kill_wanted) desk->kill_wanted = !mailbox_type_command(desk->trading.port, "kill");
  while (run_line(desk)) {
  }
}
