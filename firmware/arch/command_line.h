/* SPDX-License-Identifier: MIT */
/* The words of the command line that the loader hands over: `name=value`, separated by blanks. */
#ifndef TICKLOOP_COMMAND_LINE_H
#define TICKLOOP_COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define COMMAND_LINE_WORD_BYTES 32u

struct command_line_word {
  char name[COMMAND_LINE_WORD_BYTES];
  char value[COMMAND_LINE_WORD_BYTES]; /* empty without `=` */
};

enum command_line_step { COMMAND_LINE_WORD, COMMAND_LINE_END, COMMAND_LINE_TOO_LONG };

/* Take the next word; *text moves behind it. One whose name or value does not fit is told, as far as it fits. */
enum command_line_step command_line_next(const char **text, struct command_line_word *word);

/* The last word of that name, empty if there is none. The line has been looked through before. */
struct command_line_word command_line_find(const char *text, const char *name);

/* Whether two terminated strings are equal. */
bool command_line_equal(const char *left, const char *right);

#endif
