/* SPDX-License-Identifier: MIT */
/* See timer.h. */
#include "arch/timer.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/traps.h"

#define CALIBRATION_NS 5000000u
#define CALIBRATION_MAX_NS NS_PER_S /* the APIC's count lasts longer */
#define LOOKS_MAX 100000u           /* far more than it takes, should the reference stand still */
#define ATTEMPTS 5u
#define READINGS 5u
#define NS_PER_S 1000000000ull
#define UNKNOWN_HZ NS_PER_S
#define LONGEST_NS NS_PER_S /* of one shot */

/* HPET: IA-PC HPET specification 1.0a, 2.3 */
#define HPET_PERIOD_FS (0x004 / 4) /* upper half of the capabilities */
#define HPET_CONFIGURATION (0x010 / 4)
#define HPET_COUNTER (0x0F0 / 4)
#define HPET_ENABLE 1u
#define FS_PER_NS 1000000u
#define HPET_PERIOD_MAX 100000000u /* 2.3.4: not above 100 ns */

/* PIT: 8254 data sheet; channel 2's gate and output are bits of port 0x61 */
#define PIT_HZ 1193182ull
#define PIT_CHANNEL_2 0x42u
#define PIT_COMMAND 0x43u
#define PIT_CHANNEL_2_ONE_SHOT 0xB0u /* both bytes, mode 0: the output rises when the count ends */
#define PIT_LATCH_CHANNEL_2 0x80u
#define PIT_GATE_PORT 0x61u
#define PIT_GATE 1u
#define PIT_SPEAKER 2u
#define PIT_ENDED 0x20u /* the output, which rises when the count ends */
#define PIT_START 0xFFFFu

static volatile uint32_t *hpet;
static uint64_t hpet_period_fs;
static struct timer_rates rates;
static uint64_t ns_per_tick; /* of the time-stamp counter, as a fraction of 2^32 */
static uint64_t boot_tsc;
static struct timers timers;
static bool followed;
static uint64_t followed_ns;
static uint64_t interrupts;

#define NO_TIME UINT64_MAX

/* A reference's clock in ns, from some start; NO_TIME once it tells none any more. */
static uint64_t hpet_ns(void) {
  uint64_t counter = *(volatile uint64_t *)&hpet[HPET_COUNTER];
  return counter * hpet_period_fs / FS_PER_NS; /* hours, at 10 ns a count */
}

static uint64_t pit_ns(void) {
  outb(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
  uint32_t low = inb(PIT_CHANNEL_2);
  uint32_t count = (uint32_t)inb(PIT_CHANNEL_2) << 8 | low;
  if ((inb(PIT_GATE_PORT) & PIT_ENDED) != 0) return NO_TIME; /* 55 ms are over, the count begins again */
  return (PIT_START - count) * NS_PER_S / PIT_HZ;
}

static void wait_a_little(void) {
  for (unsigned i = 0; i < 1000; i++) __asm__ volatile("");
}

/* Whether a clock goes at all. */
static bool goes(uint64_t (*reference_ns)(void)) {
  uint64_t start = reference_ns();
  for (unsigned i = 0; i < 10000; i++) {
    wait_a_little();
    if (reference_ns() != start) return true;
  }
  return false;
}

static bool start_hpet(uint64_t address) {
  if (address == 0) return false;
  hpet = (volatile uint32_t *)address;
  hpet_period_fs = hpet[HPET_PERIOD_FS];
  if (hpet_period_fs == 0 || hpet_period_fs > HPET_PERIOD_MAX) return false;
  hpet[HPET_CONFIGURATION] |= HPET_ENABLE;
  return goes(hpet_ns);
}

static bool start_pit(uint64_t address) {
  (void)address;
  outb(PIT_GATE_PORT, (uint8_t)((inb(PIT_GATE_PORT) & ~PIT_SPEAKER) | PIT_GATE));
  outb(PIT_COMMAND, PIT_CHANNEL_2_ONE_SHOT);
  outb(PIT_CHANNEL_2, PIT_START & 0xFF);
  outb(PIT_CHANNEL_2, PIT_START >> 8);
  return goes(pit_ns);
}

struct reading {
  uint64_t reference_ns;
  uint64_t tsc;
  uint32_t apic_left;
};

/* All clocks at one time: of several attempts the one that took the shortest, so that no interruption is in it. */
static struct reading read_clocks(uint64_t (*reference_ns)(void)) {
  struct reading best = {0};
  uint64_t shortest = UINT64_MAX;
  for (unsigned i = 0; i < READINGS; i++) {
    uint64_t before = rdtsc();
    uint64_t now = reference_ns();
    uint64_t after = rdtsc();
    uint32_t left = apic_timer_left();
    uint64_t last = rdtsc();
    if (last - before >= shortest) continue;
    shortest = last - before;
    best = (struct reading){now, before + (after - before) / 2, left};
  }
  return best;
}

/* False: the reference stood still, or so much time passed between two looks that it or the APIC's count may have ended. */
static bool measure(uint64_t (*reference_ns)(void)) {
  apic_timer_start(UINT32_MAX);
  struct reading first = read_clocks(reference_ns);
  struct reading last = first;
  for (unsigned i = 0; i < LOOKS_MAX && last.reference_ns - first.reference_ns < CALIBRATION_NS; i++) {
    wait_a_little();
    last = read_clocks(reference_ns);
  }
  apic_timer_start(0);
  uint64_t ns = last.reference_ns - first.reference_ns;
  if (first.reference_ns == NO_TIME || ns < CALIBRATION_NS || ns > CALIBRATION_MAX_NS) return false;
  rates.tsc_hz = (last.tsc - first.tsc) * NS_PER_S / ns;
  rates.apic_hz = (uint64_t)(first.apic_left - last.apic_left) * NS_PER_S / ns;
  return true;
}

/* On a busy host a processor may rest while it measures. */
static bool measure_by(bool (*start)(uint64_t), uint64_t address, uint64_t (*reference_ns)(void)) {
  for (unsigned i = 0; i < ATTEMPTS && start(address); i++) {
    if (measure(reference_ns)) return true;
  }
  return false;
}

uint64_t timer_clock_ns(void) { return timer_tsc_ns(rdtsc() - boot_tsc); }

/* Set the APIC's timer for the first timer: at once if it is late, in steps of a second if it is far away. */
static void set_hardware(void) {
  if (followed) return;
  uint64_t due = timers_due_ns(&timers), now = timer_clock_ns();
  if (due == TIMERS_NEVER) {
    apic_timer_start(0);
    return;
  }
  uint64_t left = due > now ? due - now : 0;
  if (left > LONGEST_NS) left = LONGEST_NS;
  uint64_t ticks = left * rates.apic_hz / NS_PER_S + 1;
  apic_timer_start(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

static void expire(uint64_t now_ns) {
  struct timer *timer;
  while ((timer = timers_take(&timers, now_ns)) != NULL) timer->expired(timer->context);
}

static void on_interrupt(void *context) {
  (void)context;
  interrupts++;
  expire(timer_clock_ns());
  set_hardware();
}

struct timer_rates timer_init(const struct acpi *acpi) {
  boot_tsc = rdtsc();
  rates = (struct timer_rates){UNKNOWN_HZ, UNKNOWN_HZ, TIMER_REFERENCE_NONE};
  if (measure_by(start_hpet, acpi->hpet, hpet_ns)) rates.reference = TIMER_REFERENCE_HPET;
  else if (measure_by(start_pit, 0, pit_ns)) rates.reference = TIMER_REFERENCE_PIT;
  ns_per_tick = (NS_PER_S << 32) / rates.tsc_hz;
  interrupt_set(INTERRUPT_TIMER, on_interrupt, NULL);
  return rates;
}

uint64_t timer_tsc_ns(uint64_t tsc) { return (uint64_t)((unsigned __int128)tsc * ns_per_tick >> 32); }

uint64_t timer_now_ns(void) { return followed ? followed_ns : timer_clock_ns(); }

void timer_arm(struct timer *timer, uint64_t due_ns) {
  bool on = interrupts_disable();
  if (timers_set(&timers, timer, due_ns)) set_hardware();
  interrupts_restore(on);
}

void timer_cancel(struct timer *timer) {
  bool on = interrupts_disable();
  timers_clear(&timers, timer);
  interrupts_restore(on);
}

void timer_follow(uint64_t now_ns) {
  followed = true;
  followed_ns = now_ns;
  expire(now_ns);
}

static bool watch_over;

/* One that was on its way when the next watch began has time left. */
static void on_watch(void *context) {
  (void)context;
  watch_over = apic_timer_left() == 0;
}

void timer_watch(uint64_t ns) {
  static bool taken;
  if (!taken) {
    apic_init(apic_address());
    interrupt_set(INTERRUPT_TIMER, on_watch, NULL);
    taken = true;
  }
  watch_over = false;
  apic_timer_start((uint32_t)(ns * (rates.apic_hz != 0 ? rates.apic_hz : UNKNOWN_HZ) / NS_PER_S));
}

bool timer_watch_over(void) { return watch_over; }

uint64_t timer_interrupts(void) { return interrupts; }
