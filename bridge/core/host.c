/* SPDX-License-Identifier: MIT */
/*
 * The host of a run without a kernel: sets the NIC up, takes every record as soon as it is visible and gives its lines
 * back. It sends nothing.
 */
#include "internal.h"

#include <string.h>

#define SETUP_MAX 256u

static struct {
  struct tl_config config;
  struct {
    uint32_t address, value;
  } setup[SETUP_MAX];
  uint32_t setup_count;
  uint32_t rx_lines, rx_given_back, raw_lines;
} host;

void host_open(const struct tl_config *config) {
  memset(&host, 0, sizeof host);
  host.config = *config;
}

void tl_add_register_write(uint32_t address, uint32_t value) {
  if (host.setup_count == SETUP_MAX) {
    core_fail(TL_FAILED, "too many set-up writes");
    return;
  }
  host.setup[host.setup_count].address = address;
  host.setup[host.setup_count++].value = value;
}

void tl_prepare_descriptors(uint64_t base, uint32_t log2, uint64_t buffers) {
  rings_prepare_descriptors(base, log2, buffers);
}

void host_begin(uint64_t clock) {
  for (uint32_t i = 0; i < host.setup_count; i++)
    registers_queue(clock, true, host.setup[i].address, host.setup[i].value, REGISTER_PURPOSE_HOST_WRITE);
}

/* The RX ring's lines go back in steps, as a driver does it: each doorbell costs a crossing. */
void host_take(uint64_t clock, struct publication record) {
  if (record.ring == RING_RAW) {
    host.raw_lines += record.lines;
    registers_queue(clock + host.config.doorbell_clocks, true, REG_RAW_TAIL, host.raw_lines,
                    REGISTER_PURPOSE_HOST_WRITE);
  } else if (record.ring == RING_RX) {
    rings_clear_descriptors(record.lines);
    host.rx_lines += record.lines;
    if (host.rx_lines - host.rx_given_back < host.config.give_back) return;
    host.rx_given_back = host.rx_lines;
    registers_queue(clock + host.config.doorbell_clocks, true, REG_RX_TAIL, host.rx_lines, REGISTER_PURPOSE_HOST_WRITE);
  }
}
