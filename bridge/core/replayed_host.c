/* SPDX-License-Identifier: MIT */
/*
 * The host of a replay without a kernel. Register accesses are started at the clocks of the recorded run, and the NIC's
 * reads get the answers recorded, in their order: an RTL that does what the recorded one did sees the same at every clock.
 */
#include "internal.h"

#include <string.h>

static struct {
  struct recording registers, reads, frames;
  uint64_t accesses_done, reads_made, reads_answered;
} host;

int replayed_host_open(const char *directory) {
  memset(&host, 0, sizeof host);
  const bool opened = recording_open(&host.registers, directory, "registers", sizeof(struct register_log)) &&
                      recording_open(&host.reads, directory, "reads", sizeof(struct read_log)) &&
                      recording_open(&host.frames, directory, "frames", sizeof(struct frame_log));
  return opened ? TL_OK : TL_FAILED;
}

void replayed_host_close(void) {
  recording_close(&host.registers);
  recording_close(&host.reads);
  recording_close(&host.frames);
}

uint64_t replayed_host_origin(void) {
  const struct frame_log *frames = host.frames.data;
  uint64_t first = NEVER;
  for (uint64_t i = 0; i < host.frames.count; i++)
    if (frames[i].first_clock < first) first = frames[i].first_clock;
  return first == NEVER || first == 0 ? 0 : first - 1; /* the NIC samples a beat one clock after it is driven */
}

static const struct register_log *next_access(void) {
  return (const struct register_log *)host.registers.data + host.accesses_done;
}

uint64_t replayed_host_due(void) {
  return host.accesses_done == host.registers.count ? NEVER : next_access()->started_clock;
}

void replayed_host_act(uint64_t clock) {
  while (replayed_host_due() <= clock) {
    const struct register_log *access = next_access();
    registers_queue(access->started_clock, access->write, access->address, access->write ? access->value : 0,
                    (enum register_purpose)access->purpose);
    host.accesses_done++;
  }
}

bool replayed_host_read(uint64_t clock, uint64_t address) {
  const struct read_log *read = (const struct read_log *)host.reads.data + host.reads_made;
  if (host.reads_made == host.reads.count) {
    core_fail(TL_FAILED, "at clock %llu the NIC reads line 0x%llx, behind the last read of the recorded run",
              (unsigned long long)clock, (unsigned long long)address);
    return false;
  }
  if (read->address != address) {
    core_fail(TL_FAILED, "at clock %llu the NIC reads line 0x%llx, in the recorded run line 0x%llx at clock %llu",
              (unsigned long long)clock, (unsigned long long)address, (unsigned long long)read->address,
              (unsigned long long)read->issued_clock);
    return false;
  }
  host.reads_made++;
  return true;
}

const uint8_t *replayed_host_answer(void) {
  return ((const struct read_log *)host.reads.data)[host.reads_answered++].data;
}
