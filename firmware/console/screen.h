/* SPDX-License-Identifier: MIT */
/*
 * A screen of 80 x 25 characters in memory: what was put on it scrolls up when it is full. Pure; drivers/vga.h shows it.
 *
 * Printing only changes this copy, so it costs no access to the display; rows that changed are marked.
 */
#ifndef TICKLOOP_CONSOLE_SCREEN_H
#define TICKLOOP_CONSOLE_SCREEN_H

#include <stdint.h>

#define SCREEN_COLUMNS 80u
#define SCREEN_ROWS 25u
#define SCREEN_ALL_ROWS ((1u << SCREEN_ROWS) - 1)

struct screen {
  char cells[SCREEN_ROWS][SCREEN_COLUMNS];
  uint32_t row; /* the cursor's */
  uint32_t column;
  uint32_t changed; /* a bit a row */
};

/* Blank, the cursor in its first place. */
void screen_clear(struct screen *screen);

/* Newline, carriage return, backspace (which only moves), tab; what has no glyph in ASCII shows as '?'. */
void screen_put(struct screen *screen, char c);

#endif
