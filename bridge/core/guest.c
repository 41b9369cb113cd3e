/* SPDX-License-Identifier: MIT */
/*
 * Lockstep with the kernel. Either the RTL runs or the kernel does, never both: a request parks the kernel at a simulated
 * time (that of the last acknowledge plus executed instructions times ps_per_instruction), the RTL runs up to it, what the
 * interconnect has delivered by then is committed, and the acknowledge lets the kernel go on.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_INSTRUCTIONS 20ull  /* one empty turn of the kernel's poll loop: idle polls end on this grid */
#define POSTED_CREDITS 32u /* register writes under way before the kernel has to wait, as on a real interconnect */
#define SPINS 20000u /* some microseconds, longer than the kernel takes for a message; then sleep */
#define SLEEP_NS 2000
#define SLEEPS_PER_CHECK 256u
#define LONGEST_LOOK_S 0.25 /* that counts as silence between two checks */
#define LAST_PS (1000ull << 48) /* the NIC counts 48 bits of nanoseconds */
#define REGISTERS_BYTES 4096u   /* of the NIC's register space */
#define WINDOWS 64u /* periods of running that one record's processing can span */
#define BOOKS 65536u /* numbers of books that a kernel can have */
#define FRUITLESS_MAX 10000u /* requests in a row that do not wait, and between which the kernel takes no record */

static struct {
  struct mailbox *mailbox;
  struct tl_config config;
  int32_t qemu_pid;
  uint32_t sequence; /* of the request being served */
  uint32_t op, address, value;
  uint64_t time_ps; /* when that request was made; then, when the kernel goes on */
  uint64_t work;
  uint64_t due;
  /* RUNNING is of a free run: in lockstep the kernel never runs while this side does. */
  enum { SERVE, WAIT_POLL, WAIT_READ, ANSWER_READ, WAIT_CREDIT, RUNNING, EXITED } state;
  uint32_t posted;
  uint32_t read_value;
  bool read_error, feeding, stopped, exported;
  uint64_t deadline_ps; /* of the poll being served, NEVER without one */
  uint32_t fruitless;
  struct guest_log log; /* of the request being served: written with its answer */
  const struct trace_entry *trace;
  uint32_t trace_log2;
  uint64_t trace_index;
  struct top {
    uint32_t bid, no_ask; /* the complement, so that 0 is none */
    uint16_t stock_locate;
  } tops[BOOKS]; /* of the kernel's books, by their numbers */
  struct {
    uint64_t work, time_ps;
  } windows[WINDOWS];
  uint64_t window_count;
  uint64_t rendezvous, random, held_up;
  double boot_s, wait_s;
} guest;

double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int guest_open(const struct tl_config *config) {
  memset(&guest, 0, sizeof guest);
  guest.config = *config;
  guest.due = NEVER;
  guest.random = config->delay_seed;
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  void *map = mmap(NULL, MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, config->mailbox_fd, 0);
  if (map == MAP_FAILED) {
    core_fail(TL_FAILED, "cannot map the mailbox: %s", strerror(errno));
    return TL_FAILED;
  }
  guest.mailbox = map;
  guest.mailbox->version = LAYOUT_VERSION;
  guest.mailbox->layout_hash = LAYOUT_HASH;
  guest.mailbox->epoch = config->epoch;
  guest.mailbox->ps_per_instruction = config->ps_per_instruction;
  guest.mailbox->mode = config->mode;
  guest.mailbox->consumed = NOT_YET;
  __atomic_store_n(&guest.mailbox->magic, MAILBOX_MAGIC, __ATOMIC_RELEASE);
  return TL_OK;
}

void guest_close(void) {
  if (guest.mailbox) munmap(guest.mailbox, MAILBOX_BYTES);
  guest.mailbox = NULL;
}

bool guest_free(void) { return guest.config.mode == RUN_MODE_FREE; }

static bool qemu_alive(void) {
  siginfo_t info = {.si_pid = 0};
  return waitid(P_PID, (id_t)guest.qemu_pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

static bool requested(void) { return __atomic_load_n(&guest.mailbox->request, __ATOMIC_ACQUIRE) == guest.sequence; }

/* Wait for the kernel until `arrived`. False: it is gone or silent. Silence is what this process was there to hear: time in
 * which it stood still itself does not count. Inlined, so that nothing is called while spinning. */
static inline __attribute__((always_inline)) bool wait_for(bool (*arrived)(void)) {
  double looked = seconds_now(), silence = 0;
  uint32_t sleeps = 0;
  for (uint32_t spins = 0; !arrived(); spins++) {
    if (spins < SPINS) continue;
    nanosleep(&(struct timespec){0, SLEEP_NS}, NULL);
    if (++sleeps % SLEEPS_PER_CHECK) continue;
    if (!qemu_alive()) {
      /* It may have written its request and exited since. */
      if (arrived()) return true;
      core_fail(TL_QEMU_DIED, "QEMU died, or the kernel reset the machine, during the run");
      return false;
    }
    const double now = seconds_now();
    silence += now - looked < LONGEST_LOOK_S ? now - looked : LONGEST_LOOK_S;
    looked = now;
    if (silence > guest.config.timeout_s) {
      core_fail(TL_SILENT, "the kernel has been silent for %u s", guest.config.timeout_s);
      return false;
    }
  }
  return true;
}

static uint64_t time_of_work(uint64_t work) {
  if (guest_free()) return 0; /* work and simulated time have nothing to do with each other */
  uint64_t i = guest.window_count;
  const uint64_t oldest = i > WINDOWS ? i - WINDOWS : 0;
  while (--i > oldest && guest.windows[i % WINDOWS].work > work) {
  }
  const uint64_t since = guest.windows[i % WINDOWS].work;
  return guest.windows[i % WINDOWS].time_ps + (work > since ? work - since : 0) * guest.config.ps_per_instruction;
}

/* A tap's low half, which was taken before the request; not before the kernel's start, whatever the kernel says. */
static uint64_t extend_work(uint32_t low) {
  const uint32_t before = (uint32_t)guest.work - low;
  return before < guest.work ? guest.work - before : 0;
}

/* The book that an entry tells of: the kernel writes down only what is new, and the first message of a book is an Add. */
static const struct top *take_top(const struct trace_entry *entry) {
  struct top *top = &guest.tops[entry->book];
  const bool both = (entry->tells & TELLS_BID) != 0 && (entry->tells & TELLS_ASK) != 0;
  if (both || entry->type == 'A' || entry->type == 'F') top->stock_locate = entry->stock_locate;
  if ((entry->tells & TELLS_BID) != 0) top->bid = entry->bid;
  if ((entry->tells & TELLS_ASK) != 0) top->no_ask = ~entry->ask;
  return top;
}

static void drain_trace(uint64_t index) {
  if (!guest.trace) return;
  guest.fruitless = index == guest.trace_index ? guest.fruitless + 1 : 0;
  const uint64_t entries = 1ull << guest.trace_log2;
  if (index - guest.trace_index > entries) {
    core_fail(TL_FAILED, "the kernel wrote %llu trace entries between two requests, the ring holds %llu",
              (unsigned long long)(index - guest.trace_index), (unsigned long long)entries);
    return;
  }
  for (; guest.trace_index != index; guest.trace_index++) {
    const struct trace_entry e = guest.trace[guest.trace_index & (entries - 1)]; /* theirs may change meanwhile */
    if (e.book >= BOOKS) {
      core_fail(TL_FAILED, "the kernel's trace names book %u, of %u at most", e.book, BOOKS);
      return;
    }
    const struct top *top = e.book != 0 ? take_top(&e) : NULL;
    const struct trace_log entry = {
        .sequence = e.sequence,
        .dequeue_ps = time_of_work(extend_work(e.dequeue)),
        .applied_ps = time_of_work(extend_work(e.applied)),
        .decision_ps = time_of_work(extend_work(e.decision)),
        .doorbell_ps = time_of_work(extend_work(e.doorbell)),
        .done_ps = time_of_work(extend_work(e.done)),
        .applied_work = e.applied - e.dequeue,
        .decision_work = e.decision - e.dequeue,
        .doorbell_work = e.doorbell - e.dequeue,
        .done_work = e.done - e.dequeue,
        .bid = top ? top->bid : e.bid,
        .ask = top ? ~top->no_ask : e.ask,
        .stock_locate = top ? top->stock_locate : e.stock_locate,
        .type = e.type,
        .orders = e.orders,
    };
    recorder_write(LOG_TRACE, &entry, sizeof entry);
  }
}

/* A field of the mailbox, read once: what is checked is what is used, whatever the kernel writes meanwhile. */
#define TAKE(field) __atomic_load_n(&guest.mailbox->field, __ATOMIC_RELAXED)

/* Lockstep: what the kernel has worked since it went on has taken simulated time. */
static bool add_work(uint64_t work) {
  if (work < guest.work) {
    core_fail(TL_FAILED, "the kernel's work count went back");
    return false;
  }
  if (guest.time_ps > LAST_PS || work - guest.work > (LAST_PS - guest.time_ps) / guest.config.ps_per_instruction) {
    core_fail(TL_FAILED, "the kernel's work count goes beyond the NIC's time");
    return false;
  }
  guest.time_ps += (work - guest.work) * guest.config.ps_per_instruction;
  return true;
}

/* Take the request that has arrived. */
static bool take_request(uint64_t running_since_ps) {
  const uint64_t work = TAKE(work);
  guest.op = TAKE(op);
  guest.address = TAKE(address);
  guest.value = TAKE(value);
  guest.time_ps = running_since_ps;
  if (!guest_free() && !add_work(work)) return false;
  guest.work = work;
  drain_trace(TAKE(trace_index));
  if (guest.fruitless > FRUITLESS_MAX) {
    core_fail(TL_SILENT, "the kernel makes requests but takes no %s",
              commands_untaken(guest.mailbox) ? "host command" : "records from its ring");
    return false;
  }
  guest.log = (struct guest_log){
      .time_ps = guest.time_ps, .work = work, .op = guest.op, .address = guest.address, .value = guest.value};
  guest.state = SERVE;
  guest.due = clock_at_or_after(guest.time_ps);
  guest.rendezvous++;
  return true;
}

/* One time in 8: a number below `limit`; else, and with a limit of 0, 0. */
static useconds_t random_delay(uint32_t limit) {
  if (!limit) return 0;
  guest.random = guest.random * 6364136223846793005ull + 1442695040888963407ull;
  return (guest.random >> 61) == 0 ? (useconds_t)((guest.random >> 32) % limit) : 0;
}

static void delay_host(void) {
  const useconds_t delay = random_delay(guest.config.host_delay_us);
  if (!delay) return;
  usleep(delay);
  guest.held_up++;
}

/* The kernel has just been let go on: stop it wherever it has come to by now. */
static void delay_guest(void) {
  const useconds_t delay = random_delay(guest.config.guest_delay_us);
  if (!delay) return;
  kill(guest.qemu_pid, SIGSTOP);
  usleep(delay);
  kill(guest.qemu_pid, SIGCONT);
  guest.held_up++;
}

static void acknowledge(uint32_t status, uint32_t value) {
  struct mailbox *m = guest.mailbox;
  guest.log.answered_ps = guest.time_ps;
  guest.log.answer = value;
  guest.log.status = status;
  recorder_write(LOG_GUEST, &guest.log, sizeof guest.log);
  commands_give(m, guest.time_ps);
  m->ack_status = status;
  m->ack_value = value;
  m->now_ps = guest.time_ps;
  guest.windows[guest.window_count % WINDOWS].work = guest.work;
  guest.windows[guest.window_count++ % WINDOWS].time_ps = guest.time_ps;
  __atomic_store_n(&m->acknowledge, guest.sequence, __ATOMIC_RELEASE);
}

/* Let the kernel run from guest.time_ps on to its next request; in a free run this side does not wait for that. */
static void resume(uint32_t status, uint32_t value) {
  delay_host();
  acknowledge(status, value);
  delay_guest();
  guest.sequence++;
  if (guest_free()) {
    guest.state = RUNNING;
    guest.due = NEVER;
    return;
  }
  const double start = seconds_now();
  if (!wait_for(requested) || !take_request(guest.time_ps)) {
    guest.state = EXITED;
    guest.due = NEVER;
  }
  guest.wait_s += seconds_now() - start;
}

int guest_wait_attach(int32_t qemu_pid) {
  const double start = seconds_now();
  guest.qemu_pid = qemu_pid;
  guest.sequence = 1;
  if (!wait_for(requested)) return TL_FAILED;
  guest.boot_s = seconds_now() - start;
  guest.work = TAKE(work); /* simulated time starts here */
  return TL_OK;
}

void guest_begin(uint64_t clock) { take_request(clock * clock_ps); }

static void serve_attach(void) {
  const uint64_t address = TAKE(trace_address);
  const uint32_t log2 = TAKE(trace_log2);
  if (guest.value != LAYOUT_HASH) {
    core_fail(TL_LAYOUT, "the kernel was built for layout %08x, this is %08x; rebuild it", guest.value, LAYOUT_HASH);
    return;
  }
  if (log2 < 4 || log2 > 20 || address % 8 || !memory_at(address, sizeof *guest.trace << log2)) {
    core_fail(TL_LAYOUT, "the kernel's trace ring (0x%llx, log2 %u) is not in its memory", (unsigned long long)address,
              log2);
    return;
  }
  guest.trace = memory_at(address, sizeof *guest.trace << log2);
  guest.trace_log2 = log2;
  guest.trace_index = 0;
  resume(ACKNOWLEDGE_STATUS_OK, 0);
}

static void serve_export(void) {
  const uint64_t address = TAKE(export_address), bytes = TAKE(export_bytes);
  const void *data = memory_at(address, bytes);
  if (guest.exported) {
    core_fail(TL_FAILED, "the kernel exported twice");
    return;
  }
  if (!data) {
    core_fail(TL_LAYOUT, "the kernel's export (0x%llx, %llu bytes) is not in its memory", (unsigned long long)address,
              (unsigned long long)bytes);
    return;
  }
  guest.exported = true;
  recorder_write(LOG_EXPORT, data, bytes);
  resume(ACKNOWLEDGE_STATUS_OK, 0);
}

/* When a poll ends: the first poll instant at or after its deadline, or when a line becomes visible or a command is due. An
 * idle poll loop turns on a fixed grid. */
static uint64_t poll_end(void) {
  uint64_t end = memory_next_visible();
  if (end > guest.deadline_ps) end = guest.deadline_ps;
  if (end > commands_due()) end = commands_due();
  if (end == NEVER) return NEVER;
  const uint64_t period = POLL_INSTRUCTIONS * guest.config.ps_per_instruction;
  return end > guest.time_ps ? guest.time_ps + (end - guest.time_ps + period - 1) / period * period : guest.time_ps;
}

static void wait_in_poll(void) {
  const uint64_t end = poll_end();
  guest.state = WAIT_POLL;
  guest.due = end == NEVER ? NEVER : clock_at_or_after(end);
  if (end != guest.time_ps) guest.fruitless = 0;
}

static bool poll_has_news(void) {
  return (int32_t)((uint32_t)memory_published() - guest.value) > 0 || /* both counts wrap */
         guest.time_ps >= guest.deadline_ps || guest.time_ps >= commands_due() || commands_untaken(guest.mailbox);
}

static void serve_poll(void) {
  if (guest.state == SERVE) {
    guest.feeding = true;
    guest.deadline_ps = guest.address ? guest.time_ps + guest.address * 1000ull : NEVER;
  } else {
    guest.time_ps = poll_end();
    memory_commit(guest.time_ps);
  }
  if (guest_free()) core_fail(TL_LAYOUT, "the kernel parks itself in a free run");
  else if (guest.stopped) core_fail(TL_FAILED, "the kernel polls on after it was told to stop");
  else if (poll_has_news()) resume(ACKNOWLEDGE_STATUS_OK, 0);
  else wait_in_poll();
}

static bool accesses_register(void) {
  return guest.op == MAILBOX_OP_REGISTER_WRITE || guest.op == MAILBOX_OP_REGISTER_READ;
}

void guest_serve(uint64_t clock) {
  while (guest.due <= clock && !core_failed()) {
    memory_commit(guest.time_ps);
    if (guest.state == ANSWER_READ) {
      resume(guest.read_error ? ACKNOWLEDGE_STATUS_ERROR : ACKNOWLEDGE_STATUS_OK, guest.read_value);
      continue;
    }
    if (accesses_register() && (guest.address >= REGISTERS_BYTES || guest.address % sizeof guest.value)) {
      core_fail(TL_FAILED, "the kernel made an access to 0x%x, where the NIC has no register", guest.address);
      return;
    }
    switch (guest.op) {
      case MAILBOX_OP_ATTACH: serve_attach(); break;
      case MAILBOX_OP_REGISTER_WRITE:
        free_returned(guest.address, guest.value);
        registers_queue(clock + guest.config.doorbell_clocks, true, guest.address, guest.value,
                        REGISTER_PURPOSE_KERNEL_WRITE);
        if (++guest.posted < POSTED_CREDITS) {
          resume(ACKNOWLEDGE_STATUS_OK, 0);
        } else {
          guest.state = WAIT_CREDIT;
          guest.due = NEVER;
        }
        break;
      case MAILBOX_OP_REGISTER_READ:
        registers_queue(clock + guest.config.read_clocks / 2, false, guest.address, 0, REGISTER_PURPOSE_KERNEL_READ);
        guest.state = WAIT_READ;
        guest.due = NEVER;
        break;
      case MAILBOX_OP_POLL: serve_poll(); break;
      case MAILBOX_OP_EXPORT: serve_export(); break;
      case MAILBOX_OP_EXIT:
        if (guest.value != 0) core_fail(TL_FAILED, "the kernel ended with status %u", guest.value);
        if (!guest.stopped) core_fail(TL_FAILED, "the kernel ended before it was told to stop");
        acknowledge(ACKNOWLEDGE_STATUS_OK, 0);
        guest.state = EXITED;
        guest.due = NEVER;
        break;
      default: core_fail(TL_LAYOUT, "the kernel made an unknown request (%u)", guest.op);
    }
  }
}

void guest_written(uint64_t clock) {
  (void)clock;
  if (guest_free()) memory_commit(NEVER);
  else guest_feed_starts();
}

void guest_feed_starts(void) {
  if (guest.state == WAIT_POLL) wait_in_poll();
}

void guest_read_done(uint64_t clock, uint32_t value, bool error) {
  guest.read_value = value;
  guest.read_error = error;
  guest.state = ANSWER_READ;
  guest.due = clock + guest.config.read_clocks / 2;
  guest.time_ps = guest.due * clock_ps;
}

void guest_write_done(uint64_t clock) {
  guest.posted--;
  if (guest.state != WAIT_CREDIT) return;
  if (guest.time_ps < clock * clock_ps) guest.time_ps = clock * clock_ps;
  memory_commit(guest.time_ps);
  guest.state = SERVE;
  resume(ACKNOWLEDGE_STATUS_OK, 0);
}

static uint64_t consumed(void) { return __atomic_load_n(&guest.mailbox->consumed, __ATOMIC_ACQUIRE); }

/* Of a free run: that of all records published. The kernel makes no request any more when it has said so. */
static bool all_consumed(void) { return guest.state == RUNNING && consumed() == memory_published() && !requested(); }

bool guest_polling(void) { return guest.state == WAIT_POLL || (guest_free() && all_consumed()); }

void guest_stop(uint64_t clock) {
  if (guest.time_ps < clock * clock_ps) guest.time_ps = clock * clock_ps;
  guest.stopped = true;
  if (guest_free()) {
    __atomic_store_n(&guest.mailbox->stop, 1, __ATOMIC_RELEASE);
    return;
  }
  resume(ACKNOWLEDGE_STATUS_STOP, 0);
}

bool guest_running(void) { return guest.state == RUNNING; }

static bool progress(void) { return requested() || (!guest.stopped && consumed() == memory_published()); }

void guest_await_progress(void) {
  const double start = seconds_now();
  if (!wait_for(progress)) guest.state = EXITED;
  guest.wait_s += seconds_now() - start;
}

void guest_look(uint64_t clock) {
  if (guest.state == RUNNING && requested()) take_request(clock * clock_ps);
  else guest.feeding = guest.feeding || consumed() != NOT_YET;
}

uint64_t guest_due(void) { return guest.due; }
bool guest_feeding(void) { return guest.feeding; }
bool guest_exited(void) { return guest.state == EXITED; }
uint64_t guest_rendezvous(void) { return guest.rendezvous; }
uint64_t guest_held_up(void) { return guest.held_up; }
double guest_boot_seconds(void) { return guest.boot_s; }
double guest_seconds(void) { return guest.wait_s; }
