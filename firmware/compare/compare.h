/* SPDX-License-Identifier: MIT */
/*
 * run=compare: what it takes to hand a message from one processor to another by an interrupt and the scheduler, by naive
 * shared memory, and by the ring of tasks/spsc.h. Every sample is kept, in memory that the console tells the address of.
 */
#ifndef TICKLOOP_COMPARE_H
#define TICKLOOP_COMPARE_H

#include "arch/boot.h"

extern const char *const compare_words[];

/* As many samples a path as the command line's `samples=` says, between two processors if there are two. */
void compare_run(const struct boot *boot);

#endif
