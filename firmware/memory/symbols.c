/* SPDX-License-Identifier: MIT */
/* See symbols.h. The table is sorted by address; a function is taken to end where the next one begins. */
#include "memory/symbols.h"

#include <stddef.h>

#include "include/kernel.h"

struct symbol {
  uint32_t address;
  uint32_t name; /* offset from the table's start */
};

/* Filled in once the image is linked; the count is 0 until then. */
extern const struct {
  uint32_t count;
  uint32_t reserved;
  struct symbol symbols[];
} kernel_symbols;

const char *symbols_find(uint64_t address, uint64_t *offset) {
  if (address < (uint64_t)kernel_text || address >= (uint64_t)kernel_text_end) return NULL;
  uint32_t low = 0, high = kernel_symbols.count; /* the last symbol at or below lies in low..high-1 */
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (kernel_symbols.symbols[middle].address <= address) low = middle;
    else high = middle;
  }
  if (high == 0 || kernel_symbols.symbols[low].address > address) return NULL;
  *offset = address - kernel_symbols.symbols[low].address;
  return (const char *)&kernel_symbols + kernel_symbols.symbols[low].name;
}
