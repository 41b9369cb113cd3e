/* SPDX-License-Identifier: MIT */
/* PVH start information. Only the first 4 GiB are mapped, so whatever lies above is refused or left out. */
#include "arch/pvh.h"

#include "console/console.h"

#define START_MAGIC 0x336EC578u
#define MEMORY_RAM 1u
#define MAPPED_END (4ull << 30)

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

static const struct hvm_module *modules(const struct boot *boot) {
  return (const struct hvm_module *)boot->info->module_list;
}

static const struct hvm_memory *memory_map(const struct boot *boot) {
  return (const struct hvm_memory *)boot->info->memory_map;
}

struct boot pvh_parse(uint64_t address) {
  const struct hvm_start_info *info = (const struct hvm_start_info *)address;
  if (address == 0 || info->magic != START_MAGIC) panic("no PVH start information at 0x%lx", address);
  if (info->version < 1) panic("PVH start information of version %u has no memory map", info->version);
  if (info->memory_map >= MAPPED_END || info->module_list >= MAPPED_END) panic("PVH start information is above 4 GiB");
  return (struct boot){info};
}

bool pvh_module(const struct boot *boot, uint32_t index, struct range *module) {
  if (index >= boot->info->modules) return false;
  const struct hvm_module *entry = &modules(boot)[index];
  *module = (struct range){entry->address, entry->address + entry->size};
  if (module->end < module->start || module->end > MAPPED_END) panic("module %u is above 4 GiB", index);
  return true;
}

struct range pvh_free_memory(const struct boot *boot, uint64_t start) {
  struct range memory = {start, start};
  for (uint32_t i = 0; i < boot->info->memory_map_entries; i++) {
    const struct hvm_memory *entry = &memory_map(boot)[i];
    if (entry->type != MEMORY_RAM || start < entry->address || start - entry->address >= entry->size) continue;
    memory.end = entry->address + entry->size;
  }
  if (memory.end > MAPPED_END) memory.end = MAPPED_END;

  struct range module;
  for (uint32_t i = 0; pvh_module(boot, i, &module); i++) {
    if (module.start <= memory.start && module.end > memory.start) memory.start = module.end;
    if (module.start > memory.start && module.start < memory.end) memory.end = module.start;
  }
  return memory;
}

void pvh_print(const struct boot *boot) {
  for (uint32_t i = 0; i < boot->info->memory_map_entries; i++) {
    const struct hvm_memory *entry = &memory_map(boot)[i];
    console_print("memory: 0x%lx to 0x%lx, type %u\n", entry->address, entry->address + entry->size, entry->type);
  }
  struct range module;
  for (uint32_t i = 0; pvh_module(boot, i, &module); i++) {
    console_print("module %u: 0x%lx, %lu bytes\n", i, module.start, module.end - module.start);
  }
}
