/* SPDX-License-Identifier: MIT */
/*
 * A plugin of QEMU's TCG (docs/devel/tcg-plugins.rst, version 1 of the interface): the cache lines that two processors have
 * both accessed, one of them by a store, between two instructions that processor 1 executes.
 *
 *   -plugin lines.so,start=ADDRESS,stop=ADDRESS,out=FILE
 *
 * FILE gets a line each: its address, and who has read and written it, as in "r0w1". Then how many lines either has accessed.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES (1ull << 26) /* of 64 bytes: 4 GiB */
#define PROCESSORS 2u

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* What is used of qemu-plugin.h, which Debian has no package of. */
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *,
                                      void (*)(unsigned, qemu_plugin_meminfo_t, uint64_t, void *), int, int, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **arguments);

#define NO_REGISTERS 0
#define LOADS_AND_STORES 3

static uint8_t *read_by[PROCESSORS], *written_by[PROCESSORS];
static uint64_t start, stop;
static bool recording;
static FILE *out;

static void on_mark(unsigned processor, void *starts) {
  if (processor == 1) __atomic_store_n(&recording, starts != NULL, __ATOMIC_RELEASE);
}

static void on_access(unsigned processor, qemu_plugin_meminfo_t info, uint64_t address, void *unused) {
  (void)unused;
  if (!__atomic_load_n(&recording, __ATOMIC_ACQUIRE) || processor >= PROCESSORS) return;
  uint8_t *lines = qemu_plugin_mem_is_store(info) ? written_by[processor] : read_by[processor];
  uint64_t last = address + (1u << qemu_plugin_mem_size_shift(info)) - 1;
  if (last / 64 >= LINES) return;
  lines[address / 64] = 1;
  lines[last / 64] = 1;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (address == start || address == stop) {
      void *starts = address == start ? &start : NULL;
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, NO_REGISTERS, starts);
    }
    qemu_plugin_register_vcpu_mem_cb(instruction, on_access, NO_REGISTERS, LOADS_AND_STORES, NULL);
  }
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *unused) {
  (void)id;
  (void)unused;
  uint64_t accessed[PROCESSORS] = {0};
  for (uint64_t line = 0; line < LINES; line++) {
    bool r[PROCESSORS], w[PROCESSORS];
    for (unsigned p = 0; p < PROCESSORS; p++) {
      r[p] = read_by[p][line], w[p] = written_by[p][line];
      accessed[p] += r[p] || w[p];
    }
    if ((w[0] && (r[1] || w[1])) || (w[1] && r[0])) {
      fprintf(out, "0x%" PRIx64 " %s%s%s%s\n", 64 * line, r[0] ? "r0" : "", w[0] ? "w0" : "", r[1] ? "r1" : "",
              w[1] ? "w1" : "");
    }
  }
  fprintf(out, "accessed: %" PRIu64 " %" PRIu64 "\n", accessed[0], accessed[1]);
  fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **arguments) {
  (void)info;
  for (int i = 0; i < count; i++) {
    if (strncmp(arguments[i], "start=", 6) == 0) start = strtoull(arguments[i] + 6, NULL, 0);
    if (strncmp(arguments[i], "stop=", 5) == 0) stop = strtoull(arguments[i] + 5, NULL, 0);
    if (strncmp(arguments[i], "out=", 4) == 0) out = fopen(arguments[i] + 4, "w");
  }
  for (unsigned p = 0; p < PROCESSORS; p++) {
    read_by[p] = calloc(LINES, 1);
    written_by[p] = calloc(LINES, 1);
    if (read_by[p] == NULL || written_by[p] == NULL) return 1;
  }
  if (start == 0 || stop == 0 || out == NULL) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
  return 0;
}
