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

static inline uint16_t load_be16(const uint8_t *from) {
  uint16_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return __builtin_bswap16(value);
}

static inline uint32_t load_be32(const uint8_t *from) {
  uint32_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return __builtin_bswap32(value);
}

static inline uint64_t load_be48(const uint8_t *from) { return (uint64_t)load_be16(from) << 32 | load_be32(from + 2); }

static inline uint64_t load_be64(const uint8_t *from) {
  uint64_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return __builtin_bswap64(value);
}

static inline void store_be16(uint8_t *to, uint16_t value) {
  value = __builtin_bswap16(value);
  __builtin_memcpy(to, &value, sizeof value);
}

static inline void store_be32(uint8_t *to, uint32_t value) {
  value = __builtin_bswap32(value);
  __builtin_memcpy(to, &value, sizeof value);
}

static inline void store_be64(uint8_t *to, uint64_t value) {
  value = __builtin_bswap64(value);
  __builtin_memcpy(to, &value, sizeof value);
}

static inline void store_u32(uint8_t *to, uint32_t value) { __builtin_memcpy(to, &value, sizeof value); }

static inline void store_u48(uint8_t *to, uint64_t value) { __builtin_memcpy(to, &value, 6); }

static inline void store_u64(uint8_t *to, uint64_t value) { __builtin_memcpy(to, &value, sizeof value); }

#endif
