# SPDX-License-Identifier: MIT
"""The kernel's own order-entry session, booted: it connects, trades, loses its line and comes back, and logs out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bridge import layout
from bridge.layout import LinkState, OuchVersion, SessionMode, TraceKind
from generators.exchange.segment import PSH, parse
from generators.exchange.soup import SoupConfig, SoupServer
from generators.exchange.tcp import PS_PER_MS, State, TcpConfig, TcpServer
from generators.profiles import generate
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND, OUCH50_INBOUND, OUCH50_OUTBOUND
from tests.firmware.exchange_peer import ExchangePeer
from tests.firmware.peer import Run, exit_code
from tests.firmware.records import config_module, parse_export
from tests.firmware.streams import predict
from tests.firmware.test_rings import lines_of
from tests.session.session_harness import (
    CLIENT,
    CLIENT_MAC,
    CLIENT_PORT,
    SERVER,
    SERVER_MAC,
    SERVER_PORT,
)

MESSAGES = [message for _, message in generate("opening", seed=5, messages=3000)]
UP, DOWN = LinkState.READY, LinkState.DOWN

BootExchange = Callable[..., Run]


def module(version="4.2", **fields):
    return config_module(**{
        "session_mode": SessionMode.CONNECT, "ouch_version": OuchVersion[f"V{version.replace('.', '')}"],
        "source_mac": CLIENT_MAC, "destination_mac": SERVER_MAC, "source_address": CLIENT,
        "destination_address": SERVER, "source_port": CLIENT_PORT, "destination_port": SERVER_PORT,
        "soup_username": b"TICKLP", "soup_password": b"PASSWORD  ", "soup_session": b" " * 10, "soup_sequence": 1,
        "heartbeat_ns": 10**9, "server_timeout_ns": 15 * 10**9, "retransmit_ns": 10**7, "retransmit_limit": 10,
        **fields})


class Market:
    """Accepts every order at once; `received` are the messages as they came."""

    def __init__(self, peer: ExchangePeer, version: str = "4.2") -> None:
        self.received: list[bytes] = []
        self._inbound, self._outbound = {"4.2": (OUCH42_INBOUND, OUCH42_OUTBOUND),
                                         "5.0": (OUCH50_INBOUND, OUCH50_OUTBOUND)}[version]
        self._server = peer.server
        peer.on_orders = self.answer

    def answer(self) -> None:
        for message in self._server.unsequenced():
            self.received.append(message)
            order = self._inbound["O"].decode(message)
            accepted = self._outbound["A"]
            order |= {"timestamp": 1, "order_reference_number": len(self.received), "order_state": "L",
                      "bbo_weight_indicator": " "}
            self._server.send_sequenced(accepted.encode(
                {name: order[name] for name in accepted.names if name != "message_type"}))


@pytest.fixture
def server():
    return SoupServer(SoupConfig(), TcpServer(TcpConfig(SERVER_MAC, SERVER, SERVER_PORT, rto_ps=10 * PS_PER_MS)))


@pytest.fixture
def peer(server):
    peer = ExchangePeer(server, lines_of(MESSAGES), burst=40)
    peer.until_ps = 500 * PS_PER_MS
    return peer


@pytest.fixture
def boot(kernel: Path, peer: ExchangePeer, tmp_path: Path) -> BootExchange:
    def run(**fields) -> Run:
        config = tmp_path / "config.bin"
        config.write_bytes(module(**fields))
        run = peer.boot(kernel, config, tmp_path / "console.log")
        assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE), run.console
        return run

    return run


def session_lines(run):
    return [line for line in run.console.splitlines() if line.startswith("session:")]


def orders_of(messages, version="4.2"):
    """What the model sends on a link that is ready all the time."""
    return [order.message for order in predict(messages, session_mode="connect", ouch_version=version).orders]


@pytest.mark.parametrize("version", ["4.2", "5.0"])
def test_orders_go_out_on_a_session_that_the_kernel_opened(boot, peer, server, version):
    market = Market(peer, version)
    run = boot(version=version)
    assert session_lines(run) == ["session: up: ready"]
    assert market.received == orders_of(MESSAGES, version)
    assert len(market.received) > 10
    assert peer.notes(TraceKind.LINK) == [UP]
    assert peer.notes(TraceKind.ANSWERS)[-1] == len(server.sequenced) == len(market.received)
    statistics = parse_export(run.export).statistics
    assert (statistics["answers"], statistics["answers_bad"]) == (len(market.received), 0)
    assert statistics["open_orders"] == len(market.received)
    assert statistics["orders_refused_link"] == 0


def test_an_order_is_one_line_and_a_doorbell(boot, peer):
    """Between two doorbells of orders there is nothing but the doorbells; frames of the session wait for idle time."""
    Market(peer)
    run = boot()
    flags = [parse(frame).flags for _, frame in peer.sent]
    assert sum(flag & PSH != 0 for flag in flags) == len([entry for entry in run.trace if entry["orders"]]) + 1


def test_a_line_that_loses_frames_loses_no_order(boot, peer, server):
    market = Market(peer)
    random = Random(1)
    peer.lost = lambda frame: random.random() < 0.15
    peer.until_ps = 4_000 * PS_PER_MS
    run = boot()
    assert market.received == orders_of(MESSAGES)
    assert session_lines(run) == ["session: up: ready"]
    assert peer.notes(TraceKind.ANSWERS)[-1] == len(market.received)
    assert any(parse(frame).payload and not parse(frame).flags & PSH for _, frame in peer.sent), "retransmissions"


def test_a_reset_stops_trading_until_what_happened_is_known(boot, peer, server):
    """Orders wait for the first heartbeat behind the second login; what was lost is dead, what was accepted is open."""
    market = Market(peer)

    def reset_after_ten() -> None:
        market.answer()
        if len(market.received) >= 10:
            peer.on_orders = market.answer
            server.tcp.abort()

    peer.on_orders = reset_after_ten
    peer.until_ps = 4_000 * PS_PER_MS
    run = boot()
    assert session_lines(run) == ["session: up: ready", "session: down: connection reset by the exchange",
                                  "session: up: ready"]
    assert peer.notes(TraceKind.LINK) == [UP, DOWN, UP]
    assert server.statistics.logins == 2
    statistics = parse_export(run.export).statistics
    assert statistics["answers"] == len(market.received) == statistics["open_orders"]
    assert statistics["orders_sent"] == len(market.received) + statistics["orders_lost"]
    assert statistics["orders_refused_link"] > 0
    link = [number for number, entry in enumerate(run.trace) if entry["type"] == TraceKind.LINK]
    assert not any(entry["orders"] for entry in run.trace[link[1]:link[2]])


def test_the_host_logs_out(boot, peer, server):
    market = Market(peer)
    peer.commands = [(100 * PS_PER_MS, "logout")]
    peer.until_ps = 2_000 * PS_PER_MS
    run = boot()
    assert market.received == orders_of(MESSAGES)
    assert session_lines(run) == ["session: up: ready", "session: down: logging out", "session: down: logged out"]
    assert server.statistics.logouts == 1
    assert server.tcp.state is State.LISTEN
    assert server.statistics.cut_off == []
    assert "command: logout" in run.console


def test_a_rejected_login_says_why_and_nothing_is_sent(boot, peer, server):
    run = boot(soup_password=b"wrong     ")
    assert session_lines(run) == ["session: down: login rejected: not authorized"]
    assert server.statistics.rejected == 1
    assert sum(parse(frame).flags & PSH != 0 for _, frame in peer.sent) == 1
    assert peer.notes(TraceKind.LINK) == []


def test_an_idle_session_is_kept_by_heartbeats(boot, peer, server):
    peer.records = []
    peer.until_ps = 40_000 * PS_PER_MS
    run = boot()
    assert session_lines(run) == ["session: up: ready"]
    assert 38 <= server.statistics.heartbeats_received <= 40
    polls = sum(operation[0] == layout.MailboxOp.POLL for operation in run.operations)
    assert polls < 400, "the kernel waits for what is due, and no more often"


def test_descriptors_carry_a_session_as_well(boot, peer, server):
    market = Market(peer)
    boot(tx_mode=layout.RingMode.DESCRIPTORS, rx_mode=layout.RingMode.DESCRIPTORS, tx_log2=5)
    assert market.received == orders_of(MESSAGES)
