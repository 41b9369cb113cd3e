# SPDX-License-Identifier: MIT
"""What ``inspect`` says of captures, against tshark (frames, packets, sequence numbers) and itchfeed (messages)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from itch.messages import messages as itchfeed_messages

from generators.captures import write_pcap
from generators.framing import FrameEncoder, Group, end_of_session, heartbeat, mold_packet
from generators.profiles import frames, generate
from tickloop.time_windows import MOST_WINDOWS, Peak, Windows

GOOD = "1"  # tshark's checksum status


@dataclass
class Frame:
    """What tshark decodes of a frame."""

    line: str
    time: float
    number: int
    good: bool
    session: str
    first: int
    blocks: list[tuple[int, bytes]]


@dataclass
class Tally:
    """A stream put together from tshark's frames, by the rules for sequence numbers and nothing else."""

    accepted: int = 0
    next: int | None = None
    duplicates: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)
    packing: Counter[str] = field(default_factory=Counter)

    def add(self, frame: Frame) -> None:
        if not frame.good:
            return
        self.accepted += 1
        self.packing[str(len(frame.blocks))] += 1
        if self.next is not None and frame.first > self.next:
            self.gaps.append((self.next, frame.first))
        if self.next is None or frame.first > self.next:
            self.next = frame.first
        for sequence, message in frame.blocks:
            if sequence < self.next:
                self.duplicates += 1
                continue
            self.next = sequence + 1
            self.types[chr(message[0])] += 1


def by_tshark(path: Path, line: str = "A") -> list[Frame]:
    """The frames of a capture, checksums verified."""
    program = shutil.which("tshark")
    assert program, "tshark is missing: make test installs it"
    names = ("frame.time_epoch", "ip.checksum.status", "udp.checksum.status", "moldudp64.session", "moldudp64.sequence",
             "moldudp64.msgseq", "moldudp64.msgdata")
    command = [program, "-r", str(path), "-d", "udp.port==26477,moldudp64", "-o", "ip.check_checksum:TRUE",
               "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,"]
    for name in names:
        command += ["-e", name]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    for number, row in enumerate(output.splitlines()):
        time, ip, udp, session, first, sequences, data = row.split("|")
        good = (ip, udp) == (GOOD, GOOD) and bool(session)
        pairs = zip(sequences.split(","), data.split(","), strict=True) if good else ()
        blocks = [(int(sequence), bytes.fromhex(message)) for sequence, message in pairs]
        found.append(Frame(line, float(time), number, good, session, int(first) if good else 0, blocks))
    return found


@pytest.fixture
def inspected(command):
    """``inspected(arguments)``: the object of ``inspect --json``."""
    def run(*arguments):
        finished = command("inspect", *arguments, "--json")
        assert finished.status == 0, finished.stderr
        return json.loads(finished.stdout)

    return run


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Two captures with faults that leave headers readable or checksums wrong."""
    from tickloop import cli  # noqa: PLC0415 (the fixture ``command`` is a function's)
    folder = tmp_path_factory.mktemp("lines")
    a, b = folder / "a.pcap", folder / "b.pcap.gz"
    assert cli.main(["generate", "opening", "--messages", "700", "--faults", "loss=0.05,duplicate=0.03,reorder=0.03,"
                     "bit_flip=0.03", "--line-b", str(b), "--out", str(a)]) == 0
    return a, b


def agree(document, tally, frames_seen):
    assert document["frames"] == frames_seen
    assert document["accepted"] == tally.accepted
    assert sum(document["dropped"].values()) == frames_seen - tally.accepted
    assert document["duplicates"] == tally.duplicates
    assert document["missing"] == sum(to - start for start, to in tally.gaps)
    assert document["messages"] == sum(tally.types.values())


def test_one_line_as_tshark_sees_it(inspected, lines):
    document, tally = inspected(lines[0]), Tally()
    frames_seen = by_tshark(lines[0])
    for frame in frames_seen:
        tally.add(frame)
    agree(document, tally, len(frames_seen))
    assert document["messages_by_type"] == dict(sorted(tally.types.items()))
    assert document["messages_a_packet"] == dict(tally.packing.items())
    assert [(gap["from"], gap["to"]) for gap in document["gap_list"]] == tally.gaps
    assert len(tally.gaps) > 5
    assert tally.duplicates > 5
    assert sum(document["dropped"].values()) > 5
    assert [each["session"] for each in document["sessions"]] == ["TICKLOOP01"]
    assert document["sessions"][0]["next_expected"] == tally.next
    assert sum(window["frames"] for window in document["rates"]["windows"]) == len(frames_seen)
    assert sum(window["messages"] for window in document["rates"]["windows"]) == document["messages"]


def test_two_lines_as_tshark_sees_them(inspected, lines):
    """Merged by time, A first: what one line lost is mostly on the other."""
    a, b = by_tshark(lines[0], "A"), by_tshark(lines[1], "B")
    both = Tally()
    for frame in sorted(a + b, key=lambda frame: (frame.time, frame.line, frame.number)):
        both.add(frame)
    document = inspected(lines[0], "--line-b", lines[1])
    agree(document, both, len(a) + len(b))
    assert document["messages_by_type"] == dict(sorted(both.types.items()))
    for line, frames_seen in (("A", a), ("B", b)):
        alone = Tally()
        for frame in frames_seen:
            alone.add(frame)
        agree(document["lines"][line], alone, len(frames_seen))
        assert document["lines"][line]["missing"] > 4 * document["missing"]
    assert document["lines"]["A"]["first_copies"] > document["lines"]["B"]["first_copies"] > 0


def test_an_itch_file_as_itchfeed_reads_it(inspected, command, tmp_path):
    assert command("generate", "opening", "--messages", "2000", "--out", tmp_path / "o.itch.gz").status == 0
    assert command("generate", "opening", "--messages", "2000", "--out", tmp_path / "o.itch").status == 0
    data, at, types = (tmp_path / "o.itch").read_bytes(), 0, Counter()
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        raw = data[at + 2:at + 2 + length]
        types[itchfeed_messages[raw[:1]](raw).message_type.decode()] += 1
        at += 2 + length
    document = inspected(tmp_path / "o.itch.gz")
    assert document["messages_by_type"] == dict(sorted(types.items()))
    assert document["message_bytes"] == len(data) - 2 * 2000
    assert document["kinds"] == ["itch"]


def test_sessions_heartbeats_and_ends(inspected, tmp_path):
    message = next(message for _, message in generate("quiet", 1, 1))
    encode = FrameEncoder().encode
    payloads = [mold_packet([message] * 3, 5, "FIRST"), heartbeat(8, "FIRST"), end_of_session(10, "FIRST"),
                mold_packet([message], 1, "SECOND"), mold_packet([b"", b"?odd", message[:5]], 2, "SECOND")]
    write_pcap(tmp_path / "s.pcap", [(1000 * n, encode(payload)) for n, payload in enumerate(payloads)])
    document = inspected(tmp_path / "s.pcap")
    first, second = document["sessions"]
    assert (first["session"], first["first_sequence"], first["next_expected"]) == ("FIRST     ", 5, 10)
    assert (first["missing"], first["ended"], first["messages"]) == (2, True, 3)
    assert (second["session"], second["next_expected"]) == ("SECOND    ", 5)
    assert (second["missing"], second["ended"], second["messages"]) == (0, False, 4)
    assert document["packets"] | {"data": 3, "heartbeat": 1, "end_of_session": 1} == document["packets"]
    assert {status: count for status, count in document["messages_by_status"].items() if count} == \
        {"ok": 4, "zero_length": 1, "unknown_type": 1, "too_short": 1}


def test_frames_of_other_groups_are_told(inspected, command, tmp_path):
    write_pcap(tmp_path / "o.pcap", frames(generate("quiet", 1, 20), group=Group.parse("239.1.2.3:5000")))
    assert inspected(tmp_path / "o.pcap")["other_groups"] == [{"group": "239.1.2.3:5000", "frames": 20}]
    assert inspected(tmp_path / "o.pcap", "--group", "239.1.2.3:5000")["messages"] == 20
    assert "other groups    239.1.2.3:5000 20" in command("inspect", tmp_path / "o.pcap").stdout


def test_the_prototypes_format(inspected, command, tmp_path):
    prototype = ("--format", "prototype")
    assert command("generate", "quiet", "--messages", "40", *prototype, "--out", tmp_path / "p.pcap").status == 0
    document = inspected(tmp_path / "p.pcap", *prototype)
    assert (document["frames"], document["messages"], document["missing"]) == (40, 40, 0)


def test_the_tables_show_what_the_object_holds(command, inspected, lines):
    document = inspected(lines[0])
    shown = command("inspect", lines[0]).stdout
    for figure in (f"{document['messages']:,}, ", f"{document['gaps']:,}, {document['missing']:,} messages missing",
                   "A  Add Order", "TICKLOOP01", "more gaps"):
        assert figure in shown
    assert max(map(len, shown.splitlines())) < 240


def test_a_capture_that_ends_early_is_told_of(command, lines, tmp_path):
    (tmp_path / "cut.pcap").write_bytes(lines[0].read_bytes()[:-5])
    finished = command("inspect", tmp_path / "cut.pcap", "--json")
    assert finished.status == 0
    assert "ends inside record" in finished.error_line()
    assert json.loads(finished.stdout)["warnings"]


def test_nothing_that_a_capture_says_reaches_the_terminal_raw(command, tmp_path):
    message = b"\x1b" + bytes(11)
    write_pcap(tmp_path / "x.pcap", [(0, FrameEncoder().encode(mold_packet([message], 1, "\x1b[31m")))])
    finished = command("inspect", tmp_path / "x.pcap")
    assert "\x1b" not in finished.stdout
    assert "\\x1b" in finished.stdout


def test_windows_stay_few_and_lose_nothing():
    windows = Windows()
    for n in range(3 * MOST_WINDOWS):
        windows.add(n * 1_700, n % 3)
    windows.add(10**13, 5)
    width, shown = windows.shown(20)
    assert len(windows._counts) <= MOST_WINDOWS
    assert len(shown) <= 20
    assert str(width).rstrip("0") in "125"
    assert sum(window.frames for window in shown) == 3 * MOST_WINDOWS + 1
    assert sum(window.messages for window in shown) == sum(n % 3 for n in range(3 * MOST_WINDOWS)) + 5
    assert [window.from_ns for window in shown] == [width * n for n in range(len(shown))]


def test_the_peak_is_that_of_a_slow_search():
    times = [0, 3, 4, 9, 10, 11, 30, 31, 39, 40, 41]
    peak = Peak(10)
    for time in times:
        peak.add(time, time % 4 + 1)
    slow = max(sum(other % 4 + 1 for other in times if time <= other < time + 10) for time in times)
    assert peak.most == slow
