# SPDX-License-Identifier: MIT
"""The exchange's end of SoupBinTCP, packets built and read by the scapy layers of the protocol table."""

from __future__ import annotations

import pytest

from generators.exchange.soup import SoupConfig, SoupServer
from generators.exchange.tcp import PS_PER_MS, State, TcpConfig, TcpServer
from generators.layers import SOUP_LAYERS, SoupBinTCP
from tests.session.client import SERVER_MAC, SERVER_PORT, Client

SECOND = 1000 * PS_PER_MS


@pytest.fixture
def server():
    tcp = TcpServer(TcpConfig(bytes.fromhex(SERVER_MAC.replace(":", "")), 0xC0000201, SERVER_PORT))
    return SoupServer(SoupConfig(), tcp)


@pytest.fixture
def client(server):
    client = Client(server)
    client.open()
    return client


def login(username="TICKLP", password="PASSWORD", session="", sequence="1"):
    return bytes(SOUP_LAYERS["L"](username=username, password=password, requested_session=session,
                                  requested_sequence_number=sequence))


def packets(data):
    """The packets of a stream as (type, scapy layer)."""
    found = []
    while data:
        packet = SoupBinTCP(data[:2 + int.from_bytes(data[:2], "big")])
        found.append((packet.packet_type, packet))
        data = data[2 + packet.packet_length:]
    return found


def kinds(client, frames):
    return "".join(kind for kind, _ in packets(client.take(frames)))


def log_in(client, **values):
    ((kind, accepted),) = packets(client.take(client.put("PA", login(**values))))
    assert kind == "A"
    client.put("A")
    return accepted


def test_login_is_accepted_with_session_and_next_number(server, client):
    accepted = log_in(client)
    assert accepted.session == "TICKLOOP01"
    assert accepted.sequence_number == "1".rjust(20)
    assert server.logged_in


@pytest.mark.parametrize(("values", "reason"), [
    ({"username": "NOBODY"}, "A"), ({"password": "wrong"}, "A"), ({"session": "OTHER"}, "S"), ({"sequence": "2"}, "S"),
    ({"sequence": "x"}, "S"), ({"sequence": ""}, "S"), ({"sequence": "-1"}, "S"),
])
def test_login_is_rejected_and_the_connection_closed(server, client, values, reason):
    frames = client.put("PA", login(**values))
    ((kind, rejected),) = packets(client.take(frames))
    assert (kind, rejected.reject_reason_code) == ("J", reason)
    assert frames[-1].flags == "FA"
    assert not server.logged_in


def test_sequenced_messages_are_replayed_from_any_number(server, client):
    log_in(client)
    for n in range(1, 6):
        server.send_sequenced(b"message %d" % n)
    assert kinds(client, client.poll()) == "SSSSS"
    client.put("R")  # the link dies
    assert not server.logged_in
    server.send_sequenced(b"message 6")
    for first, count in [(1, 6), (4, 3), (7, 0), (0, 0)]:
        again = Client(server, sequence=0x1000 * (first + 1))
        again.open()
        data = packets(again.take(again.put("PA", login(sequence=str(first), session="TICKLOOP01"))))
        assert data[0][1].sequence_number.strip() == str(first or 7)
        assert [packet.message for _, packet in data[1:]] == [b"message %d" % n for n in range(7 - count, 7)]
        again.put("R")


def test_packets_split_over_segments_and_several_in_one(server, client):
    log_in(client)
    stream = b"".join(bytes(SOUP_LAYERS["U"](message=bytes([n]) * n)) for n in range(1, 40))
    for at in range(0, 200):
        client.put("PA", stream[at:at + 1])
    client.put("PA", stream[200:])
    assert server.unsequenced() == [bytes([n]) * n for n in range(1, 40)]
    assert server.unsequenced() == []


def test_heartbeats_each_second_of_quiet(server, client):
    log_in(client)
    for n in range(1, 4):
        assert server.next_timer_ps == n * SECOND
        assert kinds(client, client.poll(n * SECOND)) == "H"
        client.put("PA", bytes(SOUP_LAYERS["R"]()))
    client.poll(3 * SECOND + SECOND // 2)
    server.send_sequenced(b"x")
    assert kinds(client, client.poll()) == "S"
    client.put("A")
    assert client.poll(4 * SECOND) == []
    assert kinds(client, client.poll(4 * SECOND + SECOND // 2)) == "H"
    assert server.statistics.heartbeats_received == 3


def test_a_silent_client_is_cut_off_after_15_seconds(server, client):
    log_in(client)
    for n in range(1, 15):
        assert kinds(client, client.poll(n * SECOND)) == "H"
        client.put("A")
    (reset,) = client.poll(15 * SECOND)
    assert "R" in reset.flags
    assert server.statistics.cut_off == ["silent"]
    assert server.tcp.state is State.LISTEN


def test_a_client_that_never_logs_in_is_cut_off(server, client):
    client.put("PA", bytes(SOUP_LAYERS["R"]()))
    for n in (10, 20):
        client.poll(n * SECOND)
        client.put("PA", bytes(SOUP_LAYERS["R"]()))
    client.poll(30 * SECOND)
    assert server.statistics.cut_off == ["no login"]


@pytest.mark.parametrize(("before", "packet"), [
    ("", bytes(SOUP_LAYERS["U"](message=b"order"))), ("L", login()), ("L", b"\0\0"), ("L", b"\0\2?x"), ("L", b"\0\1S"),
    ("L", b"\0\2Rx"), ("", login()[:2] + b"X" + login()[3:]), ("", b"\0\3Lab"), ("L", b"\0\1Z"),
])
def test_what_no_client_may_send_cuts_it_off(server, client, before, packet):
    if before:
        log_in(client)
    frames = client.put("PA", packet + bytes(SOUP_LAYERS["U"](message=b"behind")))
    assert "R" in frames[-1].flags
    assert len(server.statistics.cut_off) == 1
    assert server.unsequenced() == []
    Client(server, sequence=7).open()


def test_debug_packets_are_ignored(server, client):
    client.put("PA", bytes(SOUP_LAYERS["+"](text=b"hello")))
    log_in(client)


def test_logout_closes_and_the_session_stays(server, client):
    log_in(client)
    frames = client.put("PA", bytes(SOUP_LAYERS["O"]()))
    assert frames[-1].flags == "FA"
    assert not server.logged_in
    client.acknowledge = (frames[-1].seq + 1) & 0xFFFFFFFF
    client.put("FA")
    server.poll(server.next_timer_ps)
    server.send_sequenced(b"later")
    again = Client(server, sequence=9)
    again.open()
    assert [kind for kind, _ in packets(again.take(again.put("PA", login(sequence="0"))))] == ["A"]


def test_a_client_that_just_closes_is_closed(server, client):
    log_in(client)
    frames = client.put("FA")
    assert frames[-1].flags == "FA"
    assert not server.logged_in


def test_end_of_session_is_told_and_final(server, client):
    log_in(client)
    server.send_sequenced(b"last")
    server.end_of_session()
    frames = client.poll()
    assert kinds(client, frames) == "SZ"
    assert frames[-1].flags == "FA"
    with pytest.raises(ValueError, match="ended"):
        server.send_sequenced(b"more")
    server.tcp.abort()
    again = Client(server, sequence=9)
    again.poll()
    again.open()
    ((kind, rejected),) = packets(again.take(again.put("PA", login())))
    assert (kind, rejected.reject_reason_code) == ("J", "S")
