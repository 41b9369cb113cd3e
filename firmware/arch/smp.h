/* SPDX-License-Identifier: MIT */
/* The other processors: each stays asleep until it is given something to run, once. */
#ifndef TICKLOOP_SMP_H
#define TICKLOOP_SMP_H

#include <stdbool.h>
#include <stdint.h>

#define SMP_STACK_BYTES 65536u

/* How many processors may be used, the one that booted included; behind board_init. */
uint32_t smp_processors(void);

/*
 * Start processor `index` (from 1 on) with `run`, on a stack of its own, interrupts off and no source of any enabled there.
 * When `run` returns, the processor sleeps for good. False: it is not there, did not come within 2 s, or was started before.
 */
bool smp_start(uint32_t index, void (*run)(void *argument), void *argument);

/* Whether its `run` has returned. */
bool smp_finished(uint32_t index);

#endif
