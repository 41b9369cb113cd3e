# SPDX-License-Identifier: MIT
"""Descriptor rings, raw ring, frames sent, the NIC's filter and events: the kernel against a mailbox peer in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.l2 import ARP, Ether

from bridge import layout
from bridge.layout import DropReason, RingMode
from generators.profiles import generate
from tb.model.results import HostEvent
from tb.model.stream import NO_FLAGS
from tests.core.trading import event_line as session_event
from tests.firmware.peer import Peer, Run, exit_code
from tests.firmware.records import config_module, parse_export, record_lines
from tests.firmware.streams import predict

OUR_MAC, OUR_ADDRESS = "02:00:00:00:00:10", "192.0.2.10"  # as records.config_module has them
PEER_MAC, PEER_ADDRESS = "02:00:00:00:00:99", "192.0.2.99"
DESCRIPTORS = {"rx_mode": RingMode.DESCRIPTORS, "tx_mode": RingMode.DESCRIPTORS}

Boot = Callable[[Peer, bytes], Run]


@pytest.fixture
def boot(kernel: Path, tmp_path: Path) -> Boot:
    def run(peer: Peer, module: bytes) -> Run:
        config = tmp_path / "config.bin"
        config.write_bytes(module)
        return peer.boot(kernel, config, tmp_path / "console.log")

    return run


def lines_of(messages: list[bytes]) -> list[list[bytearray]]:
    return [record_lines(message, sequence) for sequence, message in enumerate(messages, 1)]


def event_line(reason: DropReason, delivered: int) -> list[bytearray]:
    """The event of a frame."""
    event = np.zeros(1, layout.RX_EVENT)
    event["status"], event["reason"], event["delivered"] = layout.STATUS_EVENT | layout.STATUS_LINE_B, reason, delivered
    return [bytearray(event.tobytes())]


def lost_line(count: int) -> list[bytearray]:
    lost = np.zeros(1, layout.RX_LOST)
    lost["status"], lost["count"] = layout.STATUS_LOST, count
    return [bytearray(lost.tobytes())]


@pytest.mark.parametrize("log2", [4, 10, 12])
def test_descriptor_mode_trades_like_line_mode(boot: Boot, log2: int) -> None:
    """Every descriptor is cleared before it is given away again (the peer looks); small rings lie at RESERVED_BASE."""
    messages = [message for _, message in generate("opening", seed=5, messages=3000)]
    run = boot(Peer(lines_of(messages), burst=40), config_module(rx_log2=log2, tx_log2=log2, **DESCRIPTORS))
    model = predict(messages)
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    assert run.orders == [order.message for order in model.orders] != []
    assert parse_export(run.export).books == model.books.levels()
    (rx,), (tx,) = run.writes("RX_BASE_LO"), run.writes("TX_BASE_LO")
    assert tx == rx + (layout.DESCRIPTOR_BYTES << log2)
    fits = 2 * (layout.DESCRIPTOR_BYTES << log2) <= layout.RESERVED_SIZE
    assert (rx == layout.RESERVED_BASE) is fits
    assert run.writes("WINDOW2_BASE_LO") == [rx]
    assert run.writes("WINDOW2_SIZE_LO") == [2 * (layout.DESCRIPTOR_BYTES << log2)]
    assert "TX_HEAD" not in {name for name in layout.REGISTERS if run.reads(name)}, "DD says what has been taken"


def test_a_descriptor_ring_that_nobody_empties_is_full(boot: Boot) -> None:
    messages = [message for _, message in generate("opening", seed=5, messages=2000)]
    run = boot(Peer(lines_of(messages), take_orders=False), config_module(tx_log2=4, **DESCRIPTORS))
    statistics = parse_export(run.export).statistics
    assert statistics["orders_sent"] == 16
    assert statistics["orders_refused_ring"] > 0


def test_lines_of_either_port_count_and_events_are_no_messages(boot: Boot) -> None:
    messages = [message for _, message in generate("quiet", seed=7, messages=300)]
    records = lines_of(messages)
    for record in records[1::3]:
        record[0][27] |= layout.STATUS_LINE_B
    records[100:100] = [event_line(DropReason.BAD_FCS, 3), event_line(DropReason.ACCEPT, 3), lost_line(7)]
    records.append(lost_line(2))
    run = boot(Peer(records, burst=9), config_module())
    export = parse_export(run.export)
    model = predict(messages)
    assert export.books == model.books.levels() != []
    assert export.statistics["records"] == len(messages)
    assert (export.statistics["bad_frames"], export.statistics["lost_messages"]) == (1, 9)
    assert "nic: 1 frames were bad after delivery" in run.console
    assert "nic: 9 messages lost for want of room" in run.console
    assert len(run.trace) == len(messages)


def test_an_arp_request_is_answered(boot: Boot) -> None:
    everybody = Ether(src=PEER_MAC, dst="ff:ff:ff:ff:ff:ff")
    asked = everybody / ARP(op=1, hwsrc=PEER_MAC, psrc=PEER_ADDRESS, pdst=OUR_ADDRESS)
    other = everybody / ARP(op=1, hwsrc=PEER_MAC, psrc=PEER_ADDRESS, pdst="192.0.2.11")
    reply = Ether(src=PEER_MAC, dst=OUR_MAC) / ARP(op=2, hwsrc=PEER_MAC, psrc=PEER_ADDRESS, pdst=OUR_ADDRESS)
    frames = [bytes(asked), bytes(other), bytes(reply), bytes(asked)[:41], bytes(200), b"\xff" * 1514, bytes(asked)]
    messages = [message for _, message in generate("quiet", seed=7, messages=50)]
    run = boot(Peer(lines_of(messages), raw=frames * 4), config_module(raw_log2=9))
    assert parse_export(run.export).statistics["raw_frames"] == 28
    assert parse_export(run.export).books == predict(messages).books.levels()
    assert len(run.frames) == 8, "two of seven ask for our address"
    for data in run.frames:
        answer = Ether(data)
        assert (len(data), answer.src, answer.dst) == (60, OUR_MAC, PEER_MAC)
        assert (answer.op, answer.hwsrc, answer.psrc) == (2, OUR_MAC, OUR_ADDRESS)
        assert (answer.hwdst, answer.pdst) == (PEER_MAC, PEER_ADDRESS)


def test_a_request_that_finds_no_slot_is_not_counted_as_sent(boot: Boot) -> None:
    """Orders that nobody takes fill the TX ring; then a message is missing, and there is no slot to ask for it."""
    messages = [message for _, message in generate("opening", seed=5, messages=2000)]
    records = [record_lines(message, sequence + (sequence > 1900)) for sequence, message in enumerate(messages, 1)]
    told = HostEvent(1, 1, 0, 1, "A", None, "data", NO_FLAGS, b"SESSION   ")
    records.insert(1, [session_event(told)])
    module = config_module(tx_log2=4, recovery_address=0xC0000203, recovery_port=26478, recovery_local_port=26500,
                           recovery_timeout_ns=1_000_000, recovery_retries=3, recovery_held=1024, recovery_request=100)
    full = parse_export(boot(Peer(records, take_orders=False), module).export).statistics
    taken = parse_export(boot(Peer(records), module).export).statistics
    assert (full["recovery_gaps"], taken["recovery_gaps"]) == (1, 1)
    assert full["orders_sent"] == 16
    assert (full["recovery_requests"], taken["recovery_requests"]) == (0, 1)


def test_the_filter_blocks_what_the_feed_names_as_unsubscribed(boot: Boot) -> None:
    messages = [message for _, message in generate("opening", seed=5, messages=2000)]
    stocks = {int.from_bytes(m[1:3], "big"): m[11:19].decode() for m in messages if m[:1] == b"R"}
    assert len(stocks) > 2
    wanted = min(stocks)
    listed = [(stocks[wanted].rstrip(), 1, 100)]
    run = boot(Peer(lines_of(messages)), config_module(listed, subscribe_all=0, filter=1))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    assert run.writes("FILTER_FILL") == [1]
    assert sorted(run.writes("FILTER_UPDATE")) == sorted(set(stocks) - {wanted}), "PASS is 0 in each"
    assert run.writes("CONTROL")[-1] & layout.REGISTER_FIELDS["CONTROL"]["FILTER_ENABLE"]


def test_delivery_and_hold_reach_the_nic(boot: Boot) -> None:
    run = boot(Peer(), config_module(verified=1, hold_ns=1500))
    assert run.writes("HOLD") == [1500]
    assert run.writes("CONTROL")[-1] & layout.REGISTER_FIELDS["CONTROL"]["VERIFIED"]


def test_pools_of_8000_symbols_and_two_million_orders_fit(boot: Boot) -> None:
    messages = [message for _, message in generate("quiet", seed=7, messages=50)]
    limits = {"max_books": 8000, "max_orders": 1 << 21, "max_levels": 1 << 20, "own_orders_log2": 12}
    run = boot(Peer(lines_of(messages)), config_module(**limits))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    assert parse_export(run.export).books == predict(messages).books.levels() != []
