/* SPDX-License-Identifier: MIT */
/* Keys, editor and screen of the kernel's console, for a test that types (tests/sanitized.py has the protocol). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/editor.h"
#include "console/screen.h"

enum { NEW_EDITOR = 1, TYPE_SERIAL, TYPE_KEYBOARD, NEW_SCREEN, PUT_ON_SCREEN };

static struct editor editor;
static struct terminal terminal;
static struct keyboard_state keyboard;
static struct screen screen;
static char answer[1 << 20];
static uint32_t used;

static void add(const void *bytes, uint32_t size) {
  if (used + size > sizeof answer) abort();
  memcpy(answer + used, bytes, size);
  used += size;
}

static void echo(void *context, char c) {
  (void)context;
  add((char[]){'e', c}, 2);
}

/* What an edit led to: its letter, and of a line its text, of garbage how much. */
static void tell(enum edit edit) {
  switch (edit) {
    case EDIT_GOES_ON: break;
    case EDIT_LINE:
      add("l", 1);
      add(editor.text, COMMAND_BYTES);
      break;
    case EDIT_CANCELED: add("c", 1); break;
    case EDIT_TOO_LONG: add("t", 1); break;
    case EDIT_GARBAGE:
      add("g", 1);
      add(&editor.garbage, sizeof editor.garbage);
      break;
  }
}

static void call(uint32_t command, const uint8_t *payload, uint32_t size) {
  switch (command) {
    case NEW_EDITOR:
      editor_init(&editor, (struct display){.put = echo});
      terminal = (struct terminal){0};
      keyboard = (struct keyboard_state){0};
      break;
    case TYPE_SERIAL:
      for (uint32_t i = 0; i < size; i++) tell(editor_key(&editor, terminal_key(&terminal, payload[i])));
      break;
    case TYPE_KEYBOARD:
      for (uint32_t i = 0; i < size; i++) tell(editor_key(&editor, keyboard_key(&keyboard, payload[i])));
      break;
    case NEW_SCREEN: screen_clear(&screen); break;
    case PUT_ON_SCREEN:
      screen.changed = 0;
      for (uint32_t i = 0; i < size; i++) screen_put(&screen, (char)payload[i]);
      add(&screen, sizeof screen);
      break;
    default: abort();
  }
}

int main(void) {
  uint32_t head[2];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    uint8_t *payload = malloc(head[1] + 1);
    if (payload == NULL || fread(payload, 1, head[1], stdin) != head[1]) return 2;
    used = 0;
    call(head[0], payload, head[1]);
    free(payload);
    fwrite(&used, sizeof used, 1, stdout);
    fwrite(answer, 1, used, stdout);
    fflush(stdout);
  }
  return 0;
}
