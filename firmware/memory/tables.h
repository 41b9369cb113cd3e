/* SPDX-License-Identifier: MIT */
/*
 * Page tables of four levels that map memory onto itself (Intel SDM 3A, 4.5): pages of 2 MiB where a whole one has the
 * same rights, of 4 KiB where not. Pure: what they are made of comes from the caller.
 *
 * No rights allow writing and executing at once.
 */
#ifndef TICKLOOP_MEMORY_TABLES_H
#define TICKLOOP_MEMORY_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/boot.h"

enum rights { RIGHTS_NONE, RIGHTS_CODE, RIGHTS_CONSTANTS, RIGHTS_DATA };

struct tables {
  uint64_t *root;
  uint64_t *(*take)(void *context); /* a zeroed page, NULL if there is none */
  void *context;
};

/* False if there is no page for the root. */
bool tables_init(struct tables *tables, uint64_t *(*take)(void *context), void *context);

/* Give all pages that `range` touches these rights, whatever they had before; false if a page for a table is missing. */
bool tables_map(struct tables *tables, struct range range, enum rights rights);

/* The rights of the page at an address. */
enum rights tables_rights(const struct tables *tables, uint64_t address);

#endif
