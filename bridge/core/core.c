/* SPDX-License-Identifier: MIT */
/*
 * The schedule of a run: which part acts in which clock. Every function returns the next clock at which tl_tick is due,
 * the minimum over all parts, computed afresh each time: a nearer due clock can never be lost. The other calls of a clock
 * come before its tick, so they leave a tick that is due in this very clock where it is.
 */
#include "core.h"
#include "internal.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define FEED_DELAY \
  160ull /* clocks from the kernel's first poll (or the last set-up write) to the first frame, at least */
#define IDLE_CHECK 4ull          /* clocks between looks at the NIC's idle while the run drains */
#define NOTHING_DUE 4096ull
#define FREE_LOOK 64ull /* clocks between looks at the kernel of a free run while the NIC has something to do */
#define REST_TICKS 4096u /* then the simulator is heard again */
#define PATIENCE 400000ull /* clocks with a NIC that has nothing to do any more, but is not idle or owes reports */
#define ANSWER_CLOCKS 100000u /* that the NIC may take to answer a register access */
#define READS 64u
#define FINAL_READS 512u
#define PROGRESS_TICKS 65536u
#define SENT_MAX 16384u

static struct {
  struct tl_config config;
  bool attached; /* to a kernel */
  bool replayed; /* no kernel: the host is that of a recorded run */
  bool feeding, ending, finished;
  bool idle; /* the NIC, in the last tick */
  uint64_t next; /* clock of the next tick, as last answered */
  int status;
  char message[512];
  uint64_t ticks, writes, read_count, reports, skipped, take_skip, last_clock;
  struct {
    uint64_t issued, due, address;
  } reads[READS];
  uint32_t read_head, read_tail;
  struct read_log answered; /* in this tick, but for its data */
  uint32_t final_address[FINAL_READS], final_value[FINAL_READS], final_count, final_done;
  uint64_t sign; /* clock of the last sign that something goes on: a beat, a write, a report, a frame sent */
  struct {
    struct tx_log entry;
    uint8_t data[SENT_MAX];
  } sent; /* a frame on its way out */
  double loop_start, loop_s;
} core;

uint64_t clock_ps;

void core_fail(int status, const char *format, ...) {
  if (core.status != TL_OK) return;
  core.status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(core.message, sizeof core.message, format, arguments);
  va_end(arguments);
}

bool core_failed(void) { return core.status != TL_OK; }
const char *tl_message(void) { return core.message; }

int tl_open(const struct tl_config *config) {
  memset(&core, 0, sizeof core);
  core.config = *config;
  core.attached = config->ram_fd >= 0;
  core.replayed = config->replay && !core.attached;
  clock_ps = config->clock_ps;
  registers_open();
  rings_open();
  host_open(config);
  free_open();
  exchange_open();
  if (recorder_open(config->record, !config->stimulus) || player_open(config->stimulus) ||
      memory_open(config->ram_fd, config->ram_bytes))
    return core.status;
  if (commands_open(config->commands)) return core.status;
  if (core.attached) guest_open(config);
  if (core.replayed) replayed_host_open(config->replay);
  return core.status;
}

void tl_add_final_read(uint32_t address) {
  if (core.final_count == FINAL_READS) core_fail(TL_FAILED, "too many final reads");
  else core.final_address[core.final_count++] = address;
}

uint32_t tl_final_value(uint32_t index) { return index < core.final_count ? core.final_value[index] : 0; }

int tl_wait_attach(int32_t qemu_pid) {
  guest_wait_attach(qemu_pid);
  return core.status;
}

int tl_close(void) {
  recorder_close();
  player_close();
  memory_close();
  guest_close();
  commands_close();
  exchange_close();
  replayed_host_close();
  return core.status;
}

void tl_get_totals(struct tl_totals *totals) {
  *totals = (struct tl_totals){
      .clocks = core.last_clock,
      .skipped = core.skipped,
      .ticks = core.ticks,
      .frames = player_frames(),
      .reports = core.reports,
      .writes = core.writes,
      .reads = core.read_count,
      .rendezvous = guest_rendezvous(),
      .held_up = guest_held_up(),
      .boot_s = guest_boot_seconds(),
      .loop_s = core.loop_s,
      .guest_s = guest_seconds(),
  };
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Nobody has anything under way; whether one goes on by itself is another question. */
static bool at_rest(void) {
  return core.feeding && player_finished() && registers_quiet() && core.read_head == core.read_tail &&
         memory_next_visible() == NEVER && (!core.attached || guest_polling() || guest_exited());
}

static bool drained(void) {
  if ((core.replayed && replayed_host_due() != NEVER) || !commands_all_given()) return false;
  return exchange_done() && at_rest();
}

/* The kernel polls for the first time, or this core has set the NIC up. */
static bool feed_allowed(void) { return core.attached ? guest_feeding() : registers_quiet(); }

/* When something is due that the NIC takes: a beat, a register access, the answer to a read. */
static uint64_t nic_due(void) {
  const uint64_t due = least(player_due(), registers_due());
  return core.read_tail == core.read_head ? due : least(due, core.reads[core.read_tail % READS].due);
}

/* The clock of the next tick, `earliest` at the soonest. */
static uint64_t next_tick(uint64_t earliest) {
  uint64_t next = nic_due();
  if (core.attached) next = least(next, guest_due());
  if (core.replayed) next = least(next, replayed_host_due());
  next = least(next, exchange_due());
  if (core.attached && guest_running() && !core.idle) next = least(next, earliest + FREE_LOOK);
  if (!core.feeding && feed_allowed()) next = earliest;
  if (drained()) next = least(next, earliest + IDLE_CHECK);
  if (core.finished || core_failed()) next = earliest;
  if (next == NEVER) next = earliest + NOTHING_DUE; /* the NIC has something under way; keep looking */
  core.next = next > earliest ? next : earliest;
  return core.next;
}

static void start_feed(uint64_t origin) {
  core.feeding = true;
  core.loop_start = seconds_now();
  player_start(origin);
  if (core.attached) guest_feed_starts();
}

static void begin(uint64_t clock) {
  if (core.attached) guest_begin(clock);
  else if (core.replayed) start_feed(replayed_host_origin());
  else host_begin(clock);
}

/* Everything has been played and digested: let the kernel leave its loop, then read the registers, then end. */
static void advance_end(uint64_t clock, bool idle) {
  if (core.finished) return;
  if (!drained()) {
    core.sign = clock;
    if (!exchange_done() && idle && at_rest() && exchange_due() == NEVER && guest_due() == NEVER)
      core_fail(TL_EXCHANGE, "the exchange waits for what never comes");
    return;
  }
  if (!idle || player_unreported()) {
    if (clock - core.sign <= PATIENCE + core.config.patience_clocks) return;
    if (idle)
      core_fail(TL_FAILED, "the NIC never reported %llu received frames", (unsigned long long)player_unreported());
    else core_fail(TL_FAILED, "the NIC never became idle after the last frame");
    return;
  }
  if (core.attached && !guest_exited()) {
    guest_stop(clock);
    return;
  }
  if (!core.ending) {
    core.ending = true;
    core.loop_s = seconds_now() - core.loop_start;
    for (uint32_t i = 0; i < core.final_count && !core.replayed; i++)
      registers_queue(clock + 1, false, core.final_address[i], 0, REGISTER_PURPOSE_FINAL_READ);
  }
  if (core.final_done == core.final_count) core.finished = true;
  else if (core.replayed) core_fail(TL_FAILED, "the recorded run did not come to its end");
}

static void show_progress(void) {
  if (core.config.progress_fd < 0 || core.ticks % PROGRESS_TICKS) return;
  dprintf(core.config.progress_fd, "%llu %llu\n", (unsigned long long)player_frames(),
          (unsigned long long)player_total());
}

/*
 * The next clock that is a whole number of nanoseconds from reset. The NIC stamps frames in whole ones: from a first frame
 * there, what a run's stamps are does not depend on how long its kernel took to start.
 */
static uint64_t whole_ns(uint64_t clock) {
  while (clock * clock_ps % 1000 != 0) clock++;
  return clock;
}

/* What of a tick is the host's alone. */
static void serve_host(uint64_t clock, bool idle) {
  core.last_clock = clock;
  core.idle = idle;
  core.ticks++;
  show_progress();
  if (core.attached && guest_running()) free_look(clock, idle);
  if (core.attached && guest_due() <= clock) guest_serve(clock);
  if (!core.feeding && feed_allowed()) start_feed(whole_ns(clock + FEED_DELAY));
  if (core.replayed) replayed_host_act(clock);
  exchange_act(clock);
}

static bool reaches_nic(uint64_t clock) { return core.finished || core_failed() || nic_due() <= clock; }

unsigned long long tl_rest(unsigned long long next) {
  if (core.ticks == 0 || core.replayed || (core.attached && guest_running())) return next;
  for (uint64_t n = 0; n < REST_TICKS && !reaches_nic(next); n++) {
    serve_host(next, true);
    if (!reaches_nic(next)) advance_end(next, true);
    next = next_tick(reaches_nic(next) ? next : next + 1);
  }
  return next;
}

unsigned long long tl_tick(unsigned long long clock, unsigned int idle, unsigned long long *tdata_a,
                           unsigned long long *tdata_b, unsigned int *control, unsigned int *address,
                           unsigned int *data) {
  *tdata_a = *tdata_b = 0;
  *control = *address = *data = 0;
  if (core.ticks == 0) begin(clock);
  serve_host(clock, idle);
  registers_start(clock, control, address, data);
  if (registers_waiting(clock, address) > ANSWER_CLOCKS)
    core_fail(TL_FAILED, "the NIC does not answer an access to register 0x%03x", *address);
  if (core.read_tail != core.read_head && core.reads[core.read_tail % READS].due <= clock) {
    core.answered.issued_clock = core.reads[core.read_tail % READS].issued;
    core.answered.answered_clock = clock;
    core.answered.address = core.reads[core.read_tail++ % READS].address;
    *control |= 1u << TICK_READ_DATA;
  }
  const uint32_t beats = player_beat(0, clock, tdata_a) | player_beat(1, clock, tdata_b);
  if (beats) core.sign = clock;
  *control |= beats;
  if (*control == 0) advance_end(clock, idle);
  if (core.finished || core_failed()) *control |= 1u << TICK_FINISHED;
  return next_tick(clock + 1);
}

unsigned long long tl_write(unsigned long long clock, unsigned long long address, unsigned long long strobe,
                            const unsigned int *line) {
  struct dma_log entry = {.clock = clock, .address = address, .strobe = strobe};
  memcpy(entry.data, line, sizeof entry.data);
  recorder_write(LOG_DMA, &entry, sizeof entry);
  core.writes++;
  core.sign = clock;
  const uint64_t visible_ps = (clock + core.config.posted_write_clocks) * clock_ps;
  memory_write(visible_ps, address, strobe, entry.data);
  if (core.attached) {
    guest_written(clock);
  } else {
    const struct publication record = memory_commit(visible_ps);
    if (!core.replayed) host_take(clock, record);
  }
  return next_tick(clock);
}

unsigned long long tl_read(unsigned long long clock, unsigned long long address) {
  if (core.read_head - core.read_tail == READS || !memory_at(address, LINE_BYTES) || address % LINE_BYTES) {
    core_fail(TL_FAILED,
              "the NIC read from 0x%llx, outside host memory or not a line, or has more than %u reads under way",
              address, READS);
  } else if (!core.replayed || replayed_host_read(clock, address)) {
    core.read_count++;
    core.reads[core.read_head % READS].issued = clock;
    core.reads[core.read_head % READS].due = clock + core.config.read_clocks;
    core.reads[core.read_head++ % READS].address = address;
  }
  return next_tick(clock);
}

void tl_read_data(unsigned int *line) {
  if (core.replayed) memcpy(core.answered.data, replayed_host_answer(), LINE_BYTES);
  else memory_read(core.answered.address, core.answered.data);
  recorder_write(LOG_READS, &core.answered, sizeof core.answered);
  memcpy(line, core.answered.data, sizeof core.answered.data);
}

unsigned long long tl_register_done(unsigned long long clock, unsigned int data, unsigned int response) {
  struct register_log access;
  if (!registers_done(clock, data, response, &access)) {
    core_fail(TL_FAILED, "the NIC answered a register access that was not made");
    return next_tick(clock);
  }
  switch (access.purpose) {
    case REGISTER_PURPOSE_KERNEL_WRITE:
      if (core.attached) guest_write_done(clock);
      break;
    case REGISTER_PURPOSE_KERNEL_READ:
      if (core.attached) guest_read_done(clock, data, response != 0);
      break;
    case REGISTER_PURPOSE_FINAL_READ:
      if (response) core_fail(TL_LAYOUT, "the NIC refused to read register 0x%03x", access.address);
      if (core.final_done < core.final_count) core.final_value[core.final_done++] = data;
      break;
    case REGISTER_PURPOSE_HOST_WRITE:
      if (response) core_fail(TL_FAILED, "the NIC refused a write to register 0x%03x", access.address);
      break;
  }
  return next_tick(clock);
}

unsigned long long tl_transmit(unsigned long long clock, unsigned long long tdata, unsigned int tkeep,
                               unsigned int tlast) {
  struct tx_log *entry = &core.sent.entry;
  if (entry->length == 0) entry->first_clock = clock;
  const uint32_t bytes = (uint32_t)__builtin_popcount(tkeep & 0xFF);
  if (entry->length + 8 > SENT_MAX) {
    core_fail(TL_FAILED, "the NIC sends a frame longer than %u bytes", SENT_MAX);
    return next_tick(clock);
  }
  memcpy(core.sent.data + entry->length, &tdata, 8);
  entry->length += bytes;
  if (!tlast) return core.next;
  const uint32_t padding = -entry->length & 7u;
  entry->last_clock = clock;
  memset(core.sent.data + entry->length, 0, padding);
  recorder_write(LOG_SENT, &core.sent, sizeof *entry + entry->length + padding);
  if (exchange_attached()) exchange_sent(clock, core.sent.data, entry->length);
  entry->length = 0;
  core.sign = clock;
  return exchange_attached() ? next_tick(clock) : core.next;
}

void tl_report(unsigned long long clock, const unsigned int *report) {
  struct frame_log entry = {0};
  memcpy((uint8_t *)&entry + offsetof(struct frame_log, sequence), report,
         offsetof(struct frame_log, reserved) - offsetof(struct frame_log, sequence));
  if (!player_reported(entry.line, &entry.first_clock, &entry.last_clock)) {
    core_fail(TL_FAILED, "the NIC reported a frame on line %c that was not sent to it", entry.line ? 'B' : 'A');
    return;
  }
  recorder_write(LOG_FRAMES, &entry, sizeof entry);
  core.reports++;
  core.sign = clock;
}

void tl_valid(unsigned long long clock, unsigned long long sequence) {
  const struct valid_log entry = {.clock = clock, .sequence = sequence};
  recorder_write(LOG_VALID, &entry, sizeof entry);
}

void tl_skip(unsigned long long clocks) {
  core.skipped += clocks;
  core.take_skip += clocks;
}

void tl_unknown(const char *what) { core_fail(TL_FAILED, "the NIC drives unknown bits in %s", what); }

unsigned long long tl_take_skip(void) {
  const unsigned long long clocks = core.take_skip;
  core.take_skip = 0;
  return clocks;
}
