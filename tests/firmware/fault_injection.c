/* SPDX-License-Identifier: MIT */
/*
 * For the test image only, linked with --wrap=nic_init: in place of that call, does something wrong, chosen by the run's
 * epoch. Each culprit instruction has a symbol, so that the test knows which RIP to expect.
 */
#include "drivers/nic.h"

void __wrap_nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
                     const struct nic_rings *rings);

void __wrap_nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
                     const struct nic_rings *rings) {
  (void)nic, (void)config, (void)rings;
  switch (port->shared->epoch) {
    case 0: __asm__ volatile(".globl culprit_0\nculprit_0: div %0" : : "r"(0), "a"(1), "d"(0)); break;
    case 6: __asm__ volatile(".globl culprit_6\nculprit_6: ud2"); break;
    case 13: __asm__ volatile(".globl culprit_13\nculprit_13: mov %0, %%ds" : : "r"(0x1238)); break;
    case 14: __asm__ volatile(".globl culprit_14\nculprit_14: mov (%0), %%rax" : : "r"(0x123456789008) : "rax"); break;
    case 1014: __asm__ volatile(".globl culprit_1014\nculprit_1014: movl $1, (%0)" : : "r"(8ul) : "memory"); break;
    case 15:
      __asm__ volatile("mov %0, %%rsp\n.globl culprit_15\nculprit_15: push %%rax" : : "r"(0x123456780000));
      break;
    case 8: /* the stack address is not canonical: one contributory exception while another is delivered */
      __asm__ volatile("mov %0, %%rsp\n.globl culprit_8\nculprit_8: div %1"
                       :
                       : "r"(1ull << 63), "r"(0), "a"(1), "d"(0));
      break;
  }
}
