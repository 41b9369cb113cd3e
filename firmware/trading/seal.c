/* SPDX-License-Identifier: MIT */
/* See seal.h. Four bits a step: a table of 16 words. */
#include "trading/seal.h"

/* The remainders of 0 to 15 by the reflected polynomial EDB88320h. */
static const uint32_t remainders[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

static uint32_t checksum(const uint8_t *from, uint64_t bytes) {
  uint32_t crc = ~0u;
  for (; bytes != 0; bytes--) {
    crc ^= *from++;
    crc = crc >> 4 ^ remainders[crc & 15];
    crc = crc >> 4 ^ remainders[crc & 15];
  }
  return ~crc;
}

bool seal_holds(const void *module, uint64_t *bytes) {
  if (*bytes < SEAL_BYTES) return true;
  const uint8_t *start = module;
  uint32_t seal[2];
  __builtin_memcpy(seal, start + *bytes - SEAL_BYTES, sizeof seal);
  if (seal[0] != SEAL_MAGIC) return true;
  *bytes -= SEAL_BYTES;
  return checksum(start, *bytes) == seal[1];
}
