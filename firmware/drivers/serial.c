/* SPDX-License-Identifier: MIT */
/* 16550 UART (PC16550D data sheet, section 8): 115,200 baud, 8N1. Never used between a record and its order. */
#include "drivers/serial.h"

#include "arch/cpu.h"

#define COM1 0x3F8u
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define DIVISOR_LOW (COM1 + 0)
#define DIVISOR_HIGH (COM1 + 1)

#define LINE_8N1 0x03u
#define LINE_DIVISOR_ACCESS 0x80u
#define FIFO_ENABLE_AND_CLEAR 0x07u
#define MODEM_DTR_RTS 0x03u
#define STATUS_RECEIVED 0x01u
#define STATUS_DAMAGED 0x1Eu /* overrun, parity, framing, break */
#define STATUS_TRANSMIT_EMPTY 0x20u

/* Between two looks at the status: an emulator that is always asked for it gets to nothing else, as to sending a byte. */
#define TURNS_A_LOOK 10000u
#define PATIENCE 65536u /* looks: about a second, far longer than 115,200 baud take for a byte */

static bool stuck; /* nobody took the last byte */

void serial_init(void) {
  outb(INTERRUPT_ENABLE, 0);
  outb(LINE_CONTROL, LINE_DIVISOR_ACCESS);
  outb(DIVISOR_LOW, 1);
  outb(DIVISOR_HIGH, 0);
  outb(LINE_CONTROL, LINE_8N1);
  outb(FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
  outb(MODEM_CONTROL, MODEM_DTR_RTS);
}

void serial_write(char c) {
  uint32_t looks = 0;
  while ((inb(LINE_STATUS) & STATUS_TRANSMIT_EMPTY) == 0) {
    if (stuck || ++looks == PATIENCE) {
      stuck = true;
      return;
    }
    for (unsigned i = 0; i < TURNS_A_LOOK; i++) __asm__ volatile("");
  }
  stuck = false;
  outb(DATA, (uint8_t)c);
}

bool serial_read(uint8_t *byte) {
  uint8_t status = inb(LINE_STATUS); /* reading it clears the errors */
  if (status == 0xFF || (status & STATUS_RECEIVED) == 0) return false;
  uint8_t received = inb(DATA);
  *byte = (status & STATUS_DAMAGED) != 0 ? 0 : received;
  return true;
}
