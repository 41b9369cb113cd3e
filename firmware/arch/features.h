/* SPDX-License-Identifier: MIT */
/* What the kernel needs of the processor beyond long mode, without which it would not be here (boot.S). */
#ifndef TICKLOOP_FEATURES_H
#define TICKLOOP_FEATURES_H

/* Panics, naming the first feature that is missing. */
void features_check(void);

#endif
