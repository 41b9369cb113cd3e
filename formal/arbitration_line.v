// SPDX-License-Identifier: MIT
// One line of the arbitration's proof: what its queue may bring (assumed), and what is true of the frame at its front
// in every reachable state (asserted). Packets are numbered ones; their sequence numbers lie within 2^20 of 0 on both
// sides, so that "before" and "after" are clear where they pass 2^64.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module arbitration_line (
  input  wire         clk,
  input  wire         rst,
  input  wire         started,            // a reset has been
  input  wire [63:0]  watched,            // the number that is watched

  // an entry of the queue
  input  wire         x_valid,
  input  wire [1:0]   x_kind,
  input  wire [479:0] x_data,
  input  wire         x_ready,

  // inside: the skid
  input  wire         kept,
  input  wire         kept_line,
  input  wire         kept_record,
  input  wire         kept_end,
  input  wire [63:0]  kept_number,

  // inside: the frame at the front
  input  wire         waiting,
  input  wire         parked,
  input  wire         released,
  input  wire         owner,
  input  wire         draining,
  input  wire         none,
  input  wire         swallow,
  input  wire [79:0]  session,
  input  wire [63:0]  sequence_number,
  input  wire [15:0]  numbers,
  input  wire         unnumbered,
  input  wire         same_session,
  input  wire         ahead,
  input  wire         harmless,
  input  wire         old,
  input  wire [63:0]  behind,
  input  wire         owner_old,
  input  wire [15:0]  owner_left,
  input  wire         owner_all,
  input  wire [15:0]  others,
  input  wire         one,
  input  wire         two,
  input  wire         settled_last,
  input  wire [15:0]  settled,            // frames of this line
  input  wire [15:0]  others_settled,     // ... and of the other one
  input  wire         was_void,
  input  wire         overtaken,
  input  wire [31:0]  counter_low,
  input  wire [31:0]  counter_high,
  input  wire [31:0]  counter_high_next,

  // inside: what becomes of it
  input  wire         go,
  input  wire         drain,
  input  wire         release_hold,
  input  wire         delivers,
  input  wire         is_record,
  input  wire         is_end,
  input  wire         taken,
  input  wire         message,
  input  wire         emits,
  input  wire         ends,
  input  wire         commit,

  // the stream
  input  wire         stream_valid,
  input  wire [79:0]  stream_session,
  input  wire [63:0]  next_expected,
  input  wire         changed,
  input  wire [63:0]  own_next,

  // the watched number: delivered in this session and final, delivered by the owner
  input  wire         done,
  input  wire         pending,
  output wire         delivers_watched,

  // the frame at the front: frames of its line before it, frames of the other line that started before it
  output reg  [15:0]  place,
  output reg  [15:0]  after
);

  localparam [63:0] BASE  = 64'hFFFF_FFFF_FFF0_0000;
  localparam [63:0] RANGE = 64'h0000_0000_0020_0000;
  localparam [63:0] HALF  = 64'h8000_0000_0000_0000;

  // ---- Assumed: [HEADER] (LINE | RECORD)* END, with the numbers one after the other; after a void HEADER only the END

  reg         open;                       // a frame whose HEADER came, not its END
  reg         is_void;                      // ... but a void one
  reg  [15:0] came;                       // messages of it that came
  reg  [15:0] total;
  reg  [15:0] passed;                     // messages of it that were taken from the front
  reg  [15:0] ended;                      // frames whose END came

  wire        comes       = x_valid && x_ready;
  wire        header      = comes && x_kind == `TL_ENTRY_HEADER;
  wire        true_header = header && !x_data[`TL_HEADER_VOID];
  wire        is_data     = x_data[`TL_HEADER_KIND +: 8] == `TL_FRAME_KIND_DATA;
  wire [63:0] first       = x_data[`TL_HEADER_SEQUENCE +: 64];
  wire [63:0] at          = sequence_number + {48'd0, passed};     // of the next message at the front
  wire [63:0] number      = kept ? kept_number : x_data[63:0];

  always @(posedge clk) begin
    if (rst) begin
      open <= 1'b0;
      is_void <= 1'b0;
      ended <= 16'd0;
    end else if (comes) begin
      ended <= ended + {15'd0, x_kind == `TL_ENTRY_END};
      open <= true_header || (open && x_kind != `TL_ENTRY_END);
      is_void <= (header && x_data[`TL_HEADER_VOID]) || (is_void && x_kind != `TL_ENTRY_END);
    end
    if (true_header) begin
      came   <= 16'd0;
      total  <= is_data ? x_data[`TL_HEADER_COUNT +: 16] : 16'd0;
      passed <= 16'd0;
      place  <= ended;
      after  <= x_data[`TL_HEADER_OTHERS +: 16];
    end else begin
      if (comes && x_kind == `TL_ENTRY_RECORD)
        came <= came + 16'd1;
      if (is_record && taken)
        passed <= passed + 16'd1;
    end
  end

  always @* begin
    if (started && comes) begin
      if (x_kind == `TL_ENTRY_HEADER)
        assume (!open && !is_void && !x_data[`TL_HEADER_UNNUMBERED] && first - BASE < RANGE);
      if (x_kind == `TL_ENTRY_LINE || x_kind == `TL_ENTRY_RECORD)
        assume (open && came < total);
      if (x_kind == `TL_ENTRY_RECORD)
        assume (x_data[63:0] == sequence_number + {48'd0, came});
    end
  end

  // ---- Asserted

  wire        holds    = owner && !harmless;
  wire        joins    = same_session && !ahead;      // its numbers begin where they are known, or before
  wire [63:0] distance = next_expected - sequence_number;
  wire        some_old = distance > {48'd0, passed};
  wire        is_same  = stream_valid && session == stream_session;
  wire        is_ahead = distance > HALF;

  wire [15:0] earlier  = others - others_settled + {15'd0, settled_last};

  assign delivers_watched = emits && is_record && number == watched;

  always @* begin
    if (started) begin
      // The front is where the queue's frame is, a kept entry behind.
      assert ({2'd0, waiting} + {2'd0, parked} + {2'd0, released} + {2'd0, owner} + {2'd0, draining} + {2'd0, none}
              == 3'd1);
      assert (!(swallow && !none));
      assert (!open || !none || swallow);
      assert (none || open || (kept && kept_end));
      assert (!swallow || open || (kept && kept_end));
      assert (!kept || ({1'b0, kept_line} + {1'b0, kept_record} + {1'b0, kept_end} == 2'd1));
      assert (!(kept && (kept_line || kept_record)) || open);
      assert (!(kept && kept_end) || (!open && !is_void));
      assert (!is_void || (none && !swallow && !open));
      assert (ended + {15'd0, was_void} + {15'd0, swallow} == settled + {15'd0, kept && kept_end});
      assert (!(kept && swallow) && (!was_void || (none && !swallow)));
      assert (was_void == (is_void || (was_void && kept && kept_end)));
      assert (!(overtaken && waiting) && !(release_hold && (waiting || none)));
      if (!none) begin
        assert (place == settled && (released || owner || draining || others == after));
        assert (one == (!earlier[15] && earlier != 16'd0) && two == (!earlier[15] && earlier[15:1] != 15'd0));
        assert (numbers == total && !unnumbered && sequence_number - BASE < RANGE);
        assert (came <= total && passed <= came && came - passed == {15'd0, kept && kept_record});
        assert (!(kept && kept_record) || kept_number == at);
        assert ({counter_high, counter_low} == at + 64'd1);
        assert (counter_low != 32'hFFFF_FFFF || counter_high_next == counter_high + 32'd1);
      end
      assert (!(waiting || parked || released) || passed == 16'd0);
      assert (!message || taken);

      // What is said of the frame is true of the stream as it is.
      if (!none && !changed) begin
        assert (same_session == is_same && behind == distance);
        assert (ahead == (same_session && is_ahead));
        assert (!(waiting || parked || released) || old == (joins && some_old));
        assert (!harmless || (is_same && !is_ahead && distance >= {48'd0, numbers}));
      end
      if (holds) begin
        assert (!changed);
        assert (owner_old == (joins && some_old));
        assert (!owner_old || (owner_all == (distance[63:16] != 48'd0)));
        assert (!owner_old || owner_all || owner_left == distance[15:0] - passed);
        assert (own_next == (joins && some_old ? next_expected : at));
      end

      // Never twice, never back: of the numbers that are final, and of those that this frame delivered before.
      if (emits && is_record) begin
        assert (delivers && number == at);
        assert (!(done && same_session) || (number - BASE > watched - BASE));
        assert (!pending || (number - BASE > watched - BASE));
      end
      if (holds && pending) begin
        assert (at - BASE > watched - BASE);
        assert (!same_session || watched - BASE >= next_expected - BASE);
      end
      // What is taken without being delivered is old: final before, or lost in a gap that the host is told of.
      if (is_record && taken && !emits && !draining)
        assert ((same_session && !ahead && distance > {48'd0, passed}) || drain);
      if (drain)
        assert (is_same && !is_ahead && distance >= {48'd0, numbers});
      // The stream goes on within a session.
      if (commit && same_session)
        assert (own_next - BASE >= next_expected - BASE);
    end
  end

endmodule
`default_nettype wire
