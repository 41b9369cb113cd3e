# SPDX-License-Identifier: MIT
"""The kernel's session against the exchange's end: login, heartbeats, faults of the line, what is lost and what not."""

from __future__ import annotations

from random import Random

import pytest

from bridge.layout import AnswerKind, LinkState
from generators.exchange.segment import PSH, parse
from generators.exchange.soup import SoupConfig, SoupServer
from generators.exchange.tcp import PS_PER_MS, State, TcpConfig, TcpServer
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND
from tests.session.namespace import in_namespace
from tests.session.session_harness import SERVER, SERVER_MAC, SERVER_PORT, make_config, make_slot
from tests.session.world import Faults, World

MS, SECOND = 10**6, 10**9
SESSIONS = 400
LINUX_SEEDS = 6


def make_server(rto_ms: int = 10, heartbeat_ms: int = 1_000, **tcp: int) -> SoupServer:
    config = TcpConfig(SERVER_MAC, SERVER, SERVER_PORT, rto_ps=rto_ms * PS_PER_MS, max_rto_ps=80 * PS_PER_MS,
                       retries=30, time_wait_ps=20 * PS_PER_MS, **tcp)
    return SoupServer(SoupConfig(heartbeat_ps=heartbeat_ms * PS_PER_MS), TcpServer(config))


def token(number):
    return f"TKLP{number:010d}"


def enter(number):
    """An order's slot."""
    return make_slot(OUCH42_INBOUND["O"].encode({
        "order_token": token(number), "buy_sell_indicator": "B", "shares": 100, "stock": "TKAAAA", "price": 10_000,
        "time_in_force": 99998, "firm": "TICK", "display": "Y", "capacity": "P", "intermarket_sweep_eligibility": "N",
        "minimum_quantity": 0, "cross_type": "N", "customer_type": "N"}))


def accept(message):
    order = OUCH42_INBOUND["O"].decode(message)
    return OUCH42_OUTBOUND["A"].encode({
        "timestamp": 1, "order_reference_number": int(order["order_token"][4:]), "order_state": "L",
        "bbo_weight_indicator": " ",
        **{name: order[name] for name in OUCH42_OUTBOUND["A"].names if name in order and name != "message_type"}})


class Market:
    """Accepts every order at once, and keeps what it received."""

    def __init__(self, world: World, server: SoupServer) -> None:
        self.received: list[int] = []
        self.server = server
        world.on_server = self.answer

    def answer(self) -> None:
        for message in self.server.unsequenced():
            self.received.append(int(message[5:15]))
            self.server.send_sequenced(accept(message))


@pytest.fixture
def server():
    return make_server()


@pytest.fixture
def world(session, server):
    return World(session, server, make_config())


@pytest.fixture
def market(world, server):
    return Market(world, server)


def sent_flags(world):
    return [parse(frame).flags for _, frame in world.segments]


def test_connects_logs_in_and_is_ready(world, server, market):
    world.run(SECOND, lambda: world.ready)
    assert world.links == [(LinkState.READY, "ready")]
    assert world.now_ns < 100_000
    assert server.statistics.logins == 1
    assert server.logged_in


def test_orders_are_sent_once_and_answers_arrive_in_order(world, server, market):
    world.run(SECOND, lambda: world.ready)
    for number in range(1, 31):
        world.publish([enter(number)])
        world.run(world.now_ns + 3_000)
    world.run(world.now_ns + MS)
    assert market.received == list(range(1, 31))
    assert [(answer.kind, answer.number) for answer in world.answers] == [
        (AnswerKind.ACCEPTED, number) for number in range(1, 31)]
    assert world.last.report.retransmissions == 0
    assert world.last.report.due_ns > world.now_ns + 100 * MS, "nothing is waited for but heartbeats"


def test_the_kernels_own_frames_never_have_push_set(world, server, market):
    world.run(SECOND, lambda: world.ready)
    world.cut = True
    world.publish([enter(1)])
    world.run(world.now_ns + 5 * MS)
    world.cut = False
    world.run(world.now_ns + 40 * MS)
    assert market.received == [1]
    flags = sent_flags(world)
    assert sum(flag & PSH != 0 for flag in flags) == 2, "login and order"
    assert world.last.report.retransmissions > 0


def test_heartbeats_both_ways_keep_an_idle_session(world, server, market):
    world.run(40 * SECOND)
    assert world.links == [(LinkState.READY, "ready")]
    assert 38 <= server.statistics.heartbeats_received <= 40
    assert 38 <= server.statistics.heartbeats_sent <= 40
    assert server.statistics.cut_off == []


def test_a_silent_exchange_is_given_up_after_15_seconds(session):
    world = World(session, make_server(heartbeat_ms=100_000), make_config())
    world.run(SECOND, lambda: world.ready)
    heard_ns = world.now_ns
    world.run(60 * SECOND, lambda: not world.ready)
    assert world.links[1:] == [(LinkState.DOWN, "nothing heard from the exchange")]
    assert world.now_ns == pytest.approx(heard_ns + 15 * SECOND, abs=MS)


def test_a_dead_line_is_given_up_and_the_session_comes_back(world, server, market):
    world.run(SECOND, lambda: world.ready)
    world.publish([enter(1)])
    world.run(world.now_ns + MS)
    world.cut = True
    world.publish([enter(2)])
    begin_ns = world.now_ns
    world.run(60 * SECOND, lambda: not world.ready)
    assert world.links[1:] == [(LinkState.DOWN, "no acknowledgement from the exchange")]
    waits = [10 * MS << min(n, 7) for n in range(11)]
    assert world.now_ns == begin_ns + sum(waits)
    world.cut = False
    world.run(world.now_ns + 60 * SECOND, lambda: world.ready)
    assert world.ready
    assert market.received == [1], "order 2 was never received, and never will be"
    assert [answer.number for answer in world.answers] == [1]


def test_what_happened_meanwhile_is_replayed_before_the_link_is_ready(world, server, market):
    world.run(SECOND, lambda: world.ready)
    world.publish([enter(1), enter(2)])
    world.cut = True             # nothing gets back, but the orders were under way before
    world.run(world.now_ns + MS)
    world.cut = False
    assert market.received == [1, 2]
    assert world.answers == []
    server.tcp.abort()
    world.poll_server()
    world.run(world.now_ns + 10 * SECOND, lambda: len(world.links) == 3)
    down, *answers, ready = world.told[1:]
    assert down == (LinkState.DOWN, "connection reset by the exchange")
    assert [answer.number for answer in answers] == [1, 2]
    assert ready == (LinkState.READY, "ready")
    assert server.statistics.logins == 2


def test_an_exchange_that_never_pauses_delays_trading_by_a_second_only(world, server, market):
    """Without a pause there is no heartbeat; then the time of one has to do."""
    world.run(SECOND, lambda: world.ready)
    server.tcp.abort()
    world.poll_server()

    def chatter() -> None:
        server.send_sequenced(OUCH42_OUTBOUND["S"].encode({"timestamp": 1, "event_code": "S"}))
        world.poll_server()
        world.at(world.now_ns + 100 * MS, chatter)

    world.at(world.now_ns, chatter)
    world.run(world.now_ns + 10 * SECOND, lambda: server.statistics.logins == 2)
    login_ns = world.now_ns
    world.run(world.now_ns + 10 * SECOND, lambda: world.ready)
    assert world.now_ns == pytest.approx(login_ns + SECOND, abs=200 * MS)
    assert server.statistics.heartbeats_sent == 0


def test_silence_ends_no_replay(world, server, market):
    """A line that dies within the replay for longer than a heartbeat takes: ready when all that was missed is there."""
    world.run(SECOND, lambda: world.ready)
    world._to_kernel = lambda frame: None
    world.publish([enter(number) for number in range(1, 61)])
    world.run(world.now_ns + MS)
    assert market.received == list(range(1, 61))

    def deliver_until_answers(frame):
        if not world.answers:
            world.service([frame])

    world._to_kernel = deliver_until_answers
    server.tcp.abort()
    world.poll_server()
    world.run(world.now_ns + 20 * SECOND, lambda: bool(world.answers))
    assert 0 < len(world.answers) < 60, "in the middle of the replay"
    world.run(world.now_ns + 1_500 * MS)
    assert not world.ready
    world._to_kernel = lambda frame: world.service([frame])
    world.run(world.now_ns + 5 * SECOND, lambda: world.ready)
    down, *answers, ready = world.told[1:]
    assert down == (LinkState.DOWN, "connection reset by the exchange")
    assert [answer.number for answer in answers] == list(range(1, 61))
    assert ready == (LinkState.READY, "ready")


def test_logout_is_orderly_and_final(world, server, market):
    world.run(SECOND, lambda: world.ready)
    world.service(logout=True)
    world.run(world.now_ns + SECOND)
    assert server.statistics.logouts == 1
    assert world.last.state == "over"
    assert world.links[1:] == [(LinkState.DOWN, "logging out"), (LinkState.DOWN, "logged out")]
    assert server.tcp.state is State.LISTEN
    assert server.statistics.cut_off == []
    count = len(world.segments)
    world.run(world.now_ns + 60 * SECOND)
    assert len(world.segments) == count


def test_logout_waits_for_the_answers_that_are_on_their_way(world, server, market):
    world.run(SECOND, lambda: world.ready)
    world.publish([enter(1)])
    world.service(logout=True)
    world.run(world.now_ns + SECOND)
    assert [answer.number for answer in world.answers] == [1]
    assert world.links[-1] == (LinkState.DOWN, "logged out")


def test_end_of_session_is_told_and_final(world, server, market):
    world.run(SECOND, lambda: world.ready)
    server.end_of_session()
    world.poll_server()
    world.run(60 * SECOND)
    assert world.links[1:] == [(LinkState.DOWN, "end of session")]
    assert world.last.state == "over"
    assert server.tcp.state is State.LISTEN


@pytest.mark.parametrize(("values", "reason"), [
    ({"soup_password": b"wrong     "}, "login rejected: not authorized"),
    ({"soup_session": b"     OTHER"}, "login rejected: session not available"),
    ({"soup_sequence": 100}, "login rejected: session not available"),
])
def test_a_rejected_login_is_told_and_final(session, server, values, reason):
    world = World(session, server, make_config(**values))
    world.run(60 * SECOND)
    assert world.links == [(LinkState.DOWN, reason)]
    assert world.last.state == "over"
    assert server.statistics.rejected == 1


def test_a_refused_connection_is_tried_again(session):
    server = make_server()
    server.tcp.config = TcpConfig(SERVER_MAC, SERVER, 1)  # listens elsewhere
    world = World(session, server, make_config())

    def refuse():
        frame = world.segments[-1][1]
        syn = parse(frame)
        world.at(world.now_ns, lambda: None)
        server.tcp._refuse(syn)

    refuse()
    world.poll_server()
    world.run(5 * MS)
    assert world.links == []
    server.tcp.config = TcpConfig(SERVER_MAC, SERVER, SERVER_PORT)
    server.tcp._refuse(parse(world.segments[-1][1]))
    world.poll_server()
    world.run(2 * SECOND, lambda: world.ready)
    assert world.links == [(LinkState.DOWN, "connection refused"), (LinkState.READY, "ready")]


def test_the_exchanges_window_is_respected(session):
    """Room is told in slots of the largest size, and comes back with acknowledgements."""
    server = make_server(window=500)
    world = World(session, server, make_config())
    market = Market(world, server)
    world.run(SECOND, lambda: world.ready)
    room = world.last.report.room
    assert room == 500 // 59
    world.publish([enter(number) for number in range(1, room + 1)])
    assert world.last.report.room <= 1
    world.run(world.now_ns + MS)
    assert market.received == list(range(1, room + 1))
    assert world.last.report.room == room


def one_session(session, seed):
    """A session under faults; what must hold whatever they do is asserted on the way."""
    random = Random(seed)
    faults = Faults(random.choice([0, 0.02, 0.1, 0.25]), random.choice([0, 0.05, 0.2]), random.choice([0, 0.1, 0.4]),
                    delay_ns=random.choice([500, 5_000, 40_000]), held_ns=random.choice([5_000, 300_000]))
    server = make_server(mss=random.choice([100, 536, 1460]), window=random.choice([1_000, 0xFFFF]))
    world = World(session, server, make_config(), seed, faults)
    market = Market(world, server)
    sent = []
    breaks = random.choice([0, 0, 1, 2])
    for number in range(1, random.randint(5, 30)):
        world.run(world.now_ns + 60 * SECOND, lambda: world.ready and world.last.report.room > 0)
        assert world.ready, world.links
        sent.append(number)
        world.publish([enter(number)])
        world.run(world.now_ns + random.choice([1_000, 50_000, 5 * MS]))
        if breaks and random.random() < 0.15:
            breaks -= 1
            if random.random() < 0.5:
                server.tcp.abort()
            else:
                world.cut = True
                world.run(world.now_ns + random.choice([MS, 500 * MS, 4 * SECOND]))
                world.cut = False
            world.poll_server()
    done = lambda: world.ready and len(world.answers) == len(server.sequenced)  # noqa: E731
    for _ in range(20):
        world.run(world.now_ns + 60 * SECOND, done)
        world.run(world.now_ns + 30 * MS)
    assert done()
    world.service(logout=True)
    world.run(world.now_ns + 60 * SECOND, lambda: world.last.state == "over" and server.tcp.state is State.LISTEN)
    return world, market, sent


def test_sessions_over_a_bad_line_lose_nothing_that_was_acknowledged(session):
    """Each order at most once and in order; each answer exactly once; lost orders only where a connection was lost."""
    retransmissions = reconnected = orders = lost = 0
    for seed in range(1, SESSIONS + 1):
        print(f"repeat with: one_session(session, {seed})")
        world, market, sent = one_session(session, seed)
        assert [answer.number for answer in world.answers] == market.received
        assert market.received == sorted(set(market.received))
        assert set(market.received) <= set(sent)
        downs = [reason for state, reason in world.links if state == LinkState.DOWN]
        if downs == ["logging out", "logged out"]:
            assert market.received == sent
        assert world.links[-1] == (LinkState.DOWN, "logged out"), world.links
        assert market.server.statistics.cut_off in ([], ["silent"])
        retransmissions += world.last.report.retransmissions
        reconnected += len(downs) > 2
        orders += len(sent)
        lost += len(sent) - len(market.received)
    print(f"{orders} orders, {lost} lost with their connection; {retransmissions} retransmissions, "
          f"{reconnected} sessions with a new connection")
    assert retransmissions > SESSIONS
    assert reconnected > SESSIONS / 10
    assert 0 < lost < orders / 10


@pytest.mark.parametrize("seed", range(1, LINUX_SEEDS + 1))
def test_linux_tcp_takes_every_order_over_a_lossy_line(session_program, seed):
    """The exchange's TCP is Linux's here: handshake, 400 orders with their answers, logout and close."""
    result = in_namespace("tests.session.linux_server", str(session_program), str(seed))
    assert result["received"], result
    assert result["answers"], result
    assert result["links"] == ["ready", "logging out", "logged out"]
    assert result["retransmissions"] > 0
