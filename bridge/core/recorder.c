/* SPDX-License-Identifier: MIT */
/*
 * One file a log, written through a shared mapping: what was recorded is the system's from that moment on, and outlives a
 * process that is killed. Room on the disk is taken before it is written, so a full one is an error here and no signal.
 *
 * A file is longer than its log while the run goes on; lengths.bin says how long each log is, and is there until the run
 * is closed. An entry counts from when its length does, which is written after it: none is ever half there.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_WINDOW (1ull << 16)
#define LARGEST_WINDOW (1ull << 22)
#define PAGE 4096ull

static const char *const NAMES[LOG_COUNT] = {"frames", "valid", "dma",    "reads", "registers", "sent",
                                             "guest",  "trace", "export", "raw",   "stimulus"};

struct log_file {
  uint8_t *at, *end; /* the mapped window's free part */
  uint8_t *window;
  uint64_t written;
  int fd;
};

static struct {
  char directory[4096];
  struct log_file files[LOG_COUNT];
  struct log_length *lengths; /* of all logs, in lengths.bin */
} recorder;

static int failed(const char *what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  core_fail(full ? TL_SPACE : TL_FAILED, "cannot record %s in %s: %s", what, recorder.directory, strerror(error));
  return TL_FAILED;
}

static int open_in_directory(const char *name) {
  char path[sizeof recorder.directory + 32];
  snprintf(path, sizeof path, "%s/%s.bin", recorder.directory, name);
  return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* `bytes` of the file from `offset` on, on the disk and in memory. NULL: errno says why not. */
static void *map_room(int fd, uint64_t offset, uint64_t bytes) {
  errno = posix_fallocate(fd, (off_t)offset, (off_t)bytes);
  if (errno) return NULL;
  void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
  return map == MAP_FAILED ? NULL : map;
}

int recorder_open(const char *directory, bool stimulus) {
  memset(&recorder, 0, sizeof recorder);
  for (int i = 0; i < LOG_COUNT; i++) recorder.files[i].fd = -1;
  if ((size_t)snprintf(recorder.directory, sizeof recorder.directory, "%s", directory) >= sizeof recorder.directory)
    return failed("the run", ENAMETOOLONG);
  const int fd = open_in_directory("lengths");
  recorder.lengths = fd < 0 ? NULL : map_room(fd, 0, LOG_COUNT * sizeof *recorder.lengths);
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!recorder.lengths) return failed("lengths", error);
  for (int i = 0; i < LOG_COUNT; i++) {
    if (i == LOG_STIMULUS && !stimulus) continue; /* it is what the run was given */
    memcpy(recorder.lengths[i].name, NAMES[i], strlen(NAMES[i]));
    recorder.files[i].fd = open_in_directory(NAMES[i]);
    if (recorder.files[i].fd < 0) return failed(NAMES[i], errno);
  }
  return TL_OK;
}

static void unmap(struct log_file *file) {
  if (file->window) munmap(file->window, (size_t)(file->end - file->window));
  file->window = file->at = file->end = NULL;
}

/* Move the window on to where `bytes` more fit; later windows are larger, up to a limit. */
static bool move_window(struct log_file *file, uint64_t bytes) {
  const uint64_t start = file->written & ~(PAGE - 1);
  uint64_t size = file->written < FIRST_WINDOW ? FIRST_WINDOW : file->written;
  if (size > LARGEST_WINDOW) size = LARGEST_WINDOW;
  if (size < file->written - start + bytes) size = file->written - start + bytes;
  size = (size + PAGE - 1) & ~(PAGE - 1);
  unmap(file);
  file->window = map_room(file->fd, start, size);
  if (!file->window) return false;
  file->at = file->window + (file->written - start);
  file->end = file->window + size;
  return true;
}

void recorder_write(enum log log, const void *data, size_t bytes) {
  struct log_file *file = &recorder.files[log];
  if (bytes > (size_t)(file->end - file->at) && !move_window(file, bytes)) {
    failed(NAMES[log], errno);
    return;
  }
  if (bytes == 0) return;
  memcpy(file->at, data, bytes);
  file->at += bytes;
  file->written += bytes;
  __atomic_store_n(&recorder.lengths[log].length, file->written, __ATOMIC_RELEASE);
}

int recorder_close(void) {
  for (int i = 0; i < LOG_COUNT; i++) {
    struct log_file *file = &recorder.files[i];
    unmap(file);
    if (file->fd < 0) continue;
    if (ftruncate(file->fd, (off_t)file->written) != 0) failed(NAMES[i], errno);
    close(file->fd);
    file->fd = -1;
  }
  if (recorder.lengths) {
    char path[sizeof recorder.directory + 32];
    snprintf(path, sizeof path, "%s/lengths.bin", recorder.directory);
    unlink(path);
    munmap(recorder.lengths, LOG_COUNT * sizeof *recorder.lengths);
    recorder.lengths = NULL;
  }
  return core_failed() ? TL_FAILED : TL_OK;
}
