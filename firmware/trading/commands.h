/* SPDX-License-Identifier: MIT */
/* Commands of the host, and those that were typed: kill, resume, cancel all, strategy, logout. */
#ifndef TICKLOOP_TRADING_COMMANDS_H
#define TICKLOOP_TRADING_COMMANDS_H

#include "trading/kernel.h"

/* Take and follow all that were given: a kill behind others takes effect before the next order too. */
void take_commands(struct kernel *kernel);

#endif
