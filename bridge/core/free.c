/* SPDX-License-Identifier: MIT */
/*
 * A free run: kernel and RTL both go on as fast as they can, and what the NIC writes is visible at once. Nothing is lost
 * however slow the kernel is, or however long its processor is taken away: while an RX or raw ring is half full no frame
 * begins, while one is three quarters full the RTL stands still, and when the RTL has nothing left to do, or nothing yet,
 * it waits.
 */
#include "internal.h"

static struct {
  uint32_t rx_returned, raw_returned; /* lines given back, as the kernel's register writes say */
} host;

void free_open(void) { host.rx_returned = host.raw_returned = 0; }

void free_returned(uint32_t address, uint32_t lines) {
  if (address == REG_RX_TAIL) host.rx_returned = lines;
  else if (address == REG_RAW_TAIL) host.raw_returned = lines;
}

/* Whether one of the rings is filled to so many quarters. */
static bool filled(uint32_t quarters) {
  uint32_t rx_published, raw_published;
  const uint64_t rx = rings_rx(&rx_published), raw = rings_raw(&raw_published);
  return (rx && 4ull * (rx_published - host.rx_returned) >= quarters * rx) ||
         (raw && 4ull * (raw_published - host.raw_returned) >= quarters * raw);
}

void free_look(uint64_t clock, bool idle) {
  if (!guest_running()) return;
  const bool hold = filled(2);
  player_hold(hold, clock);
  const bool nothing_left = idle && registers_quiet() && (hold || player_finished() || !guest_feeding());
  if (nothing_left || filled(3)) guest_await_progress();
  guest_look(clock);
}
