/* SPDX-License-Identifier: MIT */
/* PVH start information. Only the first 4 GiB are mapped, so whatever lies above is refused or left out. */
#include "arch/pvh.h"

#include "arch/paging.h"
#include "console/console.h"

#define START_MAGIC 0x336EC578u

struct hvm_start_info {
  uint32_t magic;
  uint32_t version;
  uint32_t flags;
  uint32_t modules;
  uint64_t module_list;
  uint64_t command_line;
  uint64_t rsdp;
  uint64_t memory_map; /* from version 1 on */
  uint32_t memory_map_entries;
  uint32_t reserved;
};

struct hvm_module {
  uint64_t address;
  uint64_t size;
  uint64_t command_line;
  uint64_t reserved;
};

struct hvm_memory {
  uint64_t address;
  uint64_t size;
  uint32_t type;
  uint32_t reserved;
};

static struct range range_of(uint64_t address, uint64_t size) {
  if (size > UINT64_MAX - address) panic("PVH start information: a range wraps around");
  return (struct range){address, address + size};
}

static void copy_command_line(struct boot *boot, uint64_t address) {
  boot->command_line[0] = '\0';
  if (address == 0) return;
  if (address >= MAPPED_END - BOOT_COMMAND_LINE_BYTES) panic("the command line is above 4 GiB");
  const char *from = (const char *)address;
  for (uint32_t i = 0; i < BOOT_COMMAND_LINE_BYTES; i++) {
    boot->command_line[i] = from[i];
    if (from[i] == '\0') return;
  }
  panic("the command line is longer than %u characters", BOOT_COMMAND_LINE_BYTES - 1);
}

void pvh_parse(struct boot *boot, uint64_t address) {
  const struct hvm_start_info *info = (const struct hvm_start_info *)address;
  if (info->magic != START_MAGIC) panic("no PVH start information at 0x%lx", address);
  if (info->version < 1) panic("PVH start information of version %u has no memory map", info->version);
  if (info->memory_map >= MAPPED_END || info->module_list >= MAPPED_END) panic("PVH start information is above 4 GiB");
  if (info->memory_map_entries > BOOT_MAX_REGIONS) panic("the memory map has %u entries", info->memory_map_entries);
  if (info->modules > BOOT_MAX_MODULES) panic("%u modules are too many", info->modules);

  copy_command_line(boot, info->command_line);
  const struct hvm_memory *memory = (const struct hvm_memory *)info->memory_map;
  boot->region_count = info->memory_map_entries;
  for (uint32_t i = 0; i < boot->region_count; i++) {
    struct range range = range_of(memory[i].address, memory[i].size);
    boot->regions[i] = (struct region){range, memory[i].type};
  }
  const struct hvm_module *modules = (const struct hvm_module *)info->module_list;
  boot->module_count = info->modules;
  for (uint32_t i = 0; i < boot->module_count; i++) {
    struct range range = range_of(modules[i].address, modules[i].size);
    if (range.end > MAPPED_END) panic("module %u is above 4 GiB", i);
    boot->modules[i] = range;
  }
}
