/* SPDX-License-Identifier: MIT */
/* The kernel's console for drivers that run in a test's process: what it prints is dropped, a panic ends the test. */
#include "console/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void __attribute__((noreturn)) die(const char *format, va_list arguments) {
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  abort();
}

void panic(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  die(format, arguments);
}

void layout_mismatch(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  die(format, arguments);
}

void console_print(const char *format, ...) { (void)format; }
