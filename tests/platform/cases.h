/* SPDX-License-Identifier: MIT */
/* For the test image only: what it can be asked to do, by a name in its first module. */
#ifndef TICKLOOP_TEST_CASES_H
#define TICKLOOP_TEST_CASES_H

#include <stdbool.h>
#include <stdint.h>

struct test_case {
  const char *name;
  void (*run)(void);
};

/* The last of each has no name. */
extern const struct test_case trap_cases[], timer_cases[], task_cases[], processor_cases[], memory_cases[];
extern const struct test_case boot_cases[];

extern const struct boot *case_boot; /* what the loader told */

#endif
