/* SPDX-License-Identifier: MIT */
/* Entries of the trace ring that are no messages. */
#ifndef TICKLOOP_TRADING_NOTES_H
#define TICKLOOP_TRADING_NOTES_H

#include "trading/kernel.h"

/* What happened beside messages, in the kernel's own order: so that a check can follow it. */
void note(struct kernel *kernel, enum trace_kind kind, uint64_t value);

#endif
