/* SPDX-License-Identifier: MIT */
/* Logs of an earlier run for a replay, mapped whole. A file that ends inside an entry is refused: it was cut. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool recording_open(struct recording *recording, const char *directory, const char *log, size_t entry) {
  char path[4096];
  struct stat status;
  *recording = (struct recording){0};
  snprintf(path, sizeof path, "%s/%s.bin", directory, log);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) {
    core_fail(TL_FAILED, "cannot read %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return false;
  }
  const uint64_t bytes = (uint64_t)status.st_size;
  void *map = bytes ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
  if (map == MAP_FAILED) core_fail(TL_FAILED, "cannot map %s: %s", path, strerror(errno));
  else if (bytes % entry) core_fail(TL_FAILED, "%s ends inside an entry", path);
  else *recording = (struct recording){map, bytes, bytes / entry};
  close(fd);
  return !core_failed();
}

void recording_close(struct recording *recording) {
  if (recording->data) munmap((void *)recording->data, recording->bytes);
  *recording = (struct recording){0};
}
