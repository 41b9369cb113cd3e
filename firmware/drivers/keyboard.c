/* SPDX-License-Identifier: MIT */
/* See keyboard.h; IBM PS/2 Technical Reference, keyboard and auxiliary device controller: status register 0x64. The BIOS
 * has enabled keyboard and translation. */
#include "drivers/keyboard.h"

#include "arch/cpu.h"

#define DATA 0x60u
#define STATUS 0x64u
#define STATUS_OUTPUT_FULL 0x01u
#define STATUS_AUXILIARY 0x20u /* it is the mouse's */
#define NO_CONTROLLER 0xFFu
#define BUFFERED 64u /* more than any controller holds */

static bool present;

bool keyboard_read(uint8_t *code) {
  if (!present) return false;
  uint8_t status = inb(STATUS);
  if ((status & STATUS_OUTPUT_FULL) == 0) return false;
  *code = inb(DATA);
  return (status & STATUS_AUXILIARY) == 0;
}

bool keyboard_init(void) {
  uint8_t code;
  present = inb(STATUS) != NO_CONTROLLER;
  for (unsigned i = 0; present && i < BUFFERED && (inb(STATUS) & STATUS_OUTPUT_FULL) != 0; i++) {
    (void)keyboard_read(&code);
  }
  return present;
}
