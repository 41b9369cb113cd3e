/* SPDX-License-Identifier: MIT */
/* See apic.h. Registers are 32 bits, 16 bytes apart, and only accessed whole (Intel SDM 3A, 10.4.1). */
#include "arch/apic.h"

#include "arch/cpu.h"
#include "arch/traps.h"

#define MSR_APIC_BASE 0x1Bu /* 10.4.4 */
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_ADDRESS 0xFFFFFF000ull /* figure 10-5 */

/* Table 10-1 */
enum apic_register {
  APIC_ID = 0x020,
  APIC_TASK_PRIORITY = 0x080,
  APIC_END_OF_INTERRUPT = 0x0B0,
  APIC_SPURIOUS = 0x0F0,
  APIC_COMMAND_LOW = 0x300,
  APIC_COMMAND_HIGH = 0x310,
  APIC_LVT_TIMER = 0x320,
  APIC_LVT_LINT0 = 0x350,
  APIC_LVT_LINT1 = 0x360,
  APIC_LVT_ERROR = 0x370,
  APIC_TIMER_INITIAL = 0x380,
  APIC_TIMER_CURRENT = 0x390,
  APIC_TIMER_DIVIDE = 0x3E0,
};

#define LVT_MASKED (1u << 16)      /* figure 10-8 */
#define DELIVERY_NMI (4u << 8)
#define SOFTWARE_ENABLE (1u << 8)  /* figure 10-23 */
#define DIVIDE_BY_1 0xBu           /* figure 10-10 */
#define COMMAND_INIT (5u << 8)     /* figure 10-12 */
#define COMMAND_STARTUP (6u << 8)
#define COMMAND_ASSERT (1u << 14)
#define COMMAND_PENDING (1u << 12)

static volatile uint32_t *registers;

static uint32_t get(enum apic_register at) { return registers[at / 4]; }

static void set(enum apic_register at, uint32_t value) { registers[at / 4] = value; }

static void enable(uint32_t lint1) {
  write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
  set(APIC_TASK_PRIORITY, 0);
  set(APIC_LVT_TIMER, LVT_MASKED | INTERRUPT_TIMER);
  set(APIC_LVT_LINT0, LVT_MASKED); /* the PIC's way in */
  set(APIC_LVT_LINT1, lint1);
  set(APIC_LVT_ERROR, LVT_MASKED);
  set(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
  set(APIC_TIMER_INITIAL, 0);
  set(APIC_SPURIOUS, SOFTWARE_ENABLE | INTERRUPT_SPURIOUS);
}

uint64_t apic_address(void) { return read_msr(MSR_APIC_BASE) & APIC_BASE_ADDRESS; }

void apic_init(uint64_t address) {
  registers = (volatile uint32_t *)address;
  enable(DELIVERY_NMI);
}

void apic_init_silent(void) { enable(LVT_MASKED); }

uint32_t apic_id(void) { return get(APIC_ID) >> 24; }

void apic_acknowledge(void) {
  if (registers != 0) set(APIC_END_OF_INTERRUPT, 0);
}

static void command(uint32_t apic_id, uint32_t low) {
  while ((get(APIC_COMMAND_LOW) & COMMAND_PENDING) != 0) cpu_pause();
  set(APIC_COMMAND_HIGH, apic_id << 24);
  set(APIC_COMMAND_LOW, low); /* writing the low half sends it (10.6.1) */
}

void apic_send(uint32_t apic_id, uint32_t vector) { command(apic_id, COMMAND_ASSERT | vector); }

void apic_send_init(uint32_t apic_id) { command(apic_id, COMMAND_ASSERT | COMMAND_INIT); }

void apic_send_startup(uint32_t apic_id, uint32_t page) { command(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | page); }

void apic_timer_start(uint32_t ticks) {
  set(APIC_LVT_TIMER, INTERRUPT_TIMER); /* one-shot is mode 0 */
  set(APIC_TIMER_INITIAL, ticks);
}

uint32_t apic_timer_left(void) { return get(APIC_TIMER_CURRENT); }
