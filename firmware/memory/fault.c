/* SPDX-License-Identifier: MIT */
/* See fault.h. */
#include "memory/fault.h"

#include <stddef.h>

#include "console/console.h"
#include "memory/memory.h"
#include "memory/symbols.h"

#define ERROR_PRESENT 0x1u
#define ERROR_WRITE 0x2u
#define ERROR_FETCH 0x10u

void fault_explain(uint64_t rip) {
  uint64_t offset;
  const char *name = symbols_find(rip, &offset);
  if (name != NULL) console_print("fault: in %s+0x%lx\n", name, offset);
  else console_print("fault: outside of the kernel's code\n");
}

static const char *reason(uint64_t error) {
  if ((error & ERROR_PRESENT) == 0) return "not mapped";
  return (error & ERROR_FETCH) != 0 ? "not executable" : "not writable";
}

void fault_explain_page(uint64_t rip, uint64_t error, uint64_t address) {
  const char *access = (error & ERROR_FETCH) != 0 ? "execution" : (error & ERROR_WRITE) != 0 ? "write" : "read";
  const char *guard = memory_guard_name(address);
  console_print("fault: %s of 0x%lx, %s", access, address, reason(error));
  if (guard != NULL) console_print(": the guard page of %s", guard);
  console_print("\n");
  fault_explain(rip);
}
