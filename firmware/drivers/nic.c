/* SPDX-License-Identifier: MIT */
/* SmartNIC set-up by the register map (docs/layout.md), and the slow paths of both rings. */
#include "drivers/nic.h"

#include "console/console.h"

/* Lines of the largest record: a message that fills the largest frame. */
#define MAX_RECORD_LINES (1u + (MAX_FRAME_BYTES - RAW_FIRST_BYTES + CONTINUATION_BYTES - 1u) / CONTINUATION_BYTES)

#define NEEDED                                                                                                  \
  (CAPABILITIES_ONE_LINE_RING | CAPABILITIES_DESCRIPTOR_RING | CAPABILITIES_ORDER_ENTRY | CAPABILITIES_FILTER | \
   CAPABILITIES_VERIFIED | CAPABILITIES_RAW_RING | CAPABILITIES_TX_FRAMES)

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
  if ((capabilities & NEEDED) != NEEDED) panic("the NIC lacks capabilities 0x%x", NEEDED & ~capabilities);
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

/* Addresses are set once: a buffer stays its descriptor's for the whole run. TX descriptors say how much to fetch. */
static void fill_descriptors(struct descriptor *ring, const void *buffers, uint32_t slots) {
  for (uint32_t i = 0; i < slots; i++) {
    ring[i] = (struct descriptor){.address = (uint64_t)buffers + (uint64_t)i * BUFFER_BYTES, .length = BUFFER_BYTES};
  }
}

static void grant(struct mailbox_port *port, uint32_t base_register, uint32_t size_register, struct range window) {
  write64(port, base_register, window.start);
  write64(port, size_register, window.end - window.start);
}

/* Every locate passes until the feed names it as a symbol that is not subscribed. */
static void set_up_filter(struct mailbox_port *port) {
  register_write(port, REG_FILTER_FILL, 1);
  while ((register_read(port, REG_FILTER_STATUS) & FILTER_STATUS_BUSY) != 0) {
  }
}

void nic_init(struct nic *nic, struct mailbox_port *port, const struct config_header *config,
              const struct nic_rings *rings) {
  uint32_t rx_slots = 1u << config->rx_log2, tx_slots = 1u << config->tx_log2;
  *nic = (struct nic){
      .port = port,
      .rx = rings->rx,
      .rx_ring = rings->rx_ring,
      .rx_mask = rx_slots - 1,
      .rx_batch = rx_slots / 4,
      .tx = rings->tx,
      .tx_ring = rings->tx_ring,
      .tx_slots = tx_slots,
      .tx_mask = tx_slots - 1,
      .tx_limit = tx_slots,
      .raw = rings->raw,
      .raw_mask = (1u << config->raw_log2) - 1,
      .frames = rings->frames,
      .epoch = port->shared->epoch,
  };
  identify(port);
  uint32_t control = CONTROL_RX_ENABLE | CONTROL_TX_ENABLE | CONTROL_RAW_ENABLE;
  if (config->verified != 0) control |= CONTROL_VERIFIED;
  if (config->filter != 0) control |= CONTROL_FILTER_ENABLE;
  if (rings->rx_ring != NULL) {
    fill_descriptors(rings->rx_ring, rings->rx, rx_slots);
    control |= CONTROL_RX_DESCRIPTOR;
  }
  if (rings->tx_ring != NULL) {
    fill_descriptors(rings->tx_ring, rings->tx, tx_slots);
    control |= CONTROL_TX_DESCRIPTOR;
  }

  /* Ring set-up is accepted only while the enables are 0; enabling starts the rings at index 0. */
  register_write(port, REG_CONTROL, 0);
  grant(port, REG_WINDOW_BASE_LO, REG_WINDOW_SIZE_LO, rings->window);
  grant(port, REG_WINDOW2_BASE_LO, REG_WINDOW2_SIZE_LO, rings->descriptors);
  write64(port, REG_RX_BASE_LO, rings->rx_ring != NULL ? (uint64_t)rings->rx_ring : (uint64_t)rings->rx);
  register_write(port, REG_RX_LOG2, config->rx_log2);
  register_write(port, REG_RX_EPOCH, nic->epoch);
  write64(port, REG_TX_BASE_LO, rings->tx_ring != NULL ? (uint64_t)rings->tx_ring : (uint64_t)rings->tx);
  register_write(port, REG_TX_LOG2, config->tx_log2);
  register_write(port, REG_TX_EPOCH, nic->epoch);
  write64(port, REG_RAW_BASE_LO, (uint64_t)rings->raw);
  register_write(port, REG_RAW_LOG2, config->raw_log2);
  register_write(port, REG_RAW_EPOCH, nic->epoch);
  register_write(port, REG_GROUP_ADDRESS, config->group_address);
  register_write(port, REG_GROUP_PORT, config->group_port);
  register_write(port, REG_HOLD, config->hold_ns);
  register_write(port, REG_EVENT_ENABLE, EVENT_ENABLE_STREAM | EVENT_ENABLE_BAD | EVENT_ENABLE_LOST);
  if (config->filter != 0) set_up_filter(port);
  set_up_session(port, config);
  register_write(port, REG_CONTROL, control);
  uint32_t errors = register_read(port, REG_ERRORS);
  if (errors != 0) panic("the NIC refused its set-up: ERRORS is 0x%x", errors);
}

void __attribute__((noinline)) nic_return_lines(struct nic *nic) {
  nic->rx_returned = nic->rx_index;
  register_write(nic->port, REG_RX_TAIL, nic->rx_returned);
}

bool nic_wait(struct nic *nic, uint32_t deadline_ns) {
  /* A small ring must be able to take the largest record while nothing is left to consume. */
  uint32_t held = nic->rx_index - nic->rx_returned;
  if (held != 0 && held + MAX_RECORD_LINES > nic->rx_mask + 1) nic_return_lines(nic);
  if (nic->port->free) return mailbox_idle(nic->port, nic->taken);
  return mailbox_poll(nic->port, deadline_ns, (uint32_t)nic->taken);
}

/* A slot that is done goes back with its status cleared: whoever looks at DD sees this turn's. */
void nic_reclaim(struct nic *nic) {
  if (nic->tx_ring == NULL) return;
  while (nic->tx_head != nic->tx_tail) {
    struct descriptor *descriptor = &nic->tx_ring[nic->tx_head & nic->tx_mask];
    if (!descriptor_done(descriptor)) return;
    descriptor->status = 0;
    nic->tx_head++;
  }
}

static void __attribute__((noinline, cold)) look_up_taken(struct nic *nic) {
  if (nic->tx_ring != NULL) nic_reclaim(nic);
  else nic->tx_head = register_read(nic->port, REG_TX_HEAD);
}

/* Slots that hold nothing any more that the NIC or the session has to read. */
static uint32_t free_slots(const struct nic *nic) {
  uint32_t used = nic->tx_tail - nic->tx_head;
  if (nic->tx_held && nic->tx_tail - nic->tx_told > used) used = nic->tx_tail - nic->tx_told;
  return nic->tx_slots - used;
}

static void set_limit(struct nic *nic) {
  uint32_t room = free_slots(nic);
  if (nic->tx_held && nic->tx_end - nic->tx_tail < room) room = nic->tx_end - nic->tx_tail;
  nic->tx_limit = nic->tx_tail + room;
}

struct tx_slot *nic_slot(struct nic *nic) {
  if (nic->tx_tail == nic->tx_limit) {
    look_up_taken(nic);
    set_limit(nic);
    if (nic->tx_tail == nic->tx_limit) return NULL;
  }
  return nic_next_slot(nic);
}

void nic_hold(struct nic *nic, uint32_t told, uint32_t room) {
  nic->tx_held = true;
  nic->tx_told = told;
  nic->tx_end = nic->tx_tail + room;
  set_limit(nic);
}

void nic_block(struct nic *nic, uint16_t locate) {
  register_write(nic->port, REG_FILTER_UPDATE, locate); /* PASS is 0 */
}

bool nic_raw(struct nic *nic, struct raw *raw) {
  const union rx_line *line = published_line(nic->raw, nic->raw_mask, nic->raw_index, nic->epoch);
  if (line == NULL) return false;
  const struct raw_frame *head = (const struct raw_frame *)line;
  raw_gather(raw, head, nic->raw, nic->raw_mask, nic->raw_index);
  nic->raw_index += 1u + head->continuations;
  nic->taken++;
  register_write(nic->port, REG_RAW_TAIL, nic->raw_index);
  return true;
}

void nic_read_counters(struct mailbox_port *port, uint32_t values[NIC_COUNTERS]) {
#define ADDRESS(address, name) address,
  static const uint16_t addresses[NIC_COUNTERS] = {NIC_COUNTER_REGISTERS(ADDRESS)};
  for (unsigned i = 0; i < NIC_COUNTERS; i++) values[i] = register_read(port, addresses[i]);
}

uint8_t *nic_frame(struct nic *nic) {
  uint32_t user = nic->frame_slot[nic->next_frame];
  bool used = user != 0 && (int32_t)(nic->tx_head - user) < 0;
  if (used || free_slots(nic) == 0) {
    look_up_taken(nic);
    used = user != 0 && (int32_t)(nic->tx_head - user) < 0;
    if (used || free_slots(nic) == 0) return NULL;
  }
  return nic->frames[nic->next_frame];
}

void nic_send_frame(struct nic *nic, const uint8_t *frame, uint16_t length) {
  struct tx_slot *slot = &nic->tx[nic->tx_tail & nic->tx_mask];
  struct tx_frame *order = (struct tx_frame *)slot;
  order->address = (uint64_t)frame;
  order->kind = TX_KIND_FRAME;
  order->length = length;
  nic_publish(nic, slot);
  if (nic->tx_held) nic->tx_end++; /* it takes no room of the session's */
  set_limit(nic);
  nic->frame_slot[nic->next_frame] = nic->tx_tail;
  nic->next_frame = (nic->next_frame + 1) % TX_FRAMES;
  nic_doorbell(nic);
}
