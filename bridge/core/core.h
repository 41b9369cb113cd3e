/* SPDX-License-Identifier: MIT */
/*
 * The native core of the loop: frame player, host memory, rings, lockstep with the kernel, recorder.
 *
 * The HDL testbench calls the tl_* functions of the first group once per event in a clock, in a fixed order; everything
 * that happens in a run follows from that order, so a run is reproducible. Python configures the core before the run and
 * reads its state after it through the second group; it is never called per clock. A process may make several runs, one
 * after the other: tl_open clears what the one before it left.
 */
#ifndef TICKLOOP_CORE_H
#define TICKLOOP_CORE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called by the testbench; each returns (where it returns) the next clock at which tl_tick is due. The bits of tl_tick's
 * control word are those of enum tick in the layout. */
unsigned long long tl_tick(unsigned long long clock, unsigned int idle, unsigned long long *tdata_a,
                           unsigned long long *tdata_b, unsigned int *control, unsigned int *address,
                           unsigned int *data);
/* The NIC is at rest, `next` is due: what until then only the host does is done at once. Returns when the NIC is needed. */
unsigned long long tl_rest(unsigned long long next);
unsigned long long tl_write(unsigned long long clock, unsigned long long address, unsigned long long strobe,
                            const unsigned int *line);
unsigned long long tl_read(unsigned long long clock, unsigned long long address);
void tl_read_data(unsigned int *line);
unsigned long long tl_register_done(unsigned long long clock, unsigned int data, unsigned int response);
unsigned long long tl_transmit(unsigned long long clock, unsigned long long tdata, unsigned int tkeep,
                               unsigned int tlast);
void tl_report(unsigned long long clock, const unsigned int *report);
void tl_valid(unsigned long long clock, unsigned long long sequence);
void tl_skip(unsigned long long clocks);
void tl_unknown(const char *what);     /* the NIC drove unknown (X) bits: only Icarus can tell */
unsigned long long tl_take_skip(void); /* clocks skipped since the last call: the simulator's own time must follow */

/* Exit statuses of a failed run, as the command line promises them. */
enum tl_status {
  TL_OK = 0,
  TL_FAILED = 1,
  TL_QEMU_DIED = 4,
  TL_SILENT = 6,
  TL_LAYOUT = 7,
  TL_SPACE = 8,
  TL_EXCHANGE = 10
};

struct tl_config {
  const char *stimulus;      /* file of stimulus_frame entries of both lines; NULL: an exchange makes them */
  const char *record;        /* existing directory for the logs */
  const char *replay;        /* without a kernel: record directory of the run whose host acts again, or NULL */
  const char *commands;      /* with a kernel in lockstep: directory of commands.bin, host_command entries; or NULL */
  uint64_t ram_bytes;        /* size of host memory */
  int32_t ram_fd;            /* guest RAM, or -1: host memory in this process and no kernel */
  int32_t mailbox_fd;        /* mailbox object, with a kernel */
  int32_t progress_fd;       /* "frames total\n" lines, or -1 */
  uint32_t epoch;            /* mixed into every publish word */
  uint32_t clock_ps;         /* clock period of the NIC; a line carries 8 bytes a clock */
  uint32_t ps_per_instruction;
  uint32_t posted_write_clocks; /* NIC write issued -> visible to the kernel */
  uint32_t read_clocks;         /* NIC read issued -> data back; register read round trip */
  uint32_t doorbell_clocks;     /* kernel's register write -> at the NIC */
  uint32_t timeout_s;           /* silence of the kernel that ends the run */
  uint32_t host_delay_us;       /* upper bound of random delays injected before the kernel goes on (tests) */
  uint32_t guest_delay_us;      /* ... and of random stops of QEMU after it (tests) */
  uint32_t delay_seed;
  uint32_t mode;                /* run_mode of a run with a kernel */
  uint32_t give_back;           /* without a kernel: lines after which the ring tail register is advanced */
  uint64_t patience_clocks;     /* the longest that the NIC may keep something without a sign: a packet on hold */
};

/* Called by Python. Functions that return int give a tl_status; tl_message() says why in one line. */
int tl_open(const struct tl_config *config);
void tl_add_register_write(uint32_t address, uint32_t value); /* before the feed, without a kernel */
void tl_prepare_descriptors(uint64_t base, uint32_t log2, uint64_t buffers); /* without a kernel: an RX ring of them */
void tl_add_final_read(uint32_t address); /* after the run */
int tl_wait_attach(int32_t qemu_pid); /* until the first request of the kernel in that process */
/* An exchange that answers, with a kernel in lockstep. All times are ps from the time of the run's first frame; frames are
 * stimulus_frame entries, those sent with the time of their last beat. It is called with the time up to which to go and what
 * was sent since, answers by tl_exchange_answer once before it returns 0, or calls tl_exchange_failed. Frames answered are
 * due before that time, and on each line not before those of earlier calls; next_ps is when it has something to do again
 * (2^64 - 1: when something was sent). The run does not end before it says that it has finished. */
typedef int (*tl_exchange)(uint64_t until_ps, const void *sent, uint64_t bytes);
void tl_set_exchange(tl_exchange advance, uint64_t latency_ps);
void tl_exchange_answer(const void *frames, uint64_t bytes, uint64_t next_ps, uint32_t finished);
void tl_exchange_failed(const char *message);
int tl_replay_nic(const char *record); /* in place of a simulator: the NIC of the run recorded there, to the end */
int tl_close(void); /* flush the logs; final status of the run */
const char *tl_message(void);
uint32_t tl_final_value(uint32_t index);

struct tl_totals {
  uint64_t clocks, skipped, ticks, frames, reports, writes, reads, rendezvous, held_up;
  double boot_s, loop_s, guest_s;
};
void tl_get_totals(struct tl_totals *totals);

#ifdef __cplusplus
}
#endif
#endif
