// SPDX-License-Identifier: MIT
// Arbitration: within a session each sequence number is delivered at most once and in order, whatever the two lines
// bring and however their frames meet, unless the frame that brought it turned out bad and was taken back; what a line
// brings and is not delivered is old. One number is watched, any one: after it has been delivered only higher ones are.
//
// Every frame is there: two lines, any sessions and verdicts, gaps, duplicates, partly old packets, held ones, ports
// that fall silent (at any moment: `silence` is cut) and events (`frame_report` is cut).
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module arbitration_proof (
  input wire         clk,
  input wire         rst,
  input wire [47:0]  time_ns,
  input wire [31:0]  hold,
  input wire         a_starts,
  input wire         a_valid,
  input wire [1:0]   a_kind,
  input wire [479:0] a_data,
  input wire         a_level_high,
  input wire         b_starts,
  input wire         b_valid,
  input wire [1:0]   b_kind,
  input wire [479:0] b_data,
  input wire         b_level_high
);

  wire [15:0]  a_others_started;
  wire         a_ready;
  wire [15:0]  b_others_started;
  wire         b_ready;
  wire         line_valid;
  wire         line_first;
  wire         line_event;
  wire [479:0] line_data;
  wire         line_abort;
  wire [15:0]  next_locate;
  wire         next_general;
  wire         report_valid;
  wire         report_line;
  wire [7:0]   report_reason;
  wire [7:0]   report_kind;
  wire [7:0]   report_flags;
  wire [63:0]  report_gap_from;
  wire [79:0]  report_session;
  wire [63:0]  report_sequence;
  wire [15:0]  report_count;
  wire [47:0]  report_timestamp;
  wire         report_owner;
  wire         report_gap;
  wire [15:0]  report_duplicates;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         idle;

  arbiter u_arbiter (
    .clk                 (clk),
    .rst                 (rst),
    .time_ns             (time_ns),
    .hold                (hold),
    .event_enable        (3'd0),
    .a_starts            (a_starts),
    .a_others_started    (a_others_started),
    .a_valid             (a_valid),
    .a_kind              (a_kind),
    .a_data              (a_data),
    .a_ready             (a_ready),
    .a_level_high        (a_level_high),
    .b_starts            (b_starts),
    .b_others_started    (b_others_started),
    .b_valid             (b_valid),
    .b_kind              (b_kind),
    .b_data              (b_data),
    .b_ready             (b_ready),
    .b_level_high        (b_level_high),
    .line_valid          (line_valid),
    .line_first          (line_first),
    .line_event          (line_event),
    .line_data           (line_data),
    .line_abort          (line_abort),
    .next_locate         (next_locate),
    .next_general        (next_general),
    .delivered           (16'd0),
    .any_delivered       (1'b0),
    .report_valid        (report_valid),
    .report_line         (report_line),
    .report_reason       (report_reason),
    .report_kind         (report_kind),
    .report_flags        (report_flags),
    .report_gap_from     (report_gap_from),
    .report_session      (report_session),
    .report_sequence     (report_sequence),
    .report_count        (report_count),
    .report_timestamp    (report_timestamp),
    .report_owner        (report_owner),
    .report_gap          (report_gap),
    .report_duplicates   (report_duplicates),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .idle                (idle)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire         \u_arbiter.a_none ;
  (* hierconn *) wire         \u_arbiter.a_swallow ;
  (* hierconn *) wire         \u_arbiter.a_waiting ;
  (* hierconn *) wire         \u_arbiter.a_parked ;
  (* hierconn *) wire         \u_arbiter.a_released ;
  (* hierconn *) wire         \u_arbiter.a_owner ;
  (* hierconn *) wire         \u_arbiter.a_draining ;
  (* hierconn *) wire [79:0]  \u_arbiter.a_session ;
  (* hierconn *) wire [63:0]  \u_arbiter.a_sequence ;
  (* hierconn *) wire         \u_arbiter.a_unnumbered ;
  (* hierconn *) wire         \u_arbiter.a_same ;
  (* hierconn *) wire         \u_arbiter.a_ahead ;
  (* hierconn *) wire         \u_arbiter.a_harmless ;
  (* hierconn *) wire         \u_arbiter.a_old ;
  (* hierconn *) wire         \u_arbiter.a_holds ;
  (* hierconn *) wire         \u_arbiter.a_go ;
  (* hierconn *) wire         \u_arbiter.a_drain ;
  (* hierconn *) wire         \u_arbiter.a_release ;
  (* hierconn *) wire         \u_arbiter.b_release ;
  (* hierconn *) wire         \u_arbiter.a_delivers ;
  (* hierconn *) wire         \u_arbiter.a_is_record ;
  (* hierconn *) wire         \u_arbiter.a_is_end ;
  (* hierconn *) wire         \u_arbiter.a_taken ;
  (* hierconn *) wire         \u_arbiter.a_message ;
  (* hierconn *) wire         \u_arbiter.a_emits ;
  (* hierconn *) wire         \u_arbiter.a_ends ;
  (* hierconn *) wire         \u_arbiter.a_end ;
  (* hierconn *) wire         \u_arbiter.a_bad ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_a.numbers ;
  (* hierconn *) wire [63:0]  \u_arbiter.u_front_a.behind ;
  (* hierconn *) wire         \u_arbiter.u_front_a.owner_old ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_a.owner_left ;
  (* hierconn *) wire         \u_arbiter.u_front_a.owner_all ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_a.u_sequence_counter.low ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_a.u_sequence_counter.high ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_a.u_sequence_counter.high_next ;
  (* hierconn *) wire         \u_arbiter.u_skid_a.kept ;
  (* hierconn *) wire         \u_arbiter.u_skid_a.kept_line ;
  (* hierconn *) wire         \u_arbiter.u_skid_a.kept_record ;
  (* hierconn *) wire         \u_arbiter.u_skid_a.kept_end ;
  (* hierconn *) wire [479:0] \u_arbiter.u_skid_a.kept_data ;
  (* hierconn *) wire         \u_arbiter.b_none ;
  (* hierconn *) wire         \u_arbiter.b_swallow ;
  (* hierconn *) wire         \u_arbiter.b_waiting ;
  (* hierconn *) wire         \u_arbiter.b_parked ;
  (* hierconn *) wire         \u_arbiter.b_released ;
  (* hierconn *) wire         \u_arbiter.b_owner ;
  (* hierconn *) wire         \u_arbiter.b_draining ;
  (* hierconn *) wire [79:0]  \u_arbiter.b_session ;
  (* hierconn *) wire [63:0]  \u_arbiter.b_sequence ;
  (* hierconn *) wire         \u_arbiter.b_unnumbered ;
  (* hierconn *) wire         \u_arbiter.b_same ;
  (* hierconn *) wire         \u_arbiter.b_ahead ;
  (* hierconn *) wire         \u_arbiter.b_harmless ;
  (* hierconn *) wire         \u_arbiter.b_old ;
  (* hierconn *) wire         \u_arbiter.b_holds ;
  (* hierconn *) wire         \u_arbiter.b_go ;
  (* hierconn *) wire         \u_arbiter.b_drain ;
  (* hierconn *) wire         \u_arbiter.b_delivers ;
  (* hierconn *) wire         \u_arbiter.b_is_record ;
  (* hierconn *) wire         \u_arbiter.b_is_end ;
  (* hierconn *) wire         \u_arbiter.b_taken ;
  (* hierconn *) wire         \u_arbiter.b_message ;
  (* hierconn *) wire         \u_arbiter.b_emits ;
  (* hierconn *) wire         \u_arbiter.b_ends ;
  (* hierconn *) wire         \u_arbiter.b_end ;
  (* hierconn *) wire         \u_arbiter.b_bad ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_b.numbers ;
  (* hierconn *) wire [63:0]  \u_arbiter.u_front_b.behind ;
  (* hierconn *) wire         \u_arbiter.u_front_b.owner_old ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_b.owner_left ;
  (* hierconn *) wire         \u_arbiter.u_front_b.owner_all ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_b.u_sequence_counter.low ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_b.u_sequence_counter.high ;
  (* hierconn *) wire [31:0]  \u_arbiter.u_front_b.u_sequence_counter.high_next ;
  (* hierconn *) wire         \u_arbiter.u_skid_b.kept ;
  (* hierconn *) wire         \u_arbiter.u_skid_b.kept_line ;
  (* hierconn *) wire         \u_arbiter.u_skid_b.kept_record ;
  (* hierconn *) wire         \u_arbiter.u_skid_b.kept_end ;
  (* hierconn *) wire [479:0] \u_arbiter.u_skid_b.kept_data ;
  (* hierconn *) wire [79:0]  \u_arbiter.stream_session ;
  (* hierconn *) wire         \u_arbiter.stream_changed ;
  (* hierconn *) wire [63:0]  \u_arbiter.u_stream.own_next ;
  (* hierconn *) wire         \u_arbiter.u_stream.commit ;
  (* hierconn *) wire         \u_arbiter.emitted ;
  (* hierconn *) wire         \u_arbiter.emitted_first ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_a.others ;
  (* hierconn *) wire         \u_arbiter.u_front_a.one ;
  (* hierconn *) wire         \u_arbiter.u_front_a.two ;
  (* hierconn *) wire         \u_arbiter.u_front_a.settled_last ;
  (* hierconn *) wire [15:0]  \u_arbiter.a_settled ;
  (* hierconn *) wire         \u_arbiter.a_was_void ;
  (* hierconn *) wire         \u_arbiter.a_overtaken ;
  (* hierconn *) wire         \u_arbiter.a_silent ;
  (* hierconn *) wire [15:0]  \u_arbiter.u_front_b.others ;
  (* hierconn *) wire         \u_arbiter.u_front_b.one ;
  (* hierconn *) wire         \u_arbiter.u_front_b.two ;
  (* hierconn *) wire         \u_arbiter.u_front_b.settled_last ;
  (* hierconn *) wire [15:0]  \u_arbiter.b_settled ;
  (* hierconn *) wire         \u_arbiter.b_was_void ;
  (* hierconn *) wire         \u_arbiter.b_overtaken ;
  (* hierconn *) wire         \u_arbiter.b_silent ;
  // verilog_lint: waive-end signal-name-style

  // ---- The number that is watched: delivered in this session and final, or delivered by the frame that owns the stream

  localparam [63:0] BASE  = 64'hFFFF_FFFF_FFF0_0000;  // numbers lie so near to their wrap, for the solver's sake
  localparam [63:0] RANGE = 64'h0000_0000_0020_0000;

  (* anyconst *) reg [63:0] offset;
  wire [63:0] watched = BASE + offset;

  reg         started = 1'b0;
  reg         done;
  reg         pending;
  reg         emits_record;
  reg  [63:0] emits_number;
  reg         moves;                  // the stream does, from the last clock to this one
  reg  [63:0] moves_to;
  wire        a_delivers_watched;
  wire        b_delivers_watched;
  wire [15:0] a_place;
  wire [15:0] a_after;
  wire [15:0] b_place;
  wire [15:0] b_after;
  wire [15:0] a_behind_b       = a_after - b_place;   // 1 and more: the frame of B started first
  wire [15:0] b_behind_a       = b_after - a_place;
  wire        b_older          = !a_behind_b[15] && a_behind_b != 16'd0;
  wire        a_older          = !b_behind_a[15] && b_behind_a != 16'd0;
  wire        delivers_watched = a_delivers_watched || b_delivers_watched;
  wire        ends             = \u_arbiter.a_ends || \u_arbiter.b_ends ;
  wire        stays            = \u_arbiter.b_ends ? \u_arbiter.b_same : \u_arbiter.a_same ;

  always @(posedge clk) begin
    started      <= 1'b1;
    emits_record <= !rst && ((\u_arbiter.a_emits && \u_arbiter.a_is_record )
                             || (\u_arbiter.b_emits && \u_arbiter.b_is_record ));
    moves        <= \u_arbiter.u_stream.commit && !rst;
    moves_to     <= rst ? 64'd0 : \u_arbiter.u_stream.commit ? \u_arbiter.u_stream.own_next : next_expected;
    emits_number <= \u_arbiter.b_emits ? b_number : a_number;
    if (rst) begin
      done    <= 1'b0;
      pending <= 1'b0;
    end else begin
      pending <= (pending || delivers_watched) && !ends;
      if (\u_arbiter.u_stream.commit )
        done <= (done && stays) || pending;
    end
  end

  wire [63:0] a_number = \u_arbiter.u_skid_a.kept ? \u_arbiter.u_skid_a.kept_data [63:0] : a_data[63:0];
  wire [63:0] b_number = \u_arbiter.u_skid_b.kept ? \u_arbiter.u_skid_b.kept_data [63:0] : b_data[63:0];

  always @* begin
    assume (offset < RANGE);
    if (!started)
      assume (rst);
    // Of two frames one started first. A frame that waits is not silent for so long: its turn comes before.
    if (!\u_arbiter.a_none && !\u_arbiter.b_none )
      assume (a_older != b_older);
    assume (!(\u_arbiter.a_silent && \u_arbiter.a_waiting ) && !(\u_arbiter.b_silent && \u_arbiter.b_waiting ));
    if (started) begin
      // One owner, and what it delivers is what comes out.
      assert (!(\u_arbiter.a_holds && \u_arbiter.b_holds ) && !(\u_arbiter.a_go && \u_arbiter.b_go ));
      assert (!(\u_arbiter.a_delivers && \u_arbiter.b_delivers ));
      // The stream moves with a good END of its owner, and only then.
      assert (next_expected == moves_to);
      assert (!moves || \u_arbiter.stream_changed );
      assert (!\u_arbiter.u_stream.commit || (\u_arbiter.a_ends && \u_arbiter.a_end && !\u_arbiter.a_bad )
              || (\u_arbiter.b_ends && \u_arbiter.b_end && !\u_arbiter.b_bad ));
      assert (!ends || !(\u_arbiter.a_ends && \u_arbiter.b_ends ));
      assert (emits_record == (\u_arbiter.emitted && \u_arbiter.emitted_first ));
      if (\u_arbiter.emitted )
        assert (line_valid && !line_event);
      if (emits_record)
        assert (line_first && line_data[63:0] == emits_number);

      assert (!next_expected_valid || next_expected - BASE <= RANGE + 64'd65535);
      assert (!done || (next_expected_valid && next_expected - BASE > offset));
      assert (!pending || \u_arbiter.a_holds || \u_arbiter.b_holds );
    end
  end

  arbitration_line u_line_a (
    .clk               (clk),
    .rst               (rst),
    .started           (started),
    .watched           (watched),
    .x_valid           (a_valid),
    .x_kind            (a_kind),
    .x_data            (a_data),
    .x_ready           (a_ready),
    .kept              (\u_arbiter.u_skid_a.kept ),
    .kept_line         (\u_arbiter.u_skid_a.kept_line ),
    .kept_record       (\u_arbiter.u_skid_a.kept_record ),
    .kept_end          (\u_arbiter.u_skid_a.kept_end ),
    .kept_number       (\u_arbiter.u_skid_a.kept_data [63:0]),
    .waiting           (\u_arbiter.a_waiting ),
    .parked            (\u_arbiter.a_parked ),
    .released          (\u_arbiter.a_released ),
    .owner             (\u_arbiter.a_owner ),
    .draining          (\u_arbiter.a_draining ),
    .none              (\u_arbiter.a_none ),
    .swallow           (\u_arbiter.a_swallow ),
    .session           (\u_arbiter.a_session ),
    .sequence_number   (\u_arbiter.a_sequence ),
    .numbers           (\u_arbiter.u_front_a.numbers ),
    .unnumbered        (\u_arbiter.a_unnumbered ),
    .same_session      (\u_arbiter.a_same ),
    .ahead             (\u_arbiter.a_ahead ),
    .harmless          (\u_arbiter.a_harmless ),
    .old               (\u_arbiter.a_old ),
    .behind            (\u_arbiter.u_front_a.behind ),
    .owner_old         (\u_arbiter.u_front_a.owner_old ),
    .owner_left        (\u_arbiter.u_front_a.owner_left ),
    .owner_all         (\u_arbiter.u_front_a.owner_all ),
    .others            (\u_arbiter.u_front_a.others ),
    .one               (\u_arbiter.u_front_a.one ),
    .two               (\u_arbiter.u_front_a.two ),
    .settled_last      (\u_arbiter.u_front_a.settled_last ),
    .settled           (\u_arbiter.a_settled ),
    .others_settled    (\u_arbiter.b_settled ),
    .was_void          (\u_arbiter.a_was_void ),
    .overtaken         (\u_arbiter.a_overtaken ),
    .counter_low       (\u_arbiter.u_front_a.u_sequence_counter.low ),
    .counter_high      (\u_arbiter.u_front_a.u_sequence_counter.high ),
    .counter_high_next (\u_arbiter.u_front_a.u_sequence_counter.high_next ),
    .go                (\u_arbiter.a_go ),
    .drain             (\u_arbiter.a_drain ),
    .release_hold      (\u_arbiter.a_release ),
    .delivers          (\u_arbiter.a_delivers ),
    .is_record         (\u_arbiter.a_is_record ),
    .is_end            (\u_arbiter.a_is_end ),
    .taken             (\u_arbiter.a_taken ),
    .message           (\u_arbiter.a_message ),
    .emits             (\u_arbiter.a_emits ),
    .ends              (\u_arbiter.a_ends ),
    .commit            (\u_arbiter.a_end && \u_arbiter.a_holds && !\u_arbiter.a_bad ),
    .stream_valid      (next_expected_valid),
    .stream_session    (\u_arbiter.stream_session ),
    .next_expected     (next_expected),
    .changed           (\u_arbiter.stream_changed ),
    .own_next          (\u_arbiter.u_stream.own_next ),
    .done              (done),
    .pending           (pending),
    .delivers_watched  (a_delivers_watched),
    .place             (a_place),
    .after             (a_after)
  );

  arbitration_line u_line_b (
    .clk               (clk),
    .rst               (rst),
    .started           (started),
    .watched           (watched),
    .x_valid           (b_valid),
    .x_kind            (b_kind),
    .x_data            (b_data),
    .x_ready           (b_ready),
    .kept              (\u_arbiter.u_skid_b.kept ),
    .kept_line         (\u_arbiter.u_skid_b.kept_line ),
    .kept_record       (\u_arbiter.u_skid_b.kept_record ),
    .kept_end          (\u_arbiter.u_skid_b.kept_end ),
    .kept_number       (\u_arbiter.u_skid_b.kept_data [63:0]),
    .waiting           (\u_arbiter.b_waiting ),
    .parked            (\u_arbiter.b_parked ),
    .released          (\u_arbiter.b_released ),
    .owner             (\u_arbiter.b_owner ),
    .draining          (\u_arbiter.b_draining ),
    .none              (\u_arbiter.b_none ),
    .swallow           (\u_arbiter.b_swallow ),
    .session           (\u_arbiter.b_session ),
    .sequence_number   (\u_arbiter.b_sequence ),
    .numbers           (\u_arbiter.u_front_b.numbers ),
    .unnumbered        (\u_arbiter.b_unnumbered ),
    .same_session      (\u_arbiter.b_same ),
    .ahead             (\u_arbiter.b_ahead ),
    .harmless          (\u_arbiter.b_harmless ),
    .old               (\u_arbiter.b_old ),
    .behind            (\u_arbiter.u_front_b.behind ),
    .owner_old         (\u_arbiter.u_front_b.owner_old ),
    .owner_left        (\u_arbiter.u_front_b.owner_left ),
    .owner_all         (\u_arbiter.u_front_b.owner_all ),
    .others            (\u_arbiter.u_front_b.others ),
    .one               (\u_arbiter.u_front_b.one ),
    .two               (\u_arbiter.u_front_b.two ),
    .settled_last      (\u_arbiter.u_front_b.settled_last ),
    .settled           (\u_arbiter.b_settled ),
    .others_settled    (\u_arbiter.a_settled ),
    .was_void          (\u_arbiter.b_was_void ),
    .overtaken         (\u_arbiter.b_overtaken ),
    .counter_low       (\u_arbiter.u_front_b.u_sequence_counter.low ),
    .counter_high      (\u_arbiter.u_front_b.u_sequence_counter.high ),
    .counter_high_next (\u_arbiter.u_front_b.u_sequence_counter.high_next ),
    .go                (\u_arbiter.b_go ),
    .drain             (\u_arbiter.b_drain ),
    .release_hold      (\u_arbiter.b_release ),
    .delivers          (\u_arbiter.b_delivers ),
    .is_record         (\u_arbiter.b_is_record ),
    .is_end            (\u_arbiter.b_is_end ),
    .taken             (\u_arbiter.b_taken ),
    .message           (\u_arbiter.b_message ),
    .emits             (\u_arbiter.b_emits ),
    .ends              (\u_arbiter.b_ends ),
    .commit            (\u_arbiter.b_end && \u_arbiter.b_holds && !\u_arbiter.b_bad ),
    .stream_valid      (next_expected_valid),
    .stream_session    (\u_arbiter.stream_session ),
    .next_expected     (next_expected),
    .changed           (\u_arbiter.stream_changed ),
    .own_next          (\u_arbiter.u_stream.own_next ),
    .done              (done),
    .pending           (pending),
    .delivers_watched  (b_delivers_watched),
    .place             (b_place),
    .after             (b_after)
  );

endmodule
`default_nettype wire
