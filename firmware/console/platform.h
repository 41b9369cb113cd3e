/* SPDX-License-Identifier: MIT */
/* What the commands about the machine print: memory, tasks, time. They look; they change nothing. */
#ifndef TICKLOOP_CONSOLE_PLATFORM_H
#define TICKLOOP_CONSOLE_PLATFORM_H

void view_memory(void);
void view_tasks(void);
void view_uptime(void);

#endif
