# SPDX-License-Identifier: MIT
"""Recovery of lost messages in the kernel's core: equal to the Python twin in every step of random histories (lost,
repeated, reordered, partial and foreign answers, further gaps, bad frames, sessions), and complete: what goes to the
books is the stream itself, each message once and in order, unless a loss was declared."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest

from generators.framing import mold_packet
from tb.env.records import event_line
from tb.model.packet import MessageResult, message
from tb.model.recovery import LOSSES, STATES, Limits, RecoveryModel, request_frame
from tb.model.results import HostEvent
from tb.model.stream import SEQUENCES, Flags
from tests.core.recovery_harness import LIMITS, NEVER, PATH, Recovery, Step
from tests.core.test_moldudp64 import PUBLISH, answer_frame, nic_lines

SESSION = b"TICKLOOP01"
GAP = Flags(gap=True)


@pytest.fixture
def pair(recovery: Recovery) -> Pair:
    return Pair(recovery)


def delete(sequence: int) -> bytes:
    """A message that says which it is."""
    return b"D" + bytes(10) + sequence.to_bytes(8, "big")


class Pair:
    """Kernel and twin side by side: every step is compared. ``books`` is what went to the books, by sequence number and
    reference."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self.open(LIMITS)

    def open(self, limits: Limits) -> None:
        self._recovery.open(limits)
        self.twin = RecoveryModel(limits, PATH, self._apply)
        self.books: list[tuple[int, int]] = []
        self.now_ns = 0
        self._applied: list[bytes] = []
        self._answer_ns = 0

    def _take(self, message: MessageResult) -> None:
        self.books.append((message.sequence, int.from_bytes(message.raw[11:19], "big")))

    def _apply(self, message: MessageResult) -> None:
        self._take(message)
        time_ns = self._answer_ns if message.verdict is None else message.sequence % 1000
        self._applied.append(nic_lines(message.raw, message.sequence, time_ns)[0])

    def _compare(self, step: Step, result: bool, request: bytes | None = None) -> None:
        twin, report = self.twin, step.report
        due = twin.due_ns()
        assert report.result == result
        assert step.request == request
        assert step.applied == self._applied
        assert (STATES[report.state], LOSSES[report.loss], report.next) == (twin.state, twin.loss, twin.next or 0)
        assert report.due_ns == (NEVER if due is None else due)
        assert (report.gaps, report.requests, report.answers, report.ignored, report.recovered, report.voided,
                report.losses, report.waiting) == (twin.gaps, twin.requests, twin.answers, twin.ignored,
                                                   twin.recovered, twin.voided, twin.losses, len(twin.held))
        self._applied = []

    def record(self, sequence: int, reference: int | None = None) -> None:
        sequence %= SEQUENCES
        raw = delete(sequence if reference is None else reference)
        record = message(sequence, raw, "good", "mold")
        held = self.twin.record(record, self.now_ns)
        line = nic_lines(raw, sequence, sequence % 1000)[0]
        self._compare(self._recovery.record(line, self.now_ns), held)
        if not held:
            self._take(record)

    def event(self, sequence: int, delivered: int = 0, *, session: bytes = SESSION, reason: str | None = None,
              flags: Flags = GAP) -> None:
        event = HostEvent(sequence % SEQUENCES, delivered, 0, delivered, "A", reason, "data", flags, session)
        self.twin.event(event, self.now_ns)
        self._compare(self._recovery.event(event_line(event, 0) + PUBLISH, self.now_ns), False)

    def answer(self, frame: bytes) -> bool:
        self._answer_ns = self.now_ns % (1 << 48)
        brought = self.twin.answer(frame, self.now_ns)
        self._compare(self._recovery.answer(frame, self.now_ns, self._answer_ns), brought)
        return brought

    def messages(self, first: int, count: int, session: str = "TICKLOOP01") -> bool:
        """An answer with these messages."""
        return self.answer(answer_frame(mold_packet([delete((first + i) % SEQUENCES) for i in range(count)],
                                                    first % SEQUENCES, session)))

    def request(self) -> bytes | None:
        request = self.twin.request(self.now_ns)
        self._compare(self._recovery.request(self.now_ns), request is not None, request)
        return request

    def finish(self) -> None:
        self.twin.finish()
        self._compare(self._recovery.finish(), False)

    def in_order(self, first: int, last: int) -> None:
        """The books got exactly these, in order."""
        assert self.books == [(number % SEQUENCES, number % SEQUENCES) for number in range(first, last + 1)]


@pytest.mark.parametrize("start", [1, (1 << 64) - 8, (1 << 63) - 8])
def test_a_gap_is_asked_for_and_filled(pair: Pair, start: int) -> None:
    for offset in (0, 1, 2, 6, 7):
        pair.record(start + offset)
    pair.event(start + 6, 2)
    assert pair.request() == request_frame(PATH, SESSION, start + 3, 3)
    assert pair.request() is None
    pair.record(start + 8)
    assert pair.messages(start + 3, 3)
    assert pair.twin.state == "idle"
    pair.record(start + 9)
    pair.in_order(start, start + 9)


def test_partial_answers_ask_for_the_rest_and_what_is_known_is_not_taken_twice(pair: Pair) -> None:
    pair.record(1)
    pair.record(8)
    pair.event(8, 1)
    assert pair.request() == request_frame(PATH, SESSION, 2, 6)
    assert pair.messages(1, 3)  # begins with a message that is known
    assert pair.request() == request_frame(PATH, SESSION, 4, 4)
    assert not pair.messages(6, 2)  # ahead of what is due
    assert not pair.messages(1, 3)  # again
    assert pair.messages(4, 7)  # reaches beyond what is missing
    pair.record(9)
    pair.in_order(1, 9)
    assert pair.twin.answers == 2
    assert pair.twin.ignored == 2


def test_further_gaps_while_recovering(pair: Pair) -> None:
    for number in (1, 4, 5, 9, 10):
        pair.record(number)
    pair.event(9, 2)
    assert pair.request() == request_frame(PATH, SESSION, 2, 2)
    assert pair.messages(2, 2)
    assert pair.request() == request_frame(PATH, SESSION, 6, 3)
    pair.event(14)  # a heartbeat: 11 to 13 are missing too
    assert pair.messages(6, 3)
    assert pair.request() == request_frame(PATH, SESSION, 11, 3)
    assert pair.messages(11, 3)
    assert pair.twin.state == "idle"
    assert pair.twin.gaps == 3
    pair.in_order(1, 13)


def test_requests_are_limited_in_count(pair: Pair) -> None:
    pair.open(replace(LIMITS, request=2))
    pair.record(1)
    pair.record(7)
    pair.event(7, 1)
    for first, count in ((2, 2), (4, 2), (6, 1)):
        assert pair.request() == request_frame(PATH, SESSION, first, count)
        assert pair.messages(first, count)
    pair.in_order(1, 7)


def test_a_gap_at_the_tail_is_found_by_the_heartbeat(pair: Pair) -> None:
    pair.record(1)
    pair.event(4)
    assert pair.request() == request_frame(PATH, SESSION, 2, 2)
    assert pair.messages(2, 2)
    pair.record(4)
    pair.in_order(1, 4)


def test_silence_is_met_with_repetition_and_then_the_loss_is_declared(pair: Pair) -> None:
    pair.record(1)
    pair.record(3)
    pair.event(3, 1)
    for tried in range(LIMITS.retries + 1):
        assert pair.request() is not None
        assert pair.request() is None
        pair.now_ns += LIMITS.timeout_ns - 1
        assert pair.request() is None, tried
        pair.now_ns += 1
    assert pair.request() is None
    assert (pair.twin.state, pair.twin.loss) == ("lost", "spent")
    assert [sequence for sequence, _ in pair.books] == [1, 3]
    pair.record(9)  # nothing is asked for any more
    assert pair.request() is None
    assert pair.twin.state == "lost"
    assert pair.twin.requests == LIMITS.retries + 1


def test_progress_renews_the_retries(pair: Pair) -> None:
    pair.record(1)
    pair.record(6)
    pair.event(6, 1)
    for number in (2, 3, 4, 5):
        for _ in range(LIMITS.retries):
            assert pair.request() is not None
            pair.now_ns += LIMITS.timeout_ns
        assert pair.messages(number, 1)
    pair.in_order(1, 6)


def test_no_room_for_another_record_is_a_loss(pair: Pair) -> None:
    pair.open(replace(LIMITS, held=3))
    for number in (1, 3, 4, 5, 6, 7):
        pair.record(number)
    assert (pair.twin.state, pair.twin.loss, pair.twin.losses) == ("lost", "overflow", 1)
    assert [sequence for sequence, _ in pair.books] == [1, 3, 4, 5, 6, 7]


def test_a_session_that_nobody_told_of_cannot_be_asked_for(pair: Pair) -> None:
    pair.record(1)
    pair.record(3)
    for _ in range(LIMITS.retries + 2):
        assert pair.twin.state == "recovering"
        pair.now_ns += LIMITS.timeout_ns
        assert pair.request() is None
    assert (pair.twin.state, pair.twin.loss) == ("lost", "spent")


def test_records_of_a_bad_frame_are_void(pair: Pair) -> None:
    """Numbers far ahead, out of a frame that turns out bad: nothing is missing and nothing was applied."""
    pair.record(1)
    pair.record(1 << 40, 77)
    pair.record((1 << 40) + 1, 78)
    pair.event(1 << 40, 2, reason="bad_fcs", flags=Flags())
    assert pair.twin.state == "idle"
    pair.record(2)
    pair.in_order(1, 2)
    pair.record(5)
    pair.event(5, 1)
    pair.record(9, 79)
    pair.event(9, 1, reason="bad_fcs", flags=Flags())
    assert pair.request() == request_frame(PATH, SESSION, 3, 2)
    assert pair.messages(3, 2)
    pair.record(6)
    pair.in_order(1, 6)
    assert pair.twin.voided == 3


def test_older_numbers_of_a_bad_frame_open_no_gap(pair: Pair) -> None:
    for number in (10, 11, 12):
        pair.record(number)
    pair.record(3, 77)
    pair.event(3, 1, reason="bad_udp_checksum", flags=Flags())
    pair.record(13)
    assert pair.twin.state == "idle"
    assert pair.twin.gaps == 0


def test_a_bad_frame_before_all_others_counts_for_nothing(pair: Pair) -> None:
    pair.record(1001, 77)
    pair.event(1001, 1, reason="bad_fcs", flags=Flags())
    pair.record(1)
    pair.record(4)
    assert pair.twin.state == "recovering"


def test_a_frame_delivered_again_opens_no_gap(pair: Pair) -> None:
    """The NIC goes back to what a bad frame had brought; the good copy may come while records are held, too."""
    for number in (1, 2, 3, 2, 3, 4):
        pair.record(number)
    assert pair.twin.gaps == 0
    pair.record(8)
    pair.record(9, 77)
    pair.event(9, 1, reason="bad_fcs", flags=Flags())
    pair.record(9)
    pair.event(8, 1)
    assert pair.messages(5, 3)
    assert pair.books[-5:] == [(5, 5), (6, 6), (7, 7), (8, 8), (9, 9)]


def test_a_new_session_ends_a_recovery_and_a_loss(pair: Pair) -> None:
    change = Flags(session_change=True)
    pair.record(5)
    pair.record(9)
    pair.event(9, 1)
    assert pair.request() is not None
    pair.record(1, 101)
    pair.event(1, 1, session=b"TICKLOOP02", flags=change)
    assert (pair.twin.state, pair.twin.loss) == ("idle", "session")
    assert not pair.messages(6, 3)
    pair.record(2, 102)
    pair.record(4, 104)
    pair.event(4, 1, session=b"TICKLOOP02")
    assert pair.request() == request_frame(PATH, b"TICKLOOP02", 3, 1)
    assert not pair.messages(3, 1)  # of the old session
    assert pair.messages(3, 1, "TICKLOOP02")
    assert pair.books == [(5, 5), (9, 9), (1, 101), (2, 102), (3, 3), (4, 104)]


def test_a_new_session_with_higher_numbers_is_no_gap_of_it(pair: Pair) -> None:
    pair.record(5)
    pair.record(1000)
    pair.event(1000, 1, session=b"TICKLOOP02", flags=Flags(session_change=True))
    assert pair.twin.state == "idle"
    assert pair.request() is None
    pair.record(1001)
    assert [sequence for sequence, _ in pair.books] == [5, 1000, 1001]


def test_the_end_of_the_run_is_a_loss_of_what_is_missing(pair: Pair) -> None:
    pair.record(1)
    pair.record(3)
    pair.finish()
    assert (pair.twin.loss, [sequence for sequence, _ in pair.books]) == ("run_end", [1, 3])
    pair.open(LIMITS)
    pair.record(1)
    pair.finish()
    assert pair.twin.losses == 0


class Late(NamedTuple):
    """A frame on its way from the server."""

    due_ns: int
    frame: bytes


class Server:
    """Answers a request with packets of fewer messages; they get lost, come twice, late, damaged, and in another
    order."""

    def __init__(self, random: Random, trouble: float) -> None:
        self._random = random
        self._trouble = trouble
        self._on_the_way: list[Late] = []

    def request(self, frame: bytes, now_ns: int, newest: int) -> None:
        random = self._random
        session, payload = frame[42:52].decode(), frame[52:]
        sequence, count = int.from_bytes(payload[:8], "big"), int.from_bytes(payload[8:], "big")
        assert 0 < count <= LIMITS.request
        assert sequence + count - 1 <= newest, "messages that do not exist yet are asked for"
        while count and random.random() < 0.9:
            part = min(count, random.choice((1, 3, 8, 30)))
            answer = answer_frame(mold_packet([delete(sequence + i) for i in range(part)], sequence, session))
            for _ in range(random.choices((1, 0, 2), (1, self._trouble, self._trouble))[0]):
                delay = random.choice((1_000, 20_000, 90_000, 150_000)) if random.random() < self._trouble else 5_000
                if random.random() < self._trouble / 4:
                    answer = answer[:40] + random.randbytes(1) + answer[41:]
                self._on_the_way.append(Late(now_ns + delay, answer))
            sequence, count = sequence + part, count - part

    def due(self, now_ns: int) -> list[bytes]:
        ready = [late.frame for late in self._on_the_way if late.due_ns <= now_ns]
        self._on_the_way = [late for late in self._on_the_way if late.due_ns > now_ns]
        self._random.shuffle(ready)
        return ready


def play(pair: Pair, seed: int, trouble: float) -> None:
    """A stream of frames with gaps, heartbeats and bad copies, and a server as above."""
    random = Random(seed)
    server = Server(random, trouble)
    pair.open(replace(LIMITS, retries=12 if trouble < 0.5 else 2, held=random.choice((20, 400))))
    sequence, total, told, must_come = 1, random.randrange(50, 250), False, 0
    while not told or (pair.twin.state == "recovering" and pair.now_ns < 1 << 34):
        pair.now_ns += random.choice((500, 3_000, 30_000))
        kind, count = random.random(), min(random.choice((1, 2, 10)), total - sequence + 1)
        if count == 0:
            pair.event(sequence)
            told = True
        elif kind < 0.1 and sequence >= must_come:
            sequence += count  # lost
        elif kind < 0.2:  # a copy that turns out bad: of the right numbers, of which a good one follows, or of others
            away = 50 if pair.twin.state == "recovering" else random.choice((0, 1000, -5))
            if away < 0 and pair.twin.next != sequence:
                continue  # it would bring numbers that are lost, and nobody could tell
            must_come = max(must_come, sequence + away + count if away <= 0 else 0)
            for number in range(sequence + away, sequence + away + count):
                pair.record(number, 0xBAD)
            pair.event(sequence + away, count, reason="bad_fcs", flags=Flags())
        else:
            for number in range(sequence, sequence + count):
                pair.record(number)
            pair.event(sequence, count)
            sequence += count
            if random.random() < 0.1:
                pair.event(sequence)
        for frame in server.due(pair.now_ns):
            pair.answer(frame)
        if (request := pair.request()) is not None:
            server.request(request, pair.now_ns, total)
    pair.finish()
    good = [entry for entry in pair.books if entry[1] != 0xBAD]
    if pair.twin.losses == 0:
        first = good[0][0]
        assert good == [(number, number) for number in range(first, total + 1)]


@pytest.mark.parametrize("trouble", [0.0, 0.3, 0.9])
def test_random_histories(pair: Pair, trouble: float) -> None:
    counts: Counter[str] = Counter()
    for seed in range(120):
        try:
            play(pair, seed, trouble)
        except AssertionError:
            print(f"reproduce: play(pair, {seed}, {trouble})")
            raise
        counts.update(recovered=pair.twin.recovered, losses=pair.twin.losses, gaps=pair.twin.gaps,
                      ignored=pair.twin.ignored, voided=pair.twin.voided)
    assert counts["recovered"] > 400
    assert counts["gaps"] > 200
    assert counts["voided"] > 0
    if trouble:
        assert counts["ignored"] > 100
        assert counts["losses"] > 0
