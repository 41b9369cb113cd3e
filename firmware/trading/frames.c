/* SPDX-License-Identifier: MIT */
/* See frames.h. A frame is an answer of the re-request server, a segment of the session, or a request for our address. */
#include "trading/frames.h"

#include "trading/recovery.h"
#include "trading/session.h"

static void take_raw_frames(struct kernel *kernel) {
  struct raw *raw = &kernel->raw;
  while (nic_raw(&kernel->nic, raw)) {
    kernel->raw_frames++;
    if (kernel->config->recovery_address != 0 && take_answer(kernel)) continue;
    if (is_for_session(kernel)) continue;
    uint8_t *reply = nic_frame(&kernel->nic);
    if (reply == NULL || !arp_reply(raw, kernel->config, reply)) continue;
    nic_send_frame(&kernel->nic, reply, ARP_FRAME_BYTES);
  }
}

void __attribute__((noinline)) take_frames(struct kernel *kernel) {
  if (connects(kernel)) {
    uint64_t now_ns = mailbox_now_ns(&kernel->port);
    order_port_step(&kernel->orders, now_ns);
    take_news(kernel, now_ns);
  }
  take_raw_frames(kernel);
  if (connects(kernel)) order_port_send(&kernel->orders, mailbox_now_ns(&kernel->port));
}
