// SPDX-License-Identifier: MIT
// Register map. Refused with SLVERR, and ERRORS.WRITE_REFUSED for a write: addresses that are unknown, read-only or
// not a multiple of 4, partial strobes, values outside their range, the set-up of a ring that runs, the start of a
// ring outside the window or with DMA of its last run unanswered, a tail that claims slots the other side never had.
// A refused write changes nothing else; a refused read returns 0. Bits outside a register's fields are ignored and
// read as 0. Reading TIME_LO or NEXT_EXPECTED_LO latches the upper half for the read of _HI: 64-bit values do not
// tear.
`include "layout.vh"
`default_nettype none

module csr (
  input  wire         clk,
  input  wire         rst,

  // From the AXI4-Lite port
  input  wire         write,
  input  wire [11:0]  write_address,
  input  wire [31:0]  write_data,
  input  wire         write_whole,
  output wire         write_accepted,
  input  wire         read,
  input  wire [11:0]  read_address,
  output reg  [31:0]  read_data,
  output reg          read_accepted,

  // Set-up; a start is a pulse in the clock before its enable
  output reg          rx_enable,
  output wire         rx_start,
  output reg  [63:0]  rx_base,
  output reg  [4:0]   rx_log2,
  output wire [30:0]  rx_publish_epoch,
  output reg          tx_enable,
  output wire         tx_start,
  output reg  [63:0]  tx_base,
  output reg  [4:0]   tx_log2,
  output wire [30:0]  tx_publish_epoch,
  output reg  [63:0]  window_base,
  output reg  [63:0]  window_size,
  output reg  [31:0]  group_address,
  output reg  [15:0]  group_port,

  // Rings
  input  wire [31:0]  rx_head,
  output reg  [31:0]  rx_tail,
  input  wire         rx_in_flight,
  input  wire [31:0]  tx_head,
  output reg  [31:0]  tx_tail,
  input  wire         tx_in_flight,

  // Order-entry session
  output reg  [47:0]  session_source_mac,
  output reg  [47:0]  session_destination_mac,
  output reg  [31:0]  session_source_address,
  output reg  [31:0]  session_destination_address,
  output reg  [31:0]  session_ports,
  output reg  [31:0]  session_sequence,
  output reg  [31:0]  session_acknowledge,
  output reg  [15:0]  session_window,
  input  wire         segment_taken,
  input  wire [15:0]  segment_length,

  // State and counters
  input  wire [47:0]  time_ns,
  input  wire [63:0]  next_expected,
  input  wire         next_expected_valid,
  input  wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  input  wire [31:0]  errors,
  output wire [31:0]  errors_clear,
  input  wire [31:0]  rx_ring_full_dropped,
  input  wire [31:0]  dma_refused_count,
  input  wire [31:0]  rx_lines,
  input  wire [31:0]  tx_orders,
  input  wire [31:0]  tx_refused_count,
  input  wire [31:0]  rx_too_large_dropped
);

  localparam [31:0] LOG2_MIN = 32'd4;
  localparam [31:0] LOG2_MAX = 32'd16;

  localparam [31:0] RESET_CONTROL                    = `TL_RESET_CONTROL;
  localparam [31:0] RESET_RX_LOG2                    = `TL_RESET_RX_LOG2;
  localparam [31:0] RESET_TX_LOG2                    = `TL_RESET_TX_LOG2;
  localparam [31:0] RESET_GROUP_PORT                 = `TL_RESET_GROUP_PORT;
  localparam [31:0] RESET_SESSION_SOURCE_MAC_HI      = `TL_RESET_SESSION_SOURCE_MAC_HI;
  localparam [31:0] RESET_SESSION_DESTINATION_MAC_HI = `TL_RESET_SESSION_DESTINATION_MAC_HI;
  localparam [31:0] RESET_SESSION_WINDOW             = `TL_RESET_SESSION_WINDOW;

  // ---- Which writes are accepted

  wire rx_inside;
  wire tx_inside;

  dma_window u_rx_window (
    .base          (window_base),
    .size          (window_size),
    .address       (rx_base),
    .length        ({32'd0, `TL_LINE_BYTES} << rx_log2),
    .inside_window (rx_inside)
  );

  dma_window u_tx_window (
    .base          (window_base),
    .size          (window_size),
    .address       (tx_base),
    .length        ({32'd0, `TL_LINE_BYTES} << tx_log2),
    .inside_window (tx_inside)
  );

  wire starts_rx  = write_data[`TL_BIT_CONTROL_RX_ENABLE] && !rx_enable;
  wire starts_tx  = write_data[`TL_BIT_CONTROL_TX_ENABLE] && !tx_enable;
  wire control_ok = (!starts_rx || (rx_inside && !rx_in_flight)) && (!starts_tx || (tx_inside && !tx_in_flight));

  wire aligned_ok = write_data[5:0] == 6'd0;     // a base, to a line
  wire log2_ok    = write_data >= LOG2_MIN && write_data <= LOG2_MAX;

  // Tails only go forward: the host gives back what was filled, and fills no more than the ring holds. A ring that is
  // off has nothing to give; writing the present value is always accepted.
  wire [31:0] rx_filled  = rx_enable ? rx_head - rx_tail : 32'd0;
  wire        rx_tail_ok = write_data - rx_tail <= rx_filled;
  wire [31:0] tx_free    = tx_enable ? (32'd1 << tx_log2) - (tx_tail - tx_head) : 32'd0;
  wire        tx_tail_ok = write_data - tx_tail <= tx_free;

  reg value_ok;

  always @* begin
    case (write_address)
      `TL_REG_CONTROL:    value_ok = control_ok;
      `TL_REG_RX_BASE_LO: value_ok = !rx_enable && aligned_ok;
      `TL_REG_RX_BASE_HI: value_ok = !rx_enable;
      `TL_REG_RX_LOG2:    value_ok = !rx_enable && log2_ok;
      `TL_REG_RX_EPOCH:   value_ok = !rx_enable;
      `TL_REG_RX_TAIL:    value_ok = rx_tail_ok;
      `TL_REG_TX_BASE_LO: value_ok = !tx_enable && aligned_ok;
      `TL_REG_TX_BASE_HI: value_ok = !tx_enable;
      `TL_REG_TX_LOG2:    value_ok = !tx_enable && log2_ok;
      `TL_REG_TX_EPOCH:   value_ok = !tx_enable;
      `TL_REG_TX_TAIL:    value_ok = tx_tail_ok;
      `TL_REG_ERRORS,
      `TL_REG_WINDOW_BASE_LO, `TL_REG_WINDOW_BASE_HI, `TL_REG_WINDOW_SIZE_LO, `TL_REG_WINDOW_SIZE_HI,
      `TL_REG_GROUP_ADDRESS, `TL_REG_GROUP_PORT,
      `TL_REG_SESSION_SOURCE_MAC_LO, `TL_REG_SESSION_SOURCE_MAC_HI,
      `TL_REG_SESSION_DESTINATION_MAC_LO, `TL_REG_SESSION_DESTINATION_MAC_HI,
      `TL_REG_SESSION_SOURCE_ADDRESS, `TL_REG_SESSION_DESTINATION_ADDRESS, `TL_REG_SESSION_PORTS,
      `TL_REG_SESSION_SEQUENCE, `TL_REG_SESSION_ACKNOWLEDGE, `TL_REG_SESSION_WINDOW:
                          value_ok = 1'b1;
      default:            value_ok = 1'b0;
    endcase
  end

  assign write_accepted = value_ok && write_whole;

  wire store = write && write_accepted;

  assign rx_start     = store && write_address == `TL_REG_CONTROL && starts_rx;
  assign tx_start     = store && write_address == `TL_REG_CONTROL && starts_tx;
  assign errors_clear = store && write_address == `TL_REG_ERRORS ? write_data : 32'd0;

  // ---- Registers the host writes

  reg [31:0] rx_epoch;
  reg [31:0] tx_epoch;

  assign rx_publish_epoch = rx_epoch[30:0];
  assign tx_publish_epoch = tx_epoch[30:0];

  always @(posedge clk) begin
    if (rst) begin
      rx_enable                   <= RESET_CONTROL[`TL_BIT_CONTROL_RX_ENABLE];
      tx_enable                   <= RESET_CONTROL[`TL_BIT_CONTROL_TX_ENABLE];
      window_base                 <= {`TL_RESET_WINDOW_BASE_HI, `TL_RESET_WINDOW_BASE_LO};
      window_size                 <= {`TL_RESET_WINDOW_SIZE_HI, `TL_RESET_WINDOW_SIZE_LO};
      rx_base                     <= {`TL_RESET_RX_BASE_HI, `TL_RESET_RX_BASE_LO};
      rx_log2                     <= RESET_RX_LOG2[4:0];
      rx_epoch                    <= `TL_RESET_RX_EPOCH;
      rx_tail                     <= `TL_RESET_RX_TAIL;
      tx_base                     <= {`TL_RESET_TX_BASE_HI, `TL_RESET_TX_BASE_LO};
      tx_log2                     <= RESET_TX_LOG2[4:0];
      tx_epoch                    <= `TL_RESET_TX_EPOCH;
      tx_tail                     <= `TL_RESET_TX_TAIL;
      group_address               <= `TL_RESET_GROUP_ADDRESS;
      group_port                  <= RESET_GROUP_PORT[15:0];
      session_source_mac          <= {RESET_SESSION_SOURCE_MAC_HI[15:0], `TL_RESET_SESSION_SOURCE_MAC_LO};
      session_destination_mac     <= {RESET_SESSION_DESTINATION_MAC_HI[15:0], `TL_RESET_SESSION_DESTINATION_MAC_LO};
      session_source_address      <= `TL_RESET_SESSION_SOURCE_ADDRESS;
      session_destination_address <= `TL_RESET_SESSION_DESTINATION_ADDRESS;
      session_ports               <= `TL_RESET_SESSION_PORTS;
      session_acknowledge         <= `TL_RESET_SESSION_ACKNOWLEDGE;
      session_window              <= RESET_SESSION_WINDOW[15:0];
    end else if (store) begin
      case (write_address)
        `TL_REG_CONTROL: begin
          rx_enable <= write_data[`TL_BIT_CONTROL_RX_ENABLE];
          tx_enable <= write_data[`TL_BIT_CONTROL_TX_ENABLE];
          if (starts_rx)
            rx_tail <= 32'd0;
          if (starts_tx)
            tx_tail <= 32'd0;
        end
        `TL_REG_WINDOW_BASE_LO:              window_base[31:0] <= write_data;
        `TL_REG_WINDOW_BASE_HI:              window_base[63:32] <= write_data;
        `TL_REG_WINDOW_SIZE_LO:              window_size[31:0] <= write_data;
        `TL_REG_WINDOW_SIZE_HI:              window_size[63:32] <= write_data;
        `TL_REG_RX_BASE_LO:                  rx_base[31:0] <= write_data;
        `TL_REG_RX_BASE_HI:                  rx_base[63:32] <= write_data;
        `TL_REG_RX_LOG2:                     rx_log2 <= write_data[4:0];
        `TL_REG_RX_EPOCH:                    rx_epoch <= write_data;
        `TL_REG_RX_TAIL:                     rx_tail <= write_data;
        `TL_REG_TX_BASE_LO:                  tx_base[31:0] <= write_data;
        `TL_REG_TX_BASE_HI:                  tx_base[63:32] <= write_data;
        `TL_REG_TX_LOG2:                     tx_log2 <= write_data[4:0];
        `TL_REG_TX_EPOCH:                    tx_epoch <= write_data;
        `TL_REG_TX_TAIL:                     tx_tail <= write_data;
        `TL_REG_GROUP_ADDRESS:               group_address <= write_data;
        `TL_REG_GROUP_PORT:                  group_port <= write_data[15:0];
        `TL_REG_SESSION_SOURCE_MAC_LO:       session_source_mac[31:0] <= write_data;
        `TL_REG_SESSION_SOURCE_MAC_HI:       session_source_mac[47:32] <= write_data[15:0];
        `TL_REG_SESSION_DESTINATION_MAC_LO:  session_destination_mac[31:0] <= write_data;
        `TL_REG_SESSION_DESTINATION_MAC_HI:  session_destination_mac[47:32] <= write_data[15:0];
        `TL_REG_SESSION_SOURCE_ADDRESS:      session_source_address <= write_data;
        `TL_REG_SESSION_DESTINATION_ADDRESS: session_destination_address <= write_data;
        `TL_REG_SESSION_PORTS:               session_ports <= write_data;
        `TL_REG_SESSION_ACKNOWLEDGE:         session_acknowledge <= write_data;
        `TL_REG_SESSION_WINDOW:              session_window <= write_data[15:0];
        default: ; // ERRORS and SESSION_SEQUENCE have a second writer and stand elsewhere
      endcase
    end
  end

  // The host's write wins over a segment taken in the same clock: it is the later decision.
  always @(posedge clk) begin
    if (rst)
      session_sequence <= `TL_RESET_SESSION_SEQUENCE;
    else if (store && write_address == `TL_REG_SESSION_SEQUENCE)
      session_sequence <= write_data;
    else if (segment_taken)
      session_sequence <= session_sequence + {16'd0, segment_length};
  end

  // ---- Reads

  localparam [9:0] STATISTICS_WORDS = `TL_STATISTICS_WORDS;

  reg  [15:0] time_hi;
  reg  [31:0] next_expected_hi;
  wire [11:0] statistics_offset = read_address - `TL_REG_FRAMES;
  wire [9:0]  statistic = statistics_offset[11:2];

  always @(posedge clk) begin
    if (read && read_address == `TL_REG_TIME_LO)
      time_hi <= time_ns[47:32];
    if (read && read_address == `TL_REG_NEXT_EXPECTED_LO)
      next_expected_hi <= next_expected[63:32];
    if (rst) begin
      time_hi          <= 16'd0;
      next_expected_hi <= 32'd0;
    end
  end

  always @* begin
    read_accepted = 1'b1;
    read_data     = 32'd0;
    case (read_address)
      `TL_REG_ID:                          read_data = `TL_RESET_ID;
      `TL_REG_VERSION:                     read_data = `TL_RESET_VERSION;
      `TL_REG_LAYOUT_HASH:                 read_data = `TL_LAYOUT_HASH;
      `TL_REG_CAPABILITIES:                read_data = `TL_RESET_CAPABILITIES;
      `TL_REG_CONTROL: begin
        read_data[`TL_BIT_CONTROL_RX_ENABLE] = rx_enable;
        read_data[`TL_BIT_CONTROL_TX_ENABLE] = tx_enable;
      end
      `TL_REG_ERRORS:                      read_data = errors;
      `TL_REG_TIME_LO:                     read_data = time_ns[31:0];
      `TL_REG_TIME_HI:                     read_data = {16'd0, time_hi};
      `TL_REG_WINDOW_BASE_LO:              read_data = window_base[31:0];
      `TL_REG_WINDOW_BASE_HI:              read_data = window_base[63:32];
      `TL_REG_WINDOW_SIZE_LO:              read_data = window_size[31:0];
      `TL_REG_WINDOW_SIZE_HI:              read_data = window_size[63:32];
      `TL_REG_RX_BASE_LO:                  read_data = rx_base[31:0];
      `TL_REG_RX_BASE_HI:                  read_data = rx_base[63:32];
      `TL_REG_RX_LOG2:                     read_data = {27'd0, rx_log2};
      `TL_REG_RX_EPOCH:                    read_data = rx_epoch;
      `TL_REG_RX_HEAD:                     read_data = rx_head;
      `TL_REG_RX_TAIL:                     read_data = rx_tail;
      `TL_REG_TX_BASE_LO:                  read_data = tx_base[31:0];
      `TL_REG_TX_BASE_HI:                  read_data = tx_base[63:32];
      `TL_REG_TX_LOG2:                     read_data = {27'd0, tx_log2};
      `TL_REG_TX_EPOCH:                    read_data = tx_epoch;
      `TL_REG_TX_HEAD:                     read_data = tx_head;
      `TL_REG_TX_TAIL:                     read_data = tx_tail;
      `TL_REG_GROUP_ADDRESS:               read_data = group_address;
      `TL_REG_GROUP_PORT:                  read_data = {16'd0, group_port};
      `TL_REG_SESSION_SOURCE_MAC_LO:       read_data = session_source_mac[31:0];
      `TL_REG_SESSION_SOURCE_MAC_HI:       read_data = {16'd0, session_source_mac[47:32]};
      `TL_REG_SESSION_DESTINATION_MAC_LO:  read_data = session_destination_mac[31:0];
      `TL_REG_SESSION_DESTINATION_MAC_HI:  read_data = {16'd0, session_destination_mac[47:32]};
      `TL_REG_SESSION_SOURCE_ADDRESS:      read_data = session_source_address;
      `TL_REG_SESSION_DESTINATION_ADDRESS: read_data = session_destination_address;
      `TL_REG_SESSION_PORTS:               read_data = session_ports;
      `TL_REG_SESSION_SEQUENCE:            read_data = session_sequence;
      `TL_REG_SESSION_ACKNOWLEDGE:         read_data = session_acknowledge;
      `TL_REG_SESSION_WINDOW:              read_data = {16'd0, session_window};
      `TL_REG_NEXT_EXPECTED_LO:            read_data = next_expected[31:0];
      `TL_REG_NEXT_EXPECTED_HI:            read_data = next_expected_hi;
      `TL_REG_STREAM_STATUS:               read_data[`TL_BIT_STREAM_STATUS_VALID] = next_expected_valid;
      `TL_REG_RX_RING_FULL_DROPPED:        read_data = rx_ring_full_dropped;
      `TL_REG_DMA_REFUSED_COUNT:           read_data = dma_refused_count;
      `TL_REG_RX_LINES:                    read_data = rx_lines;
      `TL_REG_TX_ORDERS:                   read_data = tx_orders;
      `TL_REG_TX_REFUSED:                  read_data = tx_refused_count;
      `TL_REG_RX_TOO_LARGE_DROPPED:        read_data = rx_too_large_dropped;
      default: begin
        read_accepted = statistics_offset[1:0] == 2'd0 && statistic < STATISTICS_WORDS;
        if (read_accepted)
          read_data = statistics[32 * statistic +: 32];
      end
    endcase
  end

endmodule
`default_nettype wire
