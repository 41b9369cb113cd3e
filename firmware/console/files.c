/* SPDX-License-Identifier: MIT */
/* See files.h. */
#include "console/files.h"

#include <stddef.h>

#include "console/console.h"
#include "files/ustar.h"

#define CHUNK 64u
#define ADDED_TO 16384u /* bytes of a file that is written line by line */

struct ramfs *files_load(const struct boot *boot) {
  static struct ramfs files;
  ramfs_init(&files);
  for (uint32_t i = 0; i < boot->module_count; i++) {
    const uint8_t *bytes = (const uint8_t *)boot->modules[i].start;
    uint64_t size = boot->modules[i].end - boot->modules[i].start;
    uint32_t entry;
    if (!ustar_is_one(bytes, size)) continue;
    const char *wrong = ustar_load(&files, bytes, size, &entry);
    if (wrong != NULL) panic("module %u, entry %u of the archive: %s", i, entry, wrong);
    console_print("files: %u entries from module %u, %u bytes free\n", entry - 1, i, ramfs_free_bytes(&files));
  }
  return &files;
}

static void tell(const char *command, const char *what, const char *wrong) {
  if (wrong != NULL) console_print("%s: %s: %s\n", command, what, wrong);
}

void files_list(const struct ramfs *fs, const char *path) {
  const struct ramfs_node *node = ramfs_find(fs, path), *at;
  uint32_t place = 0;
  if (node == NULL) {
    tell("ls", path, "there is no such file");
    return;
  }
  if (node->kind == RAMFS_FILE) {
    console_print("%8u  %s\n", node->size, node->name);
    return;
  }
  while ((at = ramfs_list(fs, node, &place)) != NULL) {
    if (at->kind == RAMFS_FILE) console_print("%8u  %s\n", at->size, at->name);
    else console_print("%8s  %s/\n", "", at->name);
  }
  console_print("ls: %u bytes free\n", ramfs_free_bytes(fs));
}

/* Bytes that are no text show as '?': a file may hold anything. */
void files_print(const struct ramfs *fs, const char *path) {
  const struct ramfs_node *file = ramfs_find(fs, path);
  uint8_t bytes[CHUNK];
  uint8_t last = '\n';
  if (file == NULL || file->kind != RAMFS_FILE) {
    tell("cat", path, file == NULL ? "there is no such file" : "that is a directory");
    return;
  }
  uint32_t size;
  for (uint32_t at = 0; (size = ramfs_read(fs, file, at, bytes, sizeof bytes)) != 0; at += size) {
    for (uint32_t i = 0; i < size; i++) {
      last = bytes[i];
      bool text = (last >= ' ' && last <= '~') || last == '\n' || last == '\t';
      if (last != '\r') console_print("%c", text ? last : '?');
    }
  }
  if (last != '\n') console_print("\n");
}

void files_make_directory(struct ramfs *fs, const char *path) { tell("mkdir", path, ramfs_make_directory(fs, path)); }

void files_remove(struct ramfs *fs, const char *path) { tell("rm", path, ramfs_remove(fs, path)); }

/* The first of two words, `rest` being what stands behind; false: there is one alone. */
static bool first_word(const char *command, const char *arguments, const char *both, char first[COMMAND_BYTES],
                       const char **rest) {
  uint32_t length = 0;
  while (both[length] != '\0' && both[length] != ' ') length++;
  if (both[length] == '\0' || length >= COMMAND_BYTES) {
    console_print("%s: the command is \"%s %s\"\n", command, command, arguments);
    return false;
  }
  for (uint32_t i = 0; i < length; i++) first[i] = both[i];
  first[length] = '\0';
  *rest = both + length + 1;
  return true;
}

static void two_paths(struct ramfs *fs, const char *command, const char *both,
                      const char *(*act)(struct ramfs *, const char *, const char *)) {
  char from[COMMAND_BYTES];
  const char *to;
  if (first_word(command, "FROM TO", both, from, &to)) tell(command, both, act(fs, from, to));
}

void files_copy(struct ramfs *fs, const char *from_and_to) { two_paths(fs, "cp", from_and_to, ramfs_copy); }

void files_move(struct ramfs *fs, const char *from_and_to) { two_paths(fs, "mv", from_and_to, ramfs_move); }

void files_add(struct ramfs *fs, const char *path_and_line) {
  static uint8_t text[ADDED_TO];
  char path[COMMAND_BYTES];
  const char *line;
  if (!first_word("add", "FILE LINE", path_and_line, path, &line)) return;
  const struct ramfs_node *file = ramfs_find(fs, path);
  uint32_t size = file != NULL && file->kind == RAMFS_FILE ? file->size : 0;
  if (size > sizeof text - COMMAND_BYTES - 1) {
    tell("add", path, "it is too long to be added to");
    return;
  }
  if (size != 0) size = ramfs_read(fs, file, 0, text, size);
  if (size != 0 && text[size - 1] != '\n') text[size++] = '\n';
  while (*line != '\0') text[size++] = (uint8_t)*line++;
  text[size++] = '\n';
  tell("add", path, ramfs_write(fs, path, text, size));
}

enum line lines_next(const struct ramfs *fs, struct lines *lines, char text[COMMAND_BYTES]) {
  uint32_t length = 0;
  bool comment = false, long_one = false, any = false;
  uint8_t byte;
  text[0] = '\0';
  while (ramfs_read(fs, lines->file, lines->offset, &byte, 1) == 1) {
    any = true;
    lines->offset++;
    if (byte == '\n') break;
    comment |= byte == '#';
    if (comment || byte == '\r') continue;
    if (length == COMMAND_BYTES - 1) long_one = true;
    else text[length++] = (char)byte;
    text[length] = '\0';
  }
  if (!any) return LINE_END;
  lines->number++;
  return long_one ? LINE_TOO_LONG : LINE_TEXT;
}
