/* SPDX-License-Identifier: MIT */
/* See keys.h. */
#include "console/keys.h"

enum { GROUND = 0, ESCAPE, SEQUENCE, SINGLE_SHIFT };

#define CONTROL_A 1u
#define CONTROL_E 5u
#define LINE_FEED 10u
#define ESC 27u
#define RUBOUT 127u

static bool printable(uint8_t byte) { return byte >= ' ' && byte <= '~'; }

static enum key single(uint8_t byte) {
  switch (byte) {
    case CONTROL_A: return KEY_HOME;
    case CONTROL_E: return KEY_END;
    case KEY_INTERRUPT:
    case KEY_CLEAR:
    case KEY_BACKSPACE: return (enum key)byte;
    case RUBOUT: return KEY_BACKSPACE;
    case LINE_FEED:
    case KEY_ENTER: return KEY_ENTER;
    default: return printable(byte) ? (enum key)byte : KEY_GARBAGE;
  }
}

/* The last byte of CSI or SS3. */
static enum key final(uint8_t byte, uint8_t parameter) {
  switch (byte) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'H': return KEY_HOME;
    case 'F': return KEY_END;
    case '~':
      if (parameter == 1 || parameter == 7) return KEY_HOME;
      if (parameter == 4 || parameter == 8) return KEY_END;
      if (parameter == 3) return KEY_DELETE;
      return KEY_GARBAGE;
    default: return KEY_GARBAGE;
  }
}

/* Inside CSI: parameter bytes 0x30 to 0x3F, intermediate ones to 0x20, one final byte (ECMA-48, 5.4). Another byte is
 * none of it: it ends the sequence, and Ctrl-C and Enter still do what they always do. */
static enum key sequence(struct terminal *terminal, uint8_t byte) {
  if (byte >= '0' && byte <= '9') {
    terminal->parameter = terminal->parameter < 25 ? (uint8_t)(terminal->parameter * 10 + byte - '0') : 255;
    return KEY_NONE;
  }
  if (byte >= ' ' && byte < '@') {
    terminal->parameter = 255; /* of more than one number, or private: none of the keys here */
    return KEY_NONE;
  }
  terminal->state = GROUND;
  if (printable(byte)) return final(byte, terminal->parameter);
  enum key key = single(byte);
  return key == KEY_INTERRUPT || key == KEY_CLEAR ? key : KEY_GARBAGE;
}

enum key terminal_key(struct terminal *terminal, uint8_t byte) {
  bool returned = terminal->returned;
  terminal->returned = false;
  switch (terminal->state) {
    case ESCAPE:
      if (byte == '[' || byte == 'O') {
        terminal->state = byte == '[' ? SEQUENCE : SINGLE_SHIFT;
        terminal->parameter = 0;
        return KEY_NONE;
      }
      if (byte == ESC) return KEY_GARBAGE; /* the one before it; this one may begin something */
      terminal->state = GROUND;
      return KEY_GARBAGE;
    case SEQUENCE: return sequence(terminal, byte);
    case SINGLE_SHIFT: terminal->state = GROUND; return final(byte, 0);
    default: break;
  }
  if (byte == ESC) {
    terminal->state = ESCAPE;
    return KEY_NONE;
  }
  if (byte == LINE_FEED && returned) return KEY_NONE;
  terminal->returned = byte == KEY_ENTER;
  return single(byte);
}

/* Codes 01 to 39, what they give without and with shift. */
static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
/* Codes 47 to 53: the keypad without NumLock, and with E0 the keys between. */
static const uint16_t movement[] = {KEY_HOME, KEY_UP,  0,        0, KEY_LEFT, 0,         KEY_RIGHT,
                                    0,        KEY_END, KEY_DOWN, 0, 0,        KEY_DELETE};
_Static_assert(sizeof plain == sizeof shifted && sizeof plain == 0x3A + 1, "codes 00 to 39");

#define RELEASED 0x80u
#define EXTENDED 0xE0u
#define PAUSE 0xE1u
#define FIRST_MOVEMENT 0x47u
#define MOVEMENTS (sizeof movement / sizeof movement[0])

static bool modifier(struct keyboard_state *keyboard, uint8_t key, bool extended, bool pressed) {
  switch (key) {
    case 0x2A:
    case 0x36:
      /* With E0 these are made up by the keyboard around a key between, for systems with NumLock on. */
      if (!extended) keyboard->shift[key == 0x36] = pressed;
      return true;
    case 0x1D: keyboard->control[extended] = pressed; return true;
    case 0x38: return true; /* Alt */
    case 0x3A:
      if (pressed) keyboard->capitals = !keyboard->capitals;
      return true;
    default: return false;
  }
}

/* What has no character on a line, such as F1 or Esc, does nothing: a key pressed by mistake is no garbage. */
static enum key character(const struct keyboard_state *keyboard, uint8_t code) {
  if (code >= sizeof plain - 1) return KEY_NONE;
  char c = plain[code];
  bool letter = c >= 'a' && c <= 'z', shift = keyboard->shift[0] || keyboard->shift[1];
  if (letter && (keyboard->control[0] || keyboard->control[1])) return single((uint8_t)(c & 31));
  if (letter ? shift != keyboard->capitals : shift) c = shifted[code];
  enum key key = single((uint8_t)c);
  return key == KEY_GARBAGE ? KEY_NONE : key;
}

enum key keyboard_key(struct keyboard_state *keyboard, uint8_t code) {
  if (keyboard->skip != 0) {
    keyboard->skip--;
    return KEY_NONE;
  }
  if (code == EXTENDED || code == PAUSE) {
    keyboard->extended = code == EXTENDED;
    keyboard->skip = code == PAUSE ? 2 : 0;
    return KEY_NONE;
  }
  bool extended = keyboard->extended, pressed = (code & RELEASED) == 0;
  uint8_t key = code & (uint8_t)~RELEASED;
  keyboard->extended = false;
  if (code == 0xFF || code == 0x00) return KEY_GARBAGE; /* the keyboard lost some */
  if (modifier(keyboard, key, extended, pressed) || !pressed) return KEY_NONE;
  if (key >= FIRST_MOVEMENT && key < FIRST_MOVEMENT + MOVEMENTS && movement[key - FIRST_MOVEMENT] != 0) {
    return (enum key)movement[key - FIRST_MOVEMENT];
  }
  if (extended) return key == 0x1C ? KEY_ENTER : key == 0x35 ? (enum key)'/' : KEY_NONE;
  return character(keyboard, key);
}
