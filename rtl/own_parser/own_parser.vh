// SPDX-License-Identifier: MIT
// m_kind of own_parser: what it gives in this clock (docs/own-parser.md).
`ifndef TL_OWN_PARSER_VH
`define TL_OWN_PARSER_VH

`define TL_OWN_PACKET  2'd0
`define TL_OWN_MESSAGE 2'd1
`define TL_OWN_END     2'd2

`endif
