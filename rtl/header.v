// SPDX-License-Identifier: MIT
// Ethernet, IPv4 and UDP headers, observed as their beats pass: nothing is stored and nothing waits. Says where the UDP
// payload lies, and why a frame is not for us: `dropped` is valid from 5 clocks after the last IPv4 header byte's beat
// (4 after the UDP header's), which is when the first message of a packet can be decoded.
//
// Cut-through: what the headers have against a frame stands, whatever its end shows. Verified: a frame is judged whole,
// and of all that is against it the lowest drop_reason counts; only an overflow, which leaves nothing to judge, beats it.
//
// EtherType, tags, IPv4 and UDP all come in 4-byte words that begin 2 bytes off a multiple of 4, so every beat holds
// the second half of one word (lanes 0-1), a whole word (lanes 2-5) and the first half of another (lanes 6-7).
// `position` is the number of the IPv4 word in lanes 6-7, counted from the header's first; `past_ip` is how far that
// word lies beyond the IPv4 header, options included: 0 is the first UDP word.
`include "layout.vh"
`default_nettype none

module header (
  input  wire         clk,
  input  wire         beat_clk,            // the same clock; may stand once the last beat has left
  input  wire         rst,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire         verified,            // the frame is judged whole
  input  wire         prototype,           // packets have the prototype's header, not MoldUDP64's

  // the beat in hand, and the one that comes into hand
  input  wire         load,
  input  wire         load_first,
  input  wire [7:0]   load_lanes,
  input  wire [15:0]  load_half_0,         // lanes 0-1
  input  wire [15:0]  load_half_4,         // lanes 4-5
  input  wire [3:0]   load_ihl_2,          // of a header that begins at lane 2
  input  wire [3:0]   load_ihl_6,
  input  wire         beat_fresh,
  input  wire         beat_first,
  input  wire         beat_lost,
  input  wire         beat_bad_fcs,
  input  wire         beat_ends,           // the frame's last beat leaves
  input  wire [7:0]   beat_lanes,
  input  wire [63:0]  beat_data,
  input  wire [15:0]  previous_lanes_6_7,  // of the beat before

  // payload
  output reg  [7:0]   payload_lanes,       // lanes of the beat in hand that do not lie behind UDP payload or frame
  output wire         payload_begins,      // pulse: in the beat in hand, at lane 6 or 2
  output wire         payload_at_lane_6,

  // checksums (receive_checksum)
  output wire         beat_counts,         // some of the beat's lanes may belong to a sum
  output wire [2:0]   ip_groups,           // lanes 0-1, 2-5, 6-7 belong to the IPv4 header
  output wire [2:0]   udp_groups,          // ... to the UDP checksum
  output wire [7:0]   udp_lanes,           // one clock later: lanes that do not lie behind a payload that is too short
  input  wire         ip_sum_good,         // 4 clocks after the header's last beat
  input  wire         udp_sum_good,        // 6 clocks after the frame's last beat
  output reg  [15:0]  udp_length,

  // verdict
  output reg          dropped,             // the frame in hand is not for us
  output reg          done,                // pulse, 7 clocks after a frame's last beat has left, in frame order
  output reg  [7:0]   done_reason,
  output wire         idle
);

  localparam [15:0] ETHERTYPE_IPV4  = 16'h0800;
  localparam [15:0] ETHERTYPE_C_TAG = 16'h8100;   // IEEE 802.1Q
  localparam [15:0] ETHERTYPE_S_TAG = 16'h88A8;   // IEEE 802.1ad
  localparam [7:0]  PROTOCOL_UDP    = 8'd17;
  localparam [15:0] UDP_HEADER      = 16'd8;
  localparam [15:0] MOLD_UDP_LENGTH = UDP_HEADER + 16'd20;
  localparam [31:0] PROTOTYPE_BYTES = `TL_PROTOTYPE_HEADER_BYTES;
  localparam [15:0] PROTOTYPE_UDP_LENGTH = UDP_HEADER + PROTOTYPE_BYTES[15:0];
  localparam [31:0] MAX_BYTES       = `TL_MAX_FRAME_BYTES;
  localparam [10:0] MAX_BEATS       = MAX_BYTES[13:3];

  // ---- the beat's words

  wire [15:0] half_0 = {beat_data[7:0],   beat_data[15:8]};
  wire [15:0] half_2 = {beat_data[23:16], beat_data[31:24]};
  wire [15:0] half_4 = {beat_data[39:32], beat_data[47:40]};
  wire [15:0] half_6 = {beat_data[55:48], beat_data[63:56]};

  wire word_0_ends = beat_lanes[1];               // the word that ends in lane 1 is complete
  wire word_2_ends = beat_lanes[5];               // ... in lane 5

  // ---- EtherType and tags

  localparam [2:0] LAYER_NONE = 3'd0, LAYER_TYPE = 3'd1, LAYER_TAG = 3'd2, LAYER_IP = 3'd3, LAYER_PAYLOAD = 3'd4;

  reg  [2:0] layer;                               // of the fresh beat, unless it is a frame's first
  reg        type_0_ip;                           // what lanes 0-1 and 4-5 are if they are an EtherType
  reg        type_0_tag;
  reg        type_4_ip;
  reg        type_4_tag;
  reg  signed [5:0] past_after_2;                 // past_ip of the next beat, if an IPv4 header begins at lane 2 or 6
  reg  signed [5:0] past_after_6;

  always @(posedge beat_clk)
    if (load) begin
      type_0_ip  <= load_half_0 == ETHERTYPE_IPV4;
      type_0_tag <= load_half_0 == ETHERTYPE_C_TAG || load_half_0 == ETHERTYPE_S_TAG;
      type_4_ip  <= load_half_4 == ETHERTYPE_IPV4;
      type_4_tag <= load_half_4 == ETHERTYPE_C_TAG || load_half_4 == ETHERTYPE_S_TAG;
      // An IHL below 5 is an error found when 5 words have arrived.
      past_after_2 <= load_ihl_2 < 4'd5 ? -6'sd2 : 6'sd3 - $signed({2'b00, load_ihl_2});
      past_after_6 <= load_ihl_6 < 4'd5 ? -6'sd3 : 6'sd2 - $signed({2'b00, load_ihl_6});
    end

  // Where a frame's last EtherType is looked for: lanes 4-5 of beat 1, then lanes 0-1 and 4-5 of beat 2.
  wire       at_type       = !beat_first && layer == LAYER_TYPE && word_2_ends;
  wire       at_first_tag  = !beat_first && layer == LAYER_TAG && word_0_ends;
  wire       at_second_tag = at_first_tag && type_0_tag && word_2_ends;

  wire       ip_at_lane_6  = (at_type || at_second_tag) && type_4_ip;
  wire       ip_at_lane_2  = at_first_tag && type_0_ip;
  wire       not_ipv4      = (at_type && !type_4_ip && !type_4_tag) || (at_first_tag && !type_0_ip && !type_0_tag)
                             || (at_second_tag && !type_4_ip && !type_4_tag);
  wire       vlan_depth    = at_second_tag && type_4_tag;

  // ---- IPv4 and UDP words

  reg  [4:0]        position_next;                // of the beat after the last one
  reg  signed [5:0] past_ip_next;

  wire              in_ip    = !beat_first && layer == LAYER_IP;
  wire              ip_here  = in_ip || ip_at_lane_6 || ip_at_lane_2;
  wire [4:0]        position = in_ip ? position_next : {4'd0, ip_at_lane_2};
  wire signed [5:0] past_ip  = in_ip ? past_ip_next : -6'sd5;    // in the first beat: some number inside the header

  wire ip_ends = in_ip && ((past_ip == 6'sd0 && word_2_ends) || (past_ip == 6'sd1 && word_0_ends));

  // The UDP header's second word ends in lane 5 or in lane 1; the payload begins behind it.
  assign payload_at_lane_6 = past_ip == 6'sd2;
  assign payload_begins    = beat_fresh && in_ip && ((past_ip == 6'sd2 && word_2_ends)
                                                     || (past_ip == 6'sd3 && word_0_ends));

  wire [15:0] udp_length_here = payload_at_lane_6 ? half_2 : {previous_lanes_6_7[7:0], previous_lanes_6_7[15:8]};

  always @(posedge beat_clk) begin
    if (rst)
      layer <= LAYER_NONE;
    else if (beat_fresh) begin
      if (beat_first)
        layer <= LAYER_TYPE;
      else
        case (layer)
          LAYER_TYPE, LAYER_TAG:
            layer <= ip_here ? LAYER_IP : at_type && type_4_tag ? LAYER_TAG : LAYER_NONE;
          LAYER_IP:
            if (payload_begins)
              layer <= LAYER_PAYLOAD;
          default: ;
        endcase
    end
  end

  reg [3:0]  ip_version;
  reg [3:0]  ip_ihl;
  reg [15:0] ip_total;
  reg        ip_fragmented;
  reg [7:0]  ip_protocol;
  reg [31:0] ip_destination;
  reg [15:0] udp_port;
  reg        udp_checked;                         // the sender computed a UDP checksum

  always @(posedge beat_clk)
    if (beat_fresh && ip_here) begin
      position_next <= position + 5'd2;
      past_ip_next  <= in_ip ? past_ip_next + 6'sd2 : ip_at_lane_2 ? past_after_2 : past_after_6;
      if (!in_ip) begin
        ip_version <= ip_at_lane_2 ? beat_data[23:20] : beat_data[55:52];
        ip_ihl     <= ip_at_lane_2 ? beat_data[19:16] : beat_data[51:48];
      end
      case (position)
        5'd1: ip_total <= half_4;
        5'd2: begin
          ip_total      <= half_0;
          ip_fragmented <= half_4[13:0] != 14'd0;  // more fragments, or an offset
          ip_protocol   <= beat_data[63:56];
        end
        5'd3: begin
          ip_fragmented <= half_0[13:0] != 14'd0;
          ip_protocol   <= beat_data[31:24];
        end
        5'd4: ip_destination[31:16] <= half_6;
        5'd5: ip_destination        <= {half_2, half_4};
        5'd6: ip_destination[15:0]  <= half_0;
        default: ;
      endcase
      if (past_ip == 6'sd1)
        udp_port <= half_4;
      if (past_ip == 6'sd2)
        udp_port <= half_0;
      if (payload_begins) begin
        udp_length  <= udp_length_here;
        udp_checked <= (payload_at_lane_6 ? half_4 : half_0) != 16'd0;
      end
    end

  // ---- checksum lanes: the IPv4 header; its addresses (words 3 and 4, the pseudo header) and all of UDP

  wire in_payload = !beat_first && layer == LAYER_PAYLOAD;

  assign beat_counts = beat_fresh && layer != LAYER_NONE;
  assign ip_groups  = {ip_here && past_ip < 6'sd0,
                       ip_here && past_ip < 6'sd1 && position >= 5'd1,
                       ip_here && past_ip < 6'sd2 && position >= 5'd2};
  assign udp_groups = {in_payload || (ip_here && (past_ip >= 6'sd0 || position == 5'd3 || position == 5'd4)),
                       in_payload || (ip_here && (past_ip >= 6'sd1 || position == 5'd4 || position == 5'd5)),
                       in_payload || (ip_here && (past_ip >= 6'sd2 || position == 5'd5 || position == 5'd6))};

  // ---- the payload's end, told beat by beat. `payload_lanes` are told in time for the walk over the beat: they are
  //      first computed for the second beat after the one the payload begins in. A payload of SHORT bytes or more ends
  //      there or later; for the checksum alone, `udp_lanes` tell the end of a shorter one as well, a clock later.

  reg  [10:0] beat_number;                        // in the frame; stays at MAX_BEATS
  reg  [10:0] number_after;                       // of the beat behind it
  reg         end_known;
  reg         end_passed;

  // With the beat in which the payload begins as beat 0, its last byte lies in beat end_beat + end_carry - 1.
  reg  [12:0] end_beat;
  reg         end_carry;
  reg  [2:0]  end_lane;
  reg  [10:0] next_beat;                          // number of the beat that comes into hand next
  reg  [10:0] beyond_next;                        // ... and of the one behind it
  wire [3:0]  end_sum     = {1'b0, udp_length_here[2:0]} + (payload_at_lane_6 ? 4'd5 : 4'd1);
  wire        end_here    = end_known && !load_first && end_beat == {2'd0, end_carry ? next_beat : beyond_next};
  wire        past_end    = !load_first && (end_passed || number_after == MAX_BEATS);

  always @(posedge beat_clk) begin
    if (payload_begins) begin
      end_beat    <= udp_length_here[15:3];
      end_carry   <= end_sum[3];
      end_lane    <= end_sum[2:0];
      next_beat   <= load ? 11'd2 : 11'd1;
      beyond_next <= load ? 11'd3 : 11'd2;
    end else if (load) begin
      next_beat   <= beyond_next;
      beyond_next <= beyond_next + 11'd1;
    end
    if (load && load_first)
      end_known <= 1'b0;
    else if (payload_begins)
      end_known <= 1'b1;
    if (load) begin
      beat_number   <= load_first ? 11'd0 : number_after;
      number_after  <= load_first ? 11'd1 : number_after == MAX_BEATS ? MAX_BEATS : number_after + 11'd1;
      payload_lanes <= past_end ? 8'd0 : load_lanes & (end_here ? 8'hFF >> (3'd7 - end_lane) : 8'hFF);
      end_passed    <= !load_first && (end_passed || end_here);
    end
    if (rst) begin
      beat_number  <= 11'd0;
      number_after <= 11'd0;
      end_known    <= 1'b0;
      end_passed   <= 1'b0;
    end
  end

  localparam [4:0] SHORT = 5'd15;                 // 14 bytes at most lie in the first two beats

  reg         short_payload;
  reg  [4:0]  short_left;                         // bytes of it behind the beat in hand one clock ago
  reg  [7:0]  short_lanes;
  wire        short_here  = udp_length_here[15:5] == 11'd0 && udp_length_here[4:0] < SHORT + UDP_HEADER[4:0];
  wire [4:0]  short_bytes = udp_length_here[4:0] - UDP_HEADER[4:0];
  wire [5:0]  lanes_here  = ~(6'h3F << short_bytes[3:0]);

  assign udp_lanes = short_payload ? short_lanes : 8'hFF;

  always @(posedge beat_clk)
    if (beat_fresh)
      if (payload_begins) begin
        short_payload <= short_here;
        short_left    <= payload_at_lane_6 ? (short_bytes < 5'd2 ? 5'd0 : short_bytes - 5'd2)
                                           : (short_bytes < 5'd6 ? 5'd0 : short_bytes - 5'd6);
        short_lanes   <= payload_at_lane_6 ? {lanes_here[1:0], 6'h3F} : {lanes_here, 2'h3};
      end else if (in_payload) begin
        short_left    <= short_left < 5'd8 ? 5'd0 : short_left - 5'd8;
        short_lanes   <= short_left < 5'd8 ? ~(8'hFF << short_left[2:0]) : 8'hFF;
      end else
        short_payload <= 1'b0;

  // ---- verdict of the header stages. Reasons take effect in the order of the beats they come from, so that frames
  //      never mix: EtherType and IPv4 four clocks behind their beat (the header checksum's time), UDP three.

  reg  [3:1] not_ipv4_d;
  reg  [3:1] vlan_depth_d;
  reg  [3:1] ip_ends_d;
  reg  [2:1] udp_ends_d;
  reg  [4:1] ends_d;

  reg  [7:0] ip_reason_before_sum;
  reg  [7:0] ip_reason_after_sum;
  reg  [7:0] reason_if_good;                      // with *_d[4]: by what the header checksum turns out to be
  reg  [7:0] reason_if_bad;
  reg        drop_if_good;
  reg        drop_if_bad;
  reg        udp_drop;
  reg  [15:0] ip_payload;
  reg  [7:0] udp_reason;

  wire [15:0] ip_header_bytes = {10'd0, ip_ihl, 2'd0};
  wire        sum_decides     = ip_ends_d[3] && ip_reason_before_sum == `TL_DROP_REASON_ACCEPT;
  wire [7:0]  reason_here     = vlan_depth_d[3] ? `TL_DROP_REASON_VLAN_DEPTH
                                : not_ipv4_d[3] ? `TL_DROP_REASON_NOT_IPV4
                                : !ip_ends_d[3] ? `TL_DROP_REASON_ACCEPT
                                : sum_decides   ? ip_reason_after_sum : ip_reason_before_sum;
  wire [15:0] shortest        = prototype ? PROTOTYPE_UDP_LENGTH : MOLD_UDP_LENGTH;
  reg  [7:0]  udp_reason_here;

  always @* begin
    udp_reason_here = `TL_DROP_REASON_ACCEPT;
    if (udp_ends_d[2])
      udp_reason_here = udp_length < UDP_HEADER               ? `TL_DROP_REASON_UDP_LENGTH
                        : udp_port != group_port  ? `TL_DROP_REASON_OTHER_PORT
                        : udp_length > ip_payload ? `TL_DROP_REASON_UDP_LENGTH
                        : udp_length < shortest   ? `TL_DROP_REASON_SHORT_MOLD_HEADER : `TL_DROP_REASON_ACCEPT;
  end

  always @(posedge clk) begin
    if (rst) begin
      not_ipv4_d   <= 3'd0;
      vlan_depth_d <= 3'd0;
      ip_ends_d    <= 3'd0;
      udp_ends_d   <= 2'd0;
      ends_d       <= 4'd0;
    end else begin
      not_ipv4_d   <= {not_ipv4_d[2:1], beat_fresh && not_ipv4};
      vlan_depth_d <= {vlan_depth_d[2:1], beat_fresh && vlan_depth};
      ip_ends_d    <= {ip_ends_d[2:1], beat_fresh && ip_ends};
      udp_ends_d   <= {udp_ends_d[1], payload_begins};
      ends_d       <= {ends_d[3:1], beat_ends};
    end
  end

  always @(posedge clk) begin
    if (ip_ends_d[1]) begin
      ip_payload           <= ip_total - ip_header_bytes;
      ip_reason_before_sum <= ip_version != 4'd4 ? `TL_DROP_REASON_BAD_IP_VERSION
                              : ip_ihl < 4'd5    ? `TL_DROP_REASON_BAD_IHL : `TL_DROP_REASON_ACCEPT;
      ip_reason_after_sum  <= ip_total < ip_header_bytes               ? `TL_DROP_REASON_IP_LENGTH
                              : ip_fragmented                          ? `TL_DROP_REASON_IP_FRAGMENT
                              : ip_protocol != PROTOCOL_UDP            ? `TL_DROP_REASON_NOT_UDP
                              : ip_destination != group_address        ? `TL_DROP_REASON_OTHER_DESTINATION
                              : ip_total < ip_header_bytes + UDP_HEADER ? `TL_DROP_REASON_UDP_LENGTH
                                                                       : `TL_DROP_REASON_ACCEPT;
    end
    drop_if_good <= 1'b0;
    drop_if_bad  <= 1'b0;
    if (vlan_depth_d[3] || not_ipv4_d[3] || ip_ends_d[3]) begin
      reason_if_good <= reason_here;
      reason_if_bad  <= sum_decides ? `TL_DROP_REASON_BAD_IP_CHECKSUM : reason_here;
      drop_if_good   <= reason_here != `TL_DROP_REASON_ACCEPT;
      drop_if_bad    <= sum_decides || reason_here != `TL_DROP_REASON_ACCEPT;
    end
    udp_reason <= udp_reason_here;
    udp_drop   <= udp_reason_here != `TL_DROP_REASON_ACCEPT;
  end

  reg  [7:0] reason;                              // of the frame whose beats are 4 clocks old
  reg  [7:0] reason_next;

  wire       drop_here = ip_sum_good ? drop_if_good : drop_if_bad;

  always @* begin
    reason_next = udp_reason;
    if (dropped)
      reason_next = reason;
    else if (drop_here)
      reason_next = ip_sum_good ? reason_if_good : reason_if_bad;
  end

  always @(posedge clk) begin
    reason  <= reason_next;
    dropped <= (dropped || drop_here || udp_drop) && !rst && !ends_d[4];
  end

  // ---- verdict at the end: what only the whole frame shows. It counts if the headers had nothing against the frame, or
  //      if the frame is judged whole and the end shows the lower reason. An incomplete header has no reason of its own.

  reg         ip_seen;                            // the EtherType was complete
  reg         ip_complete;
  reg  [3:0]  bytes_here;                         // of the beat in hand
  reg  [13:0] frame_bytes;                        // one clock later: the frame up to there
  reg  [16:0] ip_bytes;                           // to the IPv4 datagram's end
  reg  [7:0]  fault_1;                            // the frame's fault, with ends_d[1], [2], ...
  reg  [7:0]  fault_2;
  reg  [7:0]  fault_3;
  reg  [7:0]  fault_4;
  reg  [13:0] frame_bytes_2;
  reg  [7:0]  fault_5;
  reg         ends_5;                             // one clock after ends_d[4]: reason is the frame's
  reg         ends_6;
  reg  [7:0]  reason_6;
  reg  [7:0]  fault_6;
  reg         fault_first;                        // the fault counts, not what the headers have against the frame
  reg         sum_counts;                         // nothing comes before a bad UDP checksum

  always @*
    casez (beat_lanes)
      8'b1???????: bytes_here = 4'd8;
      8'b01??????: bytes_here = 4'd7;
      8'b001?????: bytes_here = 4'd6;
      8'b0001????: bytes_here = 4'd5;
      8'b00001???: bytes_here = 4'd4;
      8'b000001??: bytes_here = 4'd3;
      8'b0000001?: bytes_here = 4'd2;
      default:     bytes_here = 4'd1;
    endcase

  wire        passed      = reason == `TL_DROP_REASON_ACCEPT;
  wire        faulty      = fault_5 != `TL_DROP_REASON_ACCEPT;

  // 14 bytes and 0, 1 or 2 tags; lane 6 of beat 1 or of beat 2.
  reg  [4:0]  ip_start;

  always @(posedge beat_clk) begin
    if (beat_fresh) begin
      if (beat_first) begin
        ip_seen     <= 1'b0;
        ip_complete <= 1'b0;
      end else begin
        if (ip_at_lane_6 || ip_at_lane_2) begin
          ip_seen  <= 1'b1;
          ip_start <= ip_at_lane_2 ? 5'd18 : layer == LAYER_TYPE ? 5'd14 : 5'd22;
        end
        if (ip_ends)
          ip_complete <= 1'b1;
      end
    end
    if (beat_ends) begin
      frame_bytes <= bytes_here[3] ? {number_after, 3'd0} : {beat_number, bytes_here[2:0]};
      fault_1     <= beat_lost                   ? `TL_DROP_REASON_OVERFLOW
                     : beat_number == MAX_BEATS  ? `TL_DROP_REASON_OVERSIZE
                     : beat_bad_fcs              ? `TL_DROP_REASON_BAD_FCS : `TL_DROP_REASON_ACCEPT;
    end
  end

  always @(posedge clk) begin
    if (ends_d[1]) begin
      frame_bytes_2 <= frame_bytes;
      ip_bytes      <= {1'b0, ip_total} + {12'd0, ip_start};
      fault_2       <= fault_1 != `TL_DROP_REASON_ACCEPT ? fault_1
                       : !ip_seen                        ? `TL_DROP_REASON_NOT_IPV4
                       : !ip_complete                    ? `TL_DROP_REASON_TRUNCATED_IP : `TL_DROP_REASON_ACCEPT;
    end
    if (ends_d[2])
      fault_3 <= fault_2 != `TL_DROP_REASON_ACCEPT  ? fault_2
                 : ip_bytes > {3'd0, frame_bytes_2} ? `TL_DROP_REASON_IP_LENGTH : `TL_DROP_REASON_ACCEPT;
    if (ends_d[3])
      fault_4 <= fault_3;
    if (ends_d[4])
      fault_5 <= fault_4;
    if (ends_5) begin
      fault_6     <= fault_5;
      reason_6    <= reason;
      fault_first <= faulty && (passed || (verified && (fault_5 == `TL_DROP_REASON_OVERFLOW || fault_5 < reason)));
      sum_counts  <= !faulty && (passed || (verified && reason == `TL_DROP_REASON_SHORT_MOLD_HEADER));
    end
    if (ends_6)
      done_reason <= fault_first                                  ? fault_6
                     : sum_counts && udp_checked && !udp_sum_good ? `TL_DROP_REASON_BAD_UDP_CHECKSUM : reason_6;
    if (rst) begin
      ends_5 <= 1'b0;
      ends_6 <= 1'b0;
      done   <= 1'b0;
    end else begin
      ends_5 <= ends_d[4];
      ends_6 <= ends_5;
      done   <= ends_6;
    end
  end

  assign idle = ends_d == 4'd0 && !ends_5 && !ends_6 && !done;

endmodule
`default_nettype wire
