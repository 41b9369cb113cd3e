/* SPDX-License-Identifier: MIT */
/* See shell.h. */
#include "console/shell.h"

#include <stddef.h>

#include "console/console.h"
#include "drivers/keyboard.h"
#include "drivers/serial.h"
#include "tasks/scheduler.h"

#define KEYS_A_TURN 16u /* what a UART holds: somebody who sends without end keeps nobody else waiting */

static void echo(void *context, char c) {
  (void)context;
  console_echo(c);
}

void shell_init(struct shell *shell) {
  *shell = (struct shell){0};
  editor_init(&shell->editor, (struct display){.put = echo});
  (void)keyboard_init();
}

/* The next key of either, KEY_NONE for a part of one; false: there is nothing. */
static bool next_key(struct shell *shell, enum key *key) {
  uint8_t byte;
  if (serial_read(&byte)) *key = terminal_key(&shell->terminal, byte);
  else if (keyboard_read(&byte)) *key = keyboard_key(&shell->keyboard, byte);
  else return false;
  return true;
}

static bool take_key(struct shell *shell, enum key key) {
  const struct editor *editor = &shell->editor;
  switch (editor_key(&shell->editor, key)) {
    case EDIT_LINE: return editor->length != 0;
    case EDIT_TOO_LONG:
      console_print("console: a line has at most %u characters; this one is not taken\n", EDITOR_LONGEST);
      return false;
    case EDIT_GARBAGE:
      shell->garbage += editor->garbage;
      console_print("console: %u byte(s) of this line were no text; it is not taken\n", editor->garbage);
      return false;
    case EDIT_GOES_ON:
    case EDIT_CANCELED: break;
  }
  return false;
}

static bool attend(struct shell *shell) {
  enum key key;
  if (console_prompt() && !shell->editor.over) editor_show(&shell->editor);
  for (unsigned i = 0; i < KEYS_A_TURN && next_key(shell, &key); i++) {
    if (take_key(shell, key)) return true;
    if (console_prompt() && !shell->editor.over) editor_show(&shell->editor);
  }
  console_refresh();
  return false;
}

/* Prompt, typed text and screen are not printed into by another task. */
bool shell_attend(struct shell *shell) {
  tasks_hold();
  bool line = attend(shell);
  tasks_release();
  return line;
}
