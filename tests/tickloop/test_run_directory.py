# SPDX-License-Identifier: MIT
"""From the logs of a run to its directory: every file against the reference model, on frames chosen to be awkward.

The runs are faultless by construction, so what is tested is the decoding, the files, and that the checks see each
single thing that goes wrong.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bridge import layout
from generators.captures import read_capture, write_pcap
from generators.framing import FrameEncoder, end_of_session, heartbeat, mold_packet
from generators.profiles import frames, generate
from generators.tables import ITCH50
from tests.tickloop.synthetic import RX_LOG2, loop_result
from tickloop.config import NicConfig, load_config
from tickloop.rundir.files import read_json_lines
from tickloop.rundir.observed import observe


def every_type():
    """One message of each ITCH type, its text fields filled with a byte beyond ASCII."""
    messages = []
    for message in ITCH50.values():
        values = {}
        for number, field in enumerate(message.fields):
            size = field.length or 0
            values[field.name] = message.type if number == 0 else \
                int.from_bytes(bytes(range(1, size + 1)), "big") if field.is_integer else chr(0xE0 + number) * size
        messages.append(message.encode(values))
    return messages


def awkward_frames():
    """Frames with every message type and status, every event, and drops before and after delivery."""
    encode = FrameEncoder().encode
    add = ITCH50["A"].encode({
        "stock_locate": 7, "tracking_number": 1, "timestamp": 5, "order_reference_number": 9, "buy_sell_indicator": "B",
        "shares": 100, "stock": "TEST    ", "price": 10_000,
    })
    # Of every type there is a market-wide halt among them: another symbol, in another session, is released from it.
    action = {field.name: 0 if field.is_integer else " " for field in ITCH50["H"].fields}
    released = ITCH50["H"].encode(action | {"message_type": "H", "stock_locate": 8, "trading_state": "T"})
    fresh = [ITCH50["A"].encode({
        "stock_locate": 8, "tracking_number": 1, "timestamp": 5, "order_reference_number": 20 + n,
        "buy_sell_indicator": "B", "shares": 100, "stock": "FRESH   ", "price": 10_000 + n,
    }) for n in range(2)]
    odd = [b"", b"?" + bytes(99), add[:-1], add + b"tail", b"A", b"V" + bytes(60), b"\xff"]
    payloads = [
        heartbeat(1),
        mold_packet(every_type(), 1),
        mold_packet(every_type()[:3], 20),                # 22 of 23 old: one new
        mold_packet(odd, 24),
        mold_packet([add], 40),                           # gap
        mold_packet([add, add], 41)[:-5],                 # truncated
        mold_packet([add], 43) + b"extra",
        mold_packet([add], 1),                            # duplicate
        end_of_session(44), end_of_session(44),
        mold_packet([released, fresh[0]], 99, "OTHER"),   # session change
    ]
    built = [encode(payload) for payload in payloads]
    damaged = bytearray(encode(mold_packet([add, b"Z" * 200], 101, "OTHER")))
    damaged[-1] ^= 1                                      # its messages are out when the checksum shows it
    built += [bytes(damaged), built[1][:20], b"\0" * 14, encode(mold_packet([fresh[1]], 101, "OTHER"))]
    return [(1000 * index, frame) for index, frame in enumerate(built)]


@pytest.fixture
def awkward(command, faultless, tmp_path):
    write_pcap(tmp_path / "awkward.pcap", awkward_frames())
    finished = command("sim", tmp_path / "awkward.pcap", "--out", tmp_path / "out")
    assert finished.status == 0, finished.stdout
    return tmp_path / "out"


def test_messages_are_the_bytes_that_were_sent(awkward):
    lines = read_json_lines(awkward / "messages.jsonl")
    first = [line for line in lines if line["frame"] == 1]
    assert [line["type"] for line in first] == list(ITCH50)
    for line, data in zip(first, every_type(), strict=True):
        assert ITCH50[line["type"]].encode(line["fields"]) == data
        assert list(line["fields"]) == list(ITCH50[line["type"]].names)


def test_every_status_is_reported_as_promised(awkward):
    lines = [line for line in read_json_lines(awkward / "messages.jsonl") if line["frame"] == 3]
    assert [line["status"] for line in lines] == \
        ["zero_length", "unknown_type", "too_short", "too_long", "too_short", "too_long", "unknown_type"]
    assert [line["type"] for line in lines] == [None, "?", "A", "A", "A", "V", "ÿ"]
    assert lines[0]["raw"] == ""
    assert lines[1]["raw"] == (b"?" + bytes(99)).hex()
    assert "raw" not in lines[3]
    assert lines[3]["fields"]["price"] == 10_000
    assert len(bytes.fromhex(lines[2]["raw"])) == lines[2]["length"] == 35


def test_events_and_frames(awkward):
    events = read_json_lines(awkward / "events.jsonl")
    assert events == [
        {"event": "gap", "from": 31, "to": 40},
        {"event": "truncated", "frame": 5},
        {"event": "gap", "from": 42, "to": 43},
        {"event": "end_of_session", "sequence": 44},
        {"event": "session_change", "frame": 10, "session": "OTHER     "},
        {"event": "drop", "frame": 11, "reason": "bad_udp_checksum"},
        {"event": "drop", "frame": 12, "reason": "truncated_ip"},
        {"event": "drop", "frame": 13, "reason": "not_ipv4"},
    ]
    frames_read = read_json_lines(awkward / "frames.jsonl")
    assert frames_read[0] == {"frame": 0, "line": "A", "disposition": "accept", "kind": "heartbeat",
                              "session": "TICKLOOP01", "sequence": 1, "count": 0}
    assert [frame.get("flag") for frame in frames_read[5:7]] == ["truncated", "extra_data"]
    assert frames_read[12] == {"frame": 12, "line": "A", "disposition": "drop", "reason": "truncated_ip"}


def test_messages_of_a_bad_frame_are_counted_apart(awkward):
    lines = read_json_lines(awkward / "messages.jsonl")
    bad = [line for line in lines if line["verdict"] == "bad"]
    assert [line["frame"] for line in bad] == [11, 11]
    summary = json.loads((awkward / "summary.json").read_text())
    assert summary["agree"] is True
    assert summary["bad_messages"] == 2
    assert sum(summary["messages"].values()) == len(lines) - 2
    assert summary["next_expected"] == 102
    assert [line["sequence"] for line in lines if line["frame"] == 14] == [101]


def test_times_start_at_the_first_frame(awkward):
    lines = read_json_lines(awkward / "messages.jsonl")
    assert lines[0]["hw_timestamp_ns"] == 2560  # the second frame: 400 clocks of 6.4 ns
    orders = read_json_lines(awkward / "orders.jsonl")
    assert orders
    assert all(order["time_ns"] > 0 for order in orders)


def test_books_and_orders(awkward):
    books = json.loads((awkward / "books.json").read_text())
    assert [7, "TEST    "] in [[book["stock_locate"], book["stock"]] for book in books]
    order = read_json_lines(awkward / "orders.jsonl")[-1]
    assert order["type"] == "O"
    assert bytes.fromhex(order["hex"])[:1] == b"O"
    assert (awkward / "orders.pcap").stat().st_size > 24


def test_parse_leaves_no_files_of_the_closed_loop(command, faultless, tmp_path):
    write_pcap(tmp_path / "awkward.pcap", awkward_frames())
    assert command("parse", tmp_path / "awkward.pcap", "--out", tmp_path / "out").status == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"frames.jsonl", "messages.jsonl", "events.jsonl", "summary.json", "latency.json", "latency.csv", "run.json",
            "report.html"} <= names
    assert not names & {"orders.jsonl", "orders.pcap", "books.json"}


def test_several_captures_each_get_a_directory(command, faultless, tmp_path):
    for name in ("a.pcap", "b.pcap"):
        write_pcap(tmp_path / name, awkward_frames())
    assert command("parse", tmp_path / "a.pcap", tmp_path / "b.pcap", "--out", tmp_path / "out").status == 0
    for name in ("a.pcap", "b.pcap"):
        assert (tmp_path / "out" / name / "messages.jsonl").stat().st_size > 0


def test_run_json_says_how_to_repeat_the_run(awkward):
    run = json.loads((awkward / "run.json").read_text())
    assert run["command_line"].startswith("tickloop sim ")
    assert run["seed"] == 1
    assert run["mode"] == "lockstep"
    assert {"tickloop", "cocotb", "numpy", "gcc"} <= set(run["versions"])
    assert set(run["wall"]) == {"setup_s", "boot_s", "loop_s"}
    assert len(run["digest"]) == len(run["kernel_sha256"]) == 64
    assert all(check["compared"] for check in run["checks"])


def test_the_digest_covers_every_log_and_no_wall_time():
    from tickloop.rundir.digest import digest  # noqa: PLC0415

    result = scenario_result()
    reference = digest(result)
    assert digest(replace(result, wall={"loop_s": 99.0})) == reference
    for name in ("frames", "dma", "trace"):
        log = getattr(result, name).copy()
        log.view(np.uint8).reshape(-1)[17] ^= 1
        assert digest(replace(result, **{name: log})) != reference, name
    assert digest(replace(result, sent=result.sent[:-1])) != reference
    moved = [replace(frame, first_clock=frame.first_clock + 1) for frame in result.sent]
    assert digest(replace(result, sent=moved)) != reference
    for name, dtype in (("valid", layout.VALID_LOG), ("guest", layout.GUEST_LOG), ("reads", layout.READ_LOG),
                        ("register_accesses", layout.REGISTER_LOG)):
        assert digest(replace(result, **{name: np.zeros(1, dtype)})) != reference, name


def scenario_result(messages=400):
    return loop_result(frames(generate("opening", 3, messages)), load_config(None).kernel)


def change_line(result, record, offset, value):
    """One byte of a record's first line."""
    dma = result.dma.copy()
    row = np.flatnonzero(dma["data"][:, 63])[record]
    dma["data"][row, offset] = value
    return replace(result, dma=dma)


def drop_row(result, log, row):
    return replace(result, **{log: np.delete(getattr(result, log), row)})


def change_register(name, by):
    return lambda result: replace(result, registers={**result.registers, name: result.registers[name] + by})


def change_sent(result):
    first = result.sent[0]
    return replace(result, sent=[replace(first, data=first.data[:-1] + b"\0"), *result.sent[1:]])


def change_book(result):
    export = bytearray(result.export)
    export[layout.EXPORT_HEADER.itemsize + layout.EXPORT_BOOK.itemsize + 8] ^= 1  # shares of the first book's best bid
    return replace(result, export=bytes(export))


def change_statistic(result):
    export = bytearray(result.export)
    export[layout.EXPORT_HEADER.fields["unknown_references"][1]] += 1
    return replace(result, export=bytes(export))


def set_control(**fields):
    """CONTROL with some fields as given."""
    def change(result):
        control = result.registers["CONTROL"]
        for name, value in fields.items():
            bit = layout.REGISTER_FIELDS["CONTROL"][name]
            control = control | bit if value else control & ~bit
        return replace(result, registers={**result.registers, "CONTROL": control})

    return change


@pytest.mark.parametrize(("change", "says"), [
    (lambda r: change_line(r, 5, 0, 0xEE), "messages: #5"),                 # sequence
    (lambda r: change_line(r, 5, 27, layout.STATUS_LINE_B), "hardware timestamp"),
    (lambda r: change_line(r, 5, 27, layout.STATUS_EVENT), "event lines"),
    (lambda r: change_line(r, 5, 27, layout.STATUS_LOST), "lost for want of room"),
    (set_control(VERIFIED=True), "NIC set-up: VERIFIED"),
    (set_control(FILTER_ENABLE=True), "NIC set-up: FILTER_ENABLE"),
    (change_register("HOLD", 5), "NIC set-up: HOLD"),
    (change_register("FRAMES_B", 1), "counters: frames_b"),
    (change_register("MESSAGES_B", 1), "counters: messages_b"),
    (change_register("FILTERED", 1), "counters: filtered"),
    (change_register("DUPLICATES", 1), "counters: duplicates"),
    (change_register("TX_ORDERS", 1), "TX_ORDERS"),
    (change_register("TX_FRAMES", 1), "TX_FRAMES"),
    (lambda r: change_line(r, 5, 33, 0xEE), "messages: #5"),                # a field
    (lambda r: change_line(r, 5, 9, 0xEE), "hardware timestamp"),
    (lambda r: change_line(r, 5, 60, 0xEE), "publish word"),
    (lambda r: drop_row(r, "dma", 3), "messages"),
    (lambda r: drop_row(r, "dma", len(r.dma) - 1), "messages"),
    (lambda r: drop_row(r, "frames", 8), "frames"),
    (lambda r: drop_row(r, "trace", 8), "traced"),
    (lambda r: replace(r, sent=r.sent[:-1]), "orders"),
    (lambda r: replace(r, sent=[*r.sent, r.sent[-1]]), "orders"),
    (lambda r: replace(r, sent=[*r.sent[1::-1], *r.sent[2:]]), "orders"),
    (change_sent, "segments"),
    (change_book, "books"),
    (change_statistic, "kernel statistics: unknown_references"),
    (lambda r: replace(r, export=r.export[:-1]), "export ends"),
    (lambda r: replace(r, export=b""), "exported nothing"),
    (change_register("FRAMES", 1), "counters: frames"),
    (change_register("MESSAGES_OK", -1), "counters: messages.ok"),
    (change_register("DROPPED_OVERFLOW", 1), "counters: dropped.overflow"),
    (change_register("RX_RING_FULL_DROPPED", 1), "ring_full_dropped"),
    (change_register("NEXT_EXPECTED_LO", 1), "next_expected"),
])
def test_the_checks_see_each_single_fault(command, faultless, tmp_path, change, says):
    faultless(change)
    finished = command("sim", "--messages", "400", "--out", tmp_path / "out")
    assert finished.status == 1
    assert any("FAIL" in line and says in line for line in finished.stderr.splitlines()), finished.stderr
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert run["passed"] is False
    assert "Checks failed" in (tmp_path / "out/report.html").read_text()


def test_the_kernel_s_own_frames_are_no_orders(command, faultless, tmp_path):
    """An ARP reply between the orders: in orders.pcap, and nowhere else."""
    def answer(result):
        reply = replace(result.sent[0], data=b"\xff" * 12 + b"\x08\x06" + bytes(46))
        return replace(result, sent=[result.sent[0], reply, *result.sent[1:]],
                       registers={**result.registers, "TX_FRAMES": 1})

    faultless(answer)
    finished = command("sim", "--messages", "400", "--out", tmp_path / "out")
    assert finished.status == 0, finished.stderr
    orders = read_json_lines(tmp_path / "out/orders.jsonl")
    assert len(list(read_capture(tmp_path / "out/orders.pcap"))) == len(orders) + 1


def test_comparing_nothing_fails(command, faultless, tmp_path):
    """A loop that delivers nothing fails although nothing it delivered is wrong."""
    faultless(lambda result: loop_result([], load_config(None).kernel))
    finished = command("sim", "--messages", "50", "--out", tmp_path / "out")
    assert finished.status == 1
    assert finished.stdout.splitlines()[-1].split() == ["result", "FAIL"]
    assert "FAIL messages" in finished.stderr


def test_an_embedded_scenario_without_orders_fails(command, faultless, tmp_path):
    finished = command("sim", "--messages", "5", "--out", tmp_path / "out")
    assert finished.status == 1
    assert "no orders compared" in finished.error_line()


class TestEventLines:
    """rx_event and rx_lost in the RX ring are no messages, and are checked themselves."""

    @pytest.fixture
    def result(self):
        return loop_result(awkward_frames(), load_config(None).kernel, closed_loop=False)

    def test_every_frame_that_is_told_of(self, result):
        observed = observe(result, closed_loop=False)
        assert observed.problems == []
        assert [(event["frame"], event["reason"]) for event in observed.host_events] == [
            (4, None), (5, None), (6, None), (8, None), (10, None), (11, "bad_udp_checksum"), (12, "truncated_ip"),
            (13, "not_ipv4")]
        gap = observed.host_events[0]
        assert gap == {"frame": 4, "line": "A", "sequence": 40, "count": 1, "gap_from": 31, "delivered": 1,
                       "reason": None, "kind": "data", "flags": 4, "session": "TICKLOOP01"}
        assert observed.host_events[5]["delivered"] == 2

    @pytest.mark.parametrize(("field", "name"), [
        ("sequence", "sequence"), ("count", "count"), ("gap_from", "gap_from"), ("delivered", "delivered"),
        ("reason", "reason"), ("kind", "kind"), ("flags", "flags"), ("session", "session"),
        ("hw_timestamp_ns", "frame"),
    ])
    def test_a_wrong_field_fails_the_run(self, command, faultless, tmp_path, field, name):
        def change(result):
            dma = result.dma.copy()
            lines = dma["data"].view(layout.RX_EVENT)[:, 0]
            rows = np.flatnonzero((lines["status"] == layout.STATUS_EVENT) & (lines["publish"] != 0))
            dma["data"][rows[2], layout.RX_EVENT.fields[field][1]] ^= 1
            return replace(result, dma=dma)

        faultless(change)
        write_pcap(tmp_path / "awkward.pcap", awkward_frames())
        finished = command("parse", tmp_path / "awkward.pcap", "--delivery", "cut-through", "--out", tmp_path / "out")
        assert finished.status == 1
        assert any("event lines: #2" in line and f" {name}: " in line for line in finished.stderr.splitlines())

    def test_a_missing_one_fails_the_run(self, command, faultless, tmp_path):
        faultless(lambda result: loop_result(awkward_frames(), load_config(None).kernel, False,
                                             NicConfig(), events={"STREAM"}))
        write_pcap(tmp_path / "awkward.pcap", awkward_frames())
        finished = command("parse", tmp_path / "awkward.pcap", "--delivery", "cut-through", "--out", tmp_path / "out")
        assert finished.status == 1
        assert "event lines: 8 expected, got 5" in finished.stderr

    def test_lost_messages_are_told(self):
        result = loop_result([], load_config(None).kernel, closed_loop=False, lost=[(17, 3), (40, 2)])
        observed = observe(result, closed_loop=False)
        assert observed.messages == []
        assert observed.host_events == []
        assert observed.problems == \
            ["the NIC told of 5 message(s) lost for want of room, the first with sequence number 17"]


class TestDescriptors:
    """The RX ring of descriptors gives what the ring of lines gives."""

    @pytest.mark.parametrize("source", ["awkward", "scenario"])
    def test_the_same_files(self, source):
        sent = awkward_frames() if source == "awkward" else list(frames(generate("opening", 3, 400)))
        config = load_config(None).kernel
        lines = observe(loop_result(sent, config, False), False)
        descriptors = observe(loop_result(sent, config, False, NicConfig(mode="descriptors")), False)
        assert len(lines.messages) > 2 << 4
        assert descriptors.problems == lines.problems == []
        assert descriptors.messages == lines.messages
        assert descriptors.host_events == lines.host_events

    @pytest.fixture
    def result(self):
        return loop_result(awkward_frames(), load_config(None).kernel, False, NicConfig(mode="descriptors"))

    @staticmethod
    def marks(result):
        """Rows of the DMA log that mark descriptors."""
        return np.flatnonzero(result.dma["strobe"] != (1 << 64) - 1)

    @staticmethod
    def flip(result, row, bit):
        """One bit of the status of the first descriptor that a row marks."""
        dma = result.dma.copy()
        strobe = int(dma["strobe"][row])
        dma["data"][row, (strobe & -strobe).bit_length() - 1 - 8 + 12] ^= bit
        return replace(result, dma=dma)

    def test_a_descriptor_that_is_not_done_gives_no_line(self, result):
        broken = self.flip(result, self.marks(result)[0], layout.DESCRIPTOR_DONE)
        assert len(observe(broken, False).messages) < len(observe(result, False).messages)

    def test_the_end_of_a_record_is_marked(self, result):
        broken = self.flip(result, self.marks(result)[0], layout.DESCRIPTOR_END)
        assert any("end of its record" in problem for problem in observe(broken, False).problems)

    def test_done_before_it_was_written(self, result):
        row = self.marks(result)[0] - 1
        assert any("lines written" in problem for problem in observe(drop_row(result, "dma", row), False).problems)

    def test_marks_elsewhere_are_not_the_ring_s(self, result):
        other = result.dma[self.marks(result)[:1]].copy()
        other["address"] += 16 << RX_LOG2
        more = replace(result, dma=np.append(result.dma, other))
        assert observe(more, False).messages == observe(result, False).messages

    def test_lines_of_the_raw_ring_between_are_not_taken(self, result):
        row = self.marks(result)[0]
        line = result.dma[row - 1:row].copy()
        line["address"], line["data"] = 0x0600_0040, 0xEE
        registers = {**result.registers, "RAW_BASE_LO": 0x0600_0000, "RAW_LOG2": 4}
        more = replace(result, dma=np.insert(result.dma, row, line), registers=registers)
        assert observe(more, False).messages == observe(result, False).messages
        assert observe(replace(more, registers=result.registers), False).messages != observe(result, False).messages


class TestRingLines:
    """Continuation lines and ring wrap."""

    def long_messages(self, count):
        encode = FrameEncoder().encode
        messages = [bytes([0x23]) + bytes((i + k) & 0xFF for k in range(7 * i)) for i in range(count)]
        return [(i * 1000, encode(mold_packet([message], i + 1))) for i, message in enumerate(messages)]

    def test_raw_messages_of_every_line_count_across_the_ring_s_end(self):
        sent = self.long_messages(60)
        result = loop_result(sent, load_config(None).kernel, closed_loop=False)
        observed = observe(result, closed_loop=False)
        assert observed.problems == []
        assert len(result.dma) > 2 << RX_LOG2  # the ring wrapped
        assert [bytes.fromhex(line["raw"]) for line in observed.messages] == \
            [frame[-line["length"]:] for (_, frame), line in zip(sent, observed.messages, strict=True)]

    def test_lines_of_an_abandoned_message_are_not_taken(self):
        """The slot was written for a message that was given up, and is written again for the next one."""
        result = loop_result(self.long_messages(12), load_config(None).kernel, closed_loop=False)
        row = int(np.flatnonzero(result.dma["data"][:, 63] == 0)[0])
        stale = result.dma[row:row + 1].copy()
        stale["data"][:, :56] = 0xAB
        with_stale = replace(result, dma=np.insert(result.dma, row, stale))
        assert observe(with_stale, False).messages == observe(result, False).messages

    def test_a_missing_continuation_line_is_a_problem(self):
        result = loop_result(self.long_messages(12), load_config(None).kernel, closed_loop=False)
        row = int(np.flatnonzero(result.dma["data"][:, 63] == 0)[2])
        observed = observe(drop_row(result, "dma", row), False)
        assert any("continuation line" in problem for problem in observed.problems)

    def test_dma_outside_the_ring_is_no_message(self):
        result = loop_result(self.long_messages(3), load_config(None).kernel, closed_loop=False)
        other = result.dma[-1:].copy()
        other["address"] += 1 << 30
        assert len(observe(replace(result, dma=np.append(result.dma, other)), False).messages) == 3
