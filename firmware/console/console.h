/* SPDX-License-Identifier: MIT */
/* Text for people: formatted printing on the serial console, and the end for reasons that can be told in one line. */
#ifndef TICKLOOP_CONSOLE_H
#define TICKLOOP_CONSOLE_H

#include <stdint.h>

/* Conversions: %u %lu %x %lx (32 and 64 bits), %s, %c, %.8s (eight bytes, printed without trailing spaces), %%. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print "panic: ..." and leave with EXIT_STATUS_PANIC. */
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The same with "layout: ..." and EXIT_STATUS_LAYOUT: kernel, bridge, hardware or configuration are of different builds. */
void layout_mismatch(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
