/* SPDX-License-Identifier: MIT */
/*
 * run=e1000: the same trading core behind a NIC that only hands over frames. The software parser does what the SmartNIC's
 * receive path does, segment.h what its transmit path does; books and orders must be the same.
 *
 * Words of the command line: parser=c or parser=asm; books=off, to parse only; timeout_ms=N, after which a silent line ends
 * the run, if no end of session does. The result leaves as frames (struct result_frame), behind the last order.
 */
#ifndef TICKLOOP_SOFTWARE_H
#define TICKLOOP_SOFTWARE_H

#include "arch/boot.h"

extern const char *const software_words[];

/* Until the end of the session; panics where something needed is missing or wrong. */
void software_run(const struct boot *boot);

#endif
