// SPDX-License-Identifier: MIT
// Arbitration of two lines in one session: each sequence number reaches the host at most once, in order, unless the
// frame that brought it turned out bad and was taken back; and a good frame has delivered exactly its messages that
// were due. Sequence numbers lie within 32 of 0, so that their wrap at 2^64 is among what is tried.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module arbitration_proof (
  input wire         clk,
  input wire         rst,
  input wire [31:0]  hold,
  input wire         a_level_high,
  input wire         b_level_high,
  input wire [7:0]   a_choice,
  input wire [7:0]   b_choice,
  input wire [63:0]  a_sequence,
  input wire [63:0]  b_sequence,
  input wire [1:0]   a_count,
  input wire [1:0]   b_count
);

  wire         a_starts;
  wire [15:0]  a_others_started;
  wire         a_valid;
  wire [1:0]   a_kind;
  wire [479:0] a_data;
  wire         a_ready;
  wire         a_owes;
  wire         a_ended;
  wire         a_ended_headed;
  wire         a_ended_good;
  wire [63:0]  a_ended_sequence;
  wire [1:0]   a_ended_messages;
  wire         b_starts;
  wire [15:0]  b_others_started;
  wire         b_valid;
  wire [1:0]   b_kind;
  wire [479:0] b_data;
  wire         b_ready;
  wire         b_owes;
  wire         b_ended;
  wire         b_ended_headed;
  wire         b_ended_good;
  wire [63:0]  b_ended_sequence;
  wire [1:0]   b_ended_messages;
  wire         line_valid;
  wire         line_first;
  wire         line_event;
  wire [479:0] line_data;
  wire         line_abort;
  wire [15:0]  next_locate;
  wire         report_valid;
  wire         report_line;
  wire [7:0]   report_reason;
  wire [7:0]   report_kind;
  wire [7:0]   report_flags;
  wire [63:0]  report_gap_from;
  wire [79:0]  report_session;
  wire [63:0]  report_sequence;
  wire [15:0]  report_count;
  wire [47:0]  report_timestamp;
  wire         report_owner;
  wire         report_gap;
  wire [15:0]  report_duplicates;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         idle;
  wire         next_general;
  reg  [47:0]  time_ns = 48'd0;

  always @(posedge clk)
    time_ns <= time_ns + 48'd6;

  entry_line u_line_a (
    .clk             (clk),
    .rst             (rst),
    .start           (a_choice[0]),
    .present         (a_choice[1]),
    .body            (a_choice[2]),
    .continued       (a_choice[3]),
    .headed          (a_choice[4]),
    .sequence_number (a_sequence),
    .count           (a_count),
    .ends_session    (a_choice[5]),
    .bad             (a_choice[6]),
    .locate          (16'd0),
    .others_started  (a_others_started),
    .time_ns         (time_ns),
    .starts          (a_starts),
    .valid           (a_valid),
    .kind            (a_kind),
    .data            (a_data),
    .ready           (a_ready),
    .owes            (a_owes),
    .reported        (report_valid && !report_line),
    .ended           (a_ended),
    .ended_headed    (a_ended_headed),
    .ended_good      (a_ended_good),
    .ended_sequence  (a_ended_sequence),
    .ended_messages  (a_ended_messages)
  );

  entry_line u_line_b (
    .clk             (clk),
    .rst             (rst),
    .start           (b_choice[0]),
    .present         (b_choice[1]),
    .body            (b_choice[2]),
    .continued       (b_choice[3]),
    .headed          (b_choice[4]),
    .sequence_number (b_sequence),
    .count           (b_count),
    .ends_session    (b_choice[5]),
    .bad             (b_choice[6]),
    .locate          (16'd0),
    .others_started  (b_others_started),
    .time_ns         (time_ns),
    .starts          (b_starts),
    .valid           (b_valid),
    .kind            (b_kind),
    .data            (b_data),
    .ready           (b_ready),
    .owes            (b_owes),
    .reported        (report_valid && report_line),
    .ended           (b_ended),
    .ended_headed    (b_ended_headed),
    .ended_good      (b_ended_good),
    .ended_sequence  (b_ended_sequence),
    .ended_messages  (b_ended_messages)
  );

  arbiter u_arbiter (
    .clk                 (clk),
    .rst                 (rst),
    .time_ns             (time_ns),
    .hold                (hold),
    .event_enable        (3'd0),
    .a_starts            (a_starts),
    .a_others_started    (a_others_started),
    .a_valid             (a_valid),
    .a_kind              (a_kind),
    .a_data              (a_data),
    .a_ready             (a_ready),
    .a_level_high        (a_level_high),
    .b_starts            (b_starts),
    .b_others_started    (b_others_started),
    .b_valid             (b_valid),
    .b_kind              (b_kind),
    .b_data              (b_data),
    .b_ready             (b_ready),
    .b_level_high        (b_level_high),
    .line_valid          (line_valid),
    .line_first          (line_first),
    .line_event          (line_event),
    .line_data           (line_data),
    .line_abort          (line_abort),
    .next_locate         (next_locate),
    .next_general        (next_general),
    .delivered           (16'd0),
    .any_delivered       (1'b0),
    .report_valid        (report_valid),
    .report_line         (report_line),
    .report_reason       (report_reason),
    .report_kind         (report_kind),
    .report_flags        (report_flags),
    .report_gap_from     (report_gap_from),
    .report_session      (report_session),
    .report_sequence     (report_sequence),
    .report_count        (report_count),
    .report_timestamp    (report_timestamp),
    .report_owner        (report_owner),
    .report_gap          (report_gap),
    .report_duplicates   (report_duplicates),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .idle                (idle)
  );

  // ---- The stream as the host sees it: after the messages so far, and after the last good frame. Numbers are so near
  // to 0 that 8 bits tell them apart.

  localparam SEQUENCE = 8 * `TL_RX_RECORD_SEQUENCE;

  reg         started = 1'b0;
  reg         next_valid;
  reg  [7:0]  next;
  reg         good_valid;
  reg  [7:0]  good;
  reg  [2:0]  delivered;                  // since the owner before
  reg         checks;                     // next_expected shows the last report's effect

  wire        record    = line_valid && line_first && !line_event;
  wire [7:0]  number    = line_data[SEQUENCE +: 8];
  wire [7:0] distance  = number - next;
  wire        now_valid = next_valid || record;
  wire [7:0]  now       = record ? number + 8'd1 : next;
  wire [2:0]  count     = delivered + {2'd0, record};

  // The frame that is reported, and what it should have delivered.
  wire        ended     = report_line ? b_ended : a_ended;
  wire        is_good   = report_line ? b_ended_good : a_ended_good;
  wire        is_headed = report_line ? b_ended_headed : a_ended_headed;
  wire [7:0]  first     = report_line ? b_ended_sequence[7:0] : a_ended_sequence[7:0];
  wire [7:0]  messages  = {6'd0, report_line ? b_ended_messages : a_ended_messages};
  wire [7:0]  behind    = good - first;
  wire        is_behind = good_valid && !behind[7] && behind != 8'd0;
  wire [7:0]  due       = !is_behind ? messages : behind >= messages ? 8'd0 : messages - behind;
  wire [7:0]  after     = !is_behind ? first + messages : good + due;

  always @(posedge clk) begin
    started <= 1'b1;
    checks  <= report_valid && is_good && !rst;
    if (rst) begin
      next_valid <= 1'b0;
      good_valid <= 1'b0;
      delivered  <= 3'd0;
    end else begin
      next_valid <= now_valid;
      next       <= now;
      delivered  <= count;
      if (report_valid && report_owner) begin
        delivered  <= 3'd0;
        next_valid <= is_good || good_valid;
        next       <= is_good ? after : good;
        if (is_good) begin
          good_valid <= 1'b1;
          good       <= after;
        end
      end
    end

    assume (rst == !started);
    assume (a_sequence[63:5] == {59{a_sequence[5]}} && b_sequence[63:5] == {59{b_sequence[5]}});
    assume (hold == 32'd0);
    if (started) begin
      if (record && next_valid)
        assert (!distance[7]);                             // never twice, never back
      if (report_valid) begin
        assert (ended);
        assert ((report_reason == `TL_DROP_REASON_ACCEPT) == is_good);
        if (is_good && report_owner)
          assert (count == due[2:0] && (due == 8'd0 || now == after));
        if (is_good && !report_owner)
          assert (is_behind && due == 8'd0 && is_headed);  // passed beside an owner: nothing of it was due
      end
      if (checks)
        assert (next_expected_valid && next_expected == {{56{good[7]}}, good});
    end
  end

endmodule
`default_nettype wire
