/* SPDX-License-Identifier: MIT */
/*
 * Text of the trading loop's processor on its way to the console: through the ring, so that it neither waits for the serial
 * line nor writes into the middle of another line. What finds no room is dropped and counted.
 */
#ifndef TICKLOOP_RELAY_H
#define TICKLOOP_RELAY_H

#include <stdbool.h>

/* Start the task that prints what comes; from here on relay_put takes the other processors' text. */
void relay_start(void);

/* Whether this processor's text goes through the relay; otherwise it is to be printed where it is. */
bool relay_takes(void);

/* Take a character if it does. */
bool relay_put(char c);

/* Before the machine ends: wait until all has been printed, or print it here if nobody takes a message for a second. */
void relay_settle(void);

#endif
