/* SPDX-License-Identifier: MIT */
/* Carves the static pools once at start; there is nothing to give back. */
#ifndef TICKLOOP_POOLS_H
#define TICKLOOP_POOLS_H

#include <stdint.h>

#include "arch/boot.h"

/* Take `count` entries of `size` bytes, aligned on `alignment` (a power of two); panics, naming `what`, if they do not fit. */
void *pools_take(struct range *memory, const char *what, uint64_t count, uint64_t size, uint64_t alignment);

/* The same, zeroed: RAM is not zero by itself on every loader. */
void *pools_take_zeroed(struct range *memory, const char *what, uint64_t count, uint64_t size, uint64_t alignment);

#endif
