/* SPDX-License-Identifier: MIT */
/* See ustar.h; offsets of the header's fields are those of the standard's table. */
#include "files/ustar.h"

#include <stddef.h>

#define NAME 0u
#define NAME_BYTES 100u
#define SIZE 124u
#define SIZE_BYTES 12u
#define CHECKSUM 148u
#define CHECKSUM_BYTES 8u
#define TYPE 156u
#define MAGIC 257u
#define PREFIX 345u
#define PREFIX_BYTES 155u

bool ustar_is_one(const uint8_t *archive, uint64_t bytes) {
  return bytes >= USTAR_BLOCK_BYTES && __builtin_memcmp(archive + MAGIC, "ustar", 5) == 0;
}

/* Octal digits, ended by a space, a zero or the field; false: something else. */
static bool octal(const uint8_t *field, uint32_t length, uint64_t *value) {
  uint32_t i = 0;
  for (*value = 0; i < length && field[i] >= '0' && field[i] <= '7'; i++) *value = *value * 8 + field[i] - '0';
  return i != 0 && (i == length || field[i] == ' ' || field[i] == '\0');
}

/* Sum of the header's bytes, those of the field itself taken as spaces. */
static bool sum_is_right(const uint8_t *header) {
  uint64_t told, sum = 0;
  for (uint32_t i = 0; i < USTAR_BLOCK_BYTES; i++) {
    sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES ? (uint8_t)' ' : header[i];
  }
  return octal(header + CHECKSUM, CHECKSUM_BYTES, &told) && told == sum;
}

static bool is_zero(const uint8_t *header) {
  for (uint32_t i = 0; i < USTAR_BLOCK_BYTES; i++) {
    if (header[i] != 0) return false;
  }
  return true;
}

static uint32_t append(char *path, uint32_t length, const uint8_t *field, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes && field[i] != 0; i++) path[length++] = (char)field[i];
  path[length] = '\0';
  return length;
}

enum ustar_step ustar_next(const uint8_t *archive, uint64_t bytes, uint64_t *at, struct ustar_entry *entry,
                           const char **wrong) {
  *wrong = NULL;
  if (bytes == *at) return USTAR_END;
  if (bytes - *at < USTAR_BLOCK_BYTES) {
    *wrong = "the archive ends inside its header";
    return USTAR_DAMAGED;
  }
  const uint8_t *header = archive + *at;
  if (is_zero(header)) return USTAR_END;
  uint64_t size;
  if (!sum_is_right(header)) *wrong = "its checksum is wrong";
  else if (!ustar_is_one(header, USTAR_BLOCK_BYTES)) *wrong = "it is no entry of the ustar format";
  else if (!octal(header + SIZE, SIZE_BYTES, &size)) *wrong = "its size is no number";
  else if (size > bytes - *at - USTAR_BLOCK_BYTES) *wrong = "the archive ends inside it";
  if (*wrong != NULL) return USTAR_DAMAGED;

  uint32_t length = append(entry->path, 0, header + PREFIX, PREFIX_BYTES);
  if (length != 0) entry->path[length++] = '/';
  (void)append(entry->path, length, header + NAME, NAME_BYTES);
  entry->bytes = header + USTAR_BLOCK_BYTES;
  entry->size = (uint32_t)size;
  entry->directory = header[TYPE] == '5';
  entry->file = header[TYPE] == '0' || header[TYPE] == '\0';
  uint64_t behind = *at + USTAR_BLOCK_BYTES + (size + USTAR_BLOCK_BYTES - 1) / USTAR_BLOCK_BYTES * USTAR_BLOCK_BYTES;
  *at = behind < bytes ? behind : bytes;
  return USTAR_ENTRY;
}

const char *ustar_load(struct ramfs *fs, const uint8_t *archive, uint64_t bytes, uint32_t *number) {
  struct ustar_entry entry;
  const char *wrong;
  uint64_t at = 0;
  for (*number = 1;; ++*number) {
    enum ustar_step step = ustar_next(archive, bytes, &at, &entry, &wrong);
    if (step != USTAR_ENTRY) return wrong;
    if (entry.directory && ramfs_find(fs, entry.path) == NULL) wrong = ramfs_make_directory(fs, entry.path);
    else if (entry.file) wrong = ramfs_write(fs, entry.path, entry.bytes, entry.size);
    if (wrong != NULL) return wrong;
  }
}
