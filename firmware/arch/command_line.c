/* SPDX-License-Identifier: MIT */
/* Splits a command line; pure. */
#include "arch/command_line.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Copy up to a blank, the end, or `stop`; whether all of it fitted. */
static bool copy(const char **text, char *to, char stop) {
  uint32_t size = 0;
  bool fits = true;
  for (; **text != '\0' && !is_blank(**text) && **text != stop; (*text)++) {
    if (size < COMMAND_LINE_WORD_BYTES - 1) to[size++] = **text;
    else fits = false;
  }
  to[size] = '\0';
  return fits;
}

enum command_line_step command_line_next(const char **text, struct command_line_word *word) {
  while (is_blank(**text)) (*text)++;
  if (**text == '\0') return COMMAND_LINE_END;
  word->value[0] = '\0';
  bool fits = copy(text, word->name, '=');
  if (**text == '=') {
    (*text)++;
    fits &= copy(text, word->value, '\0');
  }
  return fits ? COMMAND_LINE_WORD : COMMAND_LINE_TOO_LONG;
}

bool command_line_equal(const char *left, const char *right) {
  while (*left != '\0' && *left == *right) left++, right++;
  return *left == *right;
}

struct command_line_word command_line_find(const char *text, const char *name) {
  struct command_line_word word, found = {0};
  while (command_line_next(&text, &word) == COMMAND_LINE_WORD) {
    if (command_line_equal(word.name, name)) found = word;
  }
  return found;
}
