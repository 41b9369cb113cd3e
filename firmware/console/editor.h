/* SPDX-License-Identifier: MIT */
/*
 * One line of text being typed: moving in it, taking away from it, and the lines before it. Pure.
 *
 * What it shows needs nothing of a terminal but backspace, so one output serves the serial line and the screen.
 * A line that grew too long or in which there was garbage is not given out: half a command is none.
 */
#ifndef TICKLOOP_CONSOLE_EDITOR_H
#define TICKLOOP_CONSOLE_EDITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "console/keys.h"
#include "include/layout.h"

#define EDITOR_LONGEST (COMMAND_BYTES - 1u)
#define HISTORY 16u

/* Where the editor shows what it does. */
struct display {
  void *context;
  void (*put)(void *context, char c);
};

struct editor {
  struct display display;
  char text[COMMAND_BYTES]; /* terminated */
  uint32_t length;
  uint32_t cursor;
  uint32_t garbage; /* keys of this line that were none */
  bool too_long;
  bool over; /* the line has been given out: the next key begins a new one */
  char lines[HISTORY][COMMAND_BYTES]; /* entered before, a ring */
  uint32_t entered;
  uint32_t back; /* the line shown was so many lines ago; 0: it is being typed */
  char draft[COMMAND_BYTES]; /* what was being typed, while a line of before is shown */
};

/* What became of the line with a key. */
enum edit {
  EDIT_GOES_ON = 0,
  EDIT_LINE,     /* editor.text is a line */
  EDIT_CANCELED, /* by Ctrl-C */
  EDIT_TOO_LONG,
  EDIT_GARBAGE, /* editor.garbage says how many keys were none */
};

void editor_init(struct editor *editor, struct display display);

enum edit editor_key(struct editor *editor, enum key key);

/* Show the line as it stands, the cursor in its place: after something else was printed. */
void editor_show(const struct editor *editor);

#endif
