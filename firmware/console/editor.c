/* SPDX-License-Identifier: MIT */
/* See editor.h. */
#include "console/editor.h"

#include <stddef.h>

void editor_init(struct editor *editor, struct display display) { *editor = (struct editor){.display = display}; }

static void put(const struct editor *editor, char c) { editor->display.put(editor->display.context, c); }

static void put_times(const struct editor *editor, char c, uint32_t count) {
  while (count-- != 0) put(editor, c);
}

/* The text from `from` on, `blanks` over what stood behind it, and back to the cursor. */
static void put_rest(const struct editor *editor, uint32_t from, uint32_t blanks) {
  for (uint32_t i = from; i < editor->length; i++) put(editor, editor->text[i]);
  put_times(editor, ' ', blanks);
  put_times(editor, '\b', editor->length + blanks - editor->cursor);
}

void editor_show(const struct editor *editor) { put_rest(editor, 0, 0); }

static void move(struct editor *editor, uint32_t to) {
  while (editor->cursor > to) {
    put(editor, '\b');
    editor->cursor--;
  }
  while (editor->cursor < to) put(editor, editor->text[editor->cursor++]);
}

static void insert(struct editor *editor, char c) {
  if (editor->length == EDITOR_LONGEST) {
    editor->too_long = true;
    return;
  }
  for (uint32_t i = editor->length; i > editor->cursor; i--) editor->text[i] = editor->text[i - 1];
  editor->text[editor->cursor] = c;
  editor->text[++editor->length] = '\0';
  put(editor, c);
  editor->cursor++;
  put_rest(editor, editor->cursor, 0);
}

/* Take the character at the cursor away. */
static void take(struct editor *editor) {
  if (editor->cursor == editor->length) return;
  for (uint32_t i = editor->cursor; i < editor->length; i++) editor->text[i] = editor->text[i + 1];
  editor->length--;
  put_rest(editor, editor->cursor, 1);
}

/* Returns the length. */
static uint32_t copy(char to[COMMAND_BYTES], const char *from) {
  uint32_t length = 0;
  for (; from[length] != '\0'; length++) to[length] = from[length];
  to[length] = '\0';
  return length;
}

static bool same(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

static void replace(struct editor *editor, const char *text) {
  uint32_t before = editor->length;
  move(editor, 0);
  editor->length = copy(editor->text, text);
  editor->cursor = editor->length;
  for (uint32_t i = 0; i < editor->length; i++) put(editor, editor->text[i]);
  put_rest(editor, editor->length, before > editor->length ? before - editor->length : 0);
}

/* `back` lines ago. */
static void recall(struct editor *editor, uint32_t back) {
  uint32_t kept = editor->entered < HISTORY ? editor->entered : HISTORY;
  if (back > kept || back == editor->back) return;
  if (editor->back == 0) copy(editor->draft, editor->text);
  editor->back = back;
  replace(editor, back == 0 ? editor->draft : editor->lines[(editor->entered - back) % HISTORY]);
}

static void keep(struct editor *editor) {
  if (editor->length == 0) return;
  if (editor->entered != 0 && same(editor->text, editor->lines[(editor->entered - 1) % HISTORY])) return;
  copy(editor->lines[editor->entered++ % HISTORY], editor->text);
}

static void begin(struct editor *editor) {
  editor->text[0] = '\0';
  editor->length = editor->cursor = editor->garbage = editor->back = 0;
  editor->too_long = editor->over = false;
}

static enum edit enter(struct editor *editor) {
  put(editor, '\n');
  editor->over = true;
  if (editor->garbage != 0) return EDIT_GARBAGE;
  if (editor->too_long) return EDIT_TOO_LONG;
  keep(editor);
  return EDIT_LINE;
}

enum edit editor_key(struct editor *editor, enum key key) {
  if (key == KEY_NONE) return EDIT_GOES_ON;
  if (editor->over) begin(editor);
  switch (key) {
    case KEY_ENTER: return enter(editor);
    case KEY_INTERRUPT:
      put(editor, '^');
      put(editor, 'C');
      put(editor, '\n');
      editor->over = true;
      return EDIT_CANCELED;
    case KEY_CLEAR:
      replace(editor, "");
      begin(editor);
      break;
    case KEY_BACKSPACE:
      if (editor->cursor == 0) break;
      move(editor, editor->cursor - 1);
      take(editor);
      break;
    case KEY_DELETE: take(editor); break;
    case KEY_LEFT:
      if (editor->cursor != 0) move(editor, editor->cursor - 1);
      break;
    case KEY_RIGHT:
      if (editor->cursor != editor->length) move(editor, editor->cursor + 1);
      break;
    case KEY_HOME: move(editor, 0); break;
    case KEY_END: move(editor, editor->length); break;
    case KEY_UP: recall(editor, editor->back + 1); break;
    case KEY_DOWN:
      if (editor->back != 0) recall(editor, editor->back - 1);
      break;
    case KEY_GARBAGE: editor->garbage++; break;
    default: insert(editor, (char)key);
  }
  return EDIT_GOES_ON;
}
