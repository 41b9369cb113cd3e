/* SPDX-License-Identifier: MIT */
/* Commands of the host: kill, resume, cancel all, logout. */
#ifndef TICKLOOP_TRADING_COMMANDS_H
#define TICKLOOP_TRADING_COMMANDS_H

#include "trading/kernel.h"

/* Take and follow the command that was given. */
void take_command(struct kernel *kernel);

#endif
