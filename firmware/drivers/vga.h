/* SPDX-License-Identifier: MIT */
/* The VGA in text mode 3, 80 x 25, as a BIOS leaves it (`-vga std`): character cells at 0xB8000, the cursor by CRTC ports. */
#ifndef TICKLOOP_VGA_H
#define TICKLOOP_VGA_H

#include <stdbool.h>

#include "console/screen.h"

/* Whether there is one. */
bool vga_present(void);

/* Bring the rows that changed and the cursor to the display. */
void vga_show(struct screen *screen);

#endif
