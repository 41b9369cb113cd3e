/* SPDX-License-Identifier: MIT */
/* The local APIC of the processor that runs this (Intel SDM 3A, chapter 10): its timer, and messages to other processors. */
#ifndef TICKLOOP_APIC_H
#define TICKLOOP_APIC_H

#include <stdint.h>

/* Where the processor says that it is. */
uint64_t apic_address(void);

/* Where all processors see their own; masks every local source, and accepts interrupts from now on. */
void apic_init(uint64_t address);

/* The same on a further processor, but the non-maskable interrupt of its board is masked too: nothing interrupts it. */
void apic_init_silent(void);

uint32_t apic_id(void);

/* The interrupt in service has been handled (10.8.5). */
void apic_acknowledge(void);

/* Raise `vector` on another processor, or on this one. */
void apic_send(uint32_t apic_id, uint32_t vector);

/* The two messages that start a processor (10.6.1): it begins in real mode at `page` << 12. */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint32_t page);

/* One shot after `ticks` (10.5.4); 0 stops the timer. */
void apic_timer_start(uint32_t ticks);
uint32_t apic_timer_left(void);

#endif
