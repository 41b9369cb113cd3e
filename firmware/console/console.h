/* SPDX-License-Identifier: MIT */
/*
 * Text for people: formatted printing on serial line and screen, and the end for reasons that can be told in one line.
 *
 * What is being typed stands on the last line; whatever is printed meanwhile begins on a line of its own.
 */
#ifndef TICKLOOP_CONSOLE_H
#define TICKLOOP_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Conversions: %u %lu %x %lx (32 and 64 bits), %s, %c, %.8s (eight bytes, printed without trailing spaces), %%. A width
 * pads with spaces on the left, or with - on the right.
 */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where the time that printing takes (in time-stamp counts) is added up: it is up to who reads the line. NULL: nowhere. */
void console_account(uint64_t *spent);

/* From here on also on the screen; false: there is none. */
bool console_add_screen(void);

/* Bring what was printed to the display: off every path on which time matters. */
void console_refresh(void);

/* The prompt, unless it stands there already; true: it had to be printed. */
bool console_prompt(void);

/* A character of the line that is being typed, behind the prompt; a newline ends it. */
void console_echo(char c);

/* Print "panic: ..." and leave with EXIT_STATUS_PANIC; beside a trading loop a panic of a housekeeping task ends that task alone. */
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The same with "layout: ..." and EXIT_STATUS_LAYOUT: kernel, bridge, hardware or configuration are of different builds. */
void layout_mismatch(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
