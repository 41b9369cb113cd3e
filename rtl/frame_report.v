// SPDX-License-Identifier: MIT
// What is told of a frame when it is retired: the report, registered, and the rx_event line for the host's ring, which
// goes out in the same clock as the report. A frame that was dropped has neither kind nor flags; its header's other
// fields are in the event if its header got this far.
`include "layout.vh"
`default_nettype none

module frame_report (
  input  wire         clk,
  input  wire         rst,
  input  wire [2:0]   event_enable,       // EVENT_ENABLE: STREAM, BAD, DROP

  // a frame is retired
  input  wire         retire,
  input  wire         line,               // 1: line B
  input  wire [7:0]   reason,
  input  wire         truncated,
  input  wire         extra_data,
  input  wire [47:0]  frame_time,
  input  wire         has_header,
  input  wire         owner,              // it owned the stream; what follows is its header's, as the stream took it
  input  wire         gap,
  input  wire [63:0]  gap_from,
  input  wire         session_change,
  input  wire         end_of_session,
  input  wire [79:0]  session,
  input  wire [63:0]  sequence_number,
  input  wire [15:0]  count,
  input  wire [7:0]   kind,
  input  wire [15:0]  duplicates,

  output reg          report_valid,
  output reg          report_line,
  output reg  [7:0]   report_reason,
  output reg  [7:0]   report_kind,
  output reg  [7:0]   report_flags,
  output reg  [63:0]  report_gap_from,
  output reg  [79:0]  report_session,
  output reg  [63:0]  report_sequence,
  output reg  [15:0]  report_count,
  output reg  [47:0]  report_timestamp,
  output reg          report_owner,
  output reg          report_gap,
  output reg  [15:0]  report_duplicates,

  // with the report
  output reg          event_valid,
  output reg          event_if_delivered, // only if messages of the frame were
  output reg  [479:0] event_data          // rx_event without `delivered`
);

  localparam [31:0] STATUS_EVENT  = `TL_STATUS_EVENT;
  localparam [31:0] STATUS_LINE_B = `TL_STATUS_LINE_B;

  wire       good  = reason == `TL_DROP_REASON_ACCEPT;
  wire       owned = owner && good;
  wire [7:0] flags = {3'd0, owned && end_of_session, owned && session_change, owned && gap, good && extra_data,
                      good && truncated};
  wire       news  = owned && (gap || session_change || end_of_session);

  reg [79:0] header_session;
  reg [63:0] header_sequence;
  reg [15:0] header_count;

  always @(posedge clk) begin
    report_valid       <= retire && !rst;
    report_line        <= line;
    report_reason      <= reason;
    report_kind        <= good ? kind : `TL_FRAME_KIND_DATA;
    report_flags       <= flags;
    report_gap_from    <= owned && gap ? gap_from : 64'd0;
    report_timestamp   <= frame_time;
    report_owner       <= owner;
    report_gap         <= owned && gap;
    report_duplicates  <= duplicates;
    header_session     <= has_header ? session : 80'd0;
    header_sequence    <= has_header ? sequence_number : 64'd0;
    header_count       <= has_header ? count : 16'd0;
    event_valid        <= retire && !rst && (good ? event_enable[`TL_BIT_EVENT_ENABLE_STREAM] && (truncated || news)
                                                  : event_enable[`TL_BIT_EVENT_ENABLE_DROP]
                                                    || (event_enable[`TL_BIT_EVENT_ENABLE_BAD] && owner));
    event_if_delivered <= !good && !event_enable[`TL_BIT_EVENT_ENABLE_DROP];
  end

  wire accepted = report_reason == `TL_DROP_REASON_ACCEPT;

  always @* begin
    report_session  = accepted ? header_session : 80'd0;
    report_sequence = accepted ? header_sequence : 64'd0;
    report_count    = accepted ? header_count : 16'd0;

    event_data = 480'd0;
    event_data[8 * `TL_RX_EVENT_SEQUENCE +: 64]        = header_sequence;
    event_data[8 * `TL_RX_EVENT_HW_TIMESTAMP_NS +: 48] = report_timestamp;
    event_data[8 * `TL_RX_EVENT_COUNT +: 16]           = header_count;
    event_data[8 * `TL_RX_EVENT_GAP_FROM +: 64]        = report_gap_from;
    event_data[8 * `TL_RX_EVENT_STATUS +: 8]           = STATUS_EVENT[7:0] | (report_line ? STATUS_LINE_B[7:0] : 8'd0);
    event_data[8 * `TL_RX_EVENT_REASON +: 8]           = report_reason;
    event_data[8 * `TL_RX_EVENT_KIND +: 8]             = report_kind;
    event_data[8 * `TL_RX_EVENT_FLAGS +: 8]            = report_flags;
    event_data[8 * `TL_RX_EVENT_SESSION +: 80]         = header_session;
  end

endmodule
`default_nettype wire
