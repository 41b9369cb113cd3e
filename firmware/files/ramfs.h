/* SPDX-License-Identifier: MIT */
/*
 * A file system in memory, for configurations and notes of whoever works at the console: directories, and files in blocks.
 * Pure: all memory is the caller's, nothing is allocated.
 *
 * Names are printable and without a slash; a path is names with slashes between, from the root, `/` in front or not. What
 * cannot be done changes nothing and says why.
 */
#ifndef TICKLOOP_RAMFS_H
#define TICKLOOP_RAMFS_H

#include <stdbool.h>
#include <stdint.h>

#define RAMFS_NODES 64u
#define RAMFS_NAME_BYTES 32u /* with the zero behind it */
#define RAMFS_BLOCKS 512u
#define RAMFS_BLOCK_BYTES 512u
#define RAMFS_ROOT 0u

enum ramfs_kind { RAMFS_FREE = 0, RAMFS_FILE, RAMFS_DIRECTORY };

struct ramfs_node {
  char name[RAMFS_NAME_BYTES];
  uint32_t size;
  uint16_t first; /* block, 1 + its number; 0: none */
  uint8_t parent;
  uint8_t kind;
};

struct ramfs {
  struct ramfs_node nodes[RAMFS_NODES];
  uint16_t next[RAMFS_BLOCKS]; /* of a file's block, 1 + the number of the one behind; 0: the last */
  bool used[RAMFS_BLOCKS];
  uint8_t blocks[RAMFS_BLOCKS][RAMFS_BLOCK_BYTES];
};

/* An empty root directory. */
void ramfs_init(struct ramfs *fs);

/* The node of a path; NULL if there is none. */
const struct ramfs_node *ramfs_find(const struct ramfs *fs, const char *path);

/* Each returns NULL, or why not. A file that is there already is replaced, unless there is no room for the new one. */
const char *ramfs_write(struct ramfs *fs, const char *path, const uint8_t *bytes, uint32_t size);
const char *ramfs_make_directory(struct ramfs *fs, const char *path);
const char *ramfs_remove(struct ramfs *fs, const char *path);
const char *ramfs_copy(struct ramfs *fs, const char *from, const char *to);
const char *ramfs_move(struct ramfs *fs, const char *from, const char *to);

/* Up to `size` bytes of a file from `offset` on; returns how many. */
uint32_t ramfs_read(const struct ramfs *fs, const struct ramfs_node *file, uint32_t offset, uint8_t *bytes,
                    uint32_t size);

/* What a directory holds, by place: from `*place` on, which moves behind it; NULL: no more. */
const struct ramfs_node *ramfs_list(const struct ramfs *fs, const struct ramfs_node *directory, uint32_t *place);

uint32_t ramfs_free_bytes(const struct ramfs *fs);

#endif
