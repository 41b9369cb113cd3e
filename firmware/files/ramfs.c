/* SPDX-License-Identifier: MIT */
/* See ramfs.h. */
#include "files/ramfs.h"

#include <stddef.h>

void ramfs_init(struct ramfs *fs) {
  for (uint32_t i = 0; i < RAMFS_NODES; i++) fs->nodes[i] = (struct ramfs_node){.kind = RAMFS_FREE};
  for (uint32_t i = 0; i < RAMFS_BLOCKS; i++) fs->used[i] = false;
  fs->nodes[RAMFS_ROOT].kind = RAMFS_DIRECTORY;
}

/* The next name of a path, *path behind it; its length, 0 at the end. Names of one dot are passed over. */
static uint32_t next_name(const char **path, const char **name) {
  for (;;) {
    while (**path == '/') ++*path;
    *name = *path;
    while (**path != '\0' && **path != '/') ++*path;
    uint32_t length = (uint32_t)(*path - *name);
    if (length != 1 || **name != '.') return length;
  }
}

static bool is_named(const struct ramfs_node *node, const char *name, uint32_t length) {
  uint32_t i = 0;
  for (; i < length && node->name[i] == name[i]; i++) {
    if (node->name[i] == '\0') return false;
  }
  return i == length && node->name[i] == '\0';
}

static struct ramfs_node *child(struct ramfs *fs, uint32_t parent, const char *name, uint32_t length) {
  if (length >= RAMFS_NAME_BYTES) return NULL;
  for (uint32_t i = 1; i < RAMFS_NODES; i++) {
    struct ramfs_node *node = &fs->nodes[i];
    if (node->kind != RAMFS_FREE && node->parent == parent && is_named(node, name, length)) return node;
  }
  return NULL;
}

/* Where a path leads: the node, or the directory in which its last name would stand. */
struct place {
  struct ramfs_node *node; /* NULL: there is none */
  uint32_t parent;
  const char *name;
  uint32_t length; /* 0: the root */
};

static const char *walk(struct ramfs *fs, const char *path, struct place *place) {
  const char *name;
  *place = (struct place){.node = &fs->nodes[RAMFS_ROOT]};
  for (uint32_t length; (length = next_name(&path, &name)) != 0;) {
    if (place->node == NULL) return "there is no such directory";
    if (place->node->kind != RAMFS_DIRECTORY) return "a file stands where a directory should";
    if (length >= RAMFS_NAME_BYTES) return "a name is too long";
    place->parent = (uint32_t)(place->node - fs->nodes);
    place->name = name;
    place->length = length;
    place->node = child(fs, place->parent, name, length);
  }
  return NULL;
}

const struct ramfs_node *ramfs_find(const struct ramfs *fs, const char *path) {
  struct place place;
  return walk((struct ramfs *)fs, path, &place) == NULL ? place.node : NULL;
}

static const char *name_wrong(const char *name, uint32_t length) {
  if (length == 0) return "that is the root";
  if (length == 2 && name[0] == '.' && name[1] == '.') return "a name of two dots is none";
  for (uint32_t i = 0; i < length; i++) {
    if (name[i] <= ' ' || name[i] > '~') return "a name has a character that is not printable";
  }
  return NULL;
}

static struct ramfs_node *free_node(struct ramfs *fs) {
  for (uint32_t i = 1; i < RAMFS_NODES; i++) {
    if (fs->nodes[i].kind == RAMFS_FREE) return &fs->nodes[i];
  }
  return NULL;
}

static void fill_in(struct ramfs_node *node, const struct place *place, enum ramfs_kind kind) {
  *node = (struct ramfs_node){.parent = (uint8_t)place->parent, .kind = (uint8_t)kind};
  for (uint32_t i = 0; i < place->length; i++) node->name[i] = place->name[i];
}

static uint32_t blocks_for(uint32_t bytes) { return (bytes + RAMFS_BLOCK_BYTES - 1) / RAMFS_BLOCK_BYTES; }

static uint32_t free_blocks(const struct ramfs *fs) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < RAMFS_BLOCKS; i++) count += !fs->used[i];
  return count;
}

uint32_t ramfs_free_bytes(const struct ramfs *fs) { return free_blocks(fs) * RAMFS_BLOCK_BYTES; }

static void release(struct ramfs *fs, struct ramfs_node *file) {
  for (uint32_t block = file->first; block != 0; block = fs->next[block - 1]) fs->used[block - 1] = false;
  file->first = 0;
  file->size = 0;
}

/* There are enough free blocks. */
static void store(struct ramfs *fs, struct ramfs_node *file, const uint8_t *bytes, uint32_t size) {
  uint16_t *link = &file->first;
  uint32_t block = 0;
  for (uint32_t at = 0; at < size; at += RAMFS_BLOCK_BYTES) {
    while (fs->used[block]) block++;
    fs->used[block] = true;
    *link = (uint16_t)(block + 1);
    link = &fs->next[block];
    *link = 0;
    for (uint32_t i = 0; i < RAMFS_BLOCK_BYTES && at + i < size; i++) fs->blocks[block][i] = bytes[at + i];
  }
  file->size = size;
}

const char *ramfs_write(struct ramfs *fs, const char *path, const uint8_t *bytes, uint32_t size) {
  struct place place;
  const char *wrong = walk(fs, path, &place);
  if (wrong == NULL && place.node == NULL) wrong = name_wrong(place.name, place.length);
  if (wrong != NULL) return wrong;
  if (place.node != NULL && place.node->kind == RAMFS_DIRECTORY) return "that is a directory";
  struct ramfs_node *file = place.node != NULL ? place.node : free_node(fs);
  if (file == NULL) return "there is no room for another name";
  uint32_t spare = free_blocks(fs) + (place.node != NULL ? blocks_for(file->size) : 0);
  if (size > RAMFS_BLOCKS * RAMFS_BLOCK_BYTES || blocks_for(size) > spare) return "there is no room for so much";
  if (place.node == NULL) fill_in(file, &place, RAMFS_FILE);
  else release(fs, file);
  store(fs, file, bytes, size);
  return NULL;
}

const char *ramfs_make_directory(struct ramfs *fs, const char *path) {
  struct place place;
  const char *wrong = walk(fs, path, &place);
  if (wrong != NULL) return wrong;
  if (place.node != NULL) return "there is one of that name";
  wrong = name_wrong(place.name, place.length);
  if (wrong != NULL) return wrong;
  struct ramfs_node *directory = free_node(fs);
  if (directory == NULL) return "there is no room for another name";
  fill_in(directory, &place, RAMFS_DIRECTORY);
  return NULL;
}

const char *ramfs_remove(struct ramfs *fs, const char *path) {
  struct place place;
  const char *wrong = walk(fs, path, &place);
  if (wrong != NULL) return wrong;
  if (place.node == NULL) return "there is no such file";
  if (place.length == 0) return "that is the root";
  uint32_t first = 0;
  if (place.node->kind == RAMFS_DIRECTORY && ramfs_list(fs, place.node, &first) != NULL) return "it is not empty";
  release(fs, place.node);
  place.node->kind = RAMFS_FREE;
  return NULL;
}

/* The file that a copy or a move is of. */
static const char *source_of(struct ramfs *fs, const char *path, struct place *place) {
  const char *wrong = walk(fs, path, place);
  if (wrong != NULL) return wrong;
  if (place->node == NULL) return "there is no such file";
  return place->length == 0 ? "that is the root" : NULL;
}

/* Into a directory that is there, a thing goes by its own name. */
static const char *target_of(struct ramfs *fs, const char *path, const struct place *source, struct place *place) {
  const char *wrong = walk(fs, path, place);
  if (wrong != NULL) return wrong;
  if (place->node != NULL && place->node->kind == RAMFS_DIRECTORY) {
    place->parent = (uint32_t)(place->node - fs->nodes);
    place->name = source->name;
    place->length = source->length;
    place->node = child(fs, place->parent, place->name, place->length);
  }
  if (place->node != NULL) return "there is one of that name";
  return name_wrong(place->name, place->length);
}

const char *ramfs_copy(struct ramfs *fs, const char *from, const char *to) {
  struct place source, target;
  const char *wrong = source_of(fs, from, &source);
  if (wrong == NULL) wrong = target_of(fs, to, &source, &target);
  if (wrong != NULL) return wrong;
  if (source.node->kind == RAMFS_DIRECTORY) return "that is a directory";
  if (blocks_for(source.node->size) > free_blocks(fs)) return "there is no room for so much";
  struct ramfs_node *file = free_node(fs);
  if (file == NULL) return "there is no room for another name";
  fill_in(file, &target, RAMFS_FILE);
  uint16_t *link = &file->first;
  for (uint32_t from_block = source.node->first, block = 0; from_block != 0; from_block = fs->next[from_block - 1]) {
    while (fs->used[block]) block++;
    fs->used[block] = true;
    *link = (uint16_t)(block + 1);
    link = &fs->next[block];
    *link = 0;
    __builtin_memcpy(fs->blocks[block], fs->blocks[from_block - 1], RAMFS_BLOCK_BYTES);
  }
  file->size = source.node->size;
  return NULL;
}

const char *ramfs_move(struct ramfs *fs, const char *from, const char *to) {
  struct place source, target;
  const char *wrong = source_of(fs, from, &source);
  if (wrong == NULL) wrong = target_of(fs, to, &source, &target);
  if (wrong != NULL) return wrong;
  uint32_t moved = (uint32_t)(source.node - fs->nodes);
  for (uint32_t above = target.parent; above != RAMFS_ROOT; above = fs->nodes[above].parent) {
    if (above == moved) return "a directory cannot go into itself";
  }
  char name[RAMFS_NAME_BYTES] = {0};
  for (uint32_t i = 0; i < target.length; i++) name[i] = target.name[i];
  __builtin_memcpy(source.node->name, name, sizeof name);
  source.node->parent = (uint8_t)target.parent;
  return NULL;
}

uint32_t ramfs_read(const struct ramfs *fs, const struct ramfs_node *file, uint32_t offset, uint8_t *bytes,
                    uint32_t size) {
  if (file->kind != RAMFS_FILE || offset >= file->size) return 0;
  if (size > file->size - offset) size = file->size - offset;
  uint32_t block = file->first;
  for (uint32_t skip = offset / RAMFS_BLOCK_BYTES; skip != 0; skip--) block = fs->next[block - 1];
  for (uint32_t i = 0; i < size; i++) {
    uint32_t at = (offset + i) % RAMFS_BLOCK_BYTES;
    if (at == 0 && i != 0) block = fs->next[block - 1];
    bytes[i] = fs->blocks[block - 1][at];
  }
  return size;
}

const struct ramfs_node *ramfs_list(const struct ramfs *fs, const struct ramfs_node *directory, uint32_t *place) {
  uint32_t parent = (uint32_t)(directory - fs->nodes);
  for (uint32_t i = *place != 0 ? *place : 1; i < RAMFS_NODES; i++) {
    const struct ramfs_node *node = &fs->nodes[i];
    if (node->kind == RAMFS_FREE || node->parent != parent) continue;
    *place = i + 1;
    return node;
  }
  return NULL;
}
