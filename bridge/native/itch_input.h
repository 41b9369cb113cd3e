/* SPDX-License-Identifier: MIT */
/* Input of native programs: a configuration module and an ITCH file, both read whole. */
#ifndef TICKLOOP_NATIVE_ITCH_INPUT_H
#define TICKLOOP_NATIVE_ITCH_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/bytes.h"

static inline uint8_t *read_whole(const char *path, uint64_t *bytes) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = NULL;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
    *bytes = (uint64_t)ftell(file);
    rewind(file);
    data = malloc(*bytes + 1);
    if (data != NULL && fread(data, 1, *bytes, file) != *bytes) data = NULL;
  }
  if (data == NULL) {
    fprintf(stderr, "%s cannot be read\n", path);
    exit(2);
  }
  fclose(file);
  return data;
}

/* The message at `*at`, which moves behind it; NULL at the end. */
static inline const uint8_t *next_message(const uint8_t *data, uint64_t bytes, uint64_t *at, uint16_t *length) {
  if (bytes - *at < 2) return NULL;
  *length = load_be16(data + *at);
  if (bytes - *at - 2 < *length) return NULL;
  const uint8_t *message = data + *at + 2;
  *at += 2u + *length;
  return message;
}

#endif
