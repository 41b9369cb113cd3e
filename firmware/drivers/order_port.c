/* SPDX-License-Identifier: MIT */
/* See order_port.h. Whatever is lost for want of a slot or a frame buffer is sent again, as if the line had lost it. */
#include "drivers/order_port.h"

void order_port_init(struct order_port *port, struct nic *nic, const struct config_header *config,
                     const struct ouch *ouch) {
  port->nic = nic;
  port->connections = 0;
  port->acknowledge = 0;
  session_init(&port->session, config, ouch, nic->tx, nic->tx_slots);
  register_write(nic->port, REG_SESSION_WINDOW, TCP_WINDOW);
  nic_hold(nic, nic->tx_tail, 0);
}

void order_port_step(struct order_port *port, uint64_t now_ns) {
  struct nic *nic = port->nic;
  session_step(&port->session, now_ns, nic->tx_tail);
  nic_hold(nic, port->session.told, session_room(&port->session));
}

/* Segments of the connection before have left: SESSION_SEQUENCE moves on with each slot that the NIC takes. */
static void begin_connection(struct order_port *port) {
  struct nic *nic = port->nic;
  while (register_read(nic->port, REG_TX_HEAD) != nic->tx_tail) {
  }
  register_write(nic->port, REG_SESSION_SEQUENCE, port->session.tcp.next);
  port->connections = port->session.connections;
}

void order_port_send(struct order_port *port, uint64_t now_ns) {
  struct session *session = &port->session;
  struct nic *nic = port->nic;
  if (session->connections != port->connections) begin_connection(port);
  if (session->connections != 0 && session->tcp.expected != port->acknowledge) {
    port->acknowledge = session->tcp.expected;
    register_write(nic->port, REG_SESSION_ACKNOWLEDGE, port->acknowledge);
  }
  bool published = false;
  session_settle(session);
  order_port_step(port, now_ns);
  while (session_has_packet(session, now_ns)) {
    struct tx_slot *slot = nic_slot(nic);
    if (slot == NULL) break;
    session_packet(session, now_ns, slot);
    nic_publish(nic, slot);
    order_port_step(port, now_ns);
    published = true;
  }
  if (published) nic_doorbell(nic);
  for (;;) {
    uint8_t *frame = nic_frame(nic);
    if (frame == NULL) break;
    uint32_t length = session_frame(session, frame);
    if (length == 0) break;
    nic_send_frame(nic, frame, (uint16_t)length);
  }
}
