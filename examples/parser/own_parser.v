// SPDX-License-Identifier: MIT
// A second parser of Ethernet, IPv4, UDP and MoldUDP64, to the ports of docs/own-parser.md: one state machine that looks
// at byte after byte, up to eight of them in a clock. Simple to read rather than fast: its logic is eight machines deep.
// So its state is set by blocking assignments, each byte's on that of the byte before; nobody else reads it.
//
// +BUG=n at the start of a simulation switches one mistake on, of the kind that real parsers had (README.md here).
`default_nettype none
/* verilator lint_off BLKSEQ */

module own_parser (
  input  wire         clk,
  input  wire         rst,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,

  // Ethernet frames
  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  output reg          s_axis_tready,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,

  // for each frame: PACKET, MESSAGEs, END
  output reg          m_valid,
  input  wire         m_ready,
  output reg  [1:0]   m_kind,
  output reg  [79:0]  m_session,
  output reg  [63:0]  m_sequence,
  output reg  [15:0]  m_count,
  output reg  [511:0] m_data,
  output reg  [6:0]   m_bytes,
  output reg          m_last,
  output wire         m_decoded,
  output wire [479:0] m_fields,
  output wire [447:0] m_continuation,
  output reg          m_drop,
  output reg          m_truncated,
  output reg          m_extra_data
);

  localparam [1:0] PACKET = 2'd0, MESSAGE = 2'd1, END = 2'd2;

  localparam [3:0] MACS = 4'd0, TYPE = 4'd1, TAG = 4'd2, IP = 4'd3, UDP = 4'd4, MOLD = 4'd5, LENGTH = 4'd6,
                   BLOCK = 4'd7,          // inside a message
                   BEHIND = 4'd8,         // payload behind the last announced message
                   REST = 4'd9;           // of the frame, not looked at

`ifndef SYNTHESIS
  reg [7:0] bug;

  initial
    if (!$value$plusargs("BUG=%d", bug))
      bug = 8'd0;
`else
  wire [7:0] bug = 8'd0;
`endif

  // ---- State

  reg  [3:0]   state;
  reg  [5:0]   index;                     // bytes of that header so far
  reg  [3:0]   lane;                      // of the beat in hand: those before it have been looked at
  reg          ending;                    // the last beat has been taken, END is due
  reg          drop;
  reg  [13:0]  at;                        // bytes of the frame so far
  reg  [7:0]   here;                      // the byte
  reg  [7:0]   previous;                  // ... before it
  reg  [15:0]  half;                      // both
  reg  [1:0]   tags;
  reg  [5:0]   ip_header;                 // bytes
  reg          ip_faulty;
  reg  [15:0]  ip_total;
  reg  [16:0]  ip_end;                    // where in the frame
  reg  [19:0]  ip_sum;
  reg          foreign;                   // a fragment, of another protocol, or to another address
  reg  [23:0]  address;                   // three bytes
  reg          other_port;
  reg  [15:0]  udp_length;
  reg          udp_checked;
  reg  [29:0]  udp_sum;
  reg          odd;                       // an odd number of bytes is in the sum
  reg  [15:0]  left;                      // payload to come
  reg          seen;                      // the packet's header
  reg  [79:0]  session;
  reg  [63:0]  number;                    // of the next message
  reg  [15:0]  blocks;                    // to come
  reg  [15:0]  block_left;                // bytes of the message to come
  reg  [7:0]   block_type;
  reg          spread;                    // the message does not fit m_data
  reg          m_spread;
  reg  [5:0]   fill;                      // bytes in `buffer`
  reg  [511:0] buffer;
  reg          truncated;
  reg          extra;

  // ---- A beat in hand and one behind it, so that s_axis_tready is a register's

  localparam KEEP = 64, LAST = 72, USER = 73;

  reg  [USER:0] beat;
  reg           beat_there;
  reg  [USER:0] behind;
  reg           behind_there;

  // ---- The machine

  wire         free = !m_valid || m_ready || bug == 8'd25;  // 25: m_ready is not waited for
  reg          stop;
  reg          gives;                     // the output is used in this clock
  reg          would_give;
  integer      i;

  function [29:0] fold (input [29:0] sum);
    fold = {14'd0, sum[15:0]} + {16'd0, sum[29:16]};
  endfunction

  always @(posedge clk) begin
    stop  = 1'b0;
    gives = 1'b0;

    if (free && ending) begin
      gives        = 1'b1;
      m_kind       <= END;
      m_drop       <= drop || !seen || ip_end > {3'd0, at}
                      || (udp_checked && fold(fold(udp_sum)) != 30'h0000FFFF && bug != 8'd17);  // 17: not looked at
      m_truncated  <= truncated;
      m_extra_data <= extra;
      ending       = 1'b0;
      state        = MACS;
      index        = 6'd0;
      at           = 14'd0;
      tags         = 2'd0;
      drop         = 1'b0;
      seen         = 1'b0;
      truncated    = 1'b0;
      extra        = 1'b0;
    end else if (free && beat_there) begin
      for (i = 0; i < 8; i = i + 1)
        if (!stop && i[3:0] >= lane && beat[KEEP + i]) begin
          here = beat[8 * i +: 8];
          half = {previous, here};
          if (bug == 8'd1 && i == 0 && fill != 6'd0)  // 1: a beat's first byte is that before it
            here = previous;

          // At most one thing is given in a clock. The byte that would give a second one waits, with those behind it.
          would_give = (state == MOLD && index == 6'd19)
                       || (state == LENGTH && index == 6'd1 && half == 16'd0)
                       || (state == BLOCK && (block_left == 16'd1 || fill == 6'd63));
          if (gives && would_give && bug != 8'd2) begin  // 2: of two that end in one beat the second is lost
            stop = 1'b1;
            lane = i[3:0];
          end else begin
            at    = at + 14'd1;
            index = index + 6'd1;

            if (state >= UDP && state <= BEHIND) begin
              udp_sum = udp_sum + (odd ? {22'd0, here} : {14'd0, here, 8'd0});
              odd     = !odd;
            end
            if (state >= MOLD && state <= BEHIND)
              left = left - 16'd1;

            case (state)
              MACS:
                if (index == 6'd12) begin
                  state = TYPE;
                  index = 6'd0;
                end

              TYPE:
                if (index == 6'd2) begin
                  index = 6'd0;
                  if (half == 16'h0800) begin
                    state   = IP;
                    ip_end  = {3'd0, at};
                    ip_sum  = 20'd0;
                    udp_sum = 30'd17;
                    foreign = 1'b0;
                  end else if ((half == 16'h8100 || half == 16'h88A8) && tags != 2'd2 && bug != 8'd5) begin
                    state = TAG;  // 5: tags are not known
                    tags  = tags + 2'd1;
                  end else begin
                    state = REST;
                    drop  = 1'b1;
                  end
                end

              TAG:
                if (index == 6'd2) begin
                  state = TYPE;
                  index = 6'd0;
                end

              IP: begin
                if (!index[0]) begin
                  ip_sum = ip_sum + {4'd0, half};
                  if (index >= 6'd14 && index <= 6'd20)   // both addresses: the pseudo header
                    udp_sum = udp_sum + {14'd0, half};
                end
                case (index)
                  6'd1: begin
                    ip_faulty = here[7:4] != 4'd4 || here[3:0] < 4'd5;
                    ip_header = ip_faulty || bug == 8'd6 ? 6'd20 : {here[3:0], 2'd0};  // 6: options not known
                  end
                  6'd4: begin
                    ip_total = half;
                    ip_end   = ip_end + {1'b0, half};
                  end
                  6'd8:    foreign = half[13:0] != 14'd0 && bug != 8'd19;  // 19: fragments pass
                  6'd10:   foreign = foreign || here != 8'd17;
                  6'd20:   foreign = foreign || {address, here} != group_address;
                  default: ;
                endcase
                address = {address[15:0], here};
                if (index == ip_header) begin
                  index   = 6'd0;
                  odd     = 1'b0;
                  state   = UDP;
                  if (ip_faulty || foreign || ip_total < {10'd0, ip_header} + 16'd8
                      || (fold(fold({10'd0, ip_sum})) != 30'h0000FFFF && bug != 8'd18)) begin  // 18: not looked at
                    state = REST;
                    drop  = 1'b1;
                  end
                end
              end

              UDP:
                case (index)
                  6'd4: other_port = half != group_port && bug != 8'd21;  // 21: any port's
                  6'd6: begin
                    udp_length = half;
                    udp_sum    = udp_sum + {14'd0, half};
                  end
                  6'd8: begin
                    udp_checked = half != 16'd0;
                    left        = udp_length - 16'd8;
                    state       = MOLD;
                    index       = 6'd0;
                    if (other_port || udp_length < 16'd28
                        || udp_length > ip_total - {10'd0, ip_header}) begin
                      state = REST;
                      drop  = 1'b1;
                    end
                    if (bug == 8'd4) begin  // 4: the payload goes on to the frame's end
                      left        = 16'hFFFF;
                      udp_checked = 1'b0;
                    end
                  end
                  default: ;
                endcase

              MOLD: begin
                if (index <= 6'd10)
                  session = {here, session[79:8]};
                else if (index <= 6'd18)
                  number = {number[55:0], here};
                else if (index == 6'd20) begin
                  gives      = 1'b1;
                  m_kind     <= PACKET;
                  m_session  <= session;
                  m_sequence <= number;
                  m_count    <= half;
                  blocks = half;
                  seen   = 1'b1;
                  index  = 6'd0;
                  state  = LENGTH;
                  if ((half == 16'h0000 && bug != 8'd7)  // 7: a heartbeat has messages
                      || (half == 16'hFFFF && bug != 8'd8))  // 8: an end of session has 65,535
                    state = BEHIND;
                end
              end

              LENGTH:
                if (index == 6'd2) begin
                  index      = 6'd0;
                  block_left = bug == 8'd24 ? {8'd0, here} : half;  // 24: lengths have 8 bits
                  spread     = block_left > 16'd64;
                  block_type = 8'd0;
                  if (bug != 8'd11)  // 11: bytes of a message that was cut are still there
                    fill = 6'd0;
                  if (block_left != 16'd0)
                    state = BLOCK;
                  else begin
                    if (bug != 8'd3 && !(gives && bug == 8'd2)) begin  // 3: a message of 0 bytes is none
                      gives      = 1'b1;
                      m_kind     <= MESSAGE;
                      m_sequence <= number;
                      m_bytes    <= 7'd0;
                      m_spread   <= 1'b0;
                      m_last     <= 1'b1;
                    end
                    if (bug != 8'd3)
                      number = number + 64'd1;
                    blocks = blocks - 16'd1;
                    if (blocks == 16'd0)
                      state = BEHIND;
                  end
                end

              BLOCK: begin
                if (block_type == 8'd0)
                  block_type = here;
                buffer[8 * fill +: 8] = here;
                fill       = fill + 6'd1;
                block_left = block_left - 16'd1;
                if (block_left == 16'd0 || fill == 6'd0) begin
                  if (!(gives && bug == 8'd2)
                      && !(block_type == "P" && bug == 8'd23)) begin  // 23: a type that was forgotten
                    gives      = 1'b1;
                    m_kind     <= MESSAGE;
                    m_sequence <= bug == 8'd10 ? number + 64'd1 : number;  // 10: numbers begin one too high
                    m_data     <= buffer;
                    m_spread   <= spread;
                    m_bytes    <= fill == 6'd0 ? 7'd64 : {1'b0, fill};
                    m_last     <= block_left == 16'd0;
                  end
                  if (block_left == 16'd0) begin
                    fill   = 6'd0;
                    index  = 6'd0;
                    number = bug == 8'd9 ? {number[63:32], number[31:0] + 32'd1}  // 9: no carry out of 32 bits
                               : number + 64'd1;
                    blocks = blocks - 16'd1;
                    state  = blocks == 16'd0 ? BEHIND : LENGTH;
                  end
                end
              end

              BEHIND:
                extra = bug != 8'd22;  // 22: nobody asks what is behind the messages

              default: ;
            endcase

            if (state >= MOLD && state <= BEHIND && left == 16'd0) begin
              truncated = state != BEHIND && bug != 8'd26;  // 26: nobody asks whether the last one was whole
              state     = REST;
            end
            previous = here;
          end
        end

      if (bug == 8'd15 && beat[LAST] && truncated)  // 15: waits for the rest of a message that was cut
        stop = 1'b1;
      if (!stop) begin
        lane = 4'd0;
        if (beat[LAST]) begin
          ending = !(bug == 8'd14 && beat[KEEP + 7]);  // 14: a full last beat is not seen to be the last
          drop   = drop || (beat[USER] && bug != 8'd16);  // 16: frames with a bad FCS pass
        end
        beat         = behind;
        beat_there   = behind_there;
        behind_there = 1'b0;
      end
    end

    // 20: state moves on without a valid beat
    if (s_axis_tready && (s_axis_tvalid || (bug == 8'd20 && state == BLOCK))) begin
      if (beat_there) begin
        behind       = {s_axis_tuser, s_axis_tlast, s_axis_tkeep, s_axis_tdata};
        behind_there = 1'b1;
      end else
        beat         = {s_axis_tuser, s_axis_tlast, s_axis_tkeep, s_axis_tdata};
      beat_there = 1'b1;
    end

    m_valid       <= gives || !free;
    s_axis_tready <= !behind_there;

    if (rst) begin
      state        = MACS;
      index        = 6'd0;
      lane         = 4'd0;
      ending       = 1'b0;
      drop         = 1'b0;
      at           = 14'd0;
      tags         = 2'd0;
      seen         = 1'b0;
      truncated    = 1'b0;
      extra        = 1'b0;
      beat_there   = 1'b0;
      behind_there = 1'b0;
      m_valid       <= 1'b0;
      s_axis_tready <= 1'b0;
    end
  end

  // ---- Fields

  order_fields u_order_fields (
    .bug          (bug),
    .message      (m_data[351:0]),
    .bytes        (m_spread ? 7'd0 : m_bytes),
    .decoded      (m_decoded),
    .fields       (m_fields),
    .continuation (m_continuation)
  );

endmodule
`default_nettype wire
