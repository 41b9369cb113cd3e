// SPDX-License-Identifier: MIT
// One receive line: Ethernet frames in, one beat of 8 bytes a clock without backpressure; ring lines, a report a frame
// and counters out. Cut-through: a message is decoded 2 clocks after the beat with its last byte (`decoded_valid`), and
// its record goes out in the same clock unless a continuation line or an earlier record goes first.
//
//   port -> beat_queue -> beat in hand -> moldudp64_parser -> align -> itch_decode -> line_output
//                              |   header, receive_checksum: observe, say who is dropped
//                              stream: which blocks are new            statistics, report at the frame's end
`include "layout.vh"
`default_nettype none

module receive_line #(
  parameter QUEUE_LOG2 = 9                // log2 of the beats that runs of short blocks may pile up
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,             // frames that start while it is 0 are ignored
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [47:0]  time_ns,

  // receive port
  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,       // with tlast: FCS was bad

  // lines: a message's continuation lines, then its record
  output wire         line_valid,
  output wire         line_first,
  output wire [479:0] line_data,
  output reg          line_abort,         // the message whose continuation lines went out will not be completed
  output wire         decoded_valid,

  // one report a frame, after its lines
  output wire         report_valid,
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,

  output wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output wire         overflow,           // pulse: the queue was full, frames are lost
  output wire         idle
);

  // ---- beats

  wire        load;
  wire        load_first;
  wire [3:0]  load_bytes;
  wire [63:0] load_data;
  wire        hold;
  wire        beat_valid;
  wire        beat_fresh;
  wire        beat_first;
  wire        beat_last;
  wire        beat_bad_fcs;
  wire        beat_lost;
  wire [3:0]  beat_bytes;
  wire [63:0] beat_data;
  wire [63:8] previous_data;
  wire        queue_idle;
  wire        beat_ends = beat_valid && beat_last && !hold;

  beat_queue #(
    .DEPTH_LOG2 (QUEUE_LOG2)
  ) u_beat_queue (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable),
    .time_ns       (time_ns),
    .s_axis_tdata  (s_axis_tdata),
    .s_axis_tkeep  (s_axis_tkeep),
    .s_axis_tvalid (s_axis_tvalid),
    .s_axis_tlast  (s_axis_tlast),
    .s_axis_tuser  (s_axis_tuser),
    .load          (load),
    .load_first    (load_first),
    .load_bytes    (load_bytes),
    .load_data     (load_data),
    .hold          (hold),
    .beat_valid    (beat_valid),
    .beat_fresh    (beat_fresh),
    .beat_first    (beat_first),
    .beat_last     (beat_last),
    .beat_bad_fcs  (beat_bad_fcs),
    .beat_lost     (beat_lost),
    .beat_bytes    (beat_bytes),
    .beat_data     (beat_data),
    .previous_data (previous_data),
    .overflow      (overflow),
    .idle          (queue_idle)
  );

  // ---- frame headers and verdict

  wire [7:0]  payload_lanes;
  wire        payload_begins;
  wire        payload_at_lane_6;
  wire        beat_counts;
  wire [2:0]  ip_groups;
  wire [2:0]  udp_groups;
  wire        ip_sum_good;
  wire        udp_sum_good;
  wire [15:0] udp_length;
  wire        dropped;
  wire        frame_done;
  wire [7:0]  frame_reason;
  wire        header_idle;

  header u_header (
    .clk                (clk),
    .rst                (rst),
    .group_address      (group_address),
    .group_port         (group_port),
    .load               (load),
    .load_first         (load_first),
    .load_bytes         (load_bytes),
    .load_half_0        ({load_data[7:0], load_data[15:8]}),
    .load_half_4        ({load_data[39:32], load_data[47:40]}),
    .load_ihl_2         (load_data[19:16]),
    .load_ihl_6         (load_data[51:48]),
    .beat_fresh         (beat_fresh),
    .beat_first         (beat_first),
    .beat_lost          (beat_lost),
    .beat_bad_fcs       (beat_bad_fcs),
    .beat_ends          (beat_ends),
    .beat_bytes         (beat_bytes),
    .beat_data          (beat_data),
    .previous_lanes_6_7 (previous_data[63:48]),
    .payload_lanes      (payload_lanes),
    .payload_begins     (payload_begins),
    .payload_at_lane_6  (payload_at_lane_6),
    .beat_counts        (beat_counts),
    .ip_groups          (ip_groups),
    .udp_groups         (udp_groups),
    .ip_sum_good        (ip_sum_good),
    .udp_sum_good       (udp_sum_good),
    .udp_length         (udp_length),
    .dropped            (dropped),
    .done               (frame_done),
    .done_reason        (frame_reason),
    .idle               (header_idle)
  );

  receive_checksum u_receive_checksum (
    .clk           (clk),
    .beat_counts   (beat_counts),
    .beat_first    (beat_fresh && beat_first),
    .beat_data     (beat_data),
    .payload_lanes (payload_lanes),
    .ip_groups     (ip_groups),
    .udp_groups    (udp_groups),
    .udp_length    (udp_length),
    .ip_sum_good   (ip_sum_good),
    .udp_sum_good  (udp_sum_good)
  );

  wire [47:0] frame_time;
  wire [47:0] frame_done_time;

  frame_times u_frame_times (
    .clk        (clk),
    .rst        (rst),
    .begins     (beat_fresh && beat_first),
    .begin_time (beat_data[47:0]),
    .done       (frame_done),
    .latest     (frame_time),
    .oldest     (frame_done_time)
  );

  // ---- blocks

  wire        packet_begins;
  wire [79:0] packet_session;
  wire [63:0] packet_sequence;
  wire [15:0] packet_count;
  wire [7:0]  packet_kind;
  wire        block_begins;
  wire        block_ends;
  wire        word_ends;
  wire        word_begins;
  wire [2:0]  turn;
  wire [15:0] length;
  wire [7:0]  message_type;
  wire [7:0]  message_type_here;
  wire        line_full;
  wire        truncated;
  wire        abandoned;
  wire        extra_data;
  wire        parser_idle;

  moldudp64_parser u_moldudp64_parser (
    .clk               (clk),
    .rst               (rst),
    .load              (load),
    .load_data         (load_data),
    .beat_valid        (beat_valid),
    .beat_fresh        (beat_fresh),
    .beat_first        (beat_first),
    .beat_ends         (beat_ends),
    .beat_data         (beat_data),
    .previous_lane_7   (previous_data[63:56]),
    .payload_lanes     (payload_lanes),
    .payload_begins    (payload_begins),
    .payload_at_lane_6 (payload_at_lane_6),
    .dropped           (dropped),
    .hold              (hold),
    .packet_begins     (packet_begins),
    .session           (packet_session),
    .sequence_number   (packet_sequence),
    .count             (packet_count),
    .kind              (packet_kind),
    .block_begins      (block_begins),
    .block_ends        (block_ends),
    .word_ends         (word_ends),
    .word_begins       (word_begins),
    .turn              (turn),
    .length            (length),
    .message_type      (message_type),
    .message_type_here (message_type_here),
    .line_full         (line_full),
    .truncated         (truncated),
    .abandoned         (abandoned),
    .extra_data        (extra_data),
    .idle              (parser_idle)
  );

  wire long_enough;
  wire exact;
  wire type_decoded;

  itch_length u_itch_length (
    .message_type (message_type),
    .length       (length),
    .long_enough  (long_enough),
    .exact        (exact),
    .decoded      (type_decoded)
  );

  // Asked for from the block's tenth word on, when the type has long been known and the block is longer than any type.
  reg          streams;

  always @(posedge clk)
    streams <= !type_decoded;

  wire         line_ready;
  wire [7:0]   lines;
  wire [6:0]   last_word;
  wire [639:0] words;

  align u_align (
    .clk           (clk),
    .beat_data     (beat_data),
    .previous_data (previous_data),
    .payload_lanes (payload_lanes),
    .block_begins  (block_begins),
    .block_ends    (block_ends),
    .word_ends     (word_ends),
    .word_begins   (word_begins),
    .turn          (turn),
    .streams       (streams),
    .line_full     (line_full),
    .line_ready    (line_ready),
    .lines         (lines),
    .last_word     (last_word),
    .words         (words)
  );

  // ---- one clock after a block's end: what it is

  localparam [31:0] RAW_FIRST_BYTES = `TL_RAW_FIRST_BYTES;

  reg         block_done;
  reg  [15:0] done_length;
  reg  [7:0]  done_type;
  reg  [4:0]  done_first_bytes;
  reg         done_raw_tail;
  wire        beyond_first = length > RAW_FIRST_BYTES[15:0];
  reg         done_long_enough;
  reg         done_exact;
  reg         done_decoded;

  always @(posedge clk) begin
    block_done <= block_ends && !dropped && !rst;
    if (block_ends) begin
      done_length      <= length;
      done_type        <= length == 16'd0 ? 8'd0 : message_type_here;
      done_first_bytes <= beyond_first ? RAW_FIRST_BYTES[4:0] : length[4:0];
      done_raw_tail    <= beyond_first;
      done_long_enough <= long_enough;
      done_exact       <= exact;
      done_decoded     <= long_enough && type_decoded;
    end
  end

  wire [63:0] number;
  wire        old;
  wire        gap;
  wire [63:0] gap_from;
  wire        session_change;
  wire        end_of_session;
  wire        stream_idle;
  wire        frame_good = frame_reason == `TL_DROP_REASON_ACCEPT;

  stream u_stream (
    .clk                 (clk),
    .rst                 (rst),
    .packet_begins       (packet_begins),
    .packet_session      (packet_session),
    .packet_sequence     (packet_sequence),
    .packet_kind         (packet_kind),
    .dropped             (dropped),
    .frame_done          (frame_done),
    .frame_good          (frame_good),
    .block_done          (block_done),
    .number              (number),
    .old                 (old),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .gap                 (gap),
    .gap_from            (gap_from),
    .session_change      (session_change),
    .end_of_session      (end_of_session),
    .idle                (stream_idle)
  );

  wire [479:0] record;
  wire [479:0] continuation;
  wire         continued;
  wire [7:0]   status;
  wire         output_idle;

  assign decoded_valid = block_done && !old;

  itch_decode u_itch_decode (
    .valid           (decoded_valid),
    .words           (words),
    .last_word       (last_word),
    .lines           (lines),
    .length          (done_length),
    .message_type    (done_type),
    .first_bytes     (done_first_bytes),
    .raw_tail        (done_raw_tail),
    .long_enough     (done_long_enough),
    .exact           (done_exact),
    .decoded         (done_decoded),
    .sequence_number (number),
    .frame_time      (frame_time),
    .record          (record),
    .continuation    (continuation),
    .continued       (continued),
    .status          (status)
  );

  line_output u_line_output (
    .clk               (clk),
    .rst               (rst),
    .continuation_only (line_ready && !old),
    .words             (words[639:192]),
    .message_valid     (decoded_valid),
    .message_continued (continued),
    .record            (record),
    .continuation      (continuation),
    .line_valid        (line_valid),
    .line_first        (line_first),
    .line_data         (line_data),
    .idle              (output_idle)
  );

  always @(posedge clk)
    line_abort <= !rst && abandoned && lines != 8'd0 && !old;

  // ---- reports and counters. Nothing here is a copy: the next packet's header cannot be complete before.

  assign report_valid     = frame_done;
  assign report_reason    = frame_reason;
  assign report_kind      = frame_good ? packet_kind : `TL_FRAME_KIND_DATA;
  assign report_flags     = frame_good ? {3'd0, end_of_session, session_change, gap, extra_data, truncated} : 8'd0;
  assign report_gap_from  = frame_good && gap ? gap_from : 64'd0;
  assign report_session   = frame_good ? packet_session : 80'd0;
  assign report_sequence  = frame_good ? packet_sequence : 64'd0;
  assign report_count     = frame_good ? packet_count : 16'd0;
  assign report_timestamp = frame_done_time;

  statistics u_statistics (
    .clk            (clk),
    .rst            (rst),
    .message_valid  (decoded_valid),
    .message_status (status),
    .duplicate      (block_done && old),
    .frame_done     (frame_done),
    .frame_reason   (frame_reason),
    .frame_gap      (gap),
    .counters       (statistics)
  );

  assign idle = queue_idle && header_idle && parser_idle && stream_idle && output_idle
                && !block_done && !line_ready && !line_abort;

endmodule
`default_nettype wire
