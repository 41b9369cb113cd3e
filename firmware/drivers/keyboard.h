/* SPDX-License-Identifier: MIT */
/* The PS/2 keyboard controller, an 8042 at 0x60 and 0x64 that translates to scan code set 1: polled. */
#ifndef TICKLOOP_KEYBOARD_H
#define TICKLOOP_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

/* Throw away what was pressed before anybody looked; false: there is no controller. */
bool keyboard_init(void);

/* The next scan code, if there is one. */
bool keyboard_read(uint8_t *code);

#endif
