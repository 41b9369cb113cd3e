/* SPDX-License-Identifier: MIT */
/* What a loader brought, byte by byte. */
#include "../cases.h"
#include "arch/boot.h"
#include "console/console.h"

#define CRC_POLYNOMIAL 0xEDB88320u /* IEEE 802.3, bits reflected */

/* The checksum of every module, the first one included. */
static void modules(void) {
  for (uint32_t i = 0; i < case_boot->module_count; i++) {
    const struct range *module = &case_boot->modules[i];
    uint32_t crc = ~0u;
    for (const uint8_t *at = (const uint8_t *)module->start; at < (const uint8_t *)module->end; at++) {
      crc ^= *at;
      for (unsigned bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC_POLYNOMIAL : 0);
    }
    console_print("checksum: %lu bytes, 0x%x\n", module->end - module->start, ~crc);
  }
}

const struct test_case boot_cases[] = {{"modules", modules}, {0, 0}};
