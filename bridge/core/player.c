/* SPDX-License-Identifier: MIT */
/*
 * Plays captured frames as 64-bit beats of a 10 Gbit/s line. A frame starts at its capture time or, if the line is still
 * busy, right after the one before it with the minimum gap: preamble 8, FCS 4 and gap 12 bytes of 0.8 ns (IEEE 802.3).
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_PS 800ull
#define OVERHEAD_BYTES 24ull
#define UNREPORTED_MAX 4096u /* frames between the wire and their report; the NIC holds a handful */

static struct {
  const uint8_t *file, *at, *end;
  uint64_t total, played;
  bool started;
  uint64_t base_ps;      /* time 0 of the capture */
  uint64_t line_free_ps; /* from when on the line can take a frame */
  uint64_t next_clock;   /* of the next beat */
  uint32_t offset;       /* in the frame being played */
  struct {
    uint64_t first, last;
  } unreported[UNREPORTED_MAX];
  uint64_t report_head, report_tail;
} player;

static const struct stimulus_frame *frame_at(const uint8_t *at) { return (const void *)at; }

static size_t entry_bytes(const uint8_t *at) {
  return sizeof(struct stimulus_frame) + ((frame_at(at)->length + 7u) & ~7u);
}

int player_open(const char *path) {
  memset(&player, 0, sizeof player);
  player.next_clock = NEVER;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    core_fail(TL_FAILED, "cannot read %s: %s", path, strerror(errno));
    return TL_FAILED;
  }
  if (status.st_size > 0) {
    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
      core_fail(TL_FAILED, "cannot map %s: %s", path, strerror(errno));
      close(fd);
      return TL_FAILED;
    }
    player.file = player.at = map;
    player.end = player.file + status.st_size;
  }
  close(fd);
  for (const uint8_t *at = player.file; at < player.end; at += entry_bytes(at)) {
    if ((size_t)(player.end - at) < sizeof(struct stimulus_frame) || entry_bytes(at) > (size_t)(player.end - at) ||
        frame_at(at)->length == 0) {
      core_fail(TL_FAILED, "%s: entry %llu is damaged", path, (unsigned long long)player.total);
      return TL_FAILED;
    }
    player.total++;
  }
  return TL_OK;
}

static void schedule(void) {
  if (player.at == player.end) {
    player.next_clock = NEVER;
    return;
  }
  const struct stimulus_frame *frame = frame_at(player.at);
  uint64_t due = player.base_ps + frame->time_ps;
  if (due < player.line_free_ps) due = player.line_free_ps;
  player.line_free_ps = due + (frame->length + OVERHEAD_BYTES) * BYTE_PS;
  player.next_clock = clock_at_or_after(due);
}

void player_start(uint64_t clock) {
  player.started = true;
  player.base_ps = player.line_free_ps = clock * CLOCK_PS;
  schedule();
}

uint64_t player_due(void) { return player.next_clock; }

bool player_beat(uint64_t clock, struct beat *beat) {
  if (clock < player.next_clock) return false;
  const struct stimulus_frame *frame = frame_at(player.at);
  const uint32_t left = frame->length - player.offset;
  memcpy(&beat->tdata, player.at + sizeof *frame + player.offset, 8);
  beat->control = TICK_TVALID;
  if (player.offset == 0) player.unreported[player.report_head % UNREPORTED_MAX].first = clock;
  if (left > 8) {
    beat->control |= TICK_TKEEP;
    player.offset += 8;
    player.next_clock = clock + 1;
    return true;
  }
  beat->control |= TICK_TLAST | (TICK_TKEEP >> (8 - left));
  if (frame->flags & 1) beat->control |= TICK_TUSER;
  player.unreported[player.report_head++ % UNREPORTED_MAX].last = clock;
  if (player.report_head - player.report_tail > UNREPORTED_MAX)
    core_fail(TL_FAILED, "the NIC has not reported the last %u frames", UNREPORTED_MAX);
  player.played++;
  player.offset = 0;
  player.at += entry_bytes(player.at);
  schedule();
  return true;
}

bool player_finished(void) { return player.started && player.at == player.end; }
uint64_t player_frames(void) { return player.played; }
uint64_t player_total(void) { return player.total; }

bool player_reported(uint64_t *first_clock, uint64_t *last_clock) {
  if (player.report_tail == player.report_head) return false;
  *first_clock = player.unreported[player.report_tail % UNREPORTED_MAX].first;
  *last_clock = player.unreported[player.report_tail++ % UNREPORTED_MAX].last;
  return true;
}

uint64_t player_unreported(void) { return player.report_head - player.report_tail; }
