// SPDX-License-Identifier: MIT
// Frames of the host: reads all lines of a frame from host memory into a store of one frame, then sends it (store and
// forward: a beat never waits for the host). A frame that does not lie wholly inside a window is not read, one that
// was answered with an error is not sent.
`default_nettype none

module tx_frame (
  input  wire         clk,
  input  wire         rst,

  input  wire         frame_valid,
  output wire         frame_done,     // its memory is free again
  input  wire [57:0]  frame_line,     // address / 64
  input  wire [10:0]  frame_length,   // 1 to 2048

  // Granted host memory
  input  wire         settled,        // the windows hold
  input  wire [58:0]  window_first,
  input  wire [58:0]  window_end,
  input  wire [58:0]  window2_first,
  input  wire [58:0]  window2_end,

  // DMA read of a line
  output wire         read_valid,
  input  wire         read_ready,
  output reg  [57:0]  read_line,
  input  wire         answer_valid,
  input  wire [511:0] answer_data,
  input  wire         answer_error,

  // AXI4-Stream
  output reg  [63:0]  tx_tdata,
  output reg  [7:0]   tx_tkeep,
  output reg          tx_tvalid,
  input  wire         tx_tready,
  output reg          tx_tlast,

  // Events, one clock each
  output wire         event_refused,    // with frame_done: outside the windows
  output wire         event_dma_error,
  output wire         event_skipped,    // with frame_done: it is not sent
  output wire         event_sent,       // the last beat is taken

  output wire         idle
);

  localparam [2:0] FREE  = 3'd0;
  localparam [2:0] CHECK = 3'd1;      // inside a window?
  localparam [2:0] READ  = 3'd2;
  localparam [2:0] DONE  = 3'd3;
  localparam [2:0] SEND  = 3'd4;

  localparam [1:0] CHECK_CLOCKS = 2'd3;  // of dma_window, and one for what it is asked

  reg  [2:0]  step;
  reg  [1:0]  check_clocks;
  reg         refused;
  reg         failed;
  reg  [5:0]  lines;
  reg  [5:0]  asked;
  reg         more;                   // asked is less than lines
  reg  [5:0]  last_line;              // lines - 1
  reg  [5:0]  answered;
  reg  [7:0]  last_beat;
  reg  [7:0]  last_keep;
  wire        granted;
  wire [10:0] last_byte = frame_length - 11'd1;

  dma_window u_dma_window (
    .clk           (clk),
    .window_first  (window_first),
    .window_end    (window_end),
    .window2_first (window2_first),
    .window2_end   (window2_end),
    .line          (frame_line),
    .lines         ({11'd0, lines}),
    .granted       (granted)
  );

  wire all_asked = refused || !more;

  assign read_valid = step == READ && settled && !all_asked;
  assign frame_done = step == DONE;

  always @(posedge clk) begin
    if (rst) begin
      step <= FREE;
    end else begin
      case (step)
        FREE: begin
          if (frame_valid && !tx_tvalid)
            step <= CHECK;
        end
        CHECK:
          if (check_clocks == CHECK_CLOCKS)
            step <= READ;
        READ:
          if (!settled)
            step <= CHECK;
          else if (all_asked && answered == asked)
            step <= DONE;
        DONE:
          step <= refused || failed ? FREE : SEND;
        default:                      // SEND: the first beat goes into the register, the rest follows by itself
          step <= FREE;
      endcase
    end

    // The windows may change while the frame is read: what is not asked for yet waits for the new verdict.
    check_clocks <= step == CHECK && settled ? check_clocks + 2'd1 : 2'd0;
    if (step == CHECK && check_clocks == CHECK_CLOCKS)
      refused <= !granted && more;

    if (step == FREE && !tx_tvalid) begin
      lines     <= {1'b0, last_byte[10:6]} + 6'd1;
      last_beat <= last_byte[10:3];
      last_keep <= 8'hFF >> (3'd7 - last_byte[2:0]);
      read_line <= frame_line;
      last_line <= {1'b0, last_byte[10:6]};
      asked     <= 6'd0;
      more      <= 1'b1;
      answered  <= 6'd0;
      refused   <= 1'b0;
      failed    <= 1'b0;
    end else begin
      if (read_valid && read_ready) begin
        read_line <= read_line + 58'd1;
        asked     <= asked + 6'd1;
        more      <= asked != last_line;
      end
      if (answer_valid) begin
        answered <= answered + 6'd1;
        failed   <= failed || answer_error;
      end
    end
  end

  assign event_refused   = frame_done && refused;
  assign event_dma_error = answer_valid && answer_error;
  assign event_skipped   = frame_done && (refused || failed);

  // ---- Store and beats

  reg  [511:0] store [0:31];
  reg  [7:0]   beat;                  // the next one to go into the register
  wire [511:0] beat_line = store[beat[7:3]];
  wire         leaves    = tx_tvalid && tx_tready;

  assign event_sent = leaves && tx_tlast;
  assign idle       = step == FREE && !tx_tvalid;

  always @(posedge clk) begin
    if (answer_valid)
      store[answered[4:0]] <= answer_data;
    if (rst)
      tx_tvalid <= 1'b0;
    else if (step == SEND)
      tx_tvalid <= 1'b1;
    else if (event_sent)
      tx_tvalid <= 1'b0;
    if (step == DONE)
      beat <= 8'd0;
    else if (step == SEND || leaves)
      beat <= beat + 8'd1;
    if (step == SEND || leaves) begin
      tx_tdata <= beat_line[64 * beat[2:0] +: 64];
      tx_tlast <= beat == last_beat;
      tx_tkeep <= beat == last_beat ? last_keep : 8'hFF;
    end
  end

endmodule
`default_nettype wire
