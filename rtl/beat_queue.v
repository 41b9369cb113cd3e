// SPDX-License-Identifier: MIT
// Elastic queue between the receive port, which cannot wait, and the parser, which now and then needs a beat for more
// than one clock. While the queue is empty a beat goes straight into the parser's register: one clock, no other cost.
//
// When a beat finds the queue full its frame is lost: what was queued of it is closed by a `lost` beat, and frames that
// arrive before that beat found room are lost as well, each with a `lost` beat of its own. None goes unreported.
//
// The first beat of an Ethernet frame holds MAC addresses only, at which the receiver does not look: the queue carries
// the frame's start in its place, {others, time}. tkeep counts only with tlast, and is then contiguous from lane 0 and
// not 0.
`default_nettype none

module beat_queue #(
  parameter DEPTH_LOG2 = 13
) (
  input  wire        clk,
  input  wire        rst,
  input  wire        enable,              // frames that start while it is 0 are ignored
  input  wire [47:0] time_ns,
  input  wire [15:0] others_started,      // frames that the other line has started, modulo 2^16

  // receive port
  input  wire [63:0] s_axis_tdata,
  input  wire [7:0]  s_axis_tkeep,
  input  wire        s_axis_tvalid,
  input  wire        s_axis_tlast,
  input  wire        s_axis_tuser,
  output wire        starts,              // a frame is taken: it will be reported

  // the beat that enters the parser's register at the end of this clock
  output wire        load,
  output wire        load_first,
  output wire [7:0]  load_lanes,
  output wire [63:0] load_data,

  // the parser's register
  input  wire        stall,               // no further beat, what follows has no room
  input  wire        hold,                // the beat is needed for another clock
  output reg         beat_valid,
  output reg         beat_fresh,          // its first clock
  output reg         beat_first,
  output reg         beat_last,
  output reg         beat_bad_fcs,        // with beat_last
  output reg         beat_lost,           // with beat_last: the queue overflowed in this frame; no data
  output reg  [7:0]  beat_lanes,          // those that hold a byte; none with beat_lost
  output reg  [63:0] beat_data,
  output reg  [63:8] previous_data,       // the beat before; nobody asks for its first lane

  output reg         overflow,            // pulse: frames are being lost from here on
  output wire        idle
);

  localparam ENTRY_WIDTH = 76;

  // ---- receive port: which beats are taken, as queue entries

  reg  in_frame;
  reg  taking;
  wire first   = s_axis_tvalid && !in_frame;
  wire taken   = s_axis_tvalid && (in_frame ? taking : enable);
  wire ends    = taken && s_axis_tlast;

  always @(posedge clk) begin
    if (rst) begin
      in_frame <= 1'b0;
      taking   <= 1'b0;
    end else if (s_axis_tvalid) begin
      in_frame <= !s_axis_tlast;
      if (first)
        taking <= enable;
    end
  end

  assign starts = first && enable;

  wire [7:0]             port_lanes = s_axis_tlast ? s_axis_tkeep | 8'h01 : 8'hFF;
  wire [63:0]            port_data  = first ? {others_started, time_ns} : s_axis_tdata;
  wire [ENTRY_WIDTH-1:0] port_entry = {port_lanes, 1'b0, s_axis_tuser && s_axis_tlast, s_axis_tlast, first, port_data};

  // ---- lost frames

  reg         losing;                     // from the beat that found no room until every lost frame has its `lost` beat
  reg         lost_open;                  // a lost frame's end has not arrived yet
  reg         lost_partial;               // beats of the first lost frame stand in the queue
  reg  [15:0] lost_owed;                  // lost frames that have ended, their `lost` beat not queued yet
  reg         owing;                      // there are some
  reg  [15:0] lost_others;                // others_started when the first of them was lost

  reg         full;
  wire        lose        = !losing && taken && full;
  wire        lost_ends   = ends && (losing || lose);
  wire        lost_beat   = losing && (owing || ends) && !full;
  wire        owing_next  = lost_ends == lost_beat ? owing : lost_ends || lost_owed != 16'd1;
  wire        open_next   = taken ? (losing || lose) && !s_axis_tlast : lost_open;

  always @(posedge clk) begin
    if (rst) begin
      losing       <= 1'b0;
      lost_open    <= 1'b0;
      lost_partial <= 1'b0;
      lost_owed    <= 16'd0;
      owing        <= 1'b0;
      overflow     <= 1'b0;
    end else begin
      overflow  <= lose;
      losing    <= (losing || lose) && (owing_next || open_next);
      owing     <= owing_next;
      if (lost_ends && !lost_beat)
        lost_owed <= lost_owed + 16'd1;
      else if (lost_beat && !lost_ends)
        lost_owed <= lost_owed - 16'd1;
      lost_open <= open_next;
      if (lose)
        lost_partial <= !first;
      else if (lost_beat)
        lost_partial <= 1'b0;
    end
    if (lose)
      lost_others <= others_started;
  end

  // A lost frame has lost its first beat's content too, unless part of it stands in the queue. It gets the present time,
  // but no later count of the other line's frames than its own: two frames must never each wait for the other.
  wire [ENTRY_WIDTH-1:0] lost_entry = {8'd0, 1'b1, 1'b0, 1'b1, !lost_partial, lost_others, time_ns};

  // ---- queue

  wire                   entry_valid = losing ? lost_beat : taken && !full;
  wire [ENTRY_WIDTH-1:0] entry       = losing ? lost_entry : port_entry;

  reg  [ENTRY_WIDTH-1:0] memory [0:(1 << DEPTH_LOG2) - 1];
  reg  [ENTRY_WIDTH-1:0] memory_data;
  reg  [ENTRY_WIDTH-1:0] fresh_data;
  reg                    head_fresh;      // the head was pushed one clock ago: the memory does not show it yet
  reg  [DEPTH_LOG2:0]    write_pointer;   // one bit more than an address: a whole memory apart is full
  reg  [DEPTH_LOG2:0]    write_1;         // write_pointer + 1
  reg  [DEPTH_LOG2:0]    write_2;         // ... + 2
  reg  [DEPTH_LOG2:0]    read_pointer;
  reg  [DEPTH_LOG2:0]    read_after;      // read_pointer + 1
  reg                    empty;

  wire                   leaves    = !beat_valid || !hold;
  wire                   ready     = leaves && !stall;
  wire                   pop       = ready && !empty;
  wire                   push      = entry_valid && !(ready && empty);
  wire                   one_left  = write_pointer == read_after;
  wire [DEPTH_LOG2-1:0]  read_next = pop ? read_after[DEPTH_LOG2-1:0] : read_pointer[DEPTH_LOG2-1:0];
  wire [ENTRY_WIDTH-1:0] head      = head_fresh ? fresh_data : memory_data;

  wire [DEPTH_LOG2:0]    beyond    = {~read_pointer[DEPTH_LOG2], read_pointer[DEPTH_LOG2-1:0]};

  // A clock late: the last places but one are not used.
  always @(posedge clk)
    full <= !rst && (write_1 == beyond || write_2 == beyond);

  always @(posedge clk) begin
    if (push) begin
      memory[write_pointer[DEPTH_LOG2-1:0]] <= entry;
      fresh_data <= entry;
    end
    if (!empty)
      memory_data <= memory[read_next];
  end

  always @(posedge clk) begin
    if (rst) begin
      write_pointer <= {DEPTH_LOG2 + 1{1'b0}};
      write_1       <= {{DEPTH_LOG2{1'b0}}, 1'b1};
      write_2       <= {{DEPTH_LOG2 - 1{1'b0}}, 2'b10};
      read_pointer  <= {DEPTH_LOG2 + 1{1'b0}};
      read_after    <= {{DEPTH_LOG2{1'b0}}, 1'b1};
      empty         <= 1'b1;
      head_fresh    <= 1'b0;
    end else begin
      if (push) begin
        write_pointer <= write_1;
        write_1       <= write_2;
        write_2       <= write_2 + 1'b1;
      end
      if (pop) begin
        read_pointer <= read_after;
        read_after   <= read_after + 1'b1;
      end
      empty      <= !push && (empty || (pop && one_left));
      head_fresh <= push && (empty || (pop && one_left));
    end
  end

  // ---- the parser's register

  wire [ENTRY_WIDTH-1:0] load_entry = empty ? entry : head;

  assign load       = ready && (!empty || entry_valid);
  assign load_first = load_entry[64];
  assign load_lanes = load_entry[75:68];
  assign load_data  = load_entry[63:0];

  always @(posedge clk) begin
    if (rst) begin
      beat_valid <= 1'b0;
      beat_fresh <= 1'b0;
    end else begin
      beat_fresh <= load;
      if (leaves)
        beat_valid <= load;
    end
    if (load) begin
      previous_data <= beat_data[63:8];
      {beat_lanes, beat_lost, beat_bad_fcs, beat_last, beat_first, beat_data} <= load_entry;
    end
  end

  assign idle = !(in_frame && taking) && !beat_valid && empty && !owing;

endmodule
`default_nettype wire
