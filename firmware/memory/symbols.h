/* SPDX-License-Identifier: MIT */
/* Names for addresses of code: the build writes a table of the image's functions into the image (symbols.py). */
#ifndef TICKLOOP_MEMORY_SYMBOLS_H
#define TICKLOOP_MEMORY_SYMBOLS_H

#include <stdint.h>

/* The function that an address lies in and how far; NULL if it is no code of the kernel's. */
const char *symbols_find(uint64_t address, uint64_t *offset);

#endif
