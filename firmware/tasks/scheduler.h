/* SPDX-License-Identifier: MIT */
/*
 * Housekeeping tasks: run by priority on the processor that booted, or in the waits of the trading loop where that is the
 * only one. No tick: a task runs until it waits, ends, or (with interrupts on) one of a higher priority becomes ready.
 *
 * A task that causes an exception, or behind tasks_shield a panic, is ended and reported, and in those waits one that never
 * waits itself; everything else goes on.
 */
#ifndef TICKLOOP_SCHEDULER_H
#define TICKLOOP_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/timer.h"
#include "tasks/ready.h"

#define TASKS_MAX 12u
#define TASK_STACK_BYTES 16384u

/* Something that one task can wait for. Signalled before anybody waits, it lets the next wait pass at once. */
struct event {
  struct task *waiting;
  bool set;
};

enum task_state_name { TASK_FREE, TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_ENDED, TASK_FAULTED };

/* What there is to tell about a task. */
struct task_report {
  const char *name;
  uint64_t switches; /* times it was given the processor */
  uint64_t run_tsc;  /* how long it had it, in time-stamp counts */
  uint8_t priority;
  enum task_state_name state;
};

/* Before all others: who calls this is the idle context that tasks_run or tasks_step goes on with. */
void tasks_init(void);

/* A new task; false if there are TASKS_MAX already. Priorities are 0 to PRIORITIES - 1, the highest goes first. */
bool task_start(const char *name, uint8_t priority, void (*run)(void *argument), void *argument);

/* From the idle context: a task that is run at once, to its end and with interrupts off, so that what faults in it is a
 * task's. Not to wait in, and in no list of tasks. On a processor that runs no tasks it is a plain call. */
void task_alone(const char *name, void (*run)(void *argument), void *argument);

/* Let others of the same priority run. */
void task_yield(void);

void task_sleep_ns(uint64_t ns);

/* Wait for an event; with a time at which to give up (of timer_now_ns) false is returned if it did not come. */
void event_wait(struct event *event);
bool event_wait_until(struct event *event, uint64_t due_ns);

/* From a task, an interrupt or the idle context: whoever waits goes on. */
void event_signal(struct event *event);

/* Between these no other task runs, but interrupts are taken; not to wait in. On the processor that runs tasks only. */
void tasks_hold(void);
void tasks_release(void);

/* There is a trading loop to go on: from here on a panic of a task ends that task alone. */
void tasks_shield(void);

/* The end of a panic: does not return if it was a task's, and there is a shield. */
void tasks_panicked(void);

/* The command line's idle=: "halt", or "spin" for some time first, for who is in a hurry to be heard. */
void tasks_choose_idle(const char *command_line);

/* With interrupts on, for good: the processor sleeps whenever no task is ready. */
void tasks_run(void) __attribute__((noreturn));

/* With interrupts off: run what is ready at this time, until all of it waits. Costs a few instructions if nothing is. A task
 * that runs for 100 ms of the APIC's timer is ended. */
void tasks_step(uint64_t now_ns);

/* Of the `index`th place; false behind the last one. A place of state TASK_FREE was never used. */
bool task_look(unsigned index, struct task_report *report);

/* Switches between tasks, and tasks ended by an exception or a panic. */
uint64_t tasks_switches(void);
uint64_t tasks_faults(void);

/* switch.S */
void task_switch(uint64_t *from, uint64_t to);

#endif
