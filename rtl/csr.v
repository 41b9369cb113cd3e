// SPDX-License-Identifier: MIT
// Register map. Refused with SLVERR, and ERRORS.WRITE_REFUSED for a write: addresses that are unknown, read-only or
// not a multiple of 4, partial strobes, values outside their range, the set-up of a ring that runs, the start of a
// ring outside the windows or with DMA of its last run unanswered, a tail that claims slots the other side never had,
// a filter command while one is under way. A refused write changes nothing else; a refused read returns 0. Bits
// outside a register's fields are ignored and read as 0. Reading TIME_LO or NEXT_EXPECTED_LO latches the upper half
// for the read of _HI: 64-bit values do not tear.
//
// A write is judged in two registered steps while it stands here (axil_port), and waits while the grants settle. What
// it is judged by can meanwhile only move in its favour: heads advance, DMA of a stopped ring ends.
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
  output wire         write_wait,
  output reg          write_accepted,
  input  wire         read,
  input  wire [11:0]  read_address,
  output wire [31:0]  read_data,
  output wire         read_accepted,

  // Set-up; a start is a pulse in the clock before its enable
  output reg          rx_enable,
  output wire         rx_start,
  output reg          rx_descriptor,
  output reg  [63:0]  rx_base,
  output reg  [4:0]   rx_log2,
  output wire [30:0]  rx_publish_epoch,
  output reg          tx_enable,
  output wire         tx_start,
  output reg          tx_descriptor,
  output reg  [63:0]  tx_base,
  output reg  [4:0]   tx_log2,
  output wire [30:0]  tx_publish_epoch,
  output reg          raw_enable,
  output wire         raw_start,
  output reg  [63:0]  raw_base,
  output reg  [4:0]   raw_log2,
  output wire [30:0]  raw_publish_epoch,
  output reg  [31:0]  group_address,
  output reg  [15:0]  group_port,
  output reg          verified,
  output reg          prototype,
  output reg  [31:0]  hold,
  output reg  [3:0]   event_enable,

  // Granted host memory
  output reg  [63:0]  window_base,
  output reg  [63:0]  window_size,
  output reg  [63:0]  window2_base,
  output reg  [63:0]  window2_size,
  output wire         grants_change,      // the windows or a ring's set-up change at the end of this clock
  input  wire         grants_settled,
  input  wire         rx_lines_granted,
  input  wire         rx_descriptors_granted,
  input  wire         tx_lines_granted,
  input  wire         tx_descriptors_granted,
  input  wire         raw_granted,

  // Subscription filter: commands are pulses, their operands stand until the next one
  output reg          filter_enable,
  output reg          filter_fill,
  output reg          filter_fill_value,
  output reg          filter_update,
  output reg  [15:0]  filter_update_locate,
  output reg          filter_update_pass,
  input  wire         filter_busy,

  // Rings
  input  wire [31:0]  rx_head,
  output reg  [31:0]  rx_tail,
  input  wire         rx_in_flight,
  input  wire [31:0]  tx_head,
  output reg  [31:0]  tx_tail,
  input  wire         tx_in_flight,
  input  wire [31:0]  raw_head,
  output reg  [31:0]  raw_tail,
  input  wire         raw_in_flight,

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
  input  wire [31:0]  rx_too_large_dropped,
  input  wire [31:0]  raw_frames,
  input  wire [31:0]  raw_dropped,
  input  wire [31:0]  tx_frames,
  input  wire [31:0]  rx_events
);

  localparam [31:0] LOG2_MIN = 32'd4;
  localparam [31:0] LOG2_MAX = 32'd16;

  localparam [31:0] RESET_CONTROL                    = `TL_RESET_CONTROL;
  localparam [31:0] RESET_RX_LOG2                    = `TL_RESET_RX_LOG2;
  localparam [31:0] RESET_TX_LOG2                    = `TL_RESET_TX_LOG2;
  localparam [31:0] RESET_RAW_LOG2                   = `TL_RESET_RAW_LOG2;
  localparam [31:0] RESET_GROUP_PORT                 = `TL_RESET_GROUP_PORT;
  localparam [31:0] RESET_EVENT_ENABLE               = `TL_RESET_EVENT_ENABLE;
  localparam [31:0] RESET_FILTER_FILL                = `TL_RESET_FILTER_FILL;
  localparam [31:0] RESET_FILTER_UPDATE              = `TL_RESET_FILTER_UPDATE;
  localparam [31:0] RESET_SESSION_SOURCE_MAC_HI      = `TL_RESET_SESSION_SOURCE_MAC_HI;
  localparam [31:0] RESET_SESSION_DESTINATION_MAC_HI = `TL_RESET_SESSION_DESTINATION_MAC_HI;
  localparam [31:0] RESET_SESSION_WINDOW             = `TL_RESET_SESSION_WINDOW;

  // ---- Which writes are accepted, first step: what a value is compared with

  // Tails only go forward: the host gives back what was filled, and fills no more than the ring holds. A ring that is
  // off has nothing to give; writing the present value is always accepted.
  reg [31:0] rx_given,  rx_filled;
  reg [31:0] raw_given, raw_filled;
  reg [31:0] tx_filled, tx_waiting;
  reg [31:0] tx_room;
  reg        aligned_ok;              // a base, to a line
  reg        log2_ok;

  always @(posedge clk) begin
    rx_given   <= write_data - rx_tail;
    rx_filled  <= rx_enable ? rx_head - rx_tail : 32'd0;
    raw_given  <= write_data - raw_tail;
    raw_filled <= raw_enable ? raw_head - raw_tail : 32'd0;
    tx_filled  <= write_data - tx_head;           // were the new tail accepted
    tx_waiting <= tx_tail - tx_head;
    tx_room    <= tx_enable ? 32'd1 << tx_log2 : tx_waiting;
    aligned_ok <= write_data[5:0] == 6'd0;
    log2_ok    <= write_data >= LOG2_MIN && write_data <= LOG2_MAX;
  end

  // ---- Second step

  wire control_rx     = write_data[`TL_BIT_CONTROL_RX_ENABLE];
  wire control_tx     = write_data[`TL_BIT_CONTROL_TX_ENABLE];
  wire control_raw    = write_data[`TL_BIT_CONTROL_RAW_ENABLE];
  wire starts_rx      = control_rx && !rx_enable;
  wire starts_tx      = control_tx && !tx_enable;
  wire starts_raw     = control_raw && !raw_enable;
  wire rx_mode_stays  = write_data[`TL_BIT_CONTROL_VERIFIED] == verified
                        && write_data[`TL_BIT_CONTROL_PROTOTYPE] == prototype
                        && write_data[`TL_BIT_CONTROL_RX_DESCRIPTOR] == rx_descriptor;
  wire tx_mode_stays  = write_data[`TL_BIT_CONTROL_TX_DESCRIPTOR] == tx_descriptor;
  wire rx_granted     = write_data[`TL_BIT_CONTROL_RX_DESCRIPTOR] ? rx_descriptors_granted : rx_lines_granted;
  wire tx_granted     = write_data[`TL_BIT_CONTROL_TX_DESCRIPTOR] ? tx_descriptors_granted : tx_lines_granted;
  wire rx_control_ok  = (rx_mode_stays || !rx_enable || !control_rx) && (!starts_rx || (rx_granted && !rx_in_flight));
  wire tx_control_ok  = (tx_mode_stays || !tx_enable || !control_tx) && (!starts_tx || (tx_granted && !tx_in_flight));
  wire raw_control_ok = !starts_raw || (raw_granted && !raw_in_flight);
  wire filter_ready   = !filter_busy && !filter_fill && !filter_update;

  reg value_ok;

  always @* begin
    case (write_address)
      `TL_REG_CONTROL:     value_ok = rx_control_ok && tx_control_ok && raw_control_ok;
      `TL_REG_RX_BASE_LO:  value_ok = !rx_enable && aligned_ok;
      `TL_REG_RX_BASE_HI:  value_ok = !rx_enable;
      `TL_REG_RX_LOG2:     value_ok = !rx_enable && log2_ok;
      `TL_REG_RX_EPOCH:    value_ok = !rx_enable;
      `TL_REG_RX_TAIL:     value_ok = rx_given <= rx_filled;
      `TL_REG_TX_BASE_LO:  value_ok = !tx_enable && aligned_ok;
      `TL_REG_TX_BASE_HI:  value_ok = !tx_enable;
      `TL_REG_TX_LOG2:     value_ok = !tx_enable && log2_ok;
      `TL_REG_TX_EPOCH:    value_ok = !tx_enable;
      `TL_REG_TX_TAIL:     value_ok = tx_filled >= tx_waiting && tx_filled <= tx_room;
      `TL_REG_RAW_BASE_LO: value_ok = !raw_enable && aligned_ok;
      `TL_REG_RAW_BASE_HI: value_ok = !raw_enable;
      `TL_REG_RAW_LOG2:    value_ok = !raw_enable && log2_ok;
      `TL_REG_RAW_EPOCH:   value_ok = !raw_enable;
      `TL_REG_RAW_TAIL:    value_ok = raw_given <= raw_filled;
      `TL_REG_FILTER_FILL, `TL_REG_FILTER_UPDATE:
                           value_ok = filter_ready;
      `TL_REG_ERRORS,
      `TL_REG_WINDOW_BASE_LO, `TL_REG_WINDOW_BASE_HI, `TL_REG_WINDOW_SIZE_LO, `TL_REG_WINDOW_SIZE_HI,
      `TL_REG_WINDOW2_BASE_LO, `TL_REG_WINDOW2_BASE_HI, `TL_REG_WINDOW2_SIZE_LO, `TL_REG_WINDOW2_SIZE_HI,
      `TL_REG_GROUP_ADDRESS, `TL_REG_GROUP_PORT, `TL_REG_HOLD, `TL_REG_EVENT_ENABLE,
      `TL_REG_SESSION_SOURCE_MAC_LO, `TL_REG_SESSION_SOURCE_MAC_HI,
      `TL_REG_SESSION_DESTINATION_MAC_LO, `TL_REG_SESSION_DESTINATION_MAC_HI,
      `TL_REG_SESSION_SOURCE_ADDRESS, `TL_REG_SESSION_DESTINATION_ADDRESS, `TL_REG_SESSION_PORTS,
      `TL_REG_SESSION_SEQUENCE, `TL_REG_SESSION_ACKNOWLEDGE, `TL_REG_SESSION_WINDOW:
                           value_ok = 1'b1;
      default:             value_ok = 1'b0;
    endcase
  end

  always @(posedge clk)
    write_accepted <= value_ok && write_whole;

  assign write_wait = !grants_settled;

  wire store         = write && write_accepted;
  wire store_control = store && write_address == `TL_REG_CONTROL;

  assign rx_start     = store_control && starts_rx;
  assign tx_start     = store_control && starts_tx;
  assign raw_start    = store_control && starts_raw;
  assign errors_clear = store && write_address == `TL_REG_ERRORS ? write_data : 32'd0;

  // More writes than needed cost nothing but a few clocks: every write to the windows' and rings' part of the map.
  assign grants_change = store && ((write_address >= `TL_REG_WINDOW_BASE_LO && write_address < `TL_REG_GROUP_ADDRESS
                                    && write_address != `TL_REG_RX_TAIL && write_address != `TL_REG_TX_TAIL)
                                   || (write_address >= `TL_REG_RAW_BASE_LO && write_address < `TL_REG_RAW_TAIL));

  // ---- Registers the host writes

  reg [31:0] rx_epoch;
  reg [31:0] tx_epoch;
  reg [31:0] raw_epoch;

  assign rx_publish_epoch  = rx_epoch[30:0];
  assign tx_publish_epoch  = tx_epoch[30:0];
  assign raw_publish_epoch = raw_epoch[30:0];

  always @(posedge clk) begin
    if (rst) begin
      rx_enable                   <= RESET_CONTROL[`TL_BIT_CONTROL_RX_ENABLE];
      tx_enable                   <= RESET_CONTROL[`TL_BIT_CONTROL_TX_ENABLE];
      filter_enable               <= RESET_CONTROL[`TL_BIT_CONTROL_FILTER_ENABLE];
      verified                    <= RESET_CONTROL[`TL_BIT_CONTROL_VERIFIED];
      prototype                   <= RESET_CONTROL[`TL_BIT_CONTROL_PROTOTYPE];
      rx_descriptor               <= RESET_CONTROL[`TL_BIT_CONTROL_RX_DESCRIPTOR];
      tx_descriptor               <= RESET_CONTROL[`TL_BIT_CONTROL_TX_DESCRIPTOR];
      raw_enable                  <= RESET_CONTROL[`TL_BIT_CONTROL_RAW_ENABLE];
      window_base                 <= {`TL_RESET_WINDOW_BASE_HI, `TL_RESET_WINDOW_BASE_LO};
      window_size                 <= {`TL_RESET_WINDOW_SIZE_HI, `TL_RESET_WINDOW_SIZE_LO};
      window2_base                <= {`TL_RESET_WINDOW2_BASE_HI, `TL_RESET_WINDOW2_BASE_LO};
      window2_size                <= {`TL_RESET_WINDOW2_SIZE_HI, `TL_RESET_WINDOW2_SIZE_LO};
      rx_base                     <= {`TL_RESET_RX_BASE_HI, `TL_RESET_RX_BASE_LO};
      rx_log2                     <= RESET_RX_LOG2[4:0];
      rx_epoch                    <= `TL_RESET_RX_EPOCH;
      rx_tail                     <= `TL_RESET_RX_TAIL;
      tx_base                     <= {`TL_RESET_TX_BASE_HI, `TL_RESET_TX_BASE_LO};
      tx_log2                     <= RESET_TX_LOG2[4:0];
      tx_epoch                    <= `TL_RESET_TX_EPOCH;
      tx_tail                     <= `TL_RESET_TX_TAIL;
      raw_base                    <= {`TL_RESET_RAW_BASE_HI, `TL_RESET_RAW_BASE_LO};
      raw_log2                    <= RESET_RAW_LOG2[4:0];
      raw_epoch                   <= `TL_RESET_RAW_EPOCH;
      raw_tail                    <= `TL_RESET_RAW_TAIL;
      group_address               <= `TL_RESET_GROUP_ADDRESS;
      group_port                  <= RESET_GROUP_PORT[15:0];
      hold                        <= `TL_RESET_HOLD;
      event_enable                <= RESET_EVENT_ENABLE[3:0];
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
          rx_enable     <= control_rx;
          tx_enable     <= control_tx;
          raw_enable    <= control_raw;
          filter_enable <= write_data[`TL_BIT_CONTROL_FILTER_ENABLE];
          verified      <= write_data[`TL_BIT_CONTROL_VERIFIED];
          prototype     <= write_data[`TL_BIT_CONTROL_PROTOTYPE];
          rx_descriptor <= write_data[`TL_BIT_CONTROL_RX_DESCRIPTOR];
          tx_descriptor <= write_data[`TL_BIT_CONTROL_TX_DESCRIPTOR];
          if (starts_rx)
            rx_tail <= 32'd0;
          if (starts_tx)
            tx_tail <= 32'd0;
          if (starts_raw)
            raw_tail <= 32'd0;
        end
        `TL_REG_WINDOW_BASE_LO:              window_base[31:0] <= write_data;
        `TL_REG_WINDOW_BASE_HI:              window_base[63:32] <= write_data;
        `TL_REG_WINDOW_SIZE_LO:              window_size[31:0] <= write_data;
        `TL_REG_WINDOW_SIZE_HI:              window_size[63:32] <= write_data;
        `TL_REG_WINDOW2_BASE_LO:             window2_base[31:0] <= write_data;
        `TL_REG_WINDOW2_BASE_HI:             window2_base[63:32] <= write_data;
        `TL_REG_WINDOW2_SIZE_LO:             window2_size[31:0] <= write_data;
        `TL_REG_WINDOW2_SIZE_HI:             window2_size[63:32] <= write_data;
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
        `TL_REG_RAW_BASE_LO:                 raw_base[31:0] <= write_data;
        `TL_REG_RAW_BASE_HI:                 raw_base[63:32] <= write_data;
        `TL_REG_RAW_LOG2:                    raw_log2 <= write_data[4:0];
        `TL_REG_RAW_EPOCH:                   raw_epoch <= write_data;
        `TL_REG_RAW_TAIL:                    raw_tail <= write_data;
        `TL_REG_GROUP_ADDRESS:               group_address <= write_data;
        `TL_REG_GROUP_PORT:                  group_port <= write_data[15:0];
        `TL_REG_HOLD:                        hold <= write_data;
        `TL_REG_EVENT_ENABLE:                event_enable <= write_data[3:0];
        `TL_REG_SESSION_SOURCE_MAC_LO:       session_source_mac[31:0] <= write_data;
        `TL_REG_SESSION_SOURCE_MAC_HI:       session_source_mac[47:32] <= write_data[15:0];
        `TL_REG_SESSION_DESTINATION_MAC_LO:  session_destination_mac[31:0] <= write_data;
        `TL_REG_SESSION_DESTINATION_MAC_HI:  session_destination_mac[47:32] <= write_data[15:0];
        `TL_REG_SESSION_SOURCE_ADDRESS:      session_source_address <= write_data;
        `TL_REG_SESSION_DESTINATION_ADDRESS: session_destination_address <= write_data;
        `TL_REG_SESSION_PORTS:               session_ports <= write_data;
        `TL_REG_SESSION_ACKNOWLEDGE:         session_acknowledge <= write_data;
        `TL_REG_SESSION_WINDOW:              session_window <= write_data[15:0];
        default: ; // ERRORS, SESSION_SEQUENCE and the filter's commands stand elsewhere
      endcase
    end
  end

  always @(posedge clk) begin
    filter_fill   <= store && write_address == `TL_REG_FILTER_FILL && !rst;
    filter_update <= store && write_address == `TL_REG_FILTER_UPDATE && !rst;
    if (store && write_address == `TL_REG_FILTER_FILL)
      filter_fill_value <= write_data[0];
    if (store && write_address == `TL_REG_FILTER_UPDATE) begin
      filter_update_locate <= write_data[`TL_BIT_FILTER_UPDATE_LOCATE +: 16];
      filter_update_pass   <= write_data[`TL_BIT_FILTER_UPDATE_PASS];
    end
    if (rst) begin
      filter_fill_value    <= RESET_FILTER_FILL[0];
      filter_update_locate <= RESET_FILTER_UPDATE[`TL_BIT_FILTER_UPDATE_LOCATE +: 16];
      filter_update_pass   <= RESET_FILTER_UPDATE[`TL_BIT_FILTER_UPDATE_PASS];
    end
  end

  // The host's write wins over a segment taken in the clock before: it is the later decision.
  reg        segment_counts;
  reg [15:0] segment_bytes;

  always @(posedge clk) begin
    segment_counts <= segment_taken && !rst;
    segment_bytes  <= segment_length;
    if (rst)
      session_sequence <= `TL_RESET_SESSION_SEQUENCE;
    else if (store && write_address == `TL_REG_SESSION_SEQUENCE)
      session_sequence <= write_data;
    else if (segment_counts)
      session_sequence <= session_sequence + {16'd0, segment_bytes};
  end

  // ---- Reads: sampled into one register a part of the map, the part is chosen in the clock of the answer

  localparam [2:0] PART_RINGS      = 3'd0;    // 0x000, control included
  localparam [2:0] PART_SET_UP     = 3'd1;    // 0x080
  localparam [2:0] PART_STATE      = 3'd2;    // 0x100
  localparam [2:0] PART_STATISTICS = 3'd4;    // 0x200

  localparam [5:0] STATISTICS_WORDS = `TL_STATISTICS_WORDS;  // at most 32

  reg  [15:0] time_hi;
  reg  [31:0] next_expected_hi;
  reg  [31:0] rings;
  reg         rings_known;
  reg  [31:0] set_up;
  reg         set_up_known;
  reg  [31:0] state;
  reg         state_known;
  reg  [31:0] statistic;
  reg         statistic_known;
  reg  [2:0]  part;
  reg         part_known;

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

  always @(posedge clk)
    if (read) begin
      part            <= read_address[9:7];
      part_known      <= read_address[11:10] == 2'd0;
      statistic       <= statistics[32 * read_address[6:2] +: 32];
      statistic_known <= {1'b0, read_address[6:2]} < STATISTICS_WORDS && read_address[1:0] == 2'd0;
    end

  always @(posedge clk)
    if (read) begin
      rings_known <= 1'b1;
      rings       <= 32'd0;
      case ({4'd0, 1'b0, read_address[6:0]})
        `TL_REG_ID:                          rings <= `TL_RESET_ID;
        `TL_REG_VERSION:                     rings <= `TL_RESET_VERSION;
        `TL_REG_LAYOUT_HASH:                 rings <= `TL_LAYOUT_HASH;
        `TL_REG_CAPABILITIES:                rings <= `TL_RESET_CAPABILITIES;
        `TL_REG_CONTROL: begin
          rings[`TL_BIT_CONTROL_RX_ENABLE]       <= rx_enable;
          rings[`TL_BIT_CONTROL_TX_ENABLE]       <= tx_enable;
          rings[`TL_BIT_CONTROL_FILTER_ENABLE]   <= filter_enable;
          rings[`TL_BIT_CONTROL_VERIFIED]        <= verified;
          rings[`TL_BIT_CONTROL_PROTOTYPE]       <= prototype;
          rings[`TL_BIT_CONTROL_RX_DESCRIPTOR]   <= rx_descriptor;
          rings[`TL_BIT_CONTROL_TX_DESCRIPTOR]   <= tx_descriptor;
          rings[`TL_BIT_CONTROL_RAW_ENABLE]      <= raw_enable;
        end
        `TL_REG_ERRORS:                      rings <= errors;
        `TL_REG_TIME_LO:                     rings <= time_ns[31:0];
        `TL_REG_TIME_HI:                     rings <= {16'd0, time_hi};
        `TL_REG_WINDOW_BASE_LO:              rings <= window_base[31:0];
        `TL_REG_WINDOW_BASE_HI:              rings <= window_base[63:32];
        `TL_REG_WINDOW_SIZE_LO:              rings <= window_size[31:0];
        `TL_REG_WINDOW_SIZE_HI:              rings <= window_size[63:32];
        `TL_REG_WINDOW2_BASE_LO:             rings <= window2_base[31:0];
        `TL_REG_WINDOW2_BASE_HI:             rings <= window2_base[63:32];
        `TL_REG_WINDOW2_SIZE_LO:             rings <= window2_size[31:0];
        `TL_REG_WINDOW2_SIZE_HI:             rings <= window2_size[63:32];
        `TL_REG_RX_BASE_LO:                  rings <= rx_base[31:0];
        `TL_REG_RX_BASE_HI:                  rings <= rx_base[63:32];
        `TL_REG_RX_LOG2:                     rings <= {27'd0, rx_log2};
        `TL_REG_RX_EPOCH:                    rings <= rx_epoch;
        `TL_REG_RX_HEAD:                     rings <= rx_head;
        `TL_REG_RX_TAIL:                     rings <= rx_tail;
        `TL_REG_TX_BASE_LO:                  rings <= tx_base[31:0];
        `TL_REG_TX_BASE_HI:                  rings <= tx_base[63:32];
        `TL_REG_TX_LOG2:                     rings <= {27'd0, tx_log2};
        `TL_REG_TX_EPOCH:                    rings <= tx_epoch;
        `TL_REG_TX_HEAD:                     rings <= tx_head;
        `TL_REG_TX_TAIL:                     rings <= tx_tail;
        default:                             rings_known <= 1'b0;
      endcase
    end

  always @(posedge clk)
    if (read) begin
      set_up_known <= 1'b1;
      set_up       <= 32'd0;
      case ({4'd0, 1'b1, read_address[6:0]})
        `TL_REG_GROUP_ADDRESS:               set_up <= group_address;
        `TL_REG_GROUP_PORT:                  set_up <= {16'd0, group_port};
        `TL_REG_HOLD:                        set_up <= hold;
        `TL_REG_EVENT_ENABLE:                set_up <= {28'd0, event_enable};
        `TL_REG_FILTER_FILL:                 set_up <= {31'd0, filter_fill_value};
        `TL_REG_FILTER_UPDATE: begin
          set_up[`TL_BIT_FILTER_UPDATE_LOCATE +: 16] <= filter_update_locate;
          set_up[`TL_BIT_FILTER_UPDATE_PASS]         <= filter_update_pass;
        end
        `TL_REG_FILTER_STATUS:               set_up[`TL_BIT_FILTER_STATUS_BUSY] <= !filter_ready;
        `TL_REG_SESSION_SOURCE_MAC_LO:       set_up <= session_source_mac[31:0];
        `TL_REG_SESSION_SOURCE_MAC_HI:       set_up <= {16'd0, session_source_mac[47:32]};
        `TL_REG_SESSION_DESTINATION_MAC_LO:  set_up <= session_destination_mac[31:0];
        `TL_REG_SESSION_DESTINATION_MAC_HI:  set_up <= {16'd0, session_destination_mac[47:32]};
        `TL_REG_SESSION_SOURCE_ADDRESS:      set_up <= session_source_address;
        `TL_REG_SESSION_DESTINATION_ADDRESS: set_up <= session_destination_address;
        `TL_REG_SESSION_PORTS:               set_up <= session_ports;
        `TL_REG_SESSION_SEQUENCE:            set_up <= session_sequence;
        `TL_REG_SESSION_ACKNOWLEDGE:         set_up <= session_acknowledge;
        `TL_REG_SESSION_WINDOW:              set_up <= {16'd0, session_window};
        `TL_REG_RAW_BASE_LO:                 set_up <= raw_base[31:0];
        `TL_REG_RAW_BASE_HI:                 set_up <= raw_base[63:32];
        `TL_REG_RAW_LOG2:                    set_up <= {27'd0, raw_log2};
        `TL_REG_RAW_EPOCH:                   set_up <= raw_epoch;
        `TL_REG_RAW_HEAD:                    set_up <= raw_head;
        `TL_REG_RAW_TAIL:                    set_up <= raw_tail;
        default:                             set_up_known <= 1'b0;
      endcase
    end

  always @(posedge clk)
    if (read) begin
      state_known <= 1'b1;
      state       <= 32'd0;
      case ({5'b0001_0, read_address[6:0]})
        `TL_REG_NEXT_EXPECTED_LO:     state <= next_expected[31:0];
        `TL_REG_NEXT_EXPECTED_HI:     state <= next_expected_hi;
        `TL_REG_STREAM_STATUS:        state[`TL_BIT_STREAM_STATUS_VALID] <= next_expected_valid;
        `TL_REG_RX_RING_FULL_DROPPED: state <= rx_ring_full_dropped;
        `TL_REG_DMA_REFUSED_COUNT:    state <= dma_refused_count;
        `TL_REG_RX_LINES:             state <= rx_lines;
        `TL_REG_TX_ORDERS:            state <= tx_orders;
        `TL_REG_TX_REFUSED:           state <= tx_refused_count;
        `TL_REG_RX_TOO_LARGE_DROPPED: state <= rx_too_large_dropped;
        `TL_REG_RAW_FRAMES:           state <= raw_frames;
        `TL_REG_RAW_DROPPED:          state <= raw_dropped;
        `TL_REG_TX_FRAMES:            state <= tx_frames;
        `TL_REG_RX_EVENTS:            state <= rx_events;
        default:                      state_known <= 1'b0;
      endcase
    end

  assign read_data     = part == PART_RINGS ? rings
                         : part == PART_SET_UP ? set_up : part == PART_STATE ? state : statistic;
  assign read_accepted = part_known && ((part == PART_RINGS && rings_known) || (part == PART_SET_UP && set_up_known)
                                        || (part == PART_STATE && state_known)
                                        || (part == PART_STATISTICS && statistic_known));

endmodule
`default_nettype wire
