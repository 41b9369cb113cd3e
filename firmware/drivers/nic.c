/* SPDX-License-Identifier: MIT */
/* SmartNIC set-up by the register map (docs/layout.md), and the slow paths of both rings. */
#include "drivers/nic.h"

#include "console/console.h"

/* Lines of the largest record: a message that fills the largest frame. */
#define MAX_RECORD_LINES (1u + (MAX_FRAME_BYTES - RAW_FIRST_BYTES + CONTINUATION_BYTES - 1u) / CONTINUATION_BYTES)

static void write64(struct mailbox_port *port, uint32_t low_register, uint64_t value) {
  register_write(port, low_register, (uint32_t)value);
  register_write(port, low_register + 4, (uint32_t)(value >> 32));
}

/* First octet in the highest bits. */
static uint64_t mac_value(const uint8_t mac[6]) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 6; i++) value = value << 8 | mac[i];
  return value;
}

static void identify(struct mailbox_port *port) {
  uint32_t id = register_read(port, REG_ID);
  if (id != RESET_ID) layout_mismatch("NIC identification is 0x%x", id);
  uint32_t version = register_read(port, REG_VERSION);
  if (version >> 16 != RESET_VERSION >> 16) layout_mismatch("NIC register map is version %u", version >> 16);
  uint32_t hash = register_read(port, REG_LAYOUT_HASH);
  if (hash != LAYOUT_HASH) layout_mismatch("NIC layout hash is 0x%x, the kernel's is 0x%x", hash, LAYOUT_HASH);
  uint32_t capabilities = register_read(port, REG_CAPABILITIES);
  console_print("nic: register map %u.%u, capabilities 0x%x\n", version >> 16, version & 0xFFFF, capabilities);
  uint32_t needed = CAPABILITIES_ONE_LINE_RING | CAPABILITIES_ORDER_ENTRY;
  if ((capabilities & needed) != needed) panic("the NIC lacks the one-line ring or order entry");
}

static void set_up_session(struct mailbox_port *port, const struct config_header *config) {
  write64(port, REG_SESSION_SOURCE_MAC_LO, mac_value(config->source_mac));
  write64(port, REG_SESSION_DESTINATION_MAC_LO, mac_value(config->destination_mac));
  register_write(port, REG_SESSION_SOURCE_ADDRESS, config->source_address);
  register_write(port, REG_SESSION_DESTINATION_ADDRESS, config->destination_address);
  register_write(port, REG_SESSION_PORTS, (uint32_t)config->source_port << 16 | config->destination_port);
  register_write(port, REG_SESSION_SEQUENCE, config->tcp_sequence);
  register_write(port, REG_SESSION_ACKNOWLEDGE, config->tcp_acknowledge);
}

void nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
              const struct nic_rings *rings) {
  uint32_t rx_slots = 1u << config->rx_log2;
  *nic = (struct nic){
      .port = port,
      .rx = rings->rx,
      .rx_mask = rx_slots - 1,
      .rx_batch = rx_slots / 4,
      .tx = rings->tx,
      .tx_slots = 1u << config->tx_log2,
      .epoch = port->shared->epoch,
  };
  identify(port);

  /* Ring set-up is accepted only while the enables are 0; enabling starts both rings at index 0. */
  register_write(port, REG_CONTROL, 0);
  write64(port, REG_WINDOW_BASE_LO, rings->window_base);
  write64(port, REG_WINDOW_SIZE_LO, rings->window_bytes);
  write64(port, REG_RX_BASE_LO, (uint64_t)rings->rx);
  register_write(port, REG_RX_LOG2, config->rx_log2);
  register_write(port, REG_RX_EPOCH, nic->epoch);
  write64(port, REG_TX_BASE_LO, (uint64_t)rings->tx);
  register_write(port, REG_TX_LOG2, config->tx_log2);
  register_write(port, REG_TX_EPOCH, nic->epoch);
  register_write(port, REG_GROUP_ADDRESS, config->group_address);
  register_write(port, REG_GROUP_PORT, config->group_port);
  set_up_session(port, config);
  uint32_t errors = register_read(port, REG_ERRORS);
  if (errors != 0) panic("the NIC refused its set-up: ERRORS is 0x%x", errors);
  register_write(port, REG_CONTROL, CONTROL_RX_ENABLE | CONTROL_TX_ENABLE);
}

void __attribute__((noinline)) nic_return_lines(struct nic *nic) {
  nic->rx_returned = nic->rx_index;
  register_write(nic->port, REG_RX_TAIL, nic->rx_returned);
}

bool nic_wait(struct nic *nic, uint64_t records) {
  /* A small ring must be able to take the largest record while nothing is left to consume. */
  uint32_t held = nic->rx_index - nic->rx_returned;
  if (held != 0 && held + MAX_RECORD_LINES > nic->rx_mask + 1) nic_return_lines(nic);
  return mailbox_request(nic->port, MAILBOX_OP_POLL, 0, (uint32_t)records) != ACKNOWLEDGE_STATUS_STOP;
}

struct tx_slot *nic_slot(struct nic *nic) {
  if (nic->tx_tail - nic->tx_head == nic->tx_slots) {
    nic->tx_head = register_read(nic->port, REG_TX_HEAD);
    if (nic->tx_tail - nic->tx_head == nic->tx_slots) return NULL;
  }
  return &nic->tx[nic->tx_tail & (nic->tx_slots - 1)];
}
