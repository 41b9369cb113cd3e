/* SPDX-License-Identifier: MIT */
/* The commands: one table for serial line, keyboard, files and the host's script. docs/console.md describes each. */
#ifndef TICKLOOP_CONSOLE_COMMANDS_H
#define TICKLOOP_CONSOLE_COMMANDS_H

#include <stdbool.h>

#include "console/desk.h"

/* Carry out a line that was typed. */
void command_line(struct desk *desk, const char *text);

/* Whether `text` names a command that the console carries out by itself: one that only looks, or is about files. */
bool command_is_consoles(const char *text);

/* Go on with the file of commands that is being carried out, as far as there is room for what is to be done. */
void command_file(struct desk *desk);

#endif
