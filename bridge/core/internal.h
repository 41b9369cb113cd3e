/* SPDX-License-Identifier: MIT */
/*
 * Parts of the native core. A process makes one run at a time, so the core is one object; each part owns one member of it
 * and no other part writes there. All times: clocks of the NIC, or picoseconds = clock_ps * clocks.
 */
#ifndef TICKLOOP_CORE_INTERNAL_H
#define TICKLOOP_CORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core.h"
#include "layout.h"

#define NEVER UINT64_MAX

#define LINES 2u /* receive ports: A, B */
#define WHOLE_LINE UINT64_MAX /* write strobe */

extern uint64_t clock_ps; /* of this run */
static inline uint64_t clock_at_or_after(uint64_t ps) { return (ps + clock_ps - 1) / clock_ps; }

/* ---- failure: the first one is kept and ends the run ---- */
void core_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool core_failed(void);

/* ---- recorder: one buffered file a log ---- */
enum log {
  LOG_FRAMES,
  LOG_VALID,
  LOG_DMA,
  LOG_READS,
  LOG_REGISTERS,
  LOG_SENT,
  LOG_GUEST,
  LOG_TRACE,
  LOG_EXPORT,
  LOG_RAW,
  LOG_STIMULUS, /* of a run that makes its own */
  LOG_COUNT
};
int recorder_open(const char *directory, bool stimulus);
void recorder_write(enum log log, const void *data, size_t bytes);
int recorder_close(void);

/* ---- a log of an earlier run, in memory ---- */
struct recording {
  const void *data;
  uint64_t bytes, count; /* count: entries of a fixed size */
};
bool recording_open(struct recording *recording, const char *directory, const char *log, size_t entry);
void recording_close(struct recording *recording);

/* ---- frame player: when each frame's beats are due ---- */
int player_open(const char *path); /* NULL: frames come while the run goes on */
void player_add(const void *frames, uint64_t bytes); /* stimulus_frame entries; recorded */
void player_close(void);
void player_start(uint64_t clock);   /* the clock of capture time 0 */
uint64_t player_origin(void);        /* that clock, NEVER before */
uint64_t player_due(void);           /* clock of the next beat, NEVER when all are played or not started */
/* The beat of a line in this clock, as bits of tl_tick's control word; 0: there is none. */
uint32_t player_beat(unsigned line, uint64_t clock, unsigned long long *tdata);
void player_hold(bool hold, uint64_t clock); /* from this clock on no frame begins, or frames do again */
bool player_finished(void);
uint64_t player_frames(void);        /* frames whose last beat was played */
uint64_t player_total(void);
/* First and last clock of the line's oldest frame not yet reported. False: there is none. */
bool player_reported(unsigned line, uint64_t *first_clock, uint64_t *last_clock);
uint64_t player_unreported(void);

/* ---- rings: which of the NIC's writes publish a record ---- */
struct publication {
  enum { RING_NONE, RING_RX, RING_RAW } ring;
  uint32_t lines; /* of the record */
};
void rings_open(void);
void rings_register(uint32_t address, uint32_t value); /* a register write goes to the NIC */
/* Of the next write to memory; before it, for a record that is published is the kernel's. */
struct publication rings_written(uint64_t address, uint64_t strobe, const void *line);
uint32_t rings_rx(uint32_t *published);  /* slots of the ring, 0 while it is not enabled; lines published in all */
uint32_t rings_raw(uint32_t *published);
void rings_prepare_descriptors(uint64_t base, uint32_t log2, uint64_t buffers);
void rings_clear_descriptors(uint32_t lines); /* of the record published last: they may be used again */

/* ---- the host of a run without a kernel ---- */
void host_open(const struct tl_config *config);
void host_begin(uint64_t clock); /* queues the set-up writes */
void host_take(uint64_t clock, struct publication record);

/* ---- the host of a replay without a kernel: what the recorded one did, at its clocks ---- */
int replayed_host_open(const char *directory);
void replayed_host_close(void);
uint64_t replayed_host_origin(void); /* clock of the capture's time 0 */
uint64_t replayed_host_due(void);    /* clock of its next register access, NEVER after the last */
void replayed_host_act(uint64_t clock);
bool replayed_host_read(uint64_t clock, uint64_t address); /* the NIC reads a line; false: not one that was recorded */
const uint8_t *replayed_host_answer(void); /* to the oldest read not answered */

/* ---- host memory: what the NIC wrote becomes visible in order, and only while the kernel is parked ---- */
int memory_open(int fd, uint64_t bytes);
void memory_close(void);
void *memory_at(uint64_t address, uint64_t bytes); /* NULL when outside */
void memory_write(uint64_t visible_ps, uint64_t address, uint64_t strobe, const void *line);
void memory_read(uint64_t address, void *line); /* as the NIC reads it: behind all its own writes */
struct publication memory_commit(uint64_t now_ps); /* what the last line that became visible published */
uint64_t memory_next_visible(void); /* ps, NEVER if nothing is on its way */
uint64_t memory_published(void); /* records visible so far */

/* ---- register accesses on their way to the NIC, in order ---- */
void registers_open(void);
void registers_queue(uint64_t due_clock, bool write, uint32_t address, uint32_t value, enum register_purpose purpose);
uint64_t registers_due(void);
bool registers_start(uint64_t clock, uint32_t *control, uint32_t *address, uint32_t *data);
uint64_t registers_waiting(uint64_t clock, uint32_t *address); /* clocks since the access under way was started */
/* Ends and records the access under way, which the NIC has answered. False: there was none. */
bool registers_done(uint64_t clock, uint32_t data, uint32_t response, struct register_log *access);
bool registers_quiet(void);

/* ---- host commands of a script, for a kernel in lockstep ---- */
int commands_open(const char *directory); /* of commands.bin; NULL: there are none */
void commands_close(void);
uint64_t commands_due(
    void); /* ps: when the next one is; NEVER before the first frame's time is known, after the last */
bool commands_all_given(void);
bool commands_untaken(const struct mailbox *mailbox); /* one was given that the kernel has not taken */
void commands_give(struct mailbox *mailbox, uint64_t now_ps); /* to a parked kernel, if one is due and has room */

/* ---- an exchange that answers ---- */
void exchange_open(void);
void exchange_close(void);
bool exchange_attached(void);
void exchange_sent(uint64_t clock, const void *frame, uint32_t length);
uint64_t exchange_due(void); /* clock */
void exchange_act(uint64_t clock);
bool exchange_done(void); /* has finished and seen everything, or there is none */

/* ---- the kernel: mailbox protocol and lockstep time ---- */
int guest_open(const struct tl_config *config);
void guest_close(void);
int guest_wait_attach(int32_t qemu_pid);
void guest_begin(uint64_t clock);
uint64_t guest_due(void); /* clock at which the kernel goes on, NEVER while it waits for the NIC */
void guest_serve(uint64_t clock);
void guest_written(uint64_t clock); /* the NIC wrote a line: a waiting poll may have an end now */
void guest_feed_starts(void); /* commands have their times now: likewise */
void guest_read_done(uint64_t clock, uint32_t value, bool error);
void guest_write_done(uint64_t clock); /* a posted write has arrived: its credit is free */
bool guest_polling(void); /* waits in a poll; when that ends by itself does not matter */
void guest_stop(uint64_t clock); /* answer that poll with stop */
bool guest_feeding(void); /* has polled at least once */
bool guest_exited(void);
uint64_t guest_rendezvous(void);
uint64_t guest_held_up(void); /* random delays injected */
double guest_boot_seconds(void);
double guest_seconds(void);

/* a free run */
bool guest_free(void);
bool guest_running(void); /* is not in a request, as far as this side has looked */
void guest_look(uint64_t clock); /* take a request that has come */
void guest_await_progress(void); /* until there is one, or all records are consumed */
void free_open(void);
void free_returned(uint32_t address, uint32_t lines); /* the kernel writes this register */
void free_look(uint64_t clock, bool idle);

double seconds_now(void);

#endif
