// SPDX-License-Identifier: MIT
// One receive line: Ethernet frames in, one beat of 8 bytes a clock without backpressure; a stream of entries (entry.vh)
// out. Cut-through: a message is decoded 2 clocks after the beat with its last byte (`decoded_valid`), and its record
// enters line_queue's output register then, unless a continuation line, an earlier record or a queue goes first.
//
//   port -> beat_queue -> beat in hand -> moldudp64_parser -> align -> itch_decode -> line_output -> line_queue -> x_*
//                              |   header, receive_checksum: observe, say who is dropped
//                              |   prototype_parser: the other packet format
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module receive_line #(
  parameter LINE_B     = 0,               // the receive port: 0 A, 1 B
  parameter QUEUE_LOG2 = 13,              // log2 of the beats that runs of short blocks may pile up
  parameter LINES_LOG2 = 13               // log2 of the entries that may wait for the arbiter
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,             // frames that start while it is 0 are ignored
  input  wire         verified,           // entries wait for their frame's verdict; change it between frames
  input  wire         prototype,          // packet format; change it between frames
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [47:0]  time_ns,

  // receive port
  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,       // with tlast: FCS was bad

  // frames of both lines in the order of their first beats
  output wire         starts,             // a frame is taken: it will have an END
  input  wire [15:0]  others_started,     // frames that the other line has started, modulo 2^16

  // entries: HEADER, lines and records, END
  output wire         x_valid,
  output wire [1:0]   x_kind,
  output wire [479:0] x_data,
  input  wire         x_ready,
  output wire         x_level_high,       // little room: what waits must go on

  output wire         decoded_valid,      // a message is decoded: the clock to which its latency is measured
  output wire         overflow,           // pulse: a queue was full, frames are lost
  output wire         idle
);

  // ---- Clocks: stand still between frames, that of beats and blocks from a frame's last beat on

  wire line_clk;
  wire beat_clk;
  wire beats_idle;

  clock_gate u_line_clock (
    .clk    (clk),
    .enable (rst || s_axis_tvalid || !idle),
    .gated  (line_clk)
  );

  clock_gate u_beat_clock (
    .clk    (clk),
    .enable (rst || s_axis_tvalid || !beats_idle),
    .gated  (beat_clk)
  );

  // ---- beats

  wire        load;
  wire        load_first;
  wire [7:0]  load_lanes;
  wire [63:0] load_data;
  wire        hold;
  wire        beat_valid;
  wire        beat_fresh;
  wire        beat_first;
  wire        beat_last;
  wire        beat_bad_fcs;
  wire        beat_lost;
  wire [7:0]  beat_lanes;
  wire [63:0] beat_data;
  wire [63:8] previous_data;
  wire        stall;
  wire        beat_overflow;
  wire        queue_idle;
  wire        beat_ends = beat_valid && beat_last && !hold;

  beat_queue #(
    .DEPTH_LOG2 (QUEUE_LOG2)
  ) u_beat_queue (
    .clk            (beat_clk),
    .rst            (rst),
    .enable         (enable),
    .time_ns        (time_ns),
    .others_started (others_started),
    .s_axis_tdata   (s_axis_tdata),
    .s_axis_tkeep   (s_axis_tkeep),
    .s_axis_tvalid  (s_axis_tvalid),
    .s_axis_tlast   (s_axis_tlast),
    .s_axis_tuser   (s_axis_tuser),
    .starts         (starts),
    .load           (load),
    .load_first     (load_first),
    .load_lanes     (load_lanes),
    .load_data      (load_data),
    .stall          (stall),
    .hold           (hold),
    .beat_valid     (beat_valid),
    .beat_fresh     (beat_fresh),
    .beat_first     (beat_first),
    .beat_last      (beat_last),
    .beat_bad_fcs   (beat_bad_fcs),
    .beat_lost      (beat_lost),
    .beat_lanes     (beat_lanes),
    .beat_data      (beat_data),
    .previous_data  (previous_data),
    .overflow       (beat_overflow),
    .idle           (queue_idle)
  );

  // ---- frame headers and verdict

  wire [7:0]  payload_lanes;
  wire        payload_begins;
  wire        payload_at_lane_6;
  wire        beat_counts;
  wire [2:0]  ip_groups;
  wire [2:0]  udp_groups;
  wire [7:0]  udp_lanes;
  wire        ip_sum_good;
  wire        udp_sum_good;
  wire [15:0] udp_length;
  wire        dropped;
  wire        frame_done;
  wire [7:0]  frame_reason;
  wire        header_idle;

  header u_header (
    .clk                (line_clk),
    .beat_clk           (beat_clk),
    .rst                (rst),
    .group_address      (group_address),
    .group_port         (group_port),
    .verified           (verified),
    .prototype          (prototype),
    .load               (load),
    .load_first         (load_first),
    .load_lanes         (load_lanes),
    .load_half_0        ({load_data[7:0], load_data[15:8]}),
    .load_half_4        ({load_data[39:32], load_data[47:40]}),
    .load_ihl_2         (load_data[19:16]),
    .load_ihl_6         (load_data[51:48]),
    .beat_fresh         (beat_fresh),
    .beat_first         (beat_first),
    .beat_lost          (beat_lost),
    .beat_bad_fcs       (beat_bad_fcs),
    .beat_ends          (beat_ends),
    .beat_lanes         (beat_lanes),
    .beat_data          (beat_data),
    .previous_lanes_6_7 (previous_data[63:48]),
    .payload_lanes      (payload_lanes),
    .payload_begins     (payload_begins),
    .payload_at_lane_6  (payload_at_lane_6),
    .beat_counts        (beat_counts),
    .ip_groups          (ip_groups),
    .udp_groups         (udp_groups),
    .udp_lanes          (udp_lanes),
    .ip_sum_good        (ip_sum_good),
    .udp_sum_good       (udp_sum_good),
    .udp_length         (udp_length),
    .dropped            (dropped),
    .done               (frame_done),
    .done_reason        (frame_reason),
    .idle               (header_idle)
  );

  receive_checksum u_receive_checksum (
    .clk           (line_clk),
    .beat_counts   (beat_counts),
    .beat_first    (beat_fresh && beat_first),
    .beat_data     (beat_data),
    .payload_lanes (payload_lanes),
    .ip_groups     (ip_groups),
    .udp_groups    (udp_groups),
    .udp_lanes     (udp_lanes),
    .udp_length    (udp_length),
    .ip_sum_good   (ip_sum_good),
    .udp_sum_good  (udp_sum_good)
  );

  wire [63:0] frame_start;                // {others, time}
  wire [63:0] done_start;

  frame_times u_frame_times (
    .clk    (line_clk),
    .rst    (rst),
    .begins (beat_fresh && beat_first),
    .start  (beat_data),
    .done   (frame_done),
    .latest (frame_start),
    .oldest (done_start)
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
  wire        extra_data;
  wire        parser_idle;

  moldudp64_parser u_moldudp64_parser (
    .clk               (beat_clk),
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
    .payload_begins    (payload_begins && !prototype),
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
    .extra_data        (extra_data),
    .idle              (parser_idle)
  );

  wire known;
  wire long_enough;
  wire exact;
  wire type_continued;

  itch_length u_itch_length (
    .message_type (message_type),
    .length       (length),
    .known        (known),
    .long_enough  (long_enough),
    .exact        (exact),
    .continued    (type_continued)
  );

  // Asked for from the block's tenth word on, when the type has long been known and the block is longer than any type.
  reg          streams;

  always @(posedge beat_clk)
    streams <= !known;

  wire         line_ready;
  wire [7:0]   lines;
  wire [6:0]   last_word;
  wire [639:0] words;

  align u_align (
    .clk           (beat_clk),
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
  reg         done_decoded;
  reg         done_exact;
  reg         done_continued;
  reg  [63:0] number;                     // the block's sequence number
  reg  [63:0] number_after;
  integer     i;

  // By bytes: one goes up when all below it are full.
  always @*
    for (i = 0; i < 8; i = i + 1)
      number_after[8 * i +: 8] = number[8 * i +: 8] + {7'd0, (number | ~64'd0 << 8 * i) == ~64'd0};

  always @(posedge beat_clk) begin
    block_done <= block_ends && !dropped && !rst;
    if (block_ends) begin
      done_length      <= length;
      done_type        <= length == 16'd0 ? 8'd0 : message_type_here;
      done_first_bytes <= beyond_first ? RAW_FIRST_BYTES[4:0] : length[4:0];
      done_raw_tail    <= beyond_first;
      done_decoded     <= long_enough;
      done_exact       <= exact;
      done_continued   <= long_enough ? type_continued : beyond_first;
    end
    if (packet_begins)
      number <= packet_sequence;
    else if (block_done)
      number <= number_after;
  end

  // What the headers have against the frame is known by now, even for the first block.
  wire         block_decoded = block_done && !dropped;
  wire [479:0] record;
  wire [479:0] continuation;

  itch_decode #(
    .LINE_B (LINE_B)
  ) u_itch_decode (
    .valid           (block_decoded),
    .words           (words),
    .last_word       (last_word),
    .lines           (lines),
    .length          (done_length),
    .message_type    (done_type),
    .first_bytes     (done_first_bytes),
    .raw_tail        (done_raw_tail),
    .decoded         (done_decoded),
    .exact           (done_exact),
    .sequence_number (number),
    .frame_time      (frame_start[47:0]),
    .record          (record),
    .continuation    (continuation)
  );

  // ---- the other packet format

  wire         prototype_begins;
  wire [63:0]  prototype_start;
  wire [63:0]  prototype_session;
  wire         prototype_decoded;
  wire [479:0] prototype_record;
  wire         prototype_truncated;
  wire         prototype_extra_data;
  wire         prototype_idle;

  prototype_parser #(
    .LINE_B (LINE_B)
  ) u_prototype_parser (
    .clk               (beat_clk),
    .rst               (rst),
    .beat_fresh        (beat_fresh),
    .beat_first        (beat_first),
    .beat_ends         (beat_ends),
    .beat_lanes        (beat_lanes),
    .beat_data         (beat_data),
    .beat_in_payload   (payload_lanes[0]),
    .payload_begins    (payload_begins && prototype),
    .payload_at_lane_6 (payload_at_lane_6),
    .udp_length        (udp_length),
    .dropped           (dropped),
    .frame_start       (frame_start),
    .packet_begins     (prototype_begins),
    .packet_start      (prototype_start),
    .session           (prototype_session),
    .message_valid     (prototype_decoded),
    .record            (prototype_record),
    .truncated         (prototype_truncated),
    .extra_data        (prototype_extra_data),
    .idle              (prototype_idle)
  );

  assign decoded_valid = block_decoded || prototype_decoded;

  // ---- entries

  wire [`TL_HEADER_BITS-1:0] header;
  wire [`TL_END_BITS-1:0]    frame_end;
  wire                       frame_good = frame_reason == `TL_DROP_REASON_ACCEPT;

  // What the headers have against a frame is known one clock after its HEADER at the latest. It is told a clock after
  // that: at the earliest moment, in the second beat, the frame before may just have its END.
  reg                        dropped_before;
  reg                        void_valid;

  always @(posedge line_clk) begin
    dropped_before <= dropped && !rst;
    void_valid     <= dropped && !dropped_before && !rst;
  end

  assign header[`TL_HEADER_SESSION  +: 80] = prototype ? {"  ", prototype_session} : packet_session;
  assign header[`TL_HEADER_SEQUENCE +: 64] = prototype ? 64'd0 : packet_sequence;
  assign header[`TL_HEADER_COUNT    +: 16] = prototype ? 16'd1 : packet_count;
  assign header[`TL_HEADER_KIND     +: 8]  = prototype ? `TL_FRAME_KIND_DATA : packet_kind;
  assign header[`TL_HEADER_UNNUMBERED]     = prototype;
  assign header[`TL_HEADER_OTHERS   +: 16] = prototype ? prototype_start[63:48] : frame_start[63:48];
  assign header[`TL_HEADER_TIME     +: 48] = prototype ? prototype_start[47:0] : frame_start[47:0];

  assign frame_end[`TL_END_REASON +: 8]  = frame_reason;
  assign frame_end[`TL_END_TRUNCATED]    = frame_good && (prototype ? prototype_truncated : truncated);
  assign frame_end[`TL_END_EXTRA_DATA]   = frame_good && (prototype ? prototype_extra_data : extra_data);
  assign frame_end[`TL_END_OTHERS +: 16] = done_start[63:48];
  assign frame_end[`TL_END_TIME   +: 48] = done_start[47:0];
  assign frame_end[`TL_END_HEADER_SEEN]  = 1'b0;               // line_queue knows
  assign frame_end[`TL_END_OVERFLOW]     = frame_reason == `TL_DROP_REASON_OVERFLOW;

  wire         entry_valid;
  wire         entry_header;
  wire         entry_void;
  wire         entry_end;
  wire [1:0]   entry_kind;
  wire [479:0] entry_data;
  wire         output_idle;

  line_output u_line_output (
    .clk               (line_clk),
    .rst               (rst),
    .header_valid      ((packet_begins || prototype_begins) && !dropped),
    .header            (header),
    .void_valid        (void_valid),
    .continuation_only (line_ready),
    .words             (words[639:192]),
    .message_valid     (block_decoded),
    .message_continued (done_continued),
    .record            (record),
    .continuation      (continuation),
    .prototype_valid   (prototype_decoded),
    .prototype_record  (prototype_record),
    .end_valid         (frame_done),
    .frame_end         (frame_end),
    .entry_valid       (entry_valid),
    .entry_header      (entry_header),
    .entry_void        (entry_void),
    .entry_end         (entry_end),
    .entry_kind        (entry_kind),
    .entry_data        (entry_data),
    .idle              (output_idle)
  );

  wire         entries_idle;
  wire         entry_overflow;

  line_queue #(
    .DEPTH_LOG2 (LINES_LOG2)
  ) u_line_queue (
    .clk          (line_clk),
    .rst          (rst),
    .verified     (verified),
    .entry_valid  (entry_valid),
    .entry_header (entry_header),
    .entry_void   (entry_void),
    .dropped      (dropped),
    .entry_end    (entry_end),
    .end_good     (frame_good),
    .entry_kind   (entry_kind),
    .entry_data   (entry_data),
    .stall        (stall),
    .x_valid      (x_valid),
    .x_kind       (x_kind),
    .x_data       (x_data),
    .x_ready      (x_ready),
    .x_level_high (x_level_high),
    .overflow     (entry_overflow),
    .idle         (entries_idle)
  );

  assign overflow   = beat_overflow || entry_overflow;
  assign beats_idle = queue_idle && parser_idle && prototype_idle && !block_done && !line_ready;
  assign idle       = beats_idle && header_idle && output_idle && entries_idle;

endmodule
`default_nettype wire
