/* SPDX-License-Identifier: MIT */
/* COM1, a 16550 UART at 0x3f8 (`-serial file:...`, `-serial chardev:...`): polled. */
#ifndef TICKLOOP_SERIAL_H
#define TICKLOOP_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

void serial_init(void);

/* Waits for room, but not for ever: whoever is to read and does not loses text instead of holding the kernel up. */
void serial_write(char c);

/* The next byte received, if there is one; one that was damaged on the way, or behind which some were lost, comes as 0. */
bool serial_read(uint8_t *byte);

#endif
