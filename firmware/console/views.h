/* SPDX-License-Identifier: MIT */
/* What the commands about trading print. They look; they change nothing. */
#ifndef TICKLOOP_CONSOLE_VIEWS_H
#define TICKLOOP_CONSOLE_VIEWS_H

#include "console/desk.h"

void view_book(const struct trading_view *trading, const char *stock);
void view_top(const struct trading_view *trading);
void view_positions(const struct trading_view *trading);
void view_orders(const struct trading_view *trading);
void view_risk(const struct trading_view *trading);
void view_strategies(const struct trading_view *trading);
void view_network(const struct trading_view *trading, const uint32_t counters[NIC_COUNTERS]);

#endif
