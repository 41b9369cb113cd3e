/* SPDX-License-Identifier: MIT */
/* The order-entry session on the NIC: what it wants sent goes into TX slots and registers. */
#ifndef TICKLOOP_ORDER_PORT_H
#define TICKLOOP_ORDER_PORT_H

#include <stdint.h>

#include "drivers/nic.h"
#include "session/session.h"

struct order_port {
  struct session session;
  struct nic *nic;
  uint32_t connections; /* whose numbers the NIC has */
  uint32_t acknowledge; /* SESSION_ACKNOWLEDGE, as written last */
};

/* The NIC is set up, its TX ring empty. */
void order_port_init(struct order_port *port, struct nic *nic, const struct config_header *config,
                     const struct ouch *ouch);

/* Time has passed, orders have been published: the session is told, and TX slots that waited for that are free. */
void order_port_step(struct order_port *port, uint64_t now_ns);

/* Send what the session has to say now. */
void order_port_send(struct order_port *port, uint64_t now_ns);

#endif
