/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071): a running sum of big-endian 16-bit words that the caller folds and complements. */
#ifndef TICKLOOP_CHECKSUM_H
#define TICKLOOP_CHECKSUM_H

#include <stdint.h>

#include "core/bytes.h"

/* An odd last byte is padded with zero, so only the last of several parts may be odd. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *data, uint32_t bytes) {
  for (; bytes >= 2; data += 2, bytes -= 2) sum += load_be16(data);
  return bytes != 0 ? sum + ((uint32_t)data[0] << 8) : sum;
}

/* What stands in the header; 0 over data that hold a good checksum. */
static inline uint16_t checksum_fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return (uint16_t)~sum;
}

/* The pseudo header of UDP (RFC 768) and TCP (RFC 9293, 3.1). */
static inline uint64_t checksum_pseudo(uint32_t source, uint32_t destination, uint8_t protocol, uint32_t bytes) {
  return (uint64_t)(source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF) + protocol + bytes;
}

#endif
