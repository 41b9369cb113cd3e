/* SPDX-License-Identifier: MIT */
/* See vga.h; IBM VGA Technical Reference, CRT controller registers (index 0x3D4, data 0x3D5) and attribute bytes. */
#include "drivers/vga.h"

#include <stdint.h>

#include "arch/cpu.h"

#define TEXT_BUFFER 0xB8000u
#define CRTC_INDEX 0x3D4u
#define CRTC_DATA 0x3D5u
#define START_ADDRESS_HIGH 0x0Cu
#define START_ADDRESS_LOW 0x0Du
#define CURSOR_HIGH 0x0Eu
#define CURSOR_LOW 0x0Fu
#define GRAY_ON_BLACK 0x0700u

static void crtc_write(uint8_t index, uint8_t value) {
  outb(CRTC_INDEX, index);
  outb(CRTC_DATA, value);
}

/* A register that keeps what is written; where there is no VGA the bus answers 0xFF. */
bool vga_present(void) {
  crtc_write(CURSOR_LOW, 0x5A);
  if (inb(CRTC_DATA) != 0x5A) return false;
  crtc_write(START_ADDRESS_HIGH, 0);
  crtc_write(START_ADDRESS_LOW, 0);
  return true;
}

void vga_show(struct screen *screen) {
  static uint32_t shown = UINT32_MAX; /* cursor */
  volatile uint16_t *cells = (volatile uint16_t *)(uintptr_t)TEXT_BUFFER;
  for (uint32_t row = 0; row < SCREEN_ROWS; row++) {
    if ((screen->changed >> row & 1) == 0) continue;
    for (uint32_t column = 0; column < SCREEN_COLUMNS; column++) {
      cells[row * SCREEN_COLUMNS + column] = (uint16_t)(GRAY_ON_BLACK | (uint8_t)screen->cells[row][column]);
    }
  }
  screen->changed = 0;
  uint32_t cursor = screen->row * SCREEN_COLUMNS + screen->column;
  if (cursor == shown) return;
  shown = cursor;
  crtc_write(CURSOR_HIGH, (uint8_t)(cursor >> 8));
  crtc_write(CURSOR_LOW, (uint8_t)cursor);
}
