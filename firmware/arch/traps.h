/* SPDX-License-Identifier: MIT */
/* Own descriptor tables and exception reports. Interrupts stay off for good; the two PICs are masked. */
#ifndef TICKLOOP_TRAPS_H
#define TICKLOOP_TRAPS_H

/* Load GDT, TSS and IDT; from here on an exception is reported on the console and ends the machine. */
void traps_init(void);

#endif
