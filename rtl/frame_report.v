// SPDX-License-Identifier: MIT
// What is told of a frame when it is retired: two clocks later the report, and from then on the rx_event line, if one
// is due, until there is a gap between messages to tell it in. An owner's event finds one at once.
//
// A frame that was dropped has neither kind nor flags.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module frame_report (
  input  wire         clk,
  input  wire         rst,
  input  wire [2:0]   event_enable,       // EVENT_ENABLE: STREAM, BAD, DROP

  // a frame is retired; by line, A in bit 0, one of them at most
  input  wire [1:0]   retires,
  input  wire [`TL_END_BITS-1:0] a_end,
  input  wire [`TL_END_BITS-1:0] b_end,
  input  wire [1:0]   revoked,            // without an END
  input  wire [1:0]   owner,
  input  wire [1:0]   ahead,
  input  wire [1:0]   session_change,
  input  wire [1:0]   first_end,
  input  wire [63:0]  gap_from,

  // its header, there for one clock more
  input  wire [79:0]  a_session,
  input  wire [79:0]  b_session,
  input  wire [63:0]  a_sequence,
  input  wire [63:0]  b_sequence,
  input  wire [15:0]  a_count,
  input  wire [15:0]  b_count,
  input  wire [7:0]   a_kind,
  input  wire [7:0]   b_kind,
  input  wire [47:0]  a_time,
  input  wire [47:0]  b_time,
  input  wire [15:0]  a_duplicates,       // in that clock
  input  wire [15:0]  b_duplicates,

  // messages of the owner that reached the host: all are counted when its report is there
  input  wire [15:0]  delivered,
  input  wire         any_delivered,

  output reg          report_valid,
  output reg          report_line,
  output reg  [7:0]   report_reason,
  output reg  [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output reg  [63:0]  report_gap_from,
  output reg  [79:0]  report_session,
  output reg  [63:0]  report_sequence,
  output reg  [15:0]  report_count,
  output reg  [47:0]  report_timestamp,
  output reg          report_owner,
  output reg          report_gap,
  output reg  [15:0]  report_duplicates,

  output wire         telling,            // a frame is on its way to its event, or the event waits
  output wire         event_due,
  input  wire         event_told,
  output wire [479:0] event_data,
  output wire         idle
);

  // ---- the clock after: which frame, what its end says

  reg         retired;
  reg         from_b;
  reg  [7:0]  reason;
  reg         truncated;
  reg         extra_data;
  reg  [47:0] end_time;
  reg         no_end;
  reg         owned;
  reg         gap;
  reg         change;
  reg         last;
  reg  [63:0] gap_begin;

  wire [`TL_END_BITS-1:0] frame_end = retires[1] ? b_end : a_end;
  wire unused = &{1'b0, frame_end[`TL_END_OTHERS +: 16], frame_end[`TL_END_HEADER_SEEN], frame_end[`TL_END_OVERFLOW]};

  always @(posedge clk) begin
    retired    <= retires != 2'b00 && !rst;
    from_b     <= retires[1];
    reason     <= frame_end[`TL_END_REASON +: 8];
    truncated  <= frame_end[`TL_END_TRUNCATED];
    extra_data <= frame_end[`TL_END_EXTRA_DATA];
    end_time   <= frame_end[`TL_END_TIME +: 48];
    no_end     <= revoked != 2'b00;
    owned      <= retires[1] ? owner[1] : owner[0];
    gap        <= retires[1] ? ahead[1] : ahead[0];
    change     <= retires[1] ? session_change[1] : session_change[0];
    last       <= retires[1] ? first_end[1] : first_end[0];
    gap_begin  <= gap_from;
  end

  // ---- two clocks after: the report, and whether an event is due

  wire good = reason == `TL_DROP_REASON_ACCEPT && !no_end;
  wire took = good && owned;              // the stream took its header

  reg         flag_truncated;
  reg         flag_extra_data;
  reg         flag_change;
  reg         flag_end;
  reg         due;                        // an event
  reg         due_if_delivered;           // ... only of a frame of which messages were

  always @(posedge clk) begin
    report_valid      <= retired && !rst;
    report_line       <= from_b;
    report_reason     <= no_end ? `TL_DROP_REASON_OVERFLOW : reason;
    report_kind       <= !good ? `TL_FRAME_KIND_DATA : from_b ? b_kind : a_kind;
    report_gap_from   <= took && gap ? gap_begin : 64'd0;
    report_session    <= !good ? 80'd0 : from_b ? b_session : a_session;
    report_sequence   <= !good ? 64'd0 : from_b ? b_sequence : a_sequence;
    report_count      <= !good ? 16'd0 : from_b ? b_count : a_count;
    report_timestamp  <= !no_end ? end_time : from_b ? b_time : a_time;
    report_owner      <= owned;
    report_gap        <= took && gap;
    report_duplicates <= from_b ? b_duplicates : a_duplicates;
    flag_truncated    <= good && truncated;
    flag_extra_data   <= good && extra_data;
    flag_change       <= took && change;
    flag_end          <= took && last;
    due               <= retired && !rst
                         && (good ? event_enable[`TL_BIT_EVENT_ENABLE_STREAM]
                                    && (truncated || (owned && (gap || change || last)))
                                  : event_enable[`TL_BIT_EVENT_ENABLE_DROP]
                                    || (event_enable[`TL_BIT_EVENT_ENABLE_BAD] && owned));
    due_if_delivered  <= !good && !event_enable[`TL_BIT_EVENT_ENABLE_DROP];
  end

  assign report_flags = {3'd0, flag_end, flag_change, report_gap, flag_extra_data, flag_truncated};

  // ---- the event: with the report, or kept

  localparam [31:0] STATUS_EVENT  = `TL_STATUS_EVENT;
  localparam [31:0] STATUS_LINE_B = `TL_STATUS_LINE_B;

  reg  [79:0]  header_session;             // of the frame of the report, dropped or not
  reg  [63:0]  header_sequence;
  reg  [15:0]  header_count;
  reg          waits;
  reg  [479:0] kept;
  reg  [479:0] event_now;

  always @(posedge clk) begin
    header_session  <= from_b ? b_session : a_session;
    header_sequence <= from_b ? b_sequence : a_sequence;
    header_count    <= from_b ? b_count : a_count;
  end

  // How far the header of a dropped frame came depends on when its reason was found: the host is told of it only with
  // messages.
  wire tell_header = report_reason == `TL_DROP_REASON_ACCEPT || (report_owner && any_delivered);

  always @* begin
    event_now = 480'd0;
    event_now[8 * `TL_RX_EVENT_SEQUENCE +: 64]        = tell_header ? header_sequence : 64'd0;
    event_now[8 * `TL_RX_EVENT_HW_TIMESTAMP_NS +: 48] = report_timestamp;
    event_now[8 * `TL_RX_EVENT_COUNT +: 16]           = tell_header ? header_count : 16'd0;
    event_now[8 * `TL_RX_EVENT_GAP_FROM +: 64]        = report_gap_from;
    event_now[8 * `TL_RX_EVENT_DELIVERED +: 16]       = report_owner ? delivered : 16'd0;
    event_now[8 * `TL_RX_EVENT_STATUS +: 8]           = STATUS_EVENT[7:0] | (report_line ? STATUS_LINE_B[7:0] : 8'd0);
    event_now[8 * `TL_RX_EVENT_REASON +: 8]           = report_reason;
    event_now[8 * `TL_RX_EVENT_KIND +: 8]             = report_kind;
    event_now[8 * `TL_RX_EVENT_FLAGS +: 8]            = report_flags;
    event_now[8 * `TL_RX_EVENT_SESSION +: 80]         = tell_header ? header_session : 80'd0;
  end

  wire due_now = due && (!due_if_delivered || any_delivered);

  always @(posedge clk) begin
    waits <= event_due && !event_told && !rst;
    if (!waits)
      kept <= event_now;
  end

  assign event_due  = waits || due_now;
  assign event_data = waits ? kept : event_now;
  assign telling    = event_enable != 3'd0 && (retired || due || waits);
  assign idle       = !retired && !report_valid && !waits;

endmodule
`default_nettype wire
