/* SPDX-License-Identifier: MIT */
/* The e1000 driver against a device whose registers are memory, and whose descriptors this program writes. Ends with 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/e1000.h"

#define LOG2 3u
#define SLOTS (1u << LOG2)
#define DONE 1u
#define END 2u
#define RDT 0x2818u
#define TDT 0x3818u
#define MPC 0x4010u
#define STATUS 0x0008u

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

static uint32_t *registers;
static struct e1000_memory memory;
static struct e1000 nic;
static uint32_t at; /* where the device writes next */

static void start(void) {
  const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
  memset(registers, 0, E1000_REGISTER_BYTES);
  e1000_start(&nic, registers, &memory, mac);
  at = 0;
  CHECK(registers[RDT / 4] == SLOTS - 1);
  CHECK(!nic.link);
}

static void put(uint32_t length, uint8_t status, uint8_t errors) {
  uint32_t slot = at++ % SLOTS;
  CHECK(slot != registers[RDT / 4]); /* one of ours */
  memset(memory.receive_buffers[slot], (int)at, E1000_BUFFER_BYTES);
  memory.receive[slot].length = (uint16_t)length;
  memory.receive[slot].errors = errors;
  memory.receive[slot].status = status;
}

static uint32_t take(void) {
  uint32_t length = 0;
  const uint8_t *frame = e1000_receive(&nic, &length);
  if (frame == NULL) return 0;
  uint8_t first = frame[0], last = frame[length - 1];
  CHECK(last >= first);
  e1000_release(&nic);
  return length;
}

static void receive(void) {
  start();
  CHECK(take() == 0);
  for (unsigned i = 0; i < 100; i++) {
    put(60 + i, DONE | END, 0);
    CHECK(take() == 60 + i);
    CHECK(take() == 0);
  }
  put(E1000_BUFFER_BYTES, DONE, 0); /* a frame in three buffers, seen before it is whole */
  CHECK(take() == 0);
  put(E1000_BUFFER_BYTES, DONE, 0);
  CHECK(take() == 0);
  put(7, DONE | END, 0);
  CHECK(take() == 2 * E1000_BUFFER_BYTES + 7);
  CHECK(nic.counters.received == 101 && nic.counters.errors == 0 && nic.counters.bad_lengths == 0);
}

static void nonsense(void) {
  static const struct {
    uint32_t length;
    uint8_t status, errors;
    bool error;
  } bad[] = {
      {0, DONE | END, 0, false},      {E1000_BUFFER_BYTES + 1, DONE | END, 0, false},
      {0xFFFF, DONE | END, 0, false}, {60, DONE | END, 0x01, true},
      {60, DONE | END, 0x80, true},   {60, DONE | END, 0x17, true},
  };
  start();
  uint64_t errors = 0, lengths = 0;
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    put(bad[i].length, bad[i].status, bad[i].errors);
    errors += bad[i].error;
    lengths += !bad[i].error;
    CHECK(take() == 0);
    CHECK(nic.counters.errors == errors && nic.counters.bad_lengths == lengths);
    put(60, DONE | END, 0x60); /* of checksums, which the parser looks at itself */
    CHECK(take() == 60);
  }
  put(100, DONE, 0); /* not its last buffer, and not full */
  put(60, DONE | END, 0);
  CHECK(take() == 0 && nic.counters.bad_lengths == ++lengths);
  put(60, DONE | END, 0);
  CHECK(take() == 60);
  put(E1000_BUFFER_BYTES, DONE, 0);
  put(0, DONE | END, 0);
  CHECK(take() == 0 && nic.counters.bad_lengths == ++lengths);
  CHECK(!e1000_attend(&nic));
  for (unsigned i = 0; i < SLOTS - 1; i++)
    put(E1000_BUFFER_BYTES, DONE, 0); /* all that the device has, without an end */
  CHECK(take() == 0 && nic.counters.bad_lengths == lengths);
}

static void transmit(void) {
  start();
  for (unsigned i = 0; i < SLOTS - 1; i++) {
    uint8_t *slot = e1000_slot(&nic);
    CHECK(slot == memory.transmit_buffers[i]);
    e1000_send(&nic, (uint16_t)(60 + i));
  }
  CHECK(registers[TDT / 4] == 0);
  e1000_doorbell(&nic);
  CHECK(registers[TDT / 4] == SLOTS - 1);
  CHECK(e1000_slot(&nic) == NULL && !e1000_drained(&nic));
  memory.transmit[1].status = DONE; /* not the oldest one: nothing is free */
  CHECK(e1000_slot(&nic) == NULL);
  memory.transmit[0].status = DONE;
  CHECK(e1000_slot(&nic) == memory.transmit_buffers[SLOTS - 1]);
  e1000_send(&nic, 60);
  e1000_doorbell(&nic);
  CHECK(registers[TDT / 4] == 0 && nic.counters.sent == SLOTS);
  for (unsigned i = 0; i < SLOTS; i++) memory.transmit[i].status = DONE;
  CHECK(e1000_drained(&nic));
}

static void link(void) {
  start();
  registers[STATUS / 4] = 2;
  CHECK(e1000_attend(&nic) && nic.link && !e1000_attend(&nic));
  registers[STATUS / 4] = 0;
  CHECK(e1000_attend(&nic) && !nic.link && nic.counters.link_losses == 1);
  registers[MPC / 4] = 5;
  CHECK(e1000_missed(&nic) == 5);
}

int main(void) {
  registers = malloc(E1000_REGISTER_BYTES);
  memory = (struct e1000_memory){
      .receive = calloc(SLOTS, sizeof *memory.receive),
      .transmit = calloc(SLOTS, sizeof *memory.transmit),
      .receive_buffers = calloc(SLOTS, E1000_BUFFER_BYTES),
      .transmit_buffers = calloc(SLOTS, E1000_BUFFER_BYTES),
      .joined = calloc(1, E1000_FRAME_LIMIT),
      .receive_log2 = LOG2,
      .transmit_log2 = LOG2,
  };
  receive();
  nonsense();
  transmit();
  link();
  free(registers);
  free(memory.receive);
  free(memory.transmit);
  free(memory.receive_buffers);
  free(memory.transmit_buffers);
  free(memory.joined);
  return 0;
}
