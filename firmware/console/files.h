/* SPDX-License-Identifier: MIT */
/* Files at the console: what the commands about them do, and a file of commands carried out line by line. */
#ifndef TICKLOOP_CONSOLE_FILES_H
#define TICKLOOP_CONSOLE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/boot.h"
#include "files/ramfs.h"
#include "include/layout.h"

/* The file system, with what the modules that are archives hold; panics if one is damaged. */
struct ramfs *files_load(const struct boot *boot);

void files_list(const struct ramfs *fs, const char *path);
void files_print(const struct ramfs *fs, const char *path);
void files_make_directory(struct ramfs *fs, const char *path);
void files_remove(struct ramfs *fs, const char *path);
void files_copy(struct ramfs *fs, const char *from_and_to);
void files_move(struct ramfs *fs, const char *from_and_to);

/* "FILE LINE": the line behind the others of the file, which may be a new one. */
void files_add(struct ramfs *fs, const char *path_and_line);

/* A file that is read line by line. */
struct lines {
  const struct ramfs_node *file; /* NULL: none */
  uint32_t offset;
  uint32_t number; /* of the line read last, from 1 */
};

enum line { LINE_TEXT, LINE_TOO_LONG, LINE_END };

/* The next line, without what follows a #, nor the carriage return of other systems. */
enum line lines_next(const struct ramfs *fs, struct lines *lines, char text[COMMAND_BYTES]);

#endif
