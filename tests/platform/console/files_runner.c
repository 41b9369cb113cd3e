/* SPDX-License-Identifier: MIT */
/* The kernel's file system and its archive reader, for a test that drives them (tests/sanitized.py has the protocol). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/ramfs.h"
#include "files/ustar.h"

enum { NEW = 1, LOAD, WRITE, MAKE_DIRECTORY, REMOVE, COPY, MOVE, DUMP };

static struct ramfs fs;
static uint8_t *answer;
static uint32_t used, room;

static void add(const void *bytes, uint32_t size) {
  if (used + size > room) {
    room = 2 * room + size;
    answer = realloc(answer, room);
    if (answer == NULL) abort();
  }
  if (size != 0) memcpy(answer + used, bytes, size);
  used += size;
}

static void add_text(const char *text) {
  if (text != NULL) add(text, (uint32_t)strlen(text));
}

/* Every node below a directory: its path, a zero, kind and size, the bytes of a file. */
static void dump(const struct ramfs_node *directory, const char *path) {
  const struct ramfs_node *node;
  uint32_t place = 0;
  while ((node = ramfs_list(&fs, directory, &place)) != NULL) {
    char inner[2048];
    snprintf(inner, sizeof inner, "%s/%s", path, node->name);
    add(inner, (uint32_t)strlen(inner) + 1);
    add((uint32_t[]){node->kind, node->size}, 8);
    uint8_t *bytes = malloc(node->size + 1);
    if (bytes == NULL) abort();
    /* In pieces of an odd size, so that blocks are crossed. */
    for (uint32_t at = 0; at < node->size;) at += ramfs_read(&fs, node, at, bytes + at, 77);
    add(bytes, node->size);
    free(bytes);
    if (node->kind == RAMFS_DIRECTORY) dump(node, inner);
  }
}

static void call(uint32_t command, const uint8_t *payload, uint32_t size) {
  const char *first = (const char *)payload, *second = first + strlen(first) + 1;
  uint32_t entry;
  switch (command) {
    case NEW: ramfs_init(&fs); break;
    case LOAD: {
      /* Exactly as long as the archive: the sanitizer sees whoever reads on. */
      uint8_t *archive = malloc(size == 0 ? 1 : size);
      if (archive == NULL) abort();
      memcpy(archive, payload, size);
      const char *wrong = ustar_load(&fs, archive, size, &entry);
      add(&entry, sizeof entry);
      add_text(wrong);
      free(archive);
      break;
    }
    case WRITE: add_text(ramfs_write(&fs, first, (const uint8_t *)second, size - (uint32_t)(second - first))); break;
    case MAKE_DIRECTORY: add_text(ramfs_make_directory(&fs, first)); break;
    case REMOVE: add_text(ramfs_remove(&fs, first)); break;
    case COPY: add_text(ramfs_copy(&fs, first, second)); break;
    case MOVE: add_text(ramfs_move(&fs, first, second)); break;
    case DUMP: {
      uint32_t free_bytes = ramfs_free_bytes(&fs);
      add(&free_bytes, sizeof free_bytes);
      dump(&fs.nodes[RAMFS_ROOT], "");
      break;
    }
    default: abort();
  }
}

int main(void) {
  uint32_t head[2];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    uint8_t *payload = calloc(1, head[1] + 2);
    if (payload == NULL || fread(payload, 1, head[1], stdin) != head[1]) return 2;
    used = 0;
    call(head[0], payload, head[1]);
    free(payload);
    fwrite(&used, sizeof used, 1, stdout);
    if (used != 0) fwrite(answer, 1, used, stdout);
    fflush(stdout);
  }
  free(answer);
  return 0;
}
