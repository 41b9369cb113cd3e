/* SPDX-License-Identifier: MIT */
/* See screen.h. */
#include "console/screen.h"

#define TAB 8u

static void blank(struct screen *screen, uint32_t row) {
  for (uint32_t column = 0; column < SCREEN_COLUMNS; column++) screen->cells[row][column] = ' ';
}

void screen_clear(struct screen *screen) {
  for (uint32_t row = 0; row < SCREEN_ROWS; row++) blank(screen, row);
  screen->row = screen->column = 0;
  screen->changed = SCREEN_ALL_ROWS;
}

static void next_row(struct screen *screen) {
  screen->column = 0;
  if (screen->row + 1 < SCREEN_ROWS) {
    screen->row++;
    return;
  }
  __builtin_memmove(screen->cells[0], screen->cells[1], (SCREEN_ROWS - 1) * SCREEN_COLUMNS);
  blank(screen, SCREEN_ROWS - 1);
  screen->changed = SCREEN_ALL_ROWS;
}

void screen_put(struct screen *screen, char c) {
  switch (c) {
    case '\n': next_row(screen); return;
    case '\r': screen->column = 0; return;
    case '\b':
      if (screen->column != 0) screen->column--;
      return;
    case '\t':
      do screen_put(screen, ' ');
      while (screen->column % TAB != 0);
      return;
    default: break;
  }
  screen->cells[screen->row][screen->column] = c >= ' ' && c <= '~' ? c : '?';
  screen->changed |= 1u << screen->row;
  if (++screen->column == SCREEN_COLUMNS) next_row(screen);
}
