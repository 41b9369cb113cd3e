/* SPDX-License-Identifier: MIT */
/* run=console: the platform and its console, nothing that trades. */
#ifndef TICKLOOP_CONSOLE_RUN_H
#define TICKLOOP_CONSOLE_RUN_H

#include "arch/boot.h"

void console_run(const struct boot *boot);

#endif
