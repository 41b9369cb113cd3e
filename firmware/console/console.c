/* SPDX-License-Identifier: MIT */
/* A small printf for the kernel's console; an unknown conversion prints itself, so a mistake shows. */
#include "console/console.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/machine.h"
#include "console/screen.h"
#include "drivers/serial.h"
#include "drivers/vga.h"
#include "include/layout.h"
#include "tasks/relay.h"
#include "tasks/scheduler.h"

static struct screen screen;
static bool has_screen;
static bool prompted; /* the line that is being typed is the last one */

static uint64_t nowhere;
static uint64_t *account = &nowhere;

/* Of the trading loop's own processor the relay's task prints. */
static void put(char c) {
  if (relay_put(c)) return;
  serial_write(c);
  if (has_screen) screen_put(&screen, c);
}

/* Of a conversion: how wide, and on which side it is padded. */
struct field {
  uint32_t width;
  bool left;
};

static void put_spaces(uint32_t width, uint32_t used) {
  for (; used < width; used++) put(' ');
}

static void put_field(struct field field, const char *text, uint32_t length) {
  if (!field.left) put_spaces(field.width, length);
  for (uint32_t i = 0; i < length; i++) put(text[i]);
  if (field.left) put_spaces(field.width, length);
}

static void put_number(struct field field, uint64_t value, unsigned base) {
  char digits[20];
  uint32_t first = sizeof digits;
  do {
    digits[--first] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  put_field(field, &digits[first], sizeof digits - first);
}

static void put_padded(struct field field, const char *text, uint32_t size) {
  while (size != 0 && text[size - 1] == ' ') size--;
  put_field(field, text, size);
}

static uint32_t length_of(const char *text) {
  uint32_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

static struct field read_field(const char **format) {
  struct field field = {.left = **format == '-'};
  if (field.left) ++*format;
  for (; **format >= '0' && **format <= '9'; ++*format) field.width = field.width * 10 + (uint32_t)(**format - '0');
  return field;
}

static void print(const char *format, va_list arguments) {
  for (; *format != '\0'; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    format++;
    struct field field = read_field(&format);
    bool wide = *format == 'l';
    if (wide) format++;
    bool padded = *format == '.' && format[1] == '8' && format[2] == 's';
    if (padded) format += 2;
    switch (*format) {
      case 'u':
      case 'x': {
        uint64_t value = wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
        put_number(field, value, *format == 'u' ? 10 : 16);
        break;
      }
      case 's': {
        const char *text = va_arg(arguments, const char *);
        if (padded) put_padded(field, text, 8);
        else put_field(field, text, length_of(text));
        break;
      }
      case 'c': put((char)va_arg(arguments, int)); break;
      case '%': put('%'); break;
      case '\0': return;
      default: put('%'); put(*format);
    }
  }
}

/* What is printed does not go on behind a prompt. */
static void leave_prompt(void) {
  if (!prompted) return;
  put('\n');
  prompted = false;
}

void console_account(uint64_t *spent) {
  if (!relay_takes()) account = spent != NULL ? spent : &nowhere;
}

bool console_add_screen(void) {
  if (!vga_present()) return false;
  screen_clear(&screen);
  has_screen = true;
  return true;
}

void console_refresh(void) {
  if (has_screen) vga_show(&screen);
}

bool console_prompt(void) {
  if (prompted) return false;
  put('>');
  put(' ');
  prompted = true;
  return true;
}

void console_echo(char c) {
  put(c);
  if (c == '\n') prompted = false;
}

void console_print(const char *format, ...) {
  va_list arguments;
  uint64_t begun = rdtsc();
  va_start(arguments, format);
  bool here = !relay_takes(); /* otherwise prompt and account are not ours */
  if (here) tasks_hold(); /* a line in one piece */
  if (here) leave_prompt();
  print(format, arguments);
  va_end(arguments);
  if (here) *account += rdtsc() - begun;
  if (here) tasks_release();
}

static void say(const char *kind, const char *format, va_list arguments) {
  if (!relay_takes()) tasks_hold();
  console_print("%s: ", kind);
  print(format, arguments);
  put('\n');
  if (!relay_takes()) tasks_release();
  console_refresh();
}

void panic(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say("panic", format, arguments);
  tasks_panicked();
  machine_exit(EXIT_STATUS_PANIC);
}

void layout_mismatch(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say("layout", format, arguments);
  machine_exit(EXIT_STATUS_LAYOUT);
}
