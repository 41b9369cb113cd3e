/* SPDX-License-Identifier: MIT */
/* How the machine ends: QEMU's isa-debug-exit, `-device isa-debug-exit,iobase=0xf4,iosize=4`; QEMU exits with 2 status + 1. */
#ifndef TICKLOOP_MACHINE_H
#define TICKLOOP_MACHINE_H

#include <stdint.h>

void machine_exit(uint32_t status) __attribute__((noreturn));

/* The same at once: text of another processor's that is on its way is not waited for. */
void machine_stop(uint32_t status) __attribute__((noreturn));

#endif
