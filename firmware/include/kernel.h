/* SPDX-License-Identifier: MIT */
/* What the linker script tells the kernel about itself. Each part begins on a page. */
#ifndef TICKLOOP_KERNEL_H
#define TICKLOOP_KERNEL_H

#include <stdint.h>

extern const uint8_t kernel_text[];
extern const uint8_t kernel_text_end[]; /* constants follow */
extern const uint8_t kernel_data[];     /* what may be written: .data, .bss, the boot stack */
extern const uint8_t kernel_end[];

extern volatile uint64_t kernel_last_word; /* the last of the image, nobody's */

extern const uint8_t stack_guard[]; /* the page below the boot stack */

#endif
