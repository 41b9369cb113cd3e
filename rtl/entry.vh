// SPDX-License-Identifier: MIT
// The entry stream of a receive line: for every frame [HEADER] (LINE | RECORD)* END, at most one entry a clock. A HEADER
// with `void` stands for a frame that its headers drop, as soon as that is known: nothing but the END follows. An entry
// is a kind and 480 bits. A LINE or RECORD holds bytes 0 to 59 of the ring's line; HEADER and END hold the fields below,
// each as its lowest bit. Widths: session 80, sequence 64, counts and others 16, times 48, kind and reason 8.
`ifndef TL_ENTRY_VH
`define TL_ENTRY_VH

`define TL_ENTRY_HEADER 2'd0
`define TL_ENTRY_LINE   2'd1
`define TL_ENTRY_RECORD 2'd2
`define TL_ENTRY_END    2'd3
`define TL_ENTRY_BITS   480

`define TL_HEADER_SESSION    0
`define TL_HEADER_SEQUENCE   80
`define TL_HEADER_COUNT      144
`define TL_HEADER_KIND       160
`define TL_HEADER_UNNUMBERED 168
`define TL_HEADER_OTHERS     169
`define TL_HEADER_TIME       185
`define TL_HEADER_BITS       233
`define TL_HEADER_VOID       233

`define TL_END_REASON        0
`define TL_END_TRUNCATED     8
`define TL_END_EXTRA_DATA    9
`define TL_END_OTHERS        10
`define TL_END_TIME          26
`define TL_END_HEADER_SEEN   74
`define TL_END_OVERFLOW      75
`define TL_END_BITS          76

`endif
