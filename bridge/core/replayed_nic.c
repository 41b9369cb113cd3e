/* SPDX-License-Identifier: MIT */
/*
 * A replay with a kernel: this file is the testbench and the NIC of an earlier run. It calls the core at the recorded
 * clocks, in the testbench's order within a clock, so a kernel that does what the recorded one did sees the same run.
 *
 * Another kernel has other times and addresses. Then what the NIC did once frames came is moved with the first frame,
 * addresses go along with the windows that the kernel grants, a register's access number n is answered as that of the
 * record, the NIC does not write over lines that have not been given back, and does not read before the doorbell that
 * made it read.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define REGISTER_COUNT 1024u /* 12 address bits */
#define WINDOWS 2u

struct window {
  uint64_t base, size;
};

static struct {
  struct recording dma, reads, registers, frames, valid, sent, guest;
  uint64_t next_write, next_read, next_report, next_valid, sent_at;
  uint64_t origin;       /* the recorded clock of the capture's time 0 */
  uint64_t stop;         /* ... and that at which the kernel was told to stop */
  uint64_t report_clock; /* the earliest for the next report: they keep their order */
  struct window recorded[WINDOWS], granted[WINDOWS];
  bool descriptors; /* the RX ring is one of these */
  uint64_t ring_base, ring_lines;
  uint32_t lines_written, lines_back; /* absolute: of the RX ring, and given back by this kernel */
  uint64_t doorbells;                 /* of this kernel */
  uint64_t recorded_doorbells, counted; /* in the record before the next read, among its first accesses */
  uint64_t latest[2][REGISTER_COUNT];   /* 1 + index of the last recorded access used, by write and register */
  struct {
    bool pending;
    uint64_t done, index;
    uint32_t address;
    bool write;
  } access;
} nic;

static const struct dma_log *write_log(void) { return (const struct dma_log *)nic.dma.data + nic.next_write; }
static const struct read_log *read_log(void) { return (const struct read_log *)nic.reads.data + nic.next_read; }
static const struct frame_log *frame_log(void) { return (const struct frame_log *)nic.frames.data + nic.next_report; }
static const struct valid_log *valid_log(void) { return (const struct valid_log *)nic.valid.data + nic.next_valid; }
static const struct register_log *accesses(void) { return nic.registers.data; }
static const struct tx_log *sent_log(void) { return (const void *)((const uint8_t *)nic.sent.data + nic.sent_at); }

static void set_window(struct window *windows, uint32_t address, uint32_t value) {
  static const struct {
    uint32_t address, window, shift;
    bool size;
  } WORDS[] = {
      {REG_WINDOW_BASE_LO, 0, 0, false}, {REG_WINDOW_BASE_HI, 0, 32, false}, {REG_WINDOW_SIZE_LO, 0, 0, true},
      {REG_WINDOW_SIZE_HI, 0, 32, true}, {REG_WINDOW2_BASE_LO, 1, 0, false}, {REG_WINDOW2_BASE_HI, 1, 32, false},
      {REG_WINDOW2_SIZE_LO, 1, 0, true}, {REG_WINDOW2_SIZE_HI, 1, 32, true},
  };
  for (uint32_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
    if (WORDS[i].address != address) continue;
    uint64_t *word = WORDS[i].size ? &windows[WORDS[i].window].size : &windows[WORDS[i].window].base;
    *word = (*word & ~(0xFFFFFFFFull << WORDS[i].shift)) | (uint64_t)value << WORDS[i].shift;
  }
}

/* Where the kernel of this run has what lay at `address` in the recorded one. */
static uint64_t address_now(uint64_t address) {
  for (uint32_t i = 0; i < WINDOWS; i++)
    if (address - nic.recorded[i].base < nic.recorded[i].size)
      return address - nic.recorded[i].base + nic.granted[i].base;
  return address;
}

static bool is_ring_line(const struct dma_log *write) {
  return !nic.descriptors && write->strobe == WHOLE_LINE &&
         write->address - nic.ring_base < nic.ring_lines * LINE_BYTES;
}

static bool is_doorbell(uint32_t address, bool write) { return write && address == REG_TX_TAIL; }

/* A write to a register, recorded: of a run's last set-up something is to be known. */
static void note_set_up(const struct register_log *access) {
  set_window(nic.recorded, access->address, access->value);
  switch (access->address) {
    case REG_CONTROL: nic.descriptors = access->value & CONTROL_RX_DESCRIPTOR; break;
    case REG_RX_BASE_LO: nic.ring_base = (nic.ring_base & ~0xFFFFFFFFull) | access->value; break;
    case REG_RX_BASE_HI: nic.ring_base = (nic.ring_base & 0xFFFFFFFFull) | (uint64_t)access->value << 32; break;
    case REG_RX_LOG2: nic.ring_lines = 1ull << (access->value & 31); break;
    default: break;
  }
}

static bool open_logs(const char *directory) {
  memset(&nic, 0, sizeof nic);
  if (!recording_open(&nic.dma, directory, "dma", sizeof(struct dma_log)) ||
      !recording_open(&nic.reads, directory, "reads", sizeof(struct read_log)) ||
      !recording_open(&nic.registers, directory, "registers", sizeof(struct register_log)) ||
      !recording_open(&nic.frames, directory, "frames", sizeof(struct frame_log)) ||
      !recording_open(&nic.valid, directory, "valid", sizeof(struct valid_log)) ||
      !recording_open(&nic.sent, directory, "sent", 8) ||
      !recording_open(&nic.guest, directory, "guest", sizeof(struct guest_log)))
    return false;
  const struct guest_log *requests = nic.guest.data;
  nic.stop = NEVER;
  for (uint64_t i = 0; i < nic.guest.count; i++)
    if (requests[i].status == ACKNOWLEDGE_STATUS_STOP) nic.stop = requests[i].answered_ps / clock_ps;
  nic.origin = NEVER;
  const struct frame_log *frames = nic.frames.data;
  for (uint64_t i = 0; i < nic.frames.count; i++)
    if (frames[i].first_clock - 1 < nic.origin) nic.origin = frames[i].first_clock - 1;
  for (uint64_t i = 0; i < nic.registers.count; i++)
    if (accesses()[i].write) note_set_up(&accesses()[i]);
  if (nic.stop == NEVER) core_fail(TL_FAILED, "the recorded run did not come to its end");
  return !core_failed();
}

static void close_logs(void) {
  recording_close(&nic.dma);
  recording_close(&nic.reads);
  recording_close(&nic.registers);
  recording_close(&nic.frames);
  recording_close(&nic.valid);
  recording_close(&nic.sent);
  recording_close(&nic.guest);
}

/* The clock of this run that a recorded one is. */
static uint64_t clock_now(uint64_t recorded) {
  const uint64_t origin = player_origin();
  if (recorded < nic.origin) return recorded;
  return origin == NEVER ? NEVER : recorded - nic.origin + origin;
}

static bool ring_full(void) {
  return is_ring_line(write_log()) && (uint32_t)(nic.lines_written - nic.lines_back) >= nic.ring_lines;
}

static uint64_t write_due(void) {
  return nic.next_write == nic.dma.count || ring_full() ? NEVER : clock_now(write_log()->clock);
}

static uint64_t read_due(void) {
  if (nic.next_read == nic.reads.count) return NEVER;
  for (; nic.counted < nic.registers.count; nic.counted++) {
    const struct register_log *access = &accesses()[nic.counted];
    if (access->started_clock >= read_log()->issued_clock) break;
    nic.recorded_doorbells += is_doorbell(access->address, access->write);
  }
  return nic.doorbells < nic.recorded_doorbells ? NEVER : clock_now(read_log()->issued_clock);
}

/* The log does not say when; nothing but the end of the run hangs on it, and it is later than the frame's last beat. */
static uint64_t report_due(void) {
  if (nic.next_report == nic.frames.count) return NEVER;
  const uint64_t due = clock_now(frame_log()->last_clock);
  return due < nic.report_clock ? nic.report_clock : due;
}

static uint64_t valid_due(void) { return nic.next_valid == nic.valid.count ? NEVER : clock_now(valid_log()->clock); }

static uint64_t sent_due(void) {
  if (nic.sent.bytes - nic.sent_at < sizeof(struct tx_log)) return NEVER;
  return clock_now(sent_log()->last_clock);
}

static uint64_t access_due(void) { return nic.access.pending ? nic.access.done : NEVER; }

/* The kernel's access number n of a register takes as long, and reads what, its access number n did. */
static void start_access(uint64_t clock, uint32_t address, uint32_t value, bool write) {
  uint64_t *latest = &nic.latest[write][address / 4 % REGISTER_COUNT];
  uint64_t index = *latest;
  while (index < nic.registers.count && (accesses()[index].address != address || accesses()[index].write != write))
    index++;
  if (index < nic.registers.count) *latest = index + 1;
  if (*latest == 0) {
    core_fail(TL_FAILED, "the kernel %s register 0x%03x, which the recorded one did not", write ? "writes" : "reads",
              address);
    return;
  }
  index = *latest - 1; /* past the last one: that one again */
  if (write) set_window(nic.granted, address, value);
  if (write && address == REG_RX_TAIL) nic.lines_back = value;
  nic.doorbells += is_doorbell(address, write);
  nic.access.pending = true;
  nic.access.done = clock + accesses()[index].done_clock - accesses()[index].started_clock;
  nic.access.index = index;
  nic.access.address = address;
  nic.access.write = write;
}

static uint64_t end_access(uint64_t clock) {
  const struct register_log *access = &accesses()[nic.access.index];
  nic.access.pending = false;
  return tl_register_done(clock, nic.access.write ? 0 : access->value, access->response);
}

static void report(uint64_t clock) {
  unsigned int words[(offsetof(struct frame_log, reserved) - offsetof(struct frame_log, sequence)) / 4];
  memcpy(words, (const uint8_t *)frame_log() + offsetof(struct frame_log, sequence), sizeof words);
  nic.next_report++;
  nic.report_clock = clock + 1;
  tl_report(clock, words);
}

static void transmit(void) {
  const struct tx_log *frame = sent_log();
  const uint8_t *data = (const uint8_t *)(frame + 1);
  if (nic.sent.bytes - nic.sent_at - sizeof *frame < ((frame->length + 7ull) & ~7ull)) {
    core_fail(TL_FAILED, "sent.bin ends inside an entry");
    return;
  }
  for (uint32_t at = 0; at < frame->length; at += 8) {
    const uint32_t left = frame->length - at;
    uint64_t tdata;
    memcpy(&tdata, data + at, sizeof tdata);
    tl_transmit(clock_now(at ? frame->last_clock : frame->first_clock), tdata, left < 8 ? 0xFFu >> (8 - left) : 0xFFu,
                left <= 8);
  }
  nic.sent_at += sizeof *frame + ((frame->length + 7ull) & ~7ull);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Everything recorded up to the end of the feed has happened. Reads for doorbells that this kernel did not ring never do. */
static bool idle(uint64_t clock) {
  return clock >= clock_now(nic.stop) && nic.next_write == nic.dma.count && read_due() == NEVER &&
         report_due() == NEVER && valid_due() == NEVER && sent_due() == NEVER && access_due() == NEVER;
}

static bool tick(uint64_t clock, uint64_t *next) {
  unsigned long long tdata[LINES];
  unsigned int control, address, data, line[LINE_BYTES / 4];
  *next = tl_tick(clock, idle(clock), &tdata[0], &tdata[1], &control, &address, &data);
  if (control >> TICK_REGISTER & 1) start_access(clock, address, data, control >> TICK_REGISTER_WRITE & 1);
  if (control >> TICK_READ_DATA & 1) tl_read_data(line);
  return !(control >> TICK_FINISHED & 1);
}

int tl_replay_nic(const char *record) {
  unsigned int line[LINE_BYTES / 4];
  bool running = true;
  if (!open_logs(record)) {
    close_logs();
    return TL_FAILED;
  }
  uint64_t clock = nic.guest.count ? ((const struct guest_log *)nic.guest.data)->time_ps / clock_ps : 0;
  for (uint64_t next = clock; running && !core_failed(); clock++) {
    const uint64_t stop = clock_now(nic.stop); /* the recorded core looked then, whatever made it do so */
    const uint64_t due = least(least(least(next, write_due()), least(read_due(), report_due())),
                               least(least(sent_due(), valid_due()), access_due()));
    if (due > clock) clock = stop >= clock ? least(due, stop) : due;
    if (report_due() <= clock) report(clock);
    if (valid_due() <= clock) {
      const uint64_t sequence = valid_log()->sequence;
      nic.next_valid++;
      tl_valid(clock, sequence);
    }
    if (write_due() <= clock) {
      const struct dma_log *write = write_log();
      nic.next_write++;
      nic.lines_written += is_ring_line(write);
      memcpy(line, write->data, sizeof line);
      next = tl_write(clock, address_now(write->address), write->strobe, line);
    }
    if (read_due() <= clock) {
      const uint64_t address = address_now(read_log()->address);
      nic.next_read++;
      next = tl_read(clock, address);
    }
    if (access_due() <= clock) next = end_access(clock);
    if (sent_due() <= clock) transmit();
    if (clock >= next || clock == stop) running = tick(clock, &next);
  }
  close_logs();
  return core_failed() ? TL_FAILED : TL_OK;
}
