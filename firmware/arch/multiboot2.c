/* SPDX-License-Identifier: MIT */
/* See multiboot2.h. Nothing outside of the structure's own size is read, whatever its tags say. */
#include "arch/multiboot2.h"

#include <stddef.h>

enum tag_type { TAG_END, TAG_COMMAND_LINE = 1, TAG_MODULE = 3, TAG_MEMORY_MAP = 6 };

struct information {
  uint32_t size;
  uint32_t reserved;
};

struct tag {
  uint32_t type;
  uint32_t size; /* of the whole tag; the next one begins on a multiple of 8 */
};

struct tag_module {
  struct tag tag;
  uint32_t start;
  uint32_t end;
};

struct tag_memory_map {
  struct tag tag;
  uint32_t entry_size;
  uint32_t entry_version;
};

struct memory_entry {
  uint64_t address;
  uint64_t size;
  uint32_t type;
  uint32_t reserved;
};

static const char *take_command_line(struct boot *boot, const uint8_t *tag, uint32_t size) {
  const char *text = (const char *)tag + sizeof(struct tag);
  uint32_t room = size - (uint32_t)sizeof(struct tag), length = 0;
  while (length < room && text[length] != '\0') length++;
  if (length == room) return "its command line has no end";
  if (length >= BOOT_COMMAND_LINE_BYTES) return "the command line is too long";
  __builtin_memcpy(boot->command_line, text, length + 1);
  return NULL;
}

static const char *take_module(struct boot *boot, const uint8_t *tag, uint32_t size) {
  struct tag_module module;
  if (size < sizeof module) return "a module's tag is too short";
  __builtin_memcpy(&module, tag, sizeof module);
  if (module.end < module.start) return "a module ends before it starts";
  if (boot->module_count == BOOT_MAX_MODULES) return "there are too many modules";
  boot->modules[boot->module_count++] = (struct range){module.start, module.end};
  return NULL;
}

static const char *take_memory_map(struct boot *boot, const uint8_t *tag, uint32_t size) {
  struct tag_memory_map map;
  if (size < sizeof map) return "the memory map's tag is too short";
  __builtin_memcpy(&map, tag, sizeof map);
  if (map.entry_size < sizeof(struct memory_entry)) return "the memory map's entries are too short";
  for (uint32_t at = sizeof map; size - at >= map.entry_size; at += map.entry_size) {
    struct memory_entry entry;
    __builtin_memcpy(&entry, tag + at, sizeof entry);
    if (boot->region_count == BOOT_MAX_REGIONS) return "the memory map has too many entries";
    if (entry.size > UINT64_MAX - entry.address) return "the memory map wraps around";
    boot->regions[boot->region_count++] = (struct region){{entry.address, entry.address + entry.size}, entry.type};
  }
  return NULL;
}

static const char *take(struct boot *boot, uint32_t type, const uint8_t *tag, uint32_t size) {
  switch (type) {
    case TAG_COMMAND_LINE: return take_command_line(boot, tag, size);
    case TAG_MODULE: return take_module(boot, tag, size);
    case TAG_MEMORY_MAP: return take_memory_map(boot, tag, size);
    default: return NULL;
  }
}

const char *multiboot2_parse(struct boot *boot, const void *information, uint64_t limit) {
  struct information head;
  if (limit < sizeof head) return "it is out of reach";
  __builtin_memcpy(&head, information, sizeof head);
  if (head.size > limit) return "it is out of reach";
  *boot = (struct boot){.region_count = 0};
  for (uint64_t at = sizeof head;;) {
    struct tag tag;
    if (at > head.size || head.size - at < sizeof tag) return "it has no last tag";
    const uint8_t *start = (const uint8_t *)information + at;
    __builtin_memcpy(&tag, start, sizeof tag);
    if (tag.type == TAG_END) break;
    if (tag.size < sizeof tag || tag.size > head.size - at) return "a tag leaves it";
    const char *wrong = take(boot, tag.type, start, tag.size);
    if (wrong != NULL) return wrong;
    at += ((uint64_t)tag.size + 7) & ~7ull;
  }
  return boot->region_count == 0 ? "it has no memory map" : NULL;
}
