// SPDX-License-Identifier: MIT
// One receive line with a parser of the user's own, module own_parser, in the place of ours: its ports and rules are in
// docs/own-parser.md. Takes the place of rtl/receive_line.v, with the same ports.
//
//   port -> beat_queue -> own_parser -> message_words -> itch_decode -> line_output -> line_queue -> x_*
//                    '-> header, receive_checksum: name the reason of a frame that the parser drops
//
// What the parser says of a frame counts. It says yes or no; why no, among 17 reasons, the NIC's own header stage tells.
// Not here: the seed prototype's packets, and the void HEADER that spares the arbiter waiting for foreign frames.
`include "layout.vh"
`include "entry.vh"
`include "own_parser/own_parser.vh"
`default_nettype none

module receive_line #(
  parameter LINE_B     = 0,               // the receive port: 0 A, 1 B
  parameter QUEUE_LOG2 = 13,              // log2 of the beats that wait for the parser
  parameter LINES_LOG2 = 13               // log2 of the entries that may wait for the arbiter
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,
  input  wire         verified,
  input  wire         prototype,          // not heeded
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [47:0]  time_ns,

  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,

  output wire         starts,
  input  wire [15:0]  others_started,

  output wire         x_valid,
  output wire [1:0]   x_kind,
  output wire [479:0] x_data,
  input  wire         x_ready,
  output wire         x_level_high,

  output wire         decoded_valid,
  output wire         overflow,
  output wire         idle
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
  wire        beat_overflow;
  wire        queue_idle;
  wire        beat_ends = beat_valid && beat_last && !hold;

  beat_queue #(
    .DEPTH_LOG2 (QUEUE_LOG2)
  ) u_beat_queue (
    .clk            (clk),
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
    .stall          (1'b0),
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

  // The queue carries a frame's start in its first beat; the parser gets what stood there.
  reg  [63:0]           firsts [0:(1 << QUEUE_LOG2) - 1];
  reg  [QUEUE_LOG2-1:0] first_written;
  reg  [QUEUE_LOG2-1:0] first_read;
  reg  [63:0]           first_data;

  always @(posedge clk)
    if (rst) begin
      first_written <= {QUEUE_LOG2{1'b0}};
      first_read    <= {QUEUE_LOG2{1'b0}};
    end else begin
      if (starts) begin
        firsts[first_written] <= s_axis_tdata;
        first_written         <= first_written + 1'b1;
      end
      if (load && load_first) begin
        first_data <= starts && first_read == first_written ? s_axis_tdata : firsts[first_read];
        first_read <= first_read + 1'b1;
      end
    end

  // ---- frames for the parser: as long as the NIC takes them at most, not more at once than others here count

  localparam [31:0] MAX_BYTES     = `TL_MAX_FRAME_BYTES;
  localparam [10:0] MAX_BEATS     = MAX_BYTES[13:3];
  localparam [3:0]  MOST_FRAMES   = 4'd7;  // begun and not ended; one more in hand, which frame_times has room for

  reg  [10:0] beats;                      // of the frame, before the one in hand
  reg         swallows;                   // the rest of a frame that is too long
  reg  [3:0]  frames;                     // in the parser
  wire [10:0] beats_here  = beat_first ? 11'd0 : beats;
  wire        too_long    = beats_here == MAX_BEATS - 11'd1 && !beat_last;
  wire        frame_valid = beat_valid && !(swallows && !beat_first) && (!beat_first || frames != MOST_FRAMES);
  wire        frame_ready;
  wire        frame_taken = frame_valid && frame_ready;
  wire        frame_last  = beat_last || too_long;
  wire        end_taken;

  assign hold = beat_valid && !(swallows && !beat_first) && !frame_taken;

  always @(posedge clk)
    if (rst) begin
      beats    <= 11'd0;
      swallows <= 1'b0;
      frames   <= 4'd0;
    end else begin
      if (frame_taken) begin
        beats    <= beats_here + 11'd1;
        swallows <= too_long;
      end
      frames <= frames + {3'd0, frame_taken && beat_first} - {3'd0, end_taken};
    end

  // ---- the parser

  wire         m_valid;
  wire         m_ready;
  wire [1:0]   m_kind;
  wire [79:0]  m_session;
  wire [63:0]  m_sequence;
  wire [15:0]  m_count;
  wire [511:0] m_data;
  wire [6:0]   m_bytes;
  wire         m_last;
  wire         m_decoded;
  wire [479:0] m_fields;
  wire [447:0] m_continuation;
  wire         m_drop;
  wire         m_truncated;
  wire         m_extra_data;

  own_parser u_own_parser (
    .clk            (clk),
    .rst            (rst),
    .group_address  (group_address),
    .group_port     (group_port),
    .s_axis_tdata   (beat_first ? first_data : beat_data),
    .s_axis_tkeep   (beat_lost ? 8'h01 : beat_lanes),
    .s_axis_tvalid  (frame_valid),
    .s_axis_tready  (frame_ready),
    .s_axis_tlast   (frame_last),
    .s_axis_tuser   (beat_bad_fcs || beat_lost || too_long),
    .m_valid        (m_valid),
    .m_ready        (m_ready),
    .m_kind         (m_kind),
    .m_session      (m_session),
    .m_sequence     (m_sequence),
    .m_count        (m_count),
    .m_data         (m_data),
    .m_bytes        (m_bytes),
    .m_last         (m_last),
    .m_decoded      (m_decoded),
    .m_fields       (m_fields),
    .m_continuation (m_continuation),
    .m_drop         (m_drop),
    .m_truncated    (m_truncated),
    .m_extra_data   (m_extra_data)
  );

  parser_rules #(
    .LINE_B (LINE_B)
  ) u_parser_rules (
    .clk           (clk),
    .rst           (rst),
    .s_axis_tvalid (frame_valid),
    .s_axis_tready (frame_ready),
    .s_axis_tlast  (frame_last),
    .first         (beat_first),
    .m_valid       (m_valid),
    .m_ready       (m_ready),
    .packets       (m_kind == `TL_OWN_PACKET),
    .messages      (m_kind == `TL_OWN_MESSAGE),
    .ends          (m_kind == `TL_OWN_END),
    .m_bytes       (m_bytes),
    .m_last        (m_last),
    .m_decoded     (m_decoded),
    .m_stable      ({m_kind, m_kind == `TL_OWN_PACKET ? {m_session, m_sequence, m_count} : 160'd0,
                     m_kind == `TL_OWN_MESSAGE ? {m_sequence, m_data, m_bytes, m_last, m_decoded} : 585'd0,
                     m_kind == `TL_OWN_END ? {m_drop, m_truncated, m_extra_data} : 3'd0})
  );

  // ---- what the NIC's own header stage makes of each frame

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
  wire        judged;
  wire [7:0]  judged_reason;
  wire        header_idle;

  header u_header (
    .clk                (clk),
    .beat_clk           (clk),
    .rst                (rst),
    .group_address      (group_address),
    .group_port         (group_port),
    .verified           (verified),
    .prototype          (1'b0),
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
    .done               (judged),
    .done_reason        (judged_reason),
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
    .udp_lanes     (udp_lanes),
    .udp_length    (udp_length),
    .ip_sum_good   (ip_sum_good),
    .udp_sum_good  (udp_sum_good)
  );

  // Reasons wait for the parser's END, or it for them: both come in the order of the frames.
  reg  [7:0] reasons [0:7];
  reg  [2:0] reason_written;
  reg  [2:0] reason_read;
  reg  [3:0] reasons_there;
  wire [7:0] reason_here = reasons[reason_read];

  always @(posedge clk)
    if (rst) begin
      reason_written <= 3'd0;
      reason_read    <= 3'd0;
      reasons_there  <= 4'd0;
    end else begin
      if (judged) begin
        reasons[reason_written] <= judged_reason;
        reason_written          <= reason_written + 3'd1;
      end
      reason_read   <= reason_read + {2'd0, end_taken};
      reasons_there <= reasons_there + {3'd0, judged} - {3'd0, end_taken};
    end

  // ---- what the parser gives, one thing a clock

  wire taken          = m_valid && m_ready;
  wire packet_taken   = taken && m_kind == `TL_OWN_PACKET;
  wire message_taken  = taken && m_kind == `TL_OWN_MESSAGE;
  assign end_taken    = taken && m_kind == `TL_OWN_END;

  wire         walks;
  wire         message_done;
  wire         continued;
  wire         stall;

  // A message with a continuation line takes two clocks behind here.
  assign m_ready = !stall && !walks && !(message_done && continued) && (m_kind != `TL_OWN_END || reasons_there != 4'd0);

  reg          packet_here;
  reg  [79:0]  session;
  reg  [63:0]  sequence_number;           // of the packet, and then of the message
  reg  [15:0]  count;
  reg          decoded;
  reg  [479:0] fields;
  reg  [447:0] fields_more;
  reg          end_here;
  reg          truncated;
  reg          extra_data;
  reg  [7:0]   reason;

  always @(posedge clk) begin
    packet_here <= packet_taken && !rst;
    end_here    <= end_taken && !rst;
    if (packet_taken) begin
      session <= m_session;
      count   <= m_count;
    end
    if (packet_taken || message_taken)
      sequence_number <= m_sequence;
    if (message_taken) begin
      decoded     <= m_decoded;
      fields      <= m_fields;
      fields_more <= m_continuation;
    end
    if (end_taken) begin
      truncated  <= m_truncated;
      extra_data <= m_extra_data;
      // A frame that the queue lost is not the parser's to judge. One that the parser alone drops has no reason of its own.
      reason     <= reason_here == `TL_DROP_REASON_OVERFLOW ? reason_here
                    : !m_drop                               ? `TL_DROP_REASON_ACCEPT
                    : reason_here == `TL_DROP_REASON_ACCEPT ? `TL_DROP_REASON_SHORT_MOLD_HEADER : reason_here;
    end
  end

  wire [63:0] frame_start;                // {others, time} of the frame that comes out
  wire [63:0] unused_latest;

  frame_times u_frame_times (
    .clk    (clk),
    .rst    (rst),
    .begins (beat_fresh && beat_first),
    .start  (beat_data),
    .done   (end_here),
    .latest (unused_latest),
    .oldest (frame_start)
  );

  // ---- messages

  wire         line_ready;
  wire [7:0]   lines;
  wire [6:0]   last_word;
  wire [639:0] words;
  wire [15:0]  length;
  wire [7:0]   message_type;
  wire         known;
  wire         long_enough;
  wire         exact;
  wire         type_continued;

  message_words u_message_words (
    .clk          (clk),
    .rst          (rst),
    .taken        (message_taken),
    .data         (m_data),
    .bytes        (m_bytes),
    .last         (m_last),
    .ends         (end_taken),
    .known        (known),
    .walks        (walks),
    .done         (message_done),
    .line_ready   (line_ready),
    .lines        (lines),
    .last_word    (last_word),
    .words        (words),
    .length       (length),
    .message_type (message_type)
  );

  itch_length u_itch_length (
    .message_type (message_type),
    .length       (length),
    .known        (known),
    .long_enough  (long_enough),
    .exact        (exact),
    .continued    (type_continued)
  );

  localparam [31:0] RAW_FIRST_BYTES = `TL_RAW_FIRST_BYTES;
  localparam        CONTINUATIONS   = 8 * `TL_RX_RECORD_CONTINUATIONS;
  localparam        PREFIX          = 8 * `TL_RX_RECORD_STOCK_LOCATE;  // and time of day, tracking number
  localparam        PREFIX_END      = 8 * `TL_RX_RECORD_LENGTH;

  wire         beyond_first = length > RAW_FIRST_BYTES[15:0];
  wire [479:0] decoded_record;
  wire [479:0] decoded_continuation;

  itch_decode #(
    .LINE_B (LINE_B)
  ) u_itch_decode (
    .valid           (message_done),
    .words           (words),
    .last_word       (last_word),
    .lines           (lines),
    .length          (length),
    .message_type    (message_type),
    .first_bytes     (beyond_first ? RAW_FIRST_BYTES[4:0] : length[4:0]),
    .raw_tail        (beyond_first),
    .decoded         (decoded || long_enough),
    .exact           (exact),
    .sequence_number (sequence_number),
    .frame_time      (frame_start[47:0]),
    .record          (decoded_record),
    .continuation    (decoded_continuation)
  );

  // Fields that the parser decoded itself stand in the record as it gave them.
  wire [479:0] own_record = {fields[479:CONTINUATIONS], decoded_record[CONTINUATIONS-1:PREFIX_END],
                             fields[PREFIX_END-1:PREFIX], decoded_record[PREFIX-1:0]};

  assign continued     = decoded ? fields[CONTINUATIONS +: 8] != 8'd0 : long_enough ? type_continued : beyond_first;
  assign decoded_valid = message_done;

  // ---- entries

  wire [`TL_HEADER_BITS-1:0] header;
  wire [`TL_END_BITS-1:0]    frame_end;
  wire                       frame_good = reason == `TL_DROP_REASON_ACCEPT;

  assign header[`TL_HEADER_SESSION  +: 80] = session;
  assign header[`TL_HEADER_SEQUENCE +: 64] = sequence_number;
  assign header[`TL_HEADER_COUNT    +: 16] = count;
  assign header[`TL_HEADER_KIND     +: 8]  = count == 16'h0000   ? `TL_FRAME_KIND_HEARTBEAT
                                             : count == 16'hFFFF ? `TL_FRAME_KIND_END_OF_SESSION : `TL_FRAME_KIND_DATA;
  assign header[`TL_HEADER_UNNUMBERED]     = 1'b0;
  assign header[`TL_HEADER_OTHERS   +: 16] = frame_start[63:48];
  assign header[`TL_HEADER_TIME     +: 48] = frame_start[47:0];

  assign frame_end[`TL_END_REASON +: 8]  = reason;
  assign frame_end[`TL_END_TRUNCATED]    = frame_good && truncated;
  assign frame_end[`TL_END_EXTRA_DATA]   = frame_good && extra_data;
  assign frame_end[`TL_END_OTHERS +: 16] = frame_start[63:48];
  assign frame_end[`TL_END_TIME   +: 48] = frame_start[47:0];
  assign frame_end[`TL_END_HEADER_SEEN]  = 1'b0;               // line_queue knows
  assign frame_end[`TL_END_OVERFLOW]     = reason == `TL_DROP_REASON_OVERFLOW;

  wire         entry_valid;
  wire         entry_header;
  wire         entry_void;
  wire         entry_end;
  wire [1:0]   entry_kind;
  wire [479:0] entry_data;
  wire         output_idle;

  line_output u_line_output (
    .clk               (clk),
    .rst               (rst),
    .header_valid      (packet_here),
    .header            (header),
    .void_valid        (1'b0),
    .continuation_only (line_ready),
    .words             (words[639:192]),
    .message_valid     (message_done),
    .message_continued (continued),
    .record            (decoded ? own_record : decoded_record),
    .continuation      (decoded ? {32'd0, fields_more} : decoded_continuation),
    .prototype_valid   (1'b0),
    .prototype_record  (480'd0),
    .end_valid         (end_here),
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
    .clk          (clk),
    .rst          (rst),
    .verified     (verified),
    .entry_valid  (entry_valid),
    .entry_header (entry_header),
    .entry_void   (entry_void),
    .dropped      (1'b0),
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

  assign overflow = beat_overflow || entry_overflow;
  assign idle     = queue_idle && header_idle && frames == 4'd0 && !end_here && output_idle && entries_idle;

  wire unused = &{1'b0, prototype, payload_begins, payload_at_lane_6, dropped, load_data[63:52], load_data[31:20],
                  previous_data[47:8], unused_latest, fields[CONTINUATIONS-1:PREFIX_END], fields[PREFIX-1:0]};

endmodule
`default_nettype wire
