// SPDX-License-Identifier: MIT
// Exception path of one receive port: keeps a copy of each frame that is addressed to this host (its MAC address or
// broadcast) until the receive side has said what it is. A frame that is not the market-data group's, as its headers
// say, is offered to the raw ring; every other one is forgotten.
//
// It observes the port as the receive side does: every frame that starts while `receiving` gets exactly one verdict,
// in order. Verdicts are matched by number, so frames that are not kept cost nothing here. A frame that finds no room
// is dropped and counted; one with a bad FCS or longer than MAX_FRAME_BYTES is no frame.
`include "layout.vh"
`default_nettype none

module raw_frame #(
  parameter STORE_LOG2 = 11           // log2 of the beats of 8 bytes kept: at least one frame of MAX_FRAME_BYTES
) (
  input  wire        clk,
  input  wire        rst,
  input  wire        receiving,       // the receive side takes frames that start now
  input  wire        enable,          // 0: nothing is kept
  input  wire [47:0] mac,             // of this host, first octet in the highest bits

  // Receive port, observed
  input  wire [63:0] s_axis_tdata,
  input  wire [7:0]  s_axis_tkeep,
  input  wire        s_axis_tvalid,
  input  wire        s_axis_tlast,
  input  wire        s_axis_tuser,    // with tlast: FCS was bad

  // What became of each frame, in order
  input  wire        verdict_valid,
  input  wire [7:0]  verdict_reason,
  input  wire [47:0] verdict_time,    // NIC time of the first byte

  // To the raw ring: the oldest frame, its beats one by one
  output reg         frame_valid,
  output wire [15:0] frame_length,
  output wire [7:0]  frame_lines,     // continuation lines it takes
  output wire [7:0]  frame_reason,
  output wire [47:0] frame_time,
  output reg  [63:0] frame_beat,      // bytes behind the end are 0
  input  wire        frame_next,      // the next beat
  input  wire        frame_release,   // done with this frame

  output reg         event_dropped,   // a frame found no room
  output wire        idle
);

  localparam [31:0] MAX_FRAME_BYTES = `TL_MAX_FRAME_BYTES;
  localparam [2:0]  LINE_BEATS      = 3'd7;     // `TL_CONTINUATION_BYTES / 8
  localparam [STORE_LOG2:0] FULL    = (1 << STORE_LOG2) - 2;

  // ---- Clock: stands still between frames, and in one that is not kept between its first beat and its last

  wire frame_clk;
  wire beat_matters = !in_frame || keeping || s_axis_tlast;

  clock_gate u_clock_gate (
    .clk    (clk),
    .enable (rst || (s_axis_tvalid && beat_matters) || verdict_valid || !idle),
    .gated  (frame_clk)
  );

  // ---- Receive port: a beat, and whether its frame is addressed to this host

  reg         in_frame;
  reg         beat_valid;
  reg         beat_first;
  reg         beat_last;
  reg         beat_bad_fcs;           // with beat_last
  reg         beat_ours;              // with beat_first: keep the frame
  reg         beat_counts;            // with beat_first: there will be a verdict
  reg  [63:0] beat_data;              // lanes behind the end are 0
  reg  [3:0]  beat_bytes;

  wire        port_first  = s_axis_tvalid && !in_frame;
  wire [47:0] destination = {s_axis_tdata[7:0], s_axis_tdata[15:8], s_axis_tdata[23:16],
                             s_axis_tdata[31:24], s_axis_tdata[39:32], s_axis_tdata[47:40]};
  reg  [3:0]  port_bytes;
  reg  [63:0] port_mask;
  integer     i;

  always @* begin
    port_bytes = 4'd8;
    port_mask  = ~64'd0;
    if (s_axis_tlast) begin
      port_bytes = 4'd0;
      for (i = 0; i < 8; i = i + 1) begin
        port_bytes = port_bytes + {3'd0, s_axis_tkeep[i]};
        port_mask[8 * i +: 8] = {8{s_axis_tkeep[i]}};
      end
    end
  end

  always @(posedge frame_clk) begin
    if (rst)
      in_frame <= 1'b0;
    else if (s_axis_tvalid)
      in_frame <= !s_axis_tlast;
    beat_valid <= s_axis_tvalid && !rst;
    if (s_axis_tvalid) begin
      beat_first   <= port_first;
      beat_last    <= s_axis_tlast;
      beat_bad_fcs <= s_axis_tuser;
      beat_ours    <= receiving && enable && (destination == mac || destination == 48'hFFFF_FFFF_FFFF);
      beat_counts  <= port_first && receiving;
      beat_data    <= s_axis_tdata & port_mask;
      beat_bytes   <= port_bytes;
    end
  end

  // ---- Store

  reg         keeping;                // the frame is kept
  reg         lost;                   // it found no room
  reg         overlong;               // a further beat is one too many
  reg  [15:0] number;                 // of frames started, modulo 2^16
  reg  [15:0] frame_number;           // of this one
  reg  [11:0] beats;                  // of it so far
  reg  [2:0]  line_beats;             // beats in its last line, 1 to 7
  reg  [7:0]  lines;
  reg  [STORE_LOG2:0] write_pointer;  // one bit more than an address: a whole store apart is full
  reg  [STORE_LOG2:0] frame_pointer;  // where the frame begins
  reg  [STORE_LOG2:0] read_pointer;
  reg         frames_full;

  wire        keep     = (beat_first ? beat_ours : keeping) && enable;
  wire [STORE_LOG2:0] stored = write_pointer - read_pointer;
  reg         full;                   // but for the beats of this clock and the one before
  wire        loses    = full || (!beat_first && lost);
  wire        too_long = !beat_first && overlong;
  wire        ends     = beat_valid && beat_last && keep;
  wire        no_frame = beat_bad_fcs || too_long;
  wire        kept     = ends && !loses && !no_frame && !frames_full;

  wire [11:0] beats_before    = beat_first ? 12'd0 : beats;
  wire [2:0]  line_beats_next = beat_first || line_beats == LINE_BEATS ? 3'd1 : line_beats + 3'd1;
  wire [7:0]  lines_next      = beat_first ? 8'd1 : line_beats == LINE_BEATS ? lines + 8'd1 : lines;
  wire [STORE_LOG2:0] write_next = write_pointer + 1'b1;

  reg  [63:0] store [0:(1 << STORE_LOG2) - 1];
  wire [STORE_LOG2:0] read_next;      // where the read pointer stands in the next clock

  always @(posedge frame_clk) begin
    if (beat_valid && !full)
      store[write_pointer[STORE_LOG2-1:0]] <= beat_data;
    frame_beat <= store[read_next[STORE_LOG2-1:0]];
    full       <= stored >= FULL && enable;
  end

  always @(posedge frame_clk) begin
    if (rst) begin
      keeping       <= 1'b0;
      number        <= 16'd0;
      event_dropped <= 1'b0;
    end else begin
      event_dropped <= ends && !no_frame && (loses || frames_full);
      keeping       <= beat_valid ? keep : keeping && enable;
      if (beat_valid && beat_counts)
        number <= number + 16'd1;
    end
    if (beat_valid) begin
      lost       <= loses;
      overlong   <= beats_before >= MAX_FRAME_BYTES[14:3] - 12'd1;
      beats      <= too_long ? beats : beats_before + 12'd1;
      line_beats <= line_beats_next;
      lines      <= lines_next;
      if (beat_first)
        frame_number <= number;
    end
    if (rst || !enable) begin
      write_pointer <= {STORE_LOG2 + 1{1'b0}};
      frame_pointer <= {STORE_LOG2 + 1{1'b0}};
    end else begin
      if (kept)
        frame_pointer <= write_next;
      if (ends && !kept)
        write_pointer <= frame_pointer;
      else if (beat_valid && keep && !loses && !too_long)
        write_pointer <= write_next;
    end
  end

  // ---- Frames kept, 14 to 16: from judge to push without verdict, from pop to judge with one

  reg         push;
  reg  [15:0] push_number;
  reg  [15:0] push_length;
  reg  [7:0]  push_lines;
  reg  [STORE_LOG2:0] push_end;
  reg  [4:0]  push_pointer;
  reg  [4:0]  judge_pointer;
  reg  [4:0]  judged_pointer;         // verdicts up to here are noted
  reg  [4:0]  pop_pointer;
  reg  [15:0] kept_number [0:15];
  reg  [15:0] kept_length [0:15];
  reg  [7:0]  kept_lines  [0:15];
  reg  [STORE_LOG2:0] kept_end [0:15];
  reg         kept_raw    [0:15];
  reg  [7:0]  kept_reason [0:15];
  reg  [47:0] kept_time   [0:15];
  reg  [15:0] verdict_number;

  // A verdict waits 2 clocks, so it never overtakes the end of its frame; it is noted in the clock after it is matched.
  reg  [1:0]  verdict_waits;
  reg  [7:0]  reason_1, reason_2, reason_3;
  reg  [47:0] time_1, time_2, time_3;
  reg         note;
  reg  [3:0]  note_index;

  wire        judges = verdict_waits[1] && judge_pointer != push_pointer
                       && kept_number[judge_pointer[3:0]] == verdict_number;
  wire        is_raw = reason_3 >= `TL_DROP_REASON_VLAN_DEPTH && reason_3 <= `TL_DROP_REASON_OTHER_PORT;
  wire        judged = pop_pointer != judged_pointer;
  wire        skips  = judged && !kept_raw[pop_pointer[3:0]];
  wire        pops   = skips || frame_release;
  wire [4:0]  frames = push_pointer - pop_pointer;

  assign read_next = pops ? kept_end[pop_pointer[3:0]] : read_pointer + {{STORE_LOG2{1'b0}}, frame_next};

  always @(posedge frame_clk) begin
    // One frame may be on its way, and one more be noticed a clock late.
    frames_full <= frames >= 5'd14;
    push        <= kept && !rst && enable;
    if (ends) begin
      push_number <= beat_first ? number : frame_number;
      push_length <= {1'b0, beats_before, 3'd0} + {12'd0, beat_bytes};
      push_lines  <= lines_next;
      push_end    <= write_next;
    end
    if (rst || !enable) begin
      read_pointer   <= {STORE_LOG2 + 1{1'b0}};
      push_pointer   <= 5'd0;
      judge_pointer  <= 5'd0;
      judged_pointer <= 5'd0;
      pop_pointer    <= 5'd0;
    end else begin
      read_pointer   <= read_next;
      judged_pointer <= judge_pointer;
      if (push)
        push_pointer <= push_pointer + 5'd1;
      if (judges)
        judge_pointer <= judge_pointer + 5'd1;
      if (pops)
        pop_pointer <= pop_pointer + 5'd1;
    end
    if (rst)
      verdict_number <= 16'd0;
    else if (verdict_waits[1])
      verdict_number <= verdict_number + 16'd1;
    verdict_waits <= rst ? 2'd0 : {verdict_waits[0], verdict_valid};
    note          <= judges;
    frame_valid   <= judged && kept_raw[pop_pointer[3:0]] && enable && !pops;
    note_index    <= judge_pointer[3:0];
    if (verdict_valid || verdict_waits != 2'd0) begin
      {reason_3, reason_2, reason_1} <= {reason_2, reason_1, verdict_reason};
      {time_3, time_2, time_1}       <= {time_2, time_1, verdict_time};
    end
    if (push) begin
      kept_number[push_pointer[3:0]] <= push_number;
      kept_length[push_pointer[3:0]] <= push_length;
      kept_lines[push_pointer[3:0]]  <= push_lines;
      kept_end[push_pointer[3:0]]    <= push_end;
    end
    if (note) begin
      kept_raw[note_index]    <= is_raw;
      kept_reason[note_index] <= reason_3;
      kept_time[note_index]   <= time_3;
    end
  end

  assign frame_length = kept_length[pop_pointer[3:0]];
  assign frame_lines  = kept_lines[pop_pointer[3:0]];
  assign frame_reason = kept_reason[pop_pointer[3:0]];
  assign frame_time   = kept_time[pop_pointer[3:0]];
  assign idle         = !judged && judged_pointer == judge_pointer && verdict_waits == 2'd0 && !event_dropped;

endmodule
`default_nettype wire
