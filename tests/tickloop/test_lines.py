# SPDX-License-Identifier: MIT
"""Two lines, verified delivery, hold, FCS and the prototype's format, from the command line to the run directory."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import count

import pytest

from bridge import loop
from bridge.interface import BridgeError
from generators import prototype
from generators.captures import write_pcap
from generators.fcs import with_fcs
from generators.framing import FrameEncoder, heartbeat, mold_packet
from generators.profiles import frames, generate, write_prototype
from tests.tickloop.conftest import read_stimulus
from tests.tickloop.synthetic import FRAME_CLOCKS
from tickloop.inputs import FRAME_OVERHEAD, LineFrame, from_capture, kept, merged
from tickloop.rundir.files import read_json_lines

START = 1_577_716_200 * 10**9


@pytest.fixture
def traffic():
    """(time, frame) of a hundred packets."""
    return list(frames(generate("quiet", 1, 100)))


def document(directory, name):
    return json.loads((directory / name).read_text())


def damaged(frame):
    """Its last byte is another, which the UDP checksum shows."""
    return frame[:-1] + bytes([frame[-1] ^ 1])


class TestKept:
    FRAMES = (LineFrame("A", 0, b"a" * 60), LineFrame("B", 5, b"b" * 60, True))

    @pytest.mark.parametrize(("most", "made"), [(2 * (FRAME_OVERHEAD + 60), 2), (2 * (FRAME_OVERHEAD + 60) - 1, 4)])
    def test_frames_are_made_for_two_readings_unless_they_are_too_many(self, most, made):
        calls = count()

        def make():
            next(calls)
            return iter(self.FRAMES)

        source = kept(make, most)
        for _ in range(4):
            assert tuple(source()) == self.FRAMES
        assert next(calls) == made

    def test_what_was_not_read_to_the_end_is_made_anew(self):
        source = kept(lambda: iter(self.FRAMES))
        assert next(iter(source())) == self.FRAMES[0]
        assert tuple(source()) == self.FRAMES


class TestMerge:
    def test_order_of_capture_times_and_a_before_b(self, tmp_path):
        write_pcap(tmp_path / "a.pcap", [(START + 10, b"a0"), (START + 30, b"a1")])
        write_pcap(tmp_path / "b.pcap", [(START + 10, b"b0"), (START + 20, b"b1"), (START + 40, b"b2")])
        source = from_capture(tmp_path / "a.pcap", None, tmp_path / "b.pcap")
        for _ in range(2):  # the second time from memory
            assert list(source.frames()) == [
                LineFrame("A", 0, b"a0"), LineFrame("B", 0, b"b0"), LineFrame("B", 10, b"b1"),
                LineFrame("A", 20, b"a1"), LineFrame("B", 30, b"b2"),
            ]

    def test_the_run_s_first_frame_may_be_line_b_s(self, tmp_path):
        write_pcap(tmp_path / "a.pcap", [(START + 30, b"a")])
        write_pcap(tmp_path / "b.pcap", [(START + 10, b"b")])
        source = from_capture(tmp_path / "a.pcap", None, tmp_path / "b.pcap")
        assert list(source.frames()) == [LineFrame("B", 0, b"b"), LineFrame("A", 20, b"a")]

    def test_no_frames(self):
        assert list(merged([iter(())])) == []

    def test_warnings_of_both(self, tmp_path):
        for name in "ab":
            write_pcap(tmp_path / name, [(0, b"x" * 60)])
            (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
        source = from_capture(tmp_path / "a", None, tmp_path / "b")
        assert list(source.frames()) == []
        assert len(source.warnings) == 2


@pytest.mark.parametrize("job", ["sim", "parse"])
def test_the_redundant_line_saves_what_the_other_lost(command, faultless, tmp_path, traffic, job):
    write_pcap(tmp_path / "a.pcap", [frame for index, frame in enumerate(traffic) if index % 7 != 3])
    write_pcap(tmp_path / "b.pcap", [(time_ns + 700, data) for index, (time_ns, data) in enumerate(traffic)
                                     if index % 5 != 2])
    out = tmp_path / "out"
    finished = command(job, tmp_path / "a.pcap", "--line-b", tmp_path / "b.pcap", "--out", out)
    assert finished.status == 0, finished.stderr
    lines = read_json_lines(out / "messages.jsonl")
    lost_on_a = {index + 1 for index in range(100) if index % 7 == 3}
    lost_on_both = {number for number in lost_on_a if (number - 1) % 5 == 2}
    # The packet behind a lost one comes on A before the copy of the lost one comes on B, unless that is soon enough.
    from_b = {line["sequence"] for line in lines if line["line"] == "B"}
    assert from_b
    assert from_b <= lost_on_a - lost_on_both
    sequences = [line["sequence"] for line in lines]
    assert sequences == sorted(set(sequences))
    frame_lines = read_json_lines(out / "frames.jsonl")
    for line in lines:
        assert frame_lines[line["frame"]]["line"] == line["line"]
        assert line["hw_timestamp_ns"] == line["frame"] * FRAME_CLOCKS * 64 // 10
    summary = document(out, "summary.json")
    assert summary["agree"] is True
    assert summary["frames_b"] == summary["accepted_b"] == 80
    assert summary["messages_b"] == len(from_b)
    assert summary["duplicates"] == 80 + 100 - len(range(3, 100, 7)) - len(lines)
    assert f"{len(from_b)} from line B" in finished.stdout
    assert "80 from line B" in finished.stdout
    assert "duplicates" in finished.stdout
    assert "line B's copy came first" in (out / "report.html").read_text()
    assert document(out, "run.json")["lines"] == 2


def test_one_capture_on_both_lines_is_all_duplicates(command, faultless, tmp_path, traffic):
    write_pcap(tmp_path / "a.pcap", traffic)
    assert command("parse", tmp_path / "a.pcap", "--line-b", tmp_path / "a.pcap", "--out", tmp_path / "out").status == 0
    frame_lines = read_json_lines(tmp_path / "out/frames.jsonl")
    assert [line["line"] for line in frame_lines] == ["A", "B"] * 100
    assert {line["line"] for line in read_json_lines(tmp_path / "out/messages.jsonl")} == {"A"}
    assert document(tmp_path / "out", "summary.json")["duplicates"] == 100


def test_a_scenario_with_a_capture_on_line_b(command, faultless, tmp_path):
    assert command("generate", "quiet", "--messages", "100", "--out", tmp_path / "b.pcap").status == 0
    finished = command("sim", "--scenario", "quiet", "--messages", "100", "--line-b", tmp_path / "b.pcap", "--out",
                       tmp_path / "out")
    assert finished.status == 0, finished.stderr
    assert document(tmp_path / "out", "summary.json")["frames_b"] == 100


class TestDelivery:
    def run(self, command, tmp_path, traffic, delivery, job="parse"):
        bad = [(time_ns, damaged(data) if index == 50 else data) for index, (time_ns, data) in enumerate(traffic)]
        again = (traffic[50][0] + 1, traffic[50][1])
        write_pcap(tmp_path / "x.pcap", [*bad[:51], again, *bad[51:]])
        options = ["--delivery", delivery] if delivery else []
        finished = command(job, tmp_path / "x.pcap", *options, "--out", tmp_path / "out")
        assert finished.status == 0, finished.stderr
        return read_json_lines(tmp_path / "out/messages.jsonl"), document(tmp_path / "out", "run.json")

    @pytest.mark.parametrize("delivery", ["verified", None])
    def test_verified_knows_no_bad_messages_and_no_verdict(self, command, faultless, tmp_path, traffic, delivery):
        lines, run = self.run(command, tmp_path, traffic, delivery)
        assert run["delivery"] == "verified"
        assert not any("verdict" in line for line in lines)
        assert [line["sequence"] for line in lines] == list(range(1, 101))
        assert document(tmp_path / "out", "summary.json")["bad_messages"] == 0

    @pytest.mark.parametrize("job", ["sim", "parse"])
    def test_cut_through_delivers_twice_what_came_bad_first(self, command, faultless, tmp_path, traffic, job):
        lines, run = self.run(command, tmp_path, traffic, "cut-through", job)
        assert run["delivery"] == "cut-through"
        assert [(line["sequence"], line["verdict"]) for line in lines if line["sequence"] == 51] == \
            [(51, "bad"), (51, "good")]
        summary = document(tmp_path / "out", "summary.json")
        assert (summary["bad_messages"], summary["agree"]) == (1, True)

    def test_the_closed_loop_cuts_through_unless_told(self, command, faultless, tmp_path, traffic):
        assert self.run(command, tmp_path, traffic, None, "sim")[1]["delivery"] == "cut-through"
        assert self.run(command, tmp_path, traffic, "verified", "sim")[1]["delivery"] == "verified"


class TestHold:
    @pytest.fixture
    def captures(self, tmp_path, traffic):
        """Line A lacks packet 40; line B has it 5 us after the packet behind it came on A."""
        near = [(index * 10_000, data) for index, (_, data) in enumerate(traffic)]
        write_pcap(tmp_path / "a.pcap", near[:40] + near[41:])
        write_pcap(tmp_path / "b.pcap", [(time_ns + 15_000, data) for time_ns, data in near])
        return tmp_path / "a.pcap", tmp_path / "b.pcap"

    def run(self, command, tmp_path, captures, hold):
        finished = command("parse", captures[0], "--line-b", captures[1], "--hold", hold, "--out", tmp_path / "out")
        assert finished.status == 0, finished.stderr
        events = read_json_lines(tmp_path / "out/events.jsonl")
        return read_json_lines(tmp_path / "out/messages.jsonl"), [event["event"] for event in events]

    def test_without_it_there_is_a_gap(self, command, faultless, tmp_path, captures):
        messages, events = self.run(command, tmp_path, captures, "0")
        assert events == ["gap"]
        assert 41 not in [line["sequence"] for line in messages]

    def test_held_messages_come_in_order_and_without_a_gap(self, command, faultless, tmp_path, captures):
        messages, events = self.run(command, tmp_path, captures, "8000")
        assert events == []
        assert [line["sequence"] for line in messages] == list(range(1, 101))
        assert [line["line"] for line in messages if line["sequence"] == 41] == ["B"]
        assert document(tmp_path / "out", "run.json")["hold_ns"] == 8000

    def test_a_hold_that_is_too_short(self, command, faultless, tmp_path, captures):
        messages, events = self.run(command, tmp_path, captures, "3000")
        assert events == ["gap"]
        assert len(messages) == 99

    def test_a_close_call_is_said_when_the_checks_fail(self, command, faultless, tmp_path, captures):
        faultless(lambda result: replace(result, registers={**result.registers, "GAPS": 9}))
        finished = command("parse", captures[0], "--line-b", captures[1], "--hold", "5010", "--out", tmp_path / "out")
        assert finished.status == 1
        assert "end of a --hold" in finished.stderr.splitlines()[0]


class TestFcs:
    def test_a_wrong_one_drops_the_frame(self, command, faultless, tmp_path, traffic):
        sealed = [(time_ns, with_fcs(data)) for time_ns, data in traffic]
        sealed[30] = (sealed[30][0], damaged(sealed[30][1]))
        write_pcap(tmp_path / "x.pcap", sealed)
        assert command("parse", tmp_path / "x.pcap", "--fcs", "--out", tmp_path / "out").status == 0
        drops = [line for line in read_json_lines(tmp_path / "out/frames.jsonl") if line["disposition"] == "drop"]
        assert drops == [{"frame": 30, "line": "A", "disposition": "drop", "reason": "bad_fcs"}]
        stimulus = read_stimulus(tmp_path / "out/record/stimulus.bin")
        assert [frame.data for frame in stimulus] == [data for _, data in traffic]
        assert [index for index, frame in enumerate(stimulus) if frame.bad_fcs] == [30]

    def test_on_both_lines(self, command, faultless, tmp_path, traffic):
        sealed = [(time_ns, with_fcs(data)) for time_ns, data in traffic]
        write_pcap(tmp_path / "b.pcap", sealed)
        sealed[30] = (sealed[30][0], damaged(sealed[30][1]))
        write_pcap(tmp_path / "a.pcap", sealed)
        assert command("parse", tmp_path / "a.pcap", "--line-b", tmp_path / "b.pcap", "--fcs", "--out",
                       tmp_path / "out").status == 0
        messages = read_json_lines(tmp_path / "out/messages.jsonl")
        assert [line["sequence"] for line in messages if line["line"] == "B"] == [31]
        assert len(messages) == 100

    def test_records_that_hold_nothing_but_an_fcs(self, command, faultless, tmp_path, traffic):
        write_pcap(tmp_path / "x.pcap", [(0, b"abcd"), (1, b"ab"), (2, with_fcs(traffic[0].data))])
        finished = command("parse", tmp_path / "x.pcap", "--fcs", "--out", tmp_path / "out")
        assert finished.status == 0
        assert "2 record(s) without a byte in front of the FCS" in finished.error_line()
        assert document(tmp_path / "out", "summary.json")["frames"] == 1

    @pytest.mark.parametrize("line_b", [False, True])
    def test_itch_messages_have_none(self, command, tmp_path, traffic, line_b):
        (tmp_path / "x.itch").write_bytes(bytes([0, 12]) + b"S" + bytes(10) + b"O")
        write_pcap(tmp_path / "x.pcap", traffic)
        captures = [tmp_path / "x.pcap", "--line-b", tmp_path / "x.itch"] if line_b else [tmp_path / "x.itch"]
        finished = command("parse", *captures, "--fcs", "--out", tmp_path / "out")
        assert finished.status == 2
        assert "x.itch holds ITCH messages, not frames" in finished.error_line()


class TestPrototype:
    def test_messages_and_sequence(self, command, faultless, tmp_path):
        write_prototype(tmp_path / "p.pcap", "quiet", 2, 60)
        finished = command("parse", tmp_path / "p.pcap", "--format", "prototype", "--out", tmp_path / "out")
        assert finished.status == 0, finished.stderr
        expected = read_json_lines(tmp_path / "p.pcap.expect.jsonl")
        messages = read_json_lines(tmp_path / "out/messages.jsonl")
        assert [{key: line[key] for key in ("sequence", "type", "fields")} for line in messages] == expected
        assert read_json_lines(tmp_path / "out/frames.jsonl")[5] == {
            "frame": 5, "line": "A", "disposition": "accept", "kind": "data", "session": "TICKLOOP  ", "sequence": 6,
            "count": 1,
        }

    def test_odd_ones(self, command, faultless, tmp_path):
        encode = FrameEncoder().encode
        good = prototype.message("A", 7, 10_000, 100)
        payloads = [prototype.packet(good), prototype.packet(good[:5]), prototype.packet(b""),
                    prototype.packet(good + b"tail"), prototype.packet(good)[:-3], prototype.packet(good) + b"more",
                    prototype.packet(good, b"OTHER   "), prototype.packet(good)[:11]]
        write_pcap(tmp_path / "p.pcap", [(1000 * i, encode(payload)) for i, payload in enumerate(payloads)])
        finished = command("parse", tmp_path / "p.pcap", "--format", "prototype", "--out", tmp_path / "out")
        assert finished.status == 0, finished.stderr
        lines = read_json_lines(tmp_path / "out/messages.jsonl")
        assert [(line["frame"], line["sequence"], line["status"]) for line in lines] == [
            (0, 1, "ok"), (1, 2, "too_short"), (2, 3, "zero_length"), (3, 4, "too_long"), (5, 5, "ok"), (6, 1, "ok")]
        assert lines[1]["raw"] == good[:5].hex()
        assert lines[3]["fields"] == {"stock_locate": 7, "price": 10_000, "shares": 100}
        assert [line.get("flag") for line in read_json_lines(tmp_path / "out/frames.jsonl")] == \
            [None, None, None, None, "truncated", "extra_data", None, None]
        assert [event["event"] for event in read_json_lines(tmp_path / "out/events.jsonl")] == \
            ["truncated", "session_change", "drop"]

    def test_generate(self, command, tmp_path):
        assert command("generate", "quiet", "--format", "prototype", "--messages", "9", "--out",
                       tmp_path / "p.pcap.gz").status == 0
        assert gzip.decompress((tmp_path / "p.pcap.gz").read_bytes()).count(b"TICKLOOP\0\0\0\x0b") == 9

    @pytest.mark.parametrize("arguments", [("sim",), ("parse", "x.pcap", "--line-b", "y.pcap")])
    def test_where_it_does_not_go(self, command, tmp_path, arguments):
        finished = command(*arguments, "--format", "prototype", "--out", tmp_path / "out")
        assert finished.status == 2
        assert "--format prototype" in finished.error_line()


class TestSeveralCaptures:
    @pytest.fixture
    def captures(self, tmp_path, traffic):
        for name in ("a.pcap", "b.pcap.gz", "c.pcap"):
            write_pcap(tmp_path / name, traffic)
        return [tmp_path / name for name in ("a.pcap", "b.pcap.gz", "c.pcap")]

    def test_one_call_of_the_bridge_for_all(self, command, faultless, monkeypatch, tmp_path, captures):
        calls = []
        play = loop.run_many

        def count(requests):
            calls.append(len(requests))
            return play(requests)

        monkeypatch.setattr(loop, "run_many", count)
        finished = command("parse", *captures, "--out", tmp_path / "out")
        assert finished.status == 0, finished.stderr
        assert calls == [3]
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.pcap", "b.pcap.gz", "c.pcap"}
        digests = {document(tmp_path / "out" / capture.name, "run.json")["digest"] for capture in captures}
        assert len(digests) == 1
        assert finished.stdout.count("PASS") == 3

    def test_a_fault_of_one_leaves_the_others(self, command, faultless, monkeypatch, tmp_path, captures):
        play = loop.run_many

        def fail_second(requests):
            for index, result in enumerate(play(requests)):
                yield BridgeError(5, "the simulator died") if index == 1 else result

        monkeypatch.setattr(loop, "run_many", fail_second)
        finished = command("parse", *captures, "--out", tmp_path / "out")
        assert finished.status == 5
        assert finished.error_line() == f"tickloop: {captures[1]}: the simulator died"
        assert finished.stdout.count("PASS") == 2
        assert (tmp_path / "out/c.pcap/report.html").exists()
        assert document(tmp_path / "out/b.pcap.gz", "run.json")["exit_status"] == 5

    def test_failed_checks_of_one_are_the_status(self, command, faultless, tmp_path, captures):
        write_pcap(captures[1], [(0, FrameEncoder().encode(heartbeat(1)))])
        faultless(lambda result: replace(result, frames=result.frames[:90]))
        finished = command("parse", *captures, "--out", tmp_path / "out")
        assert finished.status == 1
        assert finished.stdout.count("PASS") == 1

    def test_one_that_is_none_stops_before_any_run(self, command, faultless, tmp_path, captures):
        captures[2].write_bytes(b"not a capture")
        finished = command("parse", *captures, "--out", tmp_path / "out")
        assert finished.status == 2
        assert "c.pcap" in finished.error_line()
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a.pcap", "b.pcap"])
def test_a_capture_of_either_line_is_never_cleared_away(command, faultless, tmp_path, traffic, name):
    places = {"a.pcap": tmp_path / "a.pcap", "b.pcap": tmp_path / "b.pcap"}
    places[name] = tmp_path / "orders.pcap"
    for place in places.values():
        write_pcap(place, traffic)
    content = places[name].read_bytes()
    finished = command("parse", places["a.pcap"], "--line-b", places["b.pcap"], "--out", tmp_path)
    assert finished.status == 2
    assert "orders.pcap" in finished.error_line()
    assert places[name].read_bytes() == content


def test_captures_of_different_clocks_are_too_far_apart(command, faultless, tmp_path, traffic):
    write_pcap(tmp_path / "a.pcap", traffic)
    write_pcap(tmp_path / "b.pcap", [(START + time_ns, data) for time_ns, data in traffic])
    finished = command("parse", tmp_path / "a.pcap", "--line-b", tmp_path / "b.pcap", "--out", tmp_path / "out")
    assert finished.status == 2
    assert "days after the first" in finished.error_line()


def test_a_partly_old_packet_of_line_b(command, faultless, tmp_path):
    encode = FrameEncoder().encode
    messages = [message for _, message in generate("quiet", 1, 6)]
    parts = ((messages[:2], 1), (messages[4:], 5), (messages[:4], 1))
    first, last, both = (encode(mold_packet(*part)) for part in parts)
    write_pcap(tmp_path / "a.pcap", [(0, first), (9000, last)])
    write_pcap(tmp_path / "b.pcap", [(1000, both)])
    assert command("parse", tmp_path / "a.pcap", "--line-b", tmp_path / "b.pcap", "--out", tmp_path / "out").status == 0
    lines = read_json_lines(tmp_path / "out/messages.jsonl")
    assert [(line["sequence"], line["line"]) for line in lines] == \
        [(1, "A"), (2, "A"), (3, "B"), (4, "B"), (5, "A"), (6, "A")]
