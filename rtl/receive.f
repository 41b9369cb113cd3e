// SPDX-License-Identifier: MIT
// The receive side of both lines, top first; paths from the root of the repository.
rtl/receive.v
rtl/clock_gate.v
rtl/receive_line.v
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
rtl/arbiter.v
rtl/entry_skid.v
rtl/line_front.v
rtl/sequence_distance.v
rtl/sequence_counter.v
rtl/turn.v
rtl/silence.v
rtl/stream.v
rtl/frame_report.v
rtl/filter.v
rtl/statistics.v
