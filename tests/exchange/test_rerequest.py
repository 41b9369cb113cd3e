# SPDX-License-Identifier: MIT
"""The re-request server, asked and read with scapy: a gap is filled by unicast packets, odd requests get nothing."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from generators.exchange.config import PS_PER_MS, ExchangeConfig
from generators.exchange.datagram import (
    ARP_REPLY,
    ARP_REQUEST,
    Arp,
    Datagram,
    build_arp,
    build_datagram,
    parse_arp,
    parse_datagram,
)
from generators.exchange.exchange import Exchange
from generators.exchange.rerequest import RerequestServer
from generators.framing import mold_packet
from tests.exchange.trader import MAC, REQUEST_PORT, Trader, run

KEPT = [bytes([number]) * 36 for number in range(1, 101)]
SESSION = "TICKLOOP01"


def ask(server: RerequestServer, sequence: int, count: int, session: str = SESSION) -> bytes | None:
    payload = session.ljust(10).encode() + sequence.to_bytes(8, "big") + count.to_bytes(2, "big")
    return asked(server, payload)


def asked(server: RerequestServer, payload: bytes) -> bytes | None:
    request = Datagram(b"client", b"server", 1, 2, 3, 4, payload)
    answer = server.answer(request)
    if answer is None:
        return None
    assert answer == Datagram(b"server", b"client", 2, 1, 4, 3, answer.payload)
    return answer.payload


@pytest.mark.parametrize(("sequence", "count", "given"), [
    (1, 1, 1), (1, 38, 38), (1, 39, 38), (50, 100, 38), (90, 5, 5), (90, 65_535, 11), (100, 1, 1),
])
def test_an_answer_has_as_many_as_fit(sequence: int, count: int, given: int) -> None:
    server = RerequestServer(SESSION, KEPT)
    assert ask(server, sequence, count) == mold_packet(KEPT[sequence - 1:sequence - 1 + given], sequence, SESSION)
    assert server.counts["answered"] == 1
    assert server.counts["messages"] == given


@pytest.mark.parametrize(("sequence", "count", "session", "why"), [
    (0, 1, SESSION, "nothing_there"), (101, 1, SESSION, "nothing_there"), (2**64 - 1, 1, SESSION, "nothing_there"),
    (1, 0, SESSION, "nothing_there"), (1, 1, "OTHER", "other_session"),
])
def test_what_cannot_be_answered_is_counted(sequence: int, count: int, session: str, why: str) -> None:
    server = RerequestServer(SESSION, KEPT)
    assert ask(server, sequence, count, session) is None
    assert server.counts == {why: 1}


@pytest.mark.parametrize("payload", [b"", b"x" * 19, b"x" * 21, bytes(1_472)])
def test_a_packet_of_another_length_is_no_request(payload: bytes) -> None:
    server = RerequestServer(SESSION, KEPT)
    assert asked(server, payload) is None
    assert server.counts["malformed"] == 1


def test_answers_get_lost_by_seed() -> None:
    def lost(seed: int) -> list[bool]:
        server = RerequestServer(SESSION, KEPT, 300_000, seed)
        return [ask(server, 1, 1) is None for _ in range(200)]

    assert 30 < sum(lost(1)) < 90
    assert lost(1) == lost(1) != lost(2)


def test_datagrams_are_those_of_scapy() -> None:
    for size in (0, 1, 17, 18, 19, 1_472):
        payload = Random(size).randbytes(size)
        packet = Ether(src="02:00:00:00:00:02", dst=MAC) / IP(
            src="10.0.0.2", dst="10.0.0.1", ttl=64, flags="DF", id=0) / UDP(sport=5, dport=6) / Raw(payload)
        ours = Datagram(bytes.fromhex("020000000002"), bytes.fromhex("020000000001"), 0x0A000002, 0x0A000001, 5, 6,
                        payload)
        assert build_datagram(ours) == bytes(packet).ljust(60, b"\0")
        assert parse_datagram(build_datagram(ours)) == ours


def test_a_damaged_datagram_is_none() -> None:
    frame = build_datagram(Datagram(b"client", b"server", 1, 2, 3, 4, b"payload of some bytes"))
    assert parse_datagram(frame) is not None
    for bit in range(8 * 12, 8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        found = parse_datagram(bytes(damaged))
        assert found is None or bit // 8 >= 42 + 21, bit
    for length in range(len(frame) - 1):
        if length < 42 + 21:
            assert parse_datagram(frame[:length]) is None


def test_arp_is_that_of_scapy() -> None:
    packet = Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=MAC, psrc="10.0.0.1", pdst="10.0.0.2")
    request = Arp(ARP_REQUEST, bytes.fromhex("020000000001"), 0x0A000001, bytes(6), 0x0A000002)
    assert build_arp(request) == bytes(packet).ljust(60, b"\0")
    assert parse_arp(bytes(packet)) == request
    for length in range(42):
        assert parse_arp(bytes(packet)[:length]) is None
    assert parse_arp(bytes(packet).replace(b"\x08\x00\x06\x04", b"\x08\x00\x06\x05")) is None
    reply = build_arp(Arp(ARP_REPLY, bytes.fromhex("020000000002"), 0x0A000002, bytes.fromhex("020000000001"),
                          0x0A000001))
    assert Ether(reply)[ARP].op == 2
    assert Ether(reply).dst == MAC


def test_arp_is_answered_for_the_exchanges_address_only() -> None:
    config = ExchangeConfig(messages=100)
    exchange, trader = Exchange(config), Trader(config)

    def ask_for(address: str, operation: int = 1) -> Callable[[Trader], None]:
        return lambda trader: trader.emit(Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op=operation, hwsrc=MAC, psrc=config.client_address, pdst=address))

    run(exchange, trader, [(10, ask_for(config.address)), (20, ask_for("10.0.0.3")), (30, ask_for(config.address, 7))])
    assert (trader.arp_requests, trader.arp_replies) == (1, 1)
    assert (exchange.counts["arp"], exchange.counts["arp_replies"]) == (4, 1)


def test_a_client_fills_its_gaps() -> None:
    """Packets are lost on both lines; the client asks for what is missing until it has every message."""
    config = ExchangeConfig(messages=1_500, loss_a_ppm=300_000, loss_b_ppm=300_000, answer_loss_ppm=200_000)
    exchange, trader = Exchange(config), Trader(config)

    def fill(trader: Trader) -> None:
        highest = max(trader.market, default=0)
        missing = [number for number in range(1, highest + 1) if number not in trader.market]
        for number in missing[:20]:
            trader.request(number, 3)

    moments = [(at * 100_000_000, fill) for at in range(1, 80)]
    run(exchange, trader, moments)
    assert exchange.publisher.lost[0] > 100
    assert exchange.rerequests.counts["answered"] > 50
    assert exchange.rerequests.counts["lost"] > 5
    assert [trader.market[number] for number in range(1, len(trader.market) + 1)] == exchange.publisher.messages
    assert all(len(payload) <= 1_472 for payload in trader.unicast)


def test_requests_for_others_and_after_the_end() -> None:
    config = ExchangeConfig(messages=300, linger_ps=5 * PS_PER_MS)
    exchange, trader = Exchange(config), Trader(config)
    wrong = Ether(src=MAC, dst=config.mac) / IP(src=config.client_address, dst=config.address) / UDP(
        sport=REQUEST_PORT, dport=9) / Raw(bytes(20))
    run(exchange, trader, [(PS_PER_MS, lambda trader: trader.emit(wrong)),
                           (6 * PS_PER_MS, lambda trader: trader.request(1, 10))])
    assert exchange.counts["udp_for_others"] == 1
    assert len(trader.unicast) == 1, "re-requests are served after the end of the session"
    assert exchange.publisher.ended
