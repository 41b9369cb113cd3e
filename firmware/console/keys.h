/* SPDX-License-Identifier: MIT */
/*
 * What was pressed, from the bytes of a serial terminal or of a PS/2 keyboard. Pure.
 *
 * A key is a printable ASCII character, or one of those below; whatever is neither becomes KEY_GARBAGE, one for each byte
 * or escape sequence, so that nothing that came in is lost without being counted.
 */
#ifndef TICKLOOP_CONSOLE_KEYS_H
#define TICKLOOP_CONSOLE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

enum key {
  KEY_NONE = 0, /* the byte was only a part of one */
  KEY_INTERRUPT = 3, /* Ctrl-C */
  KEY_BACKSPACE = 8,
  KEY_ENTER = 13,
  KEY_CLEAR = 21, /* Ctrl-U */
  KEY_LEFT = 256,
  KEY_RIGHT,
  KEY_UP,
  KEY_DOWN,
  KEY_HOME,
  KEY_END,
  KEY_DELETE,
  KEY_GARBAGE,
};

/* Of a terminal that sends the sequences of a VT100 or xterm (ECMA-48, 5.4). */
struct terminal {
  uint8_t state;
  uint8_t parameter;
  bool returned; /* the last byte was a carriage return: a line feed behind it belongs to it */
};

enum key terminal_key(struct terminal *terminal, uint8_t byte);

/* Of a keyboard with scan code set 1 and US layout (IBM PS/2 Technical Reference, keyboards: scan code set 1). */
struct keyboard_state {
  bool shift[2]; /* left, right */
  bool control[2];
  bool capitals;
  bool extended; /* E0 has been seen */
  uint8_t skip;  /* scan codes to pass over: those of Pause, behind E1 */
};

enum key keyboard_key(struct keyboard_state *keyboard, uint8_t code);

#endif
