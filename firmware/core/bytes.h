/* SPDX-License-Identifier: MIT */
/* Integers to and from byte arrays: the wire is big-endian, the machine is little-endian, and neither promises alignment. */
#ifndef TICKLOOP_BYTES_H
#define TICKLOOP_BYTES_H

#include <stdint.h>

static inline uint64_t load_u64(const uint8_t *from) {
  uint64_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

static inline void store_be32(uint8_t *to, uint32_t value) {
  value = __builtin_bswap32(value);
  __builtin_memcpy(to, &value, sizeof value);
}

#endif
