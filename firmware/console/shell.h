/* SPDX-License-Identifier: MIT */
/* From serial line and keyboard to lines of text: both type into one line, and see the same. */
#ifndef TICKLOOP_CONSOLE_SHELL_H
#define TICKLOOP_CONSOLE_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "console/editor.h"

struct shell {
  struct editor editor;
  struct terminal terminal;
  struct keyboard_state keyboard;
  uint64_t garbage; /* keys that were none, in all lines */
};

void shell_init(struct shell *shell);

/* Read what there is, at most up to the end of a line; true: shell.editor.text is one that is to be carried out. */
bool shell_attend(struct shell *shell);

#endif
