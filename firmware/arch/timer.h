/* SPDX-License-Identifier: MIT */
/*
 * Time since boot, and timers. There is no tick: the local APIC's timer is set for the next timer that is due, and for
 * nothing else. In the waits of a trading loop with interrupts off, time is what that loop says.
 */
#ifndef TICKLOOP_TIMER_H
#define TICKLOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/acpi.h"
#include "tasks/timers.h"

/* What the time-stamp counter was measured against. */
enum timer_reference { TIMER_REFERENCE_NONE, TIMER_REFERENCE_HPET, TIMER_REFERENCE_PIT };

struct timer_rates {
  uint64_t tsc_hz;
  uint64_t apic_hz;
  enum timer_reference reference;
};

/* Measure the rates of time-stamp counter and APIC timer against the HPET, or the PIT where there is none, and take over
 * the timer interrupt. Takes some milliseconds. Without a reference, 1 GHz is assumed for both, as is so under -icount. */
struct timer_rates timer_init(const struct acpi *acpi);

/* Nanoseconds since boot. */
uint64_t timer_now_ns(void);

/* The same by the time-stamp counter, also for who follows another clock. */
uint64_t timer_clock_ns(void);

/* The same of a value of the time-stamp counter, or a difference of two. */
uint64_t timer_tsc_ns(uint64_t tsc);

/* Call timer->expired(timer->context) at due_ns or as soon after it as may be, with interrupts off. */
void timer_arm(struct timer *timer, uint64_t due_ns);
void timer_cancel(struct timer *timer);

/* From here on time is what this says, and timers that are due expire in this call; for loops with interrupts off. */
void timer_follow(uint64_t now_ns);

/*
 * For who follows another clock, and so has no use for the APIC's timer: an interrupt after so many nanoseconds (0: none) of
 * that timer's own, in the middle of whatever has turned them on. Whether it has come, and is not of an earlier call.
 */
void timer_watch(uint64_t ns);
bool timer_watch_over(void);

/* Interrupts of the timer so far. */
uint64_t timer_interrupts(void);

#endif
