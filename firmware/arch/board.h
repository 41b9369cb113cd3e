/* SPDX-License-Identifier: MIT */
/* Interrupts and time as the board has them, for every run but trading in lockstep, which needs neither. */
#ifndef TICKLOOP_BOARD_H
#define TICKLOOP_BOARD_H

#include "arch/acpi.h"

/* Read the ACPI tables, set up local and I/O APIC, measure the clocks, print what was found. Interrupts stay off. */
void board_init(void);

/* What the tables told. */
const struct acpi *board_acpi(void);

#endif
