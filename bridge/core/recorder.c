/* SPDX-License-Identifier: MIT */
/* One file a log, written through a large buffer: what was recorded before a crash is on disk up to the last flush. */
#include "internal.h"

#include <errno.h>
#include <string.h>

static const char *const NAMES[LOG_COUNT] = {"frames", "dma",   "reads",  "registers", "sent",
                                             "guest",  "trace", "export", "raw"};
static FILE *files[LOG_COUNT];

int recorder_open(const char *directory) {
  for (int i = 0; i < LOG_COUNT; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.bin", directory, NAMES[i]);
    files[i] = fopen(path, "wb");
    if (!files[i]) {
      core_fail(errno == ENOSPC ? TL_SPACE : TL_FAILED, "cannot write %s: %s", path, strerror(errno));
      return TL_FAILED;
    }
    setvbuf(files[i], NULL, _IOFBF, 1 << 18);
  }
  return TL_OK;
}

void recorder_write(enum log log, const void *data, size_t bytes) {
  if (bytes && fwrite(data, bytes, 1, files[log]) != 1)
    core_fail(errno == ENOSPC ? TL_SPACE : TL_FAILED, "cannot record %s: %s", NAMES[log], strerror(errno));
}

int recorder_close(void) {
  for (int i = 0; i < LOG_COUNT; i++) {
    if (files[i] && fclose(files[i]) != 0)
      core_fail(errno == ENOSPC ? TL_SPACE : TL_FAILED, "cannot record %s: %s", NAMES[i], strerror(errno));
    files[i] = NULL;
  }
  return core_failed() ? TL_FAILED : TL_OK;
}
