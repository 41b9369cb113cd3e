# SPDX-License-Identifier: MIT
"""The exchange's end of TCP: against segments that scapy builds and reads, and against Linux's own TCP."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from generators.exchange.tcp import PS_PER_MS, State, TcpConfig, TcpServer
from tests.session.client import MASK, SERVER_MAC, SERVER_PORT, Client, dissect, payload, segment
from tests.session.namespace import in_namespace

CONFIG = TcpConfig(bytes.fromhex(SERVER_MAC.replace(":", "")), 0xC0000201, SERVER_PORT, initial_sequence=0xFFFFFF00)
LINUX_SEEDS = 6


@pytest.fixture
def server():
    return TcpServer(CONFIG)


@pytest.fixture
def client(server):
    return Client(server)


def test_handshake_data_and_close_by_the_client(server, client):
    answer = client.open(options=[("MSS", 1460)])
    assert dict(answer.options)["MSS"] == CONFIG.mss
    assert server.established
    (acknowledge,) = client.put("PA", b"hello")
    assert (acknowledge.flags, acknowledge.ack) == ("A", client.sequence)
    assert server.received() == b"hello"
    server.send(b"world" * 1000)
    assert client.take(client.poll()) == b"world" * 1000
    assert client.put("A") == []
    (acknowledge,) = client.put("FA")
    assert acknowledge.ack == client.sequence
    assert server.peer_closed
    server.close()
    (fin,) = client.poll()
    assert fin.flags == "FA"
    client.acknowledge = (fin.seq + 1) & MASK
    assert client.put("A") == []
    assert server.state is State.LISTEN
    assert server.next_timer_ps is None


def test_close_by_the_server_waits_for_old_segments(server, client):
    client.open()
    server.send(b"last")
    server.close()
    data, fin = client.poll()
    assert payload(data) == b"last"
    assert fin.flags == "FA"
    client.acknowledge = (fin.seq + 1) & MASK
    client.put("A")
    assert server.state.name == "FIN_WAIT_2"
    (acknowledge,) = client.put("FA")
    assert acknowledge.flags == "A"
    assert server.state.name == "TIME_WAIT"
    assert client.poll(server.next_timer_ps) == []
    assert server.state is State.LISTEN


def test_sequence_numbers_wrap_in_both_directions(server, client):
    client.open()
    assert client.sequence > 0xFFFFFF00
    for _ in range(8):
        client.put("PA", b"x" * 100)
        server.send(b"y" * 100)
        assert client.take(client.poll()) == b"y" * 100
    client.put("A")
    assert server.received() == b"x" * 800
    assert client.sequence < 0x1000
    assert client.acknowledge < 0x1000


def test_segment_size_is_the_smaller_one(server, client):
    client.open(options=[("MSS", 100)])
    server.send(bytes(250))
    assert [len(payload(packet)) for packet in client.poll()] == [100, 100, 50]


def test_without_the_option_the_segment_size_is_536(server, client):
    client.open()
    server.send(bytes(600))
    assert [len(payload(packet)) for packet in client.poll()] == [536, 64]


def test_retransmits_with_doubling_time_outs_and_gives_up(server, client):
    client.open()
    server.send(b"nobody hears")
    (first,) = client.poll()
    times = [client.now_ps]
    while (due := server.next_timer_ps) is not None:
        times.append(due)
        packets = client.poll(due)
        if server.state is State.LISTEN:
            assert [packet.flags for packet in packets] == ["RA"]
        else:
            assert [(packet.seq, payload(packet)) for packet in packets] == [(first.seq, b"nobody hears")]
    waits = [after - before for before, after in pairwise(times)]
    assert waits == [min(CONFIG.rto_ps << n, CONFIG.max_rto_ps) for n in range(CONFIG.retries + 1)]
    assert server.statistics.given_up == 1


def test_a_lost_syn_is_sent_again_and_a_doubled_one_answered(server, client):
    client.put("S")
    (again,) = client.poll(server.next_timer_ps)
    assert again.flags == "SA"
    client.sequence -= 1
    (once_more,) = client.put("S")
    assert (once_more.flags, once_more.seq) == ("SA", again.seq)
    client.acknowledge = again.seq + 1
    client.put("A")
    assert server.established
    assert server.connection == 1


def test_three_duplicate_acknowledgements_retransmit_at_once(server, client):
    client.open()
    server.send(bytes(5 * 536))
    packets = client.poll()
    assert len(packets) == 5
    client.take(packets[:1])
    answers = [client.put("A") for _ in range(4)]
    assert answers[:3] == [[], [], []]
    assert [packet.seq for packet in answers[3]] == [packets[1].seq]


def test_reordered_doubled_and_overlapping_data_arrive_once(server, client):
    client.open()
    base, data = client.sequence, bytes(range(200))
    for begin, end in [(100, 150), (150, 200), (100, 150), (20, 60), (0, 40), (30, 120)]:
        server.receive(segment("PA", base + begin, client.acknowledge, data[begin:end]), 0)
    (acknowledge,) = client.poll()
    assert acknowledge.ack == (base + 200) & MASK
    assert server.received() == data


def test_zero_window_is_respected_and_probed(server, client):
    client.open(options=[("MSS", 1000)])
    client.put("A", window=0)
    server.send(b"abcdef")
    assert client.poll() == []
    for _ in range(3 * CONFIG.retries):
        (probe,) = client.poll(server.next_timer_ps)
        assert payload(probe) == b"a"
        assert client.put("A", window=0) == []
    packets = client.put("A", window=1000)
    assert b"".join(payload(packet) for packet in packets) == b"abcdef"


def test_the_window_limits_what_is_in_flight(server, client):
    client.open(options=[("MSS", 100)], window=250)
    client.put("A", window=250)
    server.send(bytes(1000))
    packets = client.poll()
    assert sum(len(payload(packet)) for packet in packets) == 250
    client.take(packets)
    assert sum(len(payload(packet)) for packet in client.put("A", window=250)) == 250


def test_reset_needs_the_exact_number(server, client):
    client.open()
    server.receive(segment("R", client.sequence + 5), 0)
    (challenge,) = client.poll()
    assert (challenge.flags, challenge.ack) == ("A", client.sequence)
    server.receive(segment("R", client.sequence - 1), 0)
    assert client.poll() == []
    assert server.established
    client.put("R")
    assert server.state is State.LISTEN
    assert server.statistics.resets == 1


def test_a_restarted_client_gets_a_challenge_then_a_connection(server, client):
    client.open()
    restarted = Client(server, sequence=0x55550000)
    (challenge,) = restarted.put("S")
    assert challenge.flags == "A"
    server.receive(segment("R", challenge.ack), 0)  # RFC 9293, 3.10.7.3: unacceptable ACK in SYN-SENT
    assert server.state is State.LISTEN
    restarted.sequence -= 1
    restarted.open()
    assert server.connection == 2


def test_segments_of_no_connection_are_reset(server, client):
    (reset,) = client.put("PA", b"early")
    assert (reset.flags, reset.seq) == ("R", 0)
    client.open()
    server.receive(segment("S", 7, sport=40001), 0)
    (frame,) = server.poll(0)
    assert (Ether(frame)[TCP].dport, Ether(frame)[TCP].flags, Ether(frame)[TCP].ack) == (40001, "RA", 8)
    assert server.established


def test_an_acknowledgement_of_what_was_never_sent_is_answered_and_ignored(server, client):
    client.open()
    server.receive(segment("A", client.sequence, client.acknowledge + 1000, b"evil"), 0)
    (answer,) = client.poll()
    assert answer.ack == client.sequence
    assert server.received() == b""


def damaged(frame):
    """Every way in which a good frame becomes none for the endpoint."""
    packet = Ether(frame)
    for layer, field, value in [(IP, "chksum", packet[IP].chksum ^ 1), (TCP, "chksum", packet[TCP].chksum ^ 1),
                                (IP, "dst", "192.0.2.9"), (TCP, "dport", 1), (IP, "proto", 17), (IP, "frag", 1),
                                (IP, "flags", "MF"), (IP, "version", 6), (IP, "ihl", 4), (TCP, "dataofs", 4),
                                (TCP, "dataofs", 15), (IP, "len", 30), (IP, "len", 500)]:
        wrong = packet.copy()
        setattr(wrong[layer], field, value)
        if field not in ("chksum",):
            del wrong[IP].chksum
            if layer is TCP or field == "dst":
                del wrong[TCP].chksum
        yield bytes(wrong)
    yield from (frame[:length] for length in range(len(frame)))
    yield b"\xff" * 6 + frame[6:]
    yield frame[:12] + b"\x86\xdd" + frame[14:]


def test_damaged_frames_are_ignored(server, client):
    client.open()
    good = segment("PA", client.sequence, client.acknowledge, b"order")
    frames = list(damaged(good))
    for frame in frames:
        server.receive(frame, 0)
    assert client.poll() == []
    assert server.received() == b""
    assert server.statistics.ignored == len(frames)
    server.receive(good + bytes(6), 0)  # what follows the IP packet is padding
    assert server.received() == b"order"


def test_random_segments_never_stop_the_endpoint(server, client):
    random = Random(1)
    for _ in range(3000):
        flags = "".join(letter for letter in "FSRPAU" if random.random() < 0.4)
        near = random.choice([0, client.sequence, server._expected]) + random.randrange(-3, 4)
        server.receive(segment(flags, near, random.choice([0, server._next]) + random.randrange(-2, 3),
                               random.randbytes(random.choice([0, 0, 1, 50])), window=random.choice([0, 1, 65535])),
                       client.now_ps)
        for frame in server.poll(client.now_ps):
            dissect(frame)
        if server.established and random.random() < 0.2:
            server.send(b"data")
        client.now_ps += PS_PER_MS
    client.now_ps += 10**6 * PS_PER_MS
    while server.next_timer_ps is not None:
        server.poll(server.next_timer_ps)
    server.abort()
    server.poll(client.now_ps)
    Client(server).open()


@pytest.mark.parametrize("seed", range(1, LINUX_SEEDS + 1))
def test_linux_tcp_gets_every_byte_over_a_lossy_line(seed):
    result = in_namespace("tests.session.linux_tcp", str(seed))
    assert result["same"], result
    assert result["state"] == "LISTEN"
    assert result["retransmissions"] > 0
    assert (result["given_up"], result["connections"]) == (0, 1)
