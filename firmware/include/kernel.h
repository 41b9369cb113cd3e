/* SPDX-License-Identifier: MIT */
/* What the linker script tells the kernel about itself. */
#ifndef TICKLOOP_KERNEL_H
#define TICKLOOP_KERNEL_H

#include <stdint.h>

extern const uint8_t kernel_end[];

#endif
