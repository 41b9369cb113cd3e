/* SPDX-License-Identifier: MIT */
/*
 * Plays captured frames as 64-bit beats on two lines, each with its own wire of eight bytes a clock. A frame starts at its
 * capture time or, if its line is still busy, right after the one before it with the minimum gap: preamble 8, FCS 4 and
 * gap 12 bytes (IEEE 802.3). Each line's reports come in the order of its frames.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_A_CLOCK 8u
#define OVERHEAD_BYTES 24ull
#define UNREPORTED_MAX 32768u /* frames of a line between wire and report: those that wait behind a parked one, too */

struct line {
  uint64_t at;         /* of its next frame's entry, NEVER when there is none */
  uint64_t free_ps;    /* from when on it can take a frame */
  uint64_t next_clock; /* of its next beat */
  uint32_t offset;     /* in the frame being played */
  struct {
    uint64_t first, last;
  } unreported[UNREPORTED_MAX];
  uint64_t report_head, report_tail;
};

static struct {
  uint8_t *entries; /* stimulus_frame: the file, or what was added */
  uint64_t bytes, capacity; /* no capacity: the file */
  uint64_t total, played;
  bool started;
  uint64_t base_ps; /* time 0 of the capture */
  bool held;        /* no frame begins */
  struct line lines[LINES];
} player;

static const struct stimulus_frame *frame_at(uint64_t at) { return (const void *)(player.entries + at); }

static uint64_t entry_bytes(uint64_t at) {
  return sizeof(struct stimulus_frame) + ((frame_at(at)->length + 7ull) & ~7ull);
}

static unsigned line_of(const struct stimulus_frame *frame) { return frame->flags & STIMULUS_LINE_B ? 1 : 0; }

static void count_entries(uint64_t at, const char *where) {
  for (; at < player.bytes; at += entry_bytes(at)) {
    const uint64_t left = player.bytes - at;
    if (left < sizeof(struct stimulus_frame) || entry_bytes(at) > left || frame_at(at)->length == 0) {
      core_fail(TL_FAILED, "%s: entry %llu is damaged", where, (unsigned long long)player.total);
      return;
    }
    player.total++;
  }
}

int player_open(const char *path) {
  memset(&player, 0, sizeof player);
  for (unsigned i = 0; i < LINES; i++) player.lines[i].next_clock = player.lines[i].at = NEVER;
  if (!path) return TL_OK;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    core_fail(TL_FAILED, "cannot read %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return TL_FAILED;
  }
  if (status.st_size > 0) {
    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
      core_fail(TL_FAILED, "cannot map %s: %s", path, strerror(errno));
      close(fd);
      return TL_FAILED;
    }
    player.entries = map;
    player.bytes = (uint64_t)status.st_size;
  }
  close(fd);
  count_entries(0, path);
  return core_failed() ? TL_FAILED : TL_OK;
}

void player_close(void) {
  if (player.capacity) free(player.entries);
  else if (player.entries) munmap(player.entries, player.bytes);
  player.entries = NULL;
}

/* Line `i` goes on with its next frame at `at` or behind it. */
static void schedule(unsigned i, uint64_t at) {
  struct line *line = &player.lines[i];
  while (at != player.bytes && line_of(frame_at(at)) != i) at += entry_bytes(at);
  line->offset = 0;
  if (at == player.bytes) {
    line->at = line->next_clock = NEVER;
    return;
  }
  line->at = at;
  uint64_t due = player.base_ps + frame_at(at)->time_ps;
  if (due < line->free_ps) due = line->free_ps;
  line->free_ps = due + (frame_at(at)->length + OVERHEAD_BYTES) * clock_ps / BYTES_A_CLOCK;
  line->next_clock = clock_at_or_after(due);
}

void player_start(uint64_t clock) {
  player.started = true;
  player.base_ps = clock * clock_ps;
  for (unsigned i = 0; i < LINES; i++) schedule(i, 0);
}

void player_add(const void *frames, uint64_t bytes) {
  const uint64_t start = player.bytes;
  if (bytes == 0) return;
  if (start + bytes > player.capacity) {
    const uint64_t capacity = 2 * (start + bytes);
    uint8_t *larger = realloc(player.entries, capacity);
    if (!larger) {
      core_fail(TL_FAILED, "out of memory");
      return;
    }
    player.entries = larger;
    player.capacity = capacity;
  }
  memcpy(player.entries + start, frames, bytes);
  player.bytes += bytes;
  count_entries(start, "a frame that was added");
  recorder_write(LOG_STIMULUS, frames, bytes);
  for (unsigned i = 0; i < LINES && player.started && !core_failed(); i++)
    if (player.lines[i].at == NEVER) schedule(i, start);
}

uint64_t player_origin(void) { return player.started ? player.base_ps / clock_ps : NEVER; }

static bool held(const struct line *line) { return player.held && line->offset == 0; }

uint64_t player_due(void) {
  uint64_t due = NEVER;
  for (unsigned i = 0; i < LINES; i++) {
    const struct line *line = &player.lines[i];
    if (!held(line) && line->next_clock < due) due = line->next_clock;
  }
  return due;
}

/* What comes is put off by the same time on both lines, so that frames keep their order. */
void player_hold(bool hold, uint64_t clock) {
  if (player.held && !hold) {
    player.held = false;
    const uint64_t late = player_due() < clock ? clock - player_due() : 0;
    player.base_ps += late * clock_ps;
    for (unsigned i = 0; i < LINES; i++) {
      struct line *line = &player.lines[i];
      if (line->offset || line->next_clock == NEVER) continue;
      line->free_ps += late * clock_ps;
      line->next_clock += late;
    }
  }
  player.held = hold;
}

/* Bit numbers of tl_tick's control word. */
static const struct {
  unsigned tkeep, tvalid, tlast, tuser;
} BITS[LINES] = {{TICK_A_TKEEP, TICK_A_TVALID, TICK_A_TLAST, TICK_A_TUSER},
                 {TICK_B_TKEEP, TICK_B_TVALID, TICK_B_TLAST, TICK_B_TUSER}};

uint32_t player_beat(unsigned i, uint64_t clock, unsigned long long *tdata) {
  struct line *line = &player.lines[i];
  if (clock < line->next_clock || held(line)) return 0;
  const struct stimulus_frame *frame = frame_at(line->at);
  const uint32_t left = frame->length - line->offset;
  memcpy(tdata, (const uint8_t *)(frame + 1) + line->offset, BYTES_A_CLOCK);
  const uint64_t taken = clock + 1; /* driven at this edge, the beat is sampled by the NIC at the next */
  if (line->offset == 0) line->unreported[line->report_head % UNREPORTED_MAX].first = taken;
  uint32_t control = 1u << BITS[i].tvalid;
  if (left > BYTES_A_CLOCK) {
    line->offset += BYTES_A_CLOCK;
    line->next_clock = clock + 1;
    return control | 0xFFu << BITS[i].tkeep;
  }
  control |= 1u << BITS[i].tlast | 0xFFu >> (BYTES_A_CLOCK - left) << BITS[i].tkeep;
  if (frame->flags & STIMULUS_BAD_FCS) control |= 1u << BITS[i].tuser;
  line->unreported[line->report_head++ % UNREPORTED_MAX].last = taken;
  if (line->report_head - line->report_tail == UNREPORTED_MAX)
    core_fail(TL_FAILED, "the NIC has not reported the last %u frames of a line", UNREPORTED_MAX);
  player.played++;
  schedule(i, line->at + entry_bytes(line->at));
  return control;
}

bool player_finished(void) {
  if (!player.started) return false;
  for (unsigned i = 0; i < LINES; i++)
    if (player.lines[i].at != NEVER) return false;
  return true;
}

uint64_t player_frames(void) { return player.played; }
uint64_t player_total(void) { return player.total; }

bool player_reported(unsigned i, uint64_t *first_clock, uint64_t *last_clock) {
  if (i >= LINES || player.lines[i].report_tail == player.lines[i].report_head) return false;
  struct line *line = &player.lines[i];
  *first_clock = line->unreported[line->report_tail % UNREPORTED_MAX].first;
  *last_clock = line->unreported[line->report_tail++ % UNREPORTED_MAX].last;
  return true;
}

uint64_t player_unreported(void) {
  uint64_t count = 0;
  for (unsigned i = 0; i < LINES; i++) count += player.lines[i].report_head - player.lines[i].report_tail;
  return count;
}
