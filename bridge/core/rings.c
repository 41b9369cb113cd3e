/* SPDX-License-Identifier: MIT */
/*
 * What the NIC publishes in its rings. Their set-up is read off the register writes on their way to the NIC, the kernel's
 * or this core's, so both are followed alike. A record is published by the publish word of its first line, in descriptor
 * mode by the write-back of its first line's descriptor; the NIC writes both last of all of the record.
 */
#include "internal.h"

#include <string.h>

#define MAX_LINES (1u + UINT8_MAX) /* of a record: rx_record.continuations */

struct ring {
  uint64_t base;
  uint32_t log2;
  uint32_t head; /* lines published, absolute */
};

static struct {
  uint32_t control;
  struct ring rx, raw;
} rings;

void rings_open(void) { memset(&rings, 0, sizeof rings); }

static void set_low(uint64_t *value, uint32_t low) { *value = (*value & ~0xFFFFFFFFull) | low; }
static void set_high(uint64_t *value, uint32_t high) { *value = (*value & 0xFFFFFFFFull) | (uint64_t)high << 32; }

void rings_register(uint32_t address, uint32_t value) {
  switch (address) {
    case REG_RX_BASE_LO: set_low(&rings.rx.base, value); break;
    case REG_RX_BASE_HI: set_high(&rings.rx.base, value); break;
    case REG_RX_LOG2: rings.rx.log2 = value & 31; break;
    case REG_RAW_BASE_LO: set_low(&rings.raw.base, value); break;
    case REG_RAW_BASE_HI: set_high(&rings.raw.base, value); break;
    case REG_RAW_LOG2: rings.raw.log2 = value & 31; break;
    case REG_CONTROL:
      if (value & ~rings.control & CONTROL_RX_ENABLE) rings.rx.head = 0;
      if (value & ~rings.control & CONTROL_RAW_ENABLE) rings.raw.head = 0;
      rings.control = value;
      break;
    default: break;
  }
}

static uint32_t slots(const struct ring *ring) { return 1u << ring->log2; }

static bool holds(const struct ring *ring, uint64_t slot_bytes, uint64_t address) {
  return address >= ring->base && address - ring->base < slot_bytes << ring->log2;
}

uint32_t rings_rx(uint32_t *published) {
  *published = rings.rx.head;
  return rings.control & CONTROL_RX_ENABLE ? slots(&rings.rx) : 0;
}

uint32_t rings_raw(uint32_t *published) {
  *published = rings.raw.head;
  return rings.control & CONTROL_RAW_ENABLE ? slots(&rings.raw) : 0;
}

/* NULL when the ring, which is where the kernel says, has it outside of host memory or not where one can be. */
static struct descriptor *descriptor_at(uint32_t index) {
  const uint64_t address = rings.rx.base + sizeof(struct descriptor) * (index & (slots(&rings.rx) - 1));
  return address % sizeof(struct descriptor) ? NULL : memory_at(address, sizeof(struct descriptor));
}

/* Lines of the record whose first descriptor is given back by the write of `line` to `address`; 0: that is another one. */
static uint32_t written_back(uint64_t address, uint64_t strobe, const uint8_t *line) {
  if (!holds(&rings.rx, sizeof(struct descriptor), address)) return 0;
  const uint64_t offset = address - rings.rx.base + (uint64_t)__builtin_ctzll(strobe);
  const uint32_t slot = rings.rx.head & (slots(&rings.rx) - 1);
  if (offset / sizeof(struct descriptor) != slot || !descriptor_at(slot)) return 0;
  const uint64_t place = rings.rx.base + sizeof(struct descriptor) * slot - address;
  uint8_t status = line[place + offsetof(struct descriptor, status)];
  for (uint32_t lines = 1; status & DESCRIPTOR_DONE && lines <= slots(&rings.rx) && lines <= MAX_LINES; lines++) {
    if (status & DESCRIPTOR_END) return lines;
    const struct descriptor *next = descriptor_at(rings.rx.head + lines);
    status = next ? next->status : 0;
  }
  core_fail(TL_FAILED, "the NIC gave back descriptor %u before the others of its record", rings.rx.head);
  return 0;
}

/* A frame in the raw ring: its first line, then its bytes padded to 8. */
static void record_raw(uint64_t address, const struct raw_frame *frame) {
  static struct {
    struct raw_frame head;
    uint8_t data[UINT16_MAX + 8];
  } entry;
  const uint64_t slot = (address - rings.raw.base) / LINE_BYTES;
  const uint32_t padding = -(uint32_t)frame->length & 7u;
  entry.head = *frame;
  for (uint32_t done = 0, k = 1; done < frame->length; k++) {
    const uint32_t left = frame->length - done, bytes = left < CONTINUATION_BYTES ? left : CONTINUATION_BYTES;
    const uint8_t *line = memory_at(rings.raw.base + LINE_BYTES * ((slot + k) & (slots(&rings.raw) - 1)), LINE_BYTES);
    if (!line || k > frame->continuations) {
      core_fail(TL_FAILED, "a frame of %u bytes in the raw ring has %u lines", frame->length, frame->continuations);
      return;
    }
    memcpy(entry.data + done, line, bytes);
    done += bytes;
  }
  memset(entry.data + frame->length, 0, padding);
  recorder_write(LOG_RAW, &entry, sizeof entry.head + frame->length + padding);
}

struct publication rings_written(uint64_t address, uint64_t strobe, const void *line) {
  const bool raw = rings.control & CONTROL_RAW_ENABLE && holds(&rings.raw, LINE_BYTES, address);
  if (rings.control & CONTROL_RX_DESCRIPTOR && !raw) {
    const uint32_t lines = strobe == WHOLE_LINE ? 0 : written_back(address, strobe, line);
    rings.rx.head += lines;
    return (struct publication){lines ? RING_RX : RING_NONE, lines};
  }
  struct rx_record record;
  memcpy(&record, line, sizeof record);
  if (strobe != WHOLE_LINE || !(record.publish & PUBLISH_VALID)) return (struct publication){RING_NONE, 0};
  if (raw) record_raw(address, line);
  struct ring *ring = raw ? &rings.raw : &rings.rx;
  ring->head += 1u + record.continuations;
  return (struct publication){raw ? RING_RAW : RING_RX, 1u + record.continuations};
}

void rings_prepare_descriptors(uint64_t base, uint32_t log2, uint64_t buffers) {
  for (uint64_t i = 0; i < 1ull << log2; i++) {
    struct descriptor *descriptor = memory_at(base + i * sizeof *descriptor, sizeof *descriptor);
    if (!descriptor) {
      core_fail(TL_FAILED, "the descriptor ring at 0x%llx is outside host memory", (unsigned long long)base);
      return;
    }
    *descriptor = (struct descriptor){.address = buffers + i * BUFFER_BYTES, .length = BUFFER_BYTES};
  }
}

void rings_clear_descriptors(uint32_t lines) {
  if (!(rings.control & CONTROL_RX_DESCRIPTOR)) return;
  for (uint32_t i = 1; i <= lines; i++) descriptor_at(rings.rx.head - i)->status = 0;
}
