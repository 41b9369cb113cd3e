/* SPDX-License-Identifier: MIT */
/*
 * The NIC's mailbox: BAR2 of an ivshmem-plain device, plain memory shared with the bridge.
 *
 * A store to it has no side effect, so every register access is a request that the bridge performs while the kernel waits
 * (lockstep). The work clock stands still during that wait: it counts what the kernel executed, not how long it waited,
 * and under -icount shift=0 that is the exact number of instructions.
 *
 * In a free run nobody is parked: requests are the same, but the kernel polls its rings in memory, and the two sides tell
 * each other by a word each how far they are.
 */
#ifndef TICKLOOP_MAILBOX_H
#define TICKLOOP_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/cpu.h"
#include "include/layout.h"

/* Commands typed at the console that wait for the trading loop, on another processor if there are two. */
#define TYPED 4u

struct typed {
  char text[TYPED][COMMAND_BYTES];
  uint32_t given; /* the console's */
  uint32_t taken; /* the loop's */
};

struct mailbox_port {
  struct mailbox *shared;
  uint64_t not_work;    /* what rdtsc showed at boot, and all waiting since */
  uint64_t trace_index; /* trace entries written so far: the bridge reads up to here at each request */
  uint32_t sequence;
  uint32_t commands_expected; /* command_sequence as long as no command waits; one that was typed makes it another */
  bool free; /* run_mode */
  uint32_t commands_taken; /* of the host */
  struct typed typed;
  /*
   * What is done while the kernel waits for a record, if it is not NULL: nothing of it is work. In lockstep the trading
   * core stands still meanwhile; `answered` says that the wait is over, which true as the answer makes longer.
   */
  bool (*meanwhile)(void *context, bool answered);
  void *context;
  uint64_t parked; /* when the wait began in which that is called */
  /* Before a wait for a record, if it is not NULL; nothing of it is work. In lockstep it is told the simulated time. */
  void (*housekeep)(uint64_t now_ns);
};

/* The taps of a trace entry: the low half is enough, and cheaper. */
static inline uint32_t work_tap(const struct mailbox_port *port) {
  return (uint32_t)rdtsc() - (uint32_t)port->not_work;
}

/* Instructions executed outside of waiting, since boot. */
static inline uint64_t work_now(const struct mailbox_port *port) { return rdtsc() - port->not_work; }

/* Simulated time: where the last answer left it, and the work since. */
static inline uint64_t mailbox_now_ns(const struct mailbox_port *port) {
  const struct mailbox *shared = port->shared;
  return (shared->now_ps + (work_now(port) - shared->work) * shared->ps_per_instruction) / 1000;
}

/* Find the device and check magic, version and layout hash; panics or ends with EXIT_STATUS_LAYOUT. */
void mailbox_open(struct mailbox_port *port);

/* Make a request and wait for its acknowledge; panics if the bridge refuses it. Returns the acknowledge status. */
enum acknowledge_status mailbox_request(struct mailbox_port *port, enum mailbox_op op, uint32_t address,
                                        uint32_t value);

/*
 * Lockstep: nothing to do, and so many records consumed in all; wait for one more, or for a command, or for deadline_ns
 * (0: for ever). Returns false when the run is over.
 */
bool mailbox_poll(struct mailbox_port *port, uint32_t deadline_ns, uint32_t consumed);

/* Free run: nothing to do, and so many records consumed in all. Returns false when the run is over. */
bool mailbox_idle(struct mailbox_port *port, uint64_t consumed);

/* Inside of `meanwhile`, once answered: make requests, by `access`. In lockstep they take the time that they take at any other. */
void mailbox_between(struct mailbox_port *port, void (*access)(struct mailbox_port *port, void *context),
                     void *context);

/* ATTACH: tell the bridge the kernel's layout and where the trace ring is. */
void mailbox_attach(struct mailbox_port *port, const struct trace_entry *trace, uint32_t trace_log2);

/* A command, of the host or typed, that has not been taken yet: one test for both, off the hot path and on it. */
static inline bool mailbox_command_given(const struct mailbox_port *port) {
  return load_acquire(&port->shared->command_sequence) != port->commands_expected;
}

enum command_source { COMMAND_NONE = 0, COMMAND_HOST, COMMAND_TYPED };

/* Take a command that was given: its text, terminated. */
enum command_source mailbox_take_command(struct mailbox_port *port, char text[COMMAND_BYTES]);

/* Whether so many more may be given. */
bool mailbox_has_room(const struct mailbox_port *port, uint32_t commands);

/* Give one that was typed, terminated; false: too many wait. What is taken has zeros behind it. */
bool mailbox_type_command(struct mailbox_port *port, const char *text);

/* EXPORT: hand out the kernel's result. */
void mailbox_export(struct mailbox_port *port, const void *export, uint64_t bytes);

static inline void register_write(struct mailbox_port *port, uint32_t address, uint32_t value) {
  mailbox_request(port, MAILBOX_OP_REGISTER_WRITE, address, value);
}

static inline uint32_t register_read(struct mailbox_port *port, uint32_t address) {
  mailbox_request(port, MAILBOX_OP_REGISTER_READ, address, 0);
  return port->shared->ack_value;
}

#endif
