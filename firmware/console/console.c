/* SPDX-License-Identifier: MIT */
/* A small printf for the kernel's console; an unknown conversion prints itself, so a mistake shows. */
#include "console/console.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/machine.h"
#include "drivers/serial.h"
#include "include/layout.h"

static void put_number(uint64_t value, unsigned base) {
  char digits[20];
  unsigned count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count != 0) serial_write(digits[--count]);
}

static void put_padded(const char *text, unsigned size) {
  while (size != 0 && text[size - 1] == ' ') size--;
  for (unsigned i = 0; i < size; i++) serial_write(text[i]);
}

static void print(const char *format, va_list arguments) {
  for (; *format != '\0'; format++) {
    if (*format != '%') {
      serial_write(*format);
      continue;
    }
    format++;
    bool wide = *format == 'l';
    if (wide) format++;
    bool field = *format == '.' && format[1] == '8' && format[2] == 's';
    if (field) format += 2;
    switch (*format) {
      case 'u':
      case 'x': {
        uint64_t value = wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
        put_number(value, *format == 'u' ? 10 : 16);
        break;
      }
      case 's': {
        const char *text = va_arg(arguments, const char *);
        if (field) {
          put_padded(text, 8);
        } else {
          while (*text != '\0') serial_write(*text++);
        }
        break;
      }
      case 'c': serial_write((char)va_arg(arguments, int)); break;
      case '%': serial_write('%'); break;
      case '\0': return;
      default: serial_write('%'); serial_write(*format);
    }
  }
}

void console_print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
}

static void __attribute__((noreturn)) end(const char *kind, uint32_t status, const char *format, va_list arguments) {
  console_print("%s: ", kind);
  print(format, arguments);
  serial_write('\n');
  machine_exit(status);
}

void panic(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end("panic", EXIT_STATUS_PANIC, format, arguments);
}

void layout_mismatch(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end("layout", EXIT_STATUS_LAYOUT, format, arguments);
}
