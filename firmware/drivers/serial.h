/* SPDX-License-Identifier: MIT */
/* COM1, a 16550 UART at 0x3f8 (`-serial file:...`): polled, transmit only. */
#ifndef TICKLOOP_SERIAL_H
#define TICKLOOP_SERIAL_H

void serial_init(void);
void serial_write(char c);

#endif
