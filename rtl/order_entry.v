// SPDX-License-Identifier: MIT
// Order entry: wraps an OUCH message as SoupBinTCP Unsequenced Data, or another payload as another SoupBinTCP packet, in
// one TCP/IPv4/Ethernet II segment of the session. The first beat is on the transmit port one clock after the order is taken; no beat ever waits for a
// checksum, and the next order's first beat follows the last one without a bubble.
//
// The segment is laid down in `frame` when the order is taken, so the session registers may change while it is sent.
// Both checksums stand in beats behind those they need: the sums run beside the beats (time table below). A payload of up
// to 2 bytes makes a frame below the Ethernet minimum of 60 bytes; padding is the MAC's task.
`default_nettype none

module order_entry (
  input  wire         clk,
  input  wire         rst,

  input  wire         order_valid,
  output wire         order_ready,
  input  wire [447:0] order_message,  // byte k at bits 8k+7:8k; bytes from order_length on may be anything
  input  wire [5:0]   order_length,   // 0 to 56
  input  wire [7:0]   order_type,     // SoupBinTCP packet type

  // Session
  input  wire [47:0]  source_mac,     // first octet in the highest bits, here and below
  input  wire [47:0]  destination_mac,
  input  wire [31:0]  source_address,
  input  wire [31:0]  destination_address,
  input  wire [31:0]  ports,          // source, destination
  input  wire [31:0]  sequence_number,
  input  wire [31:0]  acknowledge,
  input  wire [15:0]  window,
  output wire         segment_taken,  // sequence_number is used; it advances by
  output wire [15:0]  segment_length, // so many payload bytes

  // AXI4-Stream, to the MAC
  output reg  [63:0]  tx_tdata,
  output reg  [7:0]   tx_tkeep,
  output reg          tx_tvalid,
  input  wire         tx_tready,
  output reg          tx_tlast,

  output wire         event_sent,     // the last beat of a segment is taken
  output wire         idle
);

  localparam HEADER_BYTES  = 57;      // Ethernet 14, IPv4 20, TCP 20, SoupBinTCP length 2 and type 1
  localparam MESSAGE_BYTES = 56;
  localparam FRAME_BYTES   = 120;     // 113 at most, in whole beats; the rest stays zero

  localparam [15:0] SOUP_BYTES      = 16'd3;
  localparam [15:0] TCP_BYTES       = 16'd20;
  localparam [15:0] IPV4_BYTES      = 16'd20;
  localparam [15:0] ETHERTYPE_IPV4  = 16'h0800;
  localparam [15:0] IPV4_VERSION    = 16'h4500;  // version 4, 5 words of header, no service class (RFC 791, 3.1)
  localparam [15:0] DONT_FRAGMENT   = 16'h4000;
  localparam [7:0]  TIME_TO_LIVE    = 8'd64;
  localparam [7:0]  PROTOCOL_TCP    = 8'd6;
  localparam [15:0] TCP_PSH_ACK     = 16'h5018;  // 5 words of header, PSH and ACK (RFC 9293, 3.1)

  reg  [15:0] identification;
  wire [15:0] message_bytes = {10'd0, order_length};

  assign segment_length = SOUP_BYTES + message_bytes;

  // In wire order, first byte leftmost; both checksums blank.
  reg  [8*HEADER_BYTES-1:0] header;

  always @* begin
    header = {8 * HEADER_BYTES{1'bx}};    // not looked at: spares a simulation the work
    if (segment_taken)
      header = {
        destination_mac, source_mac, ETHERTYPE_IPV4,
        IPV4_VERSION, IPV4_BYTES + TCP_BYTES + segment_length,
        identification, DONT_FRAGMENT,
        TIME_TO_LIVE, PROTOCOL_TCP, 16'd0,
        source_address, destination_address,
        ports, sequence_number, acknowledge,
        TCP_PSH_ACK, window, 16'd0, 16'd0,
        16'd1 + message_bytes, order_type
      };
  end

  // ---- Beats

  localparam [3:0] IPV4_CHECKSUM_BEAT = 4'd3;    // frame bytes 24 and 25: first of the beat
  localparam [3:0] TCP_CHECKSUM_BEAT  = 4'd6;    // frame bytes 50 and 51: third of the beat

  reg  [8*FRAME_BYTES-1:0] frame;     // byte k at bits 8k+7:8k
  reg  [3:0]  beat;                   // that is on the port
  reg  [3:0]  last_beat;
  reg  [7:0]  last_keep;
  wire [3:0]  next_beat = beat + 4'd1;
  integer     k;

  assign order_ready   = !tx_tvalid || (tx_tready && tx_tlast);
  assign segment_taken = order_valid && order_ready;
  assign event_sent    = tx_tvalid && tx_tready && tx_tlast;
  assign idle          = !tx_tvalid;

  always @(posedge clk) begin
    if (segment_taken) begin
      for (k = 0; k < HEADER_BYTES; k = k + 1)
        frame[8*k +: 8] <= header[8*(HEADER_BYTES-1-k) +: 8];
      for (k = 0; k < MESSAGE_BYTES; k = k + 1)
        frame[8*(HEADER_BYTES+k) +: 8] <= k[5:0] < order_length ? order_message[8*k +: 8] : 8'd0;
      frame[8*FRAME_BYTES-1:8*(HEADER_BYTES+MESSAGE_BYTES)] <= 56'd0;

      // The message begins at byte 1 of beat 7: of n bytes, beat 7 + n / 8 is the last and holds n % 8 + 1.
      last_beat <= 4'd7 + {1'b0, order_length[5:3]};
      last_keep <= 8'hFF >> (3'd7 - order_length[2:0]);

      beat     <= 4'd0;
      tx_tlast <= 1'b0;
      tx_tkeep <= 8'hFF;
      for (k = 0; k < 8; k = k + 1)
        tx_tdata[8*k +: 8] <= header[8*(HEADER_BYTES-1-k) +: 8];
    end else if (tx_tvalid && tx_tready) begin
      beat     <= next_beat;
      tx_tlast <= next_beat == last_beat;
      tx_tkeep <= next_beat == last_beat ? last_keep : 8'hFF;
      tx_tdata <= frame[64*next_beat +: 64];
      if (next_beat == IPV4_CHECKSUM_BEAT)
        tx_tdata[15:0] <= {ipv4_checksum[7:0], ipv4_checksum[15:8]};
      if (next_beat == TCP_CHECKSUM_BEAT)
        tx_tdata[31:16] <= {tcp_checksum[7:0], tcp_checksum[15:8]};
    end
  end

  always @(posedge clk) begin
    if (rst) begin
      tx_tvalid      <= 1'b0;
      identification <= 16'd0;
    end else if (segment_taken) begin
      tx_tvalid      <= 1'b1;
      identification <= identification + 16'd1;
    end else if (event_sent) begin
      tx_tvalid      <= 1'b0;
    end
  end

  // ---- Checksums, clocks after the order is taken; a sum is there 2 clocks after its last bytes:
  //   1       frame bytes 14 to 33, the IPv4 header        -> ipv4_checksum from 3 on, wanted for beat 3 at 3
  //   1 to 4  frame bytes 24 to 119, 24 a clock            -> tcp_checksum from 6 on, wanted for beat 6 at 6
  // Bytes 24 on are the (still blank) IPv4 checksum, both addresses and the whole TCP segment: with the protocol
  // and the TCP length as seed, that is the pseudo header and all it covers (RFC 9293, 3.1).

  reg  [2:0]  step;                   // 0 to 3, then 4: done
  reg  [15:0] pseudo_header;          // protocol + TCP length
  wire [15:0] ipv4_checksum;
  wire [15:0] tcp_checksum;
  wire [191:0] tcp_bytes = step[1:0] == 2'd0 ? frame[192 * 1 +: 192] : step[1:0] == 2'd1 ? frame[192 * 2 +: 192]
                           : step[1:0] == 2'd2 ? frame[192 * 3 +: 192] : frame[192 * 4 +: 192];

  checksum u_ipv4_checksum (
    .clk      (clk),
    .add      (step == 3'd0),
    .restart  (1'b1),
    .seed     (16'd0),
    .data     ({32'd0, frame[8*14 +: 160]}),
    .checksum (ipv4_checksum)
  );

  checksum u_tcp_checksum (
    .clk      (clk),
    .add      (!step[2]),
    .restart  (step == 3'd0),
    .seed     (pseudo_header),
    .data     (tcp_bytes),
    .checksum (tcp_checksum)
  );

  always @(posedge clk) begin
    if (rst)
      step <= 3'd4;
    else if (segment_taken)
      step <= 3'd0;
    else if (!step[2])
      step <= step + 3'd1;
    if (segment_taken)
      pseudo_header <= {8'd0, PROTOCOL_TCP} + TCP_BYTES + segment_length;
  end

endmodule
`default_nettype wire
