// SPDX-License-Identifier: MIT
// One receive line, top first; paths from the root of the repository.
rtl/receive_line.v
rtl/clock_gate.v
rtl/beat_queue.v
rtl/header.v
rtl/receive_checksum.v
rtl/frame_times.v
rtl/moldudp64_parser.v
rtl/itch_length.v
rtl/align.v
rtl/itch_decode.v
rtl/itch_fields.v
rtl/prototype_parser.v
rtl/line_output.v
rtl/line_queue.v
