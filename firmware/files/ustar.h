/* SPDX-License-Identifier: MIT */
/* Archives of the ustar format (POSIX.1-2017, pax, "ustar Interchange Format"): `tar --format=ustar`. Pure; trusts nothing. */
#ifndef TICKLOOP_USTAR_H
#define TICKLOOP_USTAR_H

#include <stdbool.h>
#include <stdint.h>

#include "files/ramfs.h"

#define USTAR_BLOCK_BYTES 512u
#define USTAR_PATH_BYTES 257u

enum ustar_step { USTAR_ENTRY, USTAR_END, USTAR_DAMAGED };

struct ustar_entry {
  char path[USTAR_PATH_BYTES];
  const uint8_t *bytes;
  uint32_t size;
  bool directory;
  bool file;
};

/* Whether there is an archive at all: its first entry's magic. */
bool ustar_is_one(const uint8_t *archive, uint64_t bytes);

/* The entry at *at, which moves behind it; damaged, *wrong says how. */
enum ustar_step ustar_next(const uint8_t *archive, uint64_t bytes, uint64_t *at, struct ustar_entry *entry,
                           const char **wrong);

/* All entries into a file system; NULL, or what is wrong with entry number *entry, from 1. Those before it are there. */
const char *ustar_load(struct ramfs *fs, const uint8_t *archive, uint64_t bytes, uint32_t *entry);

#endif
