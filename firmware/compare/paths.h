/* SPDX-License-Identifier: MIT */
/*
 * The paths: each hands over one message, a time stamp, at a time. The producer sends the next one some microseconds after
 * the last was taken, so that the consumer waits for it.
 */
#ifndef TICKLOOP_COMPARE_PATHS_H
#define TICKLOOP_COMPARE_PATHS_H

#include <stdint.h>

/* In samples of time-stamp counts, from before the message is written until it has been read. */
struct path_samples {
  uint64_t *blocking;  /* interrupt, handler, wake-up of a task */
  uint64_t *interrupt; /* of that, until the handler runs */
  uint64_t *woken;     /* the same by a bell: without an interrupt, where the consumer's processor is awake */
  uint64_t *naive;
  uint64_t *ring;
  uint64_t *change; /* no message: one task gives the processor to another */
  uint32_t count; /* of each */
};

/* Handlers and memory; before the others, on the processor that booted. */
void paths_init(void);

/* The consumer's and the producer's side of all paths, between this processor, in a task, and processor 1. */
void paths_consume(const struct path_samples *samples);
void paths_produce(uint32_t count);

/* The same with one processor: the blocking path between two tasks, the others from a function to the next. */
void paths_alone(const struct path_samples *samples);

#endif
