// SPDX-License-Identifier: MIT
// The NIC, top first; paths from the root of the repository.
rtl/smartnic.v
rtl/timestamp.v
rtl/receive_line.v
rtl/beat_queue.v
rtl/header.v
rtl/receive_checksum.v
rtl/frame_times.v
rtl/moldudp64_parser.v
rtl/itch_length.v
rtl/align.v
rtl/stream.v
rtl/itch_decode.v
rtl/itch_fields.v
rtl/line_output.v
rtl/statistics.v
rtl/rx_ring.v
rtl/line_fifo.v
rtl/dma_window.v
rtl/tx_ring.v
rtl/order_entry.v
rtl/checksum.v
rtl/axil_port.v
rtl/csr.v
rtl/host_statistics.v
