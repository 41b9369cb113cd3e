// SPDX-License-Identifier: MIT
// Queue of a receive line's entries between the parser, which cannot wait, and the arbiter, which may let a frame wait
// for the other line. While it is empty an entry goes straight into the output register: no clock is spent in it.
//
// Verified delivery: a frame's entries wait uncommitted until its END. A good END makes them visible, all at once; a bad
// one takes them back and stands alone. A frame that finds no more than RESERVE places free loses its further entries,
// and its END says overflow.
//
// One clock after a HEADER `dropped` says whether the headers drop its frame after all. So it is not seen before: it waits
// uncommitted for that clock, or if it went into the output register at once, it disappears from there. The void HEADER
// that then comes takes the place of what was queued, in either delivery.
// The reserve is for ENDs; `stall` stops the beats before it is used up. So a frame can only
// wait for room behind committed entries, never behind its own.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module line_queue #(
  parameter DEPTH_LOG2 = 13               // 7 at least, for the reserve
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         verified,           // looked at with a frame's HEADER

  input  wire         entry_valid,
  input  wire         entry_header,
  input  wire         entry_void,         // a void HEADER instead
  input  wire         dropped,            // the newest HEADER's frame is, by its headers
  input  wire         entry_end,
  input  wire         end_good,           // with entry_end: the frame's verdict
  input  wire [1:0]   entry_kind,
  input  wire [479:0] entry_data,
  output reg          stall,              // send no more than what is under way

  output wire         x_valid,
  output reg  [1:0]   x_kind,
  output reg  [479:0] x_data,
  input  wire         x_ready,
  output reg          x_level_high,       // little room: what waits must go on

  output reg          overflow,           // pulse: a frame begins to lose entries
  output wire         idle
);

  localparam WIDTH = 482;

  localparam [DEPTH_LOG2:0] DEPTH   = {1'b1, {DEPTH_LOG2{1'b0}}};
  localparam [DEPTH_LOG2:0] MARGIN  = 24;               // more than the entries under way when `stall` rises
  localparam [DEPTH_LOG2:0] RESERVE = MARGIN + MARGIN;
  localparam [DEPTH_LOG2:0] HIGH    = DEPTH / 8 * 3;    // by default, a jumbo frame of the shortest blocks fits

  // ---- the frame in hand

  reg  header_seen;                       // its HEADER was taken
  reg  held;                              // its entries are uncommitted
  reg  losing;                            // its further entries are discarded
  reg  tentative;                         // its HEADER was queued one clock ago, to be committed unless it is void
  reg  full;

  wire voids       = entry_void && !full;
  wire holds       = entry_header ? verified : held && !voids;
  wire discard     = entry_valid && !entry_end && (full || (losing && !entry_void));
  wire take        = entry_valid && !discard;
  wire confirm     = tentative && !dropped;
  wire rewind      = entry_valid && held && (voids || (entry_end && (!end_good || losing)));

  always @(posedge clk)
    if (rst) begin
      header_seen <= 1'b0;
      held        <= 1'b0;
      losing      <= 1'b0;
      overflow    <= 1'b0;
    end else begin
      overflow <= discard && !losing && !entry_void;
      if (entry_valid) begin
        header_seen <= !entry_end && !entry_void && (header_seen || !discard);
        held        <= !entry_end && holds;
        losing      <= !entry_end && !entry_void && (losing || full);
      end else if (tentative && dropped)
        held        <= 1'b1;
    end

  // An END tells what became of its frame here as well. Cut-through: what the headers had against it stands.
  reg  [`TL_END_BITS-1:0] end_data;
  wire [479:0]            data = {entry_data[479:`TL_END_BITS], end_data};

  always @* begin
    end_data = entry_data[`TL_END_BITS-1:0];
    if (entry_end) begin
      end_data[`TL_END_HEADER_SEEN] = header_seen && !rewind;
      if (losing)
        end_data[`TL_END_OVERFLOW] = 1'b1;
      if (losing && (held || end_good)) begin
        end_data[`TL_END_REASON +: 8] = `TL_DROP_REASON_OVERFLOW;
        end_data[`TL_END_TRUNCATED]   = 1'b0;
        end_data[`TL_END_EXTRA_DATA]  = 1'b0;
      end
    end
  end

  // ---- memory

  reg  [WIDTH-1:0]      memory [0:(1 << DEPTH_LOG2) - 1];
  reg  [WIDTH-1:0]      memory_data;
  reg  [WIDTH-1:0]      fresh_data;
  reg                   head_fresh;       // the head was written one clock ago: memory_data does not show it yet
  reg  [DEPTH_LOG2:0]   write_pointer;    // one bit more than an address
  reg  [DEPTH_LOG2:0]   write_after;      // write_pointer + 1
  reg  [DEPTH_LOG2:0]   commit_pointer;   // of the first uncommitted entry
  reg  [DEPTH_LOG2:0]   commit_after;
  reg  [DEPTH_LOG2:0]   read_pointer;
  reg  [DEPTH_LOG2:0]   read_after;       // read_pointer + 1
  reg                   nothing;          // write_pointer == read_pointer
  reg                   empty;            // commit_pointer == read_pointer

  reg                   present;          // an entry is in the output register
  wire                  free      = !present || x_ready;
  wire                  pop       = free && !empty;
  wire                  bypass    = take && free && nothing && !holds;
  wire                  push      = take && !(free && nothing && !holds);
  wire                  commits   = push && (entry_end || !(holds || entry_header));
  wire [DEPTH_LOG2-1:0] write_at  = rewind ? commit_pointer[DEPTH_LOG2-1:0] : write_pointer[DEPTH_LOG2-1:0];
  wire [DEPTH_LOG2:0]   written   = rewind ? commit_after : write_after;
  wire [DEPTH_LOG2-1:0] read_next = pop ? read_after[DEPTH_LOG2-1:0] : read_pointer[DEPTH_LOG2-1:0];
  wire                  last      = write_pointer == read_after;       // a pop leaves nothing
  wire                  last_seen = commit_pointer == read_after;      // ... nothing that is committed

  always @(posedge clk) begin
    if (push) begin
      memory[write_at] <= {entry_kind, data};
      fresh_data <= {entry_kind, data};
    end
    if (!nothing)
      memory_data <= memory[read_next];
    head_fresh <= push && (rewind ? empty || (pop && last_seen) : nothing || (pop && last));
  end

  always @(posedge clk)
    if (rst) begin
      write_pointer  <= {DEPTH_LOG2 + 1{1'b0}};
      write_after    <= {{DEPTH_LOG2{1'b0}}, 1'b1};
      commit_after   <= {{DEPTH_LOG2{1'b0}}, 1'b1};
      commit_pointer <= {DEPTH_LOG2 + 1{1'b0}};
      read_pointer   <= {DEPTH_LOG2 + 1{1'b0}};
      read_after     <= {{DEPTH_LOG2{1'b0}}, 1'b1};
      tentative      <= 1'b0;
      nothing        <= 1'b1;
      empty          <= 1'b1;
    end else begin
      if (push) begin
        write_pointer <= written;
        write_after   <= written + 1'b1;
      end
      if (commits) begin
        commit_pointer <= written;
        commit_after   <= written + 1'b1;
      end else if (confirm) begin
        commit_pointer <= write_pointer;
        commit_after   <= write_after;
      end
      if (pop) begin
        read_pointer <= read_after;
        read_after   <= read_after + 1'b1;
      end
      tentative <= push && entry_header && !verified;
      nothing <= !push && (nothing || (pop && last));
      empty   <= !commits && !confirm && (empty || (pop && last_seen));
    end

  // The level as of some clocks ago decides, worked out in two halves; the margins allow for it.
  localparam LOW = DEPTH_LOG2 / 2;

  reg  [LOW:0]            level_low;      // with the borrow
  reg  [DEPTH_LOG2-LOW:0] write_high;
  reg  [DEPTH_LOG2-LOW:0] read_high;
  reg  [DEPTH_LOG2:0]     level;

  always @(posedge clk) begin
    level_low  <= {1'b0, write_pointer[LOW-1:0]} - {1'b0, read_pointer[LOW-1:0]};
    write_high <= write_pointer[DEPTH_LOG2:LOW];
    read_high  <= read_pointer[DEPTH_LOG2:LOW];
  end

  always @(posedge clk)
    if (rst) begin
      level        <= {DEPTH_LOG2 + 1{1'b0}};
      full         <= 1'b0;
      stall        <= 1'b0;
      x_level_high <= 1'b0;
    end else begin
      level        <= {write_high - read_high - {{DEPTH_LOG2 - LOW{1'b0}}, level_low[LOW]}, level_low[LOW-1:0]};
      full         <= level >= DEPTH - RESERVE;
      stall        <= level >= DEPTH - MARGIN;
      x_level_high <= level >= HIGH;
    end

  // ---- output register

  reg  fresh_header;                      // a HEADER that was not queued is there for the first clock

  wire disappears = fresh_header && dropped;

  assign x_valid = present && !disappears;

  always @(posedge clk) begin
    fresh_header <= bypass && entry_header && !rst;
    if (rst)
      present <= 1'b0;
    else if (free)
      present <= !empty || bypass;
    else if (disappears)
      present <= 1'b0;
    if (free && (!empty || entry_valid))
      {x_kind, x_data} <= !empty ? (head_fresh ? fresh_data : memory_data) : {entry_kind, data};
  end

  assign idle = nothing && !present && !x_level_high;

endmodule
`default_nettype wire
