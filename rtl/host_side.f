// SPDX-License-Identifier: MIT
// The host side, top first; paths from the root of the repository.
rtl/host_side.v
rtl/clock_gate.v
rtl/axil_port.v
rtl/csr.v
rtl/ring_grants.v
rtl/window_lines.v
rtl/dma_window.v
rtl/rx_ring.v
rtl/rx_queue.v
rtl/skid_buffer.v
rtl/line_fifo.v
rtl/ring_lines.v
rtl/rx_descriptors.v
rtl/descriptor_fetch.v
rtl/raw_frame.v
rtl/raw_ring.v
rtl/tx_ring.v
rtl/order_entry.v
rtl/checksum.v
rtl/tx_frame.v
rtl/transmit_mux.v
rtl/dma_write_mux.v
rtl/dma_read_mux.v
rtl/host_statistics.v
