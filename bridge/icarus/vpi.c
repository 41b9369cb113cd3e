/* SPDX-License-Identifier: MIT */
/*
 * Icarus' way to the native core: one system task a core function. Every task stands at one place in the testbench, so
 * the handles of its arguments are looked up once.
 */
#include <vpi_user.h>

#include <stdint.h>
#include <string.h>

#include "core.h"
#include "layout.h"

#define ARGUMENTS_MAX 8
#define REPORT_WORDS ((offsetof(struct frame_log, reserved) - offsetof(struct frame_log, sequence)) / 4)

struct task {
  const char *name;
  PLI_INT32 (*call)(PLI_BYTE8 *);
  int count;
  vpiHandle arguments[ARGUMENTS_MAX];
};

enum { TICK, WRITE, READ, READ_DATA, REGISTER_DONE, TRANSMIT, REPORT, VALID, REST, SKIP, TASKS };
static struct task tasks[TASKS];

static vpiHandle *arguments_of(struct task *task) {
  if (!task->arguments[0]) {
    vpiHandle iterator = vpi_iterate(vpiArgument, vpi_handle(vpiSysTfCall, NULL));
    for (int i = 0; i < task->count; i++) task->arguments[i] = vpi_scan(iterator);
    vpi_free_object(iterator);
  }
  return task->arguments;
}

static void get_words(vpiHandle handle, unsigned int *words, int count) {
  s_vpi_value value = {.format = vpiVectorVal};
  vpi_get_value(handle, &value);
  for (int i = 0; i < count; i++) words[i] = (unsigned int)(value.value.vector[i].aval & ~value.value.vector[i].bval);
}

/* As get_words, of something that the NIC must know: an unknown bit would pass for a 0 here and in Verilator. */
static void get_known(vpiHandle handle, unsigned int *words, int count, const char *what) {
  get_words(handle, words, count);
  s_vpi_value value = {.format = vpiVectorVal};
  vpi_get_value(handle, &value);
  for (int i = 0; i < count; i++)
    if (value.value.vector[i].bval) tl_unknown(what);
}

static void put_words(vpiHandle handle, const unsigned int *words, int count) {
  s_vpi_vecval vector[16];
  for (int i = 0; i < count; i++) vector[i] = (s_vpi_vecval){(PLI_INT32)words[i], 0};
  s_vpi_value value = {.format = vpiVectorVal, .value.vector = vector};
  vpi_put_value(handle, &value, NULL, vpiNoDelay);
}

static uint64_t get64(vpiHandle handle) {
  unsigned int words[2];
  get_words(handle, words, 2);
  return words[0] | (uint64_t)words[1] << 32;
}

static uint32_t get32(vpiHandle handle) {
  unsigned int word;
  get_words(handle, &word, 1);
  return word;
}

static void put64(vpiHandle handle, uint64_t value) {
  const unsigned int words[2] = {(unsigned int)value, (unsigned int)(value >> 32)};
  put_words(handle, words, 2);
}

static PLI_INT32 call_tick(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[TICK]);
  unsigned long long tdata_a = 0, tdata_b = 0;
  unsigned int control, address = 0, data = 0;
  const uint64_t next = tl_tick(get64(a[0]), get32(a[1]), &tdata_a, &tdata_b, &control, &address, &data);
  if (control >> TICK_A_TVALID & 1) put64(a[2], tdata_a);
  if (control >> TICK_B_TVALID & 1) put64(a[3], tdata_b);
  put_words(a[4], &control, 1);
  if (control >> TICK_REGISTER & 1) {
    put_words(a[5], &address, 1);
    put_words(a[6], &data, 1);
  }
  put64(a[7], next);
  return 0;
}

static PLI_INT32 call_write(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[WRITE]);
  unsigned int line[16], strobe[2], address[2];
  get_known(a[1], address, 2, "the address of a write");
  get_known(a[2], strobe, 2, "a write strobe");
  get_known(a[3], line, 16, "a line it writes to host memory");
  put64(a[4],
        tl_write(get64(a[0]), address[0] | (uint64_t)address[1] << 32, strobe[0] | (uint64_t)strobe[1] << 32, line));
  return 0;
}

static PLI_INT32 call_read(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[READ]);
  unsigned int address[2];
  get_known(a[1], address, 2, "the address of a read");
  put64(a[2], tl_read(get64(a[0]), address[0] | (uint64_t)address[1] << 32));
  return 0;
}

static PLI_INT32 call_read_data(PLI_BYTE8 *unused) {
  (void)unused;
  unsigned int line[16];
  tl_read_data(line);
  put_words(arguments_of(&tasks[READ_DATA])[0], line, 16);
  return 0;
}

static PLI_INT32 call_register_done(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[REGISTER_DONE]);
  put64(a[3], tl_register_done(get64(a[0]), get32(a[1]), get32(a[2])));
  return 0;
}

static PLI_INT32 call_transmit(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[TRANSMIT]);
  put64(a[4], tl_transmit(get64(a[0]), get64(a[1]), get32(a[2]), get32(a[3])));
  return 0;
}

static PLI_INT32 call_report(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[REPORT]);
  unsigned int report[REPORT_WORDS];
  get_known(a[1], report, REPORT_WORDS, "a frame report");
  tl_report(get64(a[0]), report);
  return 0;
}

static PLI_INT32 call_valid(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[VALID]);
  tl_valid(get64(a[0]), get64(a[1]));
  return 0;
}

static PLI_INT32 call_rest(PLI_BYTE8 *unused) {
  (void)unused;
  vpiHandle *a = arguments_of(&tasks[REST]);
  put64(a[0], tl_rest(get64(a[0])));
  return 0;
}

static PLI_INT32 call_skip(PLI_BYTE8 *unused) {
  (void)unused;
  tl_skip(get64(arguments_of(&tasks[SKIP])[0]));
  return 0;
}

static struct task tasks[TASKS] = {
    [TICK] = {"$tl_tick", call_tick, 8, {0}},
    [WRITE] = {"$tl_write", call_write, 5, {0}},
    [READ] = {"$tl_read", call_read, 3, {0}},
    [READ_DATA] = {"$tl_read_data", call_read_data, 1, {0}},
    [REGISTER_DONE] = {"$tl_register_done", call_register_done, 4, {0}},
    [TRANSMIT] = {"$tl_transmit", call_transmit, 5, {0}},
    [REPORT] = {"$tl_report", call_report, 2, {0}},
    [VALID] = {"$tl_valid", call_valid, 2, {0}},
    [REST] = {"$tl_rest", call_rest, 1, {0}},
    [SKIP] = {"$tl_skip", call_skip, 1, {0}},
};

static void register_tasks(void) {
  for (int i = 0; i < TASKS; i++) {
    s_vpi_systf_data data = {.type = vpiSysTask, .tfname = (PLI_BYTE8 *)tasks[i].name, .calltf = tasks[i].call};
    vpi_register_systf(&data);
  }
}

void (*vlog_startup_routines[])(void) = {register_tasks, NULL};
