/* SPDX-License-Identifier: MIT */
/* The kernel's result: statistics and every book at full depth, by stock locate, best level first. */
#ifndef TICKLOOP_EXPORT_H
#define TICKLOOP_EXPORT_H

#include <stdint.h>

#include "core/engine.h"

/* The most an export under `config` can take. */
uint64_t export_limit(const struct config_header *config);

/* Write the export, with what the engine does not know (work, raw_frames); returns its size, or 0 without writing beyond `capacity` if it does not fit. */
uint64_t export_write(const struct engine *engine, uint64_t work, uint64_t raw_frames, void *buffer, uint64_t capacity);

#endif
