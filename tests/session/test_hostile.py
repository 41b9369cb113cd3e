# SPDX-License-Identifier: MIT
"""What a malformed or hostile exchange may do: the session stays consistent, and the link is down with one reason or
nothing happens. The runner checks the session's invariants behind every frame, under sanitizers."""

from __future__ import annotations

from random import Random

import pytest

from bridge.layout import AnswerKind, LinkState
from generators.exchange.segment import ACK, FIN, PSH, RST, SYN, Segment, build
from generators.exchange.soup import packet
from generators.exchange.tcp import MASK, PS_PER_MS, TcpConfig, TcpServer
from generators.tables import OUCH42_OUTBOUND, OUCH50_OUTBOUND
from tests.session.session_harness import (
    CLIENT,
    CLIENT_MAC,
    CLIENT_PORT,
    SERVER,
    SERVER_MAC,
    SERVER_PORT,
    make_config,
)
from tests.session.test_session import enter, make_server
from tests.session.world import World

MS, SECOND = 10**6, 10**9
ACCEPTED = packet("A", session="TICKLOOP01", sequence_number="1")
CANCELED = OUCH42_OUTBOUND["C"].encode({"timestamp": 1, "order_token": "TKLP0000000001", "decrement_shares": 1,
                                        "reason": "U"})
RANDOM_SEGMENTS = 100_000
BATCH = 50


class Script:
    """An exchange that says what a test tells it to, over a good TCP."""

    def __init__(self, session, config=None, greeting=ACCEPTED):
        self.tcp = TcpServer(TcpConfig(SERVER_MAC, SERVER, SERVER_PORT, rto_ps=10 * PS_PER_MS))
        self.greeting = greeting
        self.logins = 0
        self.world = World(session, self.tcp, config or make_config())
        self.world.on_server = self._greet
        self.world.run(self.world.now_ns + MS)

    def _greet(self):
        if self.tcp.received()[2:3] == b"L":
            self.logins += 1
            if self.greeting:
                self.tcp.send(self.greeting)

    def say(self, data, for_ns=MS):
        """Bytes of the stream; returns the news of the link that came of them."""
        known = len(self.world.links)
        self.tcp.send(data)
        self.world.poll_server()
        self.world.run(self.world.now_ns + for_ns)
        return self.world.links[known:]


@pytest.fixture
def script(session):
    return Script(session)


def down(reason):
    return [(LinkState.DOWN, reason)]


@pytest.mark.parametrize(("data", "reason"), [
    (b"\0\0", "SoupBinTCP packet of no bytes"),
    (b"\0\1X", "SoupBinTCP packet of a type that no server sends"),
    (b"\0\1U", "SoupBinTCP packet of a type that no server sends"),
    (b"\xff\xff?" + bytes(65_534), "SoupBinTCP packet of a type that no server sends"),
    (b"\0\2HH", "malformed heartbeat"),
    (ACCEPTED, "Login Accepted out of turn"),
    (packet("J", reject_reason_code="A"), "Login Rejected out of turn"),
])
def test_what_no_server_may_send_ends_the_connection(script, data, reason):
    assert script.say(data)[:1] == down(reason)
    assert not script.world.ready


@pytest.mark.parametrize(("greeting", "reason"), [
    (b"\0\1A", "malformed Login Accepted"),
    (ACCEPTED[:2] + b"B" + ACCEPTED[3:], "SoupBinTCP packet of a type that no server sends"),
    (b"\0\x20" + ACCEPTED[2:] + b" ", "malformed Login Accepted"),
    (packet("A", session="TICKLOOP01", sequence_number=""), "malformed Login Accepted"),
    (packet("A", session="TICKLOOP01", sequence_number="0"), "malformed Login Accepted"),
    (packet("A", session="TICKLOOP01", sequence_number="1x"), "malformed Login Accepted"),
    (packet("A", session="TICKLOOP01", sequence_number="9" * 20), "malformed Login Accepted"),
    (packet("A", session="TICKLOOP01", sequence_number="2"), "the exchange has skipped sequenced messages"),
    (packet("J", reject_reason_code="?"), "login rejected, for a reason unknown"),
    (b"\0\1J", "login rejected, without a reason"),
    (b"\0\3JAA", "login rejected, without a reason"),
    (packet("S", message=CANCELED), "sequenced data before login"),
    (packet("Z"), "end of session"),
])
def test_a_bad_greeting_is_told(session, greeting, reason):
    script = Script(session, greeting=greeting)
    assert script.world.links[:1] == down(reason)
    assert not script.world.ready
    assert script.world.answers == []


def test_the_same_violation_again_and_again_is_the_end(session):
    """Three in a row; the exchange is not asked a fourth time."""
    script = Script(session, greeting=b"\0\1A")
    script.world.run(script.world.now_ns + 60 * SECOND)
    assert script.world.links == 3 * down("malformed Login Accepted")
    assert script.world.last.state == "over"
    assert script.logins == 3


@pytest.mark.parametrize("message", [
    b"", b"A", b"Z" * 30, CANCELED[:-1], CANCELED + b"U", bytes(512), b"C" * 513, bytes(60_000),
], ids=lambda message: f"{message[:1]!r} of {len(message)}")
def test_a_malformed_message_is_an_answer_that_stops_trading_and_no_more(script, message):
    """The stream stays in step: the message behind it is understood."""
    script.say(packet("S", message=message) + packet("S", message=CANCELED), 100 * MS)
    assert [answer.kind for answer in script.world.answers] == [AnswerKind.MALFORMED, AnswerKind.CANCELED]
    assert script.world.last.report.malformed == 1
    assert script.world.last.report.next == 3
    assert script.world.ready


def test_debug_packets_of_any_length_are_passed_over(script):
    for length in (0, 1, 511, 512, 513, 65_534):
        script.say(packet("+", text=bytes(length).decode()) + packet("S", message=CANCELED), 100 * MS)
    assert [answer.number for answer in script.world.answers] == 6 * [1]
    assert script.world.ready


@pytest.mark.parametrize(("again", "links", "answers"), [
    # What was there before is passed over; a number ahead means that messages are lost for ever.
    (packet("A", session="TICKLOOP01", sequence_number="1") + 3 * packet("S", message=CANCELED) + packet("H"),
     [(LinkState.READY, "ready")], 1),
    (packet("A", session="TICKLOOP01", sequence_number="3") + packet("S", message=CANCELED) + packet("H"),
     [(LinkState.READY, "ready")], 1),
    (packet("A", session="TICKLOOP01", sequence_number="2") + packet("H"), [], 0),
    (packet("A", session="TICKLOOP01", sequence_number="4"), down("the exchange has skipped sequenced messages"), 0),
    (packet("A", session="TICKLOOP02", sequence_number="3"), down("the exchange has begun another session"), 0),
])
def test_sequence_numbers_of_a_second_login(script, again, links, answers):
    script.say(packet("S", message=CANCELED) + packet("S", message=CANCELED))
    script.greeting = again
    known = len(script.world.links)
    script.tcp.abort()
    script.world.poll_server()
    script.world.run(script.world.now_ns + SECOND)
    assert script.logins == 2
    assert script.world.links[known:] == [*down("connection reset by the exchange"), *links]
    assert len(script.world.answers) == 2 + answers


def test_the_line_dies_in_the_middle_of_a_packet(script):
    """Half a message is not an answer, and the next connection begins a packet of its own."""
    script.say(packet("S", message=CANCELED)[:20])
    script.greeting = packet("A", session="TICKLOOP01", sequence_number="1") + packet("S", message=CANCELED)
    script.tcp.abort()
    script.world.poll_server()
    script.world.run(script.world.now_ns + SECOND)
    assert [answer.number for answer in script.world.answers] == [1]


def test_orders_in_flight_when_the_line_dies_are_never_sent_again(session):
    """They are unknown until the exchange has said what became of them; nothing sent outlives its connection."""
    server = make_server()
    world = World(session, server, make_config())
    world.run(SECOND, lambda: world.ready)
    world.cut = True
    world.publish([enter(1), enter(2)])
    world.run(world.now_ns + 60 * SECOND, lambda: not world.ready)
    assert world.links[-1:] == down("no acknowledgement from the exchange")
    world.cut = False
    world.run(world.now_ns + 60 * SECOND, lambda: world.ready)
    world.run(world.now_ns + 20 * SECOND)
    assert server.unsequenced() == []
    world.publish([enter(3)])
    world.run(world.now_ns + MS)
    assert [int(message[5:15]) for message in server.unsequenced()] == [3]


def forged(state, random):
    """A segment with good checksums and any content, near the connection's numbers or far from them."""
    flags = random.choice([*[ACK, ACK | PSH] * 10, ACK | FIN, RST, RST | ACK, SYN, SYN | ACK, 0, random.randrange(64)])
    near = random.choice([0, 0, 0, 0, 1, -1, 5, 31, 1_000, 65_534, 65_535, -65_535, random.getrandbits(32)])
    acknowledge = random.choice([0, 0, 1, -1, 100, random.getrandbits(32)])
    kind = random.choice(b"SSSSSSSSSSSS++HHAJZULX")
    body = random.choice([b"", CANCELED, CANCELED, random.randbytes(random.randrange(80))])
    data = random.choice([b"", (1 + len(body)).to_bytes(2, "big") + bytes([kind]) + body, random.randbytes(3)])
    return build(Segment(SERVER_MAC, CLIENT_MAC, SERVER, CLIENT, SERVER_PORT, CLIENT_PORT,
                         (state.acknowledge + near) & MASK, (state.sequence + acknowledge) & MASK, flags,
                         random.choice([0, 1, 100, 65_535]), data * random.choice([1, 1, 1, 8])), 0)


def damaged(frame, random):
    """The same, cut, with a byte or two changed, or all noise."""
    how = random.randrange(4)
    if how == 0:
        return frame[:random.randrange(len(frame))]
    if how == 1:
        return random.randbytes(random.randrange(120))
    noisy = bytearray(frame)
    for _ in range(random.randrange(1, 3)):
        noisy[random.randrange(len(noisy))] ^= 1 << random.randrange(8)
    return bytes(noisy)


class Numbers:
    """Where the connection stands, as an attacker on the line knows it."""

    def __init__(self):
        self.sequence = self.acknowledge = 0


def test_100_000_random_segments_are_survived(session):
    """Every batch attacks a fresh connection that is logged in; the runner's invariants hold behind every frame."""
    numbers, ready, answers, links = Numbers(), 0, 0, 0
    for batch in range(RANDOM_SEGMENTS // BATCH):
        print(f"repeat with: Random({batch})")
        random = Random(batch)
        script = Script(session, make_config(random.choice(("4.2", "5.0"))))
        ready += script.world.ready
        numbers.sequence, numbers.acknowledge = script.world.nic.sequence, script.world.last.report.acknowledge
        sent = 0
        while sent < BATCH:
            count = random.choice([1, 1, 1, 30])
            frames = [forged(numbers, random) for _ in range(count)]
            frames = [frame if random.random() < 0.8 else damaged(frame, random) for frame in frames]
            step = session.service(script.world.now_ns + sent * 1_000, frames)
            answers += len(step.answers)
            links += len(step.links)
            assert all(reason for _, reason in step.links)
            numbers.acknowledge = step.report.acknowledge
            sent += count
    assert ready == RANDOM_SEGMENTS // BATCH
    print(f"{answers} answers and {links} changes of the link in {RANDOM_SEGMENTS} segments")
    assert answers > 1_000
    assert links > 100


@pytest.mark.parametrize(("version", "table"), [("4.2", OUCH42_OUTBOUND), ("5.0", OUCH50_OUTBOUND)])
def test_random_messages_are_an_answer_or_malformed(session, version, table):
    session.configure(make_config(version))
    random = Random(1)
    kinds = set()
    for _ in range(20_000):
        kind = random.choice([*table, "?"])
        length = random.choice([table[kind].length if kind in table else 30, random.randrange(100)])
        message = kind.encode() + random.randbytes(max(0, length - 1))
        kinds.add(session.parse(message).kind)
    assert len(kinds) >= 10
    assert AnswerKind.MALFORMED in kinds


def test_a_frame_of_another_connection_is_not_ours(script):
    """Other addresses, ports, protocols: nothing is said to them, nothing changes."""
    base = {"source_mac": SERVER_MAC, "destination_mac": CLIENT_MAC, "source": SERVER, "destination": CLIENT,
            "source_port": SERVER_PORT, "destination_port": CLIENT_PORT,
            "sequence": script.world.last.report.acknowledge, "acknowledge": script.world.nic.sequence,
            "flags": RST, "window": 1}
    for field, value in (("destination_mac", SERVER_MAC), ("source", SERVER + 1), ("destination", CLIENT + 1),
                         ("source_port", 1), ("destination_port", 1)):
        step = script.world.service([build(Segment(**{**base, field: value}), 0)])
        assert (step.frames, step.links) == ([], [])
    assert script.world.service([build(Segment(**base), 0)]).links == down("connection reset by the exchange")
