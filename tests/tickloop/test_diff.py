# SPDX-License-Identifier: MIT
"""``tickloop diff``: one changed entry in any log is found, named in words, at the simulated time it happened."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from bridge import layout
from bridge.interface import CLOCK_PS, LoopRequest
from bridge.record import write_given
from generators.profiles import frames, generate
from tests.tickloop.synthetic import loop_result
from tickloop.config import load_config
from tickloop.recorded import LOGS
from tickloop.rundir.orders import ouch_message

FILES = {"register_accesses": "registers"}


def result_of():
    """A run with an entry in every log."""
    result = loop_result(frames(generate("opening", 3, 400)), load_config(None).kernel)
    writes, slot = layout.MailboxOp.REGISTER_WRITE, np.zeros(1, layout.TX_SLOT)
    message = ouch_message(result.sent[0].data)
    slot["kind"], slot["length"], slot["publish"] = layout.TxKind.ORDER, len(message), layout.PUBLISH_VALID
    slot["message"][0, :len(message)] = np.frombuffer(message, np.uint8)
    guest = np.zeros(3, layout.GUEST_LOG)
    guest["time_ps"], guest["answered_ps"] = [10**6, 2 * 10**6, 3 * 10**6], [10**6, 2 * 10**6, 4 * 10**6]
    guest["op"] = [layout.MailboxOp.ATTACH, writes, layout.MailboxOp.POLL]
    guest["address"] = [0, layout.REGISTERS["RX_LOG2"], 0]
    reads = np.zeros(1, layout.READ_LOG)
    reads["issued_clock"], reads["answered_clock"], reads["address"] = 900, 963, 0x1040000
    reads["data"][0] = slot.view(np.uint8).reshape(64)
    accesses = np.zeros(2, layout.REGISTER_LOG)
    accesses["started_clock"], accesses["done_clock"] = [500, 600], [504, 605]
    accesses["address"] = [layout.REGISTERS["RX_LOG2"], layout.REGISTERS["VERSION"]]
    accesses["write"], accesses["value"] = [1, 0], [10, 1]
    valid = np.array([(901, 1), (903, 2)], layout.VALID_LOG)
    return replace(result, guest=guest, reads=reads, register_accesses=accesses, valid=valid)


@pytest.fixture(scope="module")
def result():
    return result_of()


def write(directory, result, run=None, **given):
    """A run directory with ``result``'s record."""
    record = directory / "record"
    record.mkdir(parents=True)
    for name in ("frames", "valid", "dma", "reads", "register_accesses", "guest", "trace"):
        (record / f"{FILES.get(name, name)}.bin").write_bytes(getattr(result, name).tobytes())
    sent = b"".join(struct.pack("<QQII", each.first_clock, each.last_clock, len(each.data), 0) + each.data
                    + bytes(-len(each.data) % 8) for each in result.sent)
    (record / "sent.bin").write_bytes(sent)
    (record / "raw.bin").write_bytes(b"")
    (record / "export.bin").write_bytes(result.export)
    write_given(record, LoopRequest(stimulus=record, out=directory, kernel=record, **given))
    if run is not None:
        (directory / "run.json").write_text(json.dumps(run))
    return directory


def changed(result, name, index, field, value):
    log = getattr(result, name).copy()
    log[field][index] = value
    return replace(result, **{name: log})


def test_equal_runs(command, tmp_path, result):
    ended = command("diff", write(tmp_path / "a", result), write(tmp_path / "b", result))
    assert ended.status == 0
    assert ended.stdout.startswith(f"equal: {len(result.frames):,} received frames, 2 messages decoded, ")
    assert ended.stderr == ""


def clocks(number):
    return f"{number * CLOCK_PS / 1000:,.3f} ns (clock {number:,})"


def cases(result):
    """(log, entry, field, other value) -> (time of the difference, words of either side)."""
    add = int(np.flatnonzero((result.dma["data"][:, 26] == ord("A")) & (result.dma["data"][:, 63] != 0))[5])
    line = result.dma["data"][add].copy()
    line[0] ^= 2
    sequence = int(result.dma["data"][add][:8].view(np.uint64)[0])
    slot = result.reads["data"][0].copy()
    slot[19] = 200
    trace, start = result.trace[7], int(result.frames["first_clock"][9])
    return {
        "a frame's sequence": ("frames", 9, "sequence", 77, clocks(int(result.frames["last_clock"][9])),
                               ("frame on line A, accept, data", "sequence 77 ")),
        "a frame's start": ("frames", 9, "first_clock", start - 1, clocks(start - 1), (f"clocks {start - 1} to",)),
        "a record": ("dma", add, "data", line, clocks(int(result.dma["clock"][add])),
                     (f"message {sequence}, type A", f"message {sequence ^ 2}, type A", "data from byte 0")),
        "a decoded message": ("valid", 1, "sequence", 3, clocks(903), ("message 2 leaves", "message 3 leaves")),
        "an order": ("reads", 0, "data", slot, clocks(963),
                     ("order_token TICK0000000001", "shares 100,", "shares 200,")),
        "a read's address": ("reads", 0, "address", 0x1040040, clocks(900), ("DMA read of 0x1040040",)),
        "a register read": ("register_accesses", 1, "value", 2, clocks(605),
                            ("register VERSION reads 0x1", "register VERSION reads 0x2")),
        "a register": ("register_accesses", 0, "address", layout.REGISTERS["RX_EPOCH"], clocks(500),
                       ("register RX_LOG2 = 0xa", "register RX_EPOCH = 0xa")),
        "a request": ("guest", 1, "value", 12, "2,000.000 ns (clock 312)", ("writes RX_LOG2 = 0x0", "RX_LOG2 = 0xc")),
        "an answer": ("guest", 2, "status", layout.AcknowledgeStatus.STOP, "4,000.000 ns (clock 625)",
                      ("polls after 0 records", "(stop)")),
        "an instruction": ("trace", 7, "done_work", int(trace["done_work"]) + 1,
                           f"{int(trace['done_ps']) / 1000:,.3f} ns", (f"takes message {int(trace['sequence'])}",)),
    }  # fmt: skip


CASES = ("a frame's sequence", "a frame's start", "a record", "a decoded message", "an order", "a read's address",
         "a register read", "a register", "a request", "an answer", "an instruction")  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_changed_entry(command, tmp_path, result, case):
    name, index, field, value, when, words = cases(result)[case]
    a, b = write(tmp_path / "a", result), write(tmp_path / "b", changed(result, name, index, field, value))
    ended = command("diff", a, b)
    assert ended.status == 1
    head, *rest = ended.stdout.splitlines()
    assert head.startswith(f"first difference at {when}"), ended.stdout
    assert head.endswith(f", number {index}")
    assert [line.split()[0] for line in rest[:2]] == [str(a), str(b)]
    for text in words:
        assert text in ended.stdout
    swapped = command("diff", b, a).stdout.splitlines()
    assert swapped[0] == head
    assert [line.split(maxsplit=1)[1] for line in swapped[1:3]] == [line.split(maxsplit=1)[1] for line in rest[1::-1]]


def test_the_cases_are_all_of_them(result):
    assert set(cases(result)) == set(CASES)


def test_a_sent_frame(command, tmp_path, result):
    frame = result.sent[3]
    other = replace(frame, data=frame.data[:-1] + bytes([frame.data[-1] ^ 1]))
    b = replace(result, sent=[*result.sent[:3], other, *result.sent[4:]])
    ended = command("diff", write(tmp_path / "a", result), write(tmp_path / "b", b))
    assert ended.stdout.startswith(f"first difference at {clocks(frame.last_clock)}: sent frames, number 3")
    assert "order_token" in ended.stdout


def test_the_earliest_of_several_differences(command, tmp_path, result):
    late = changed(result, "frames", -1, "count", 9)
    both = changed(late, "trace", 0, "orders", 7)
    ended = command("diff", write(tmp_path / "a", result), write(tmp_path / "b", both))
    assert "processed records, number 0" in ended.stdout.splitlines()[0]


def test_an_entry_too_many(command, tmp_path, result):
    """In the middle of the run it is a difference; the other side says that it has none."""
    fewer = replace(result, reads=result.reads[:0])
    ended = command("diff", write(tmp_path / "a", result), write(tmp_path / "b", fewer))
    assert ended.stdout.startswith(f"first difference at {clocks(900)}: DMA reads, number 0")
    assert "nothing more of this kind" in ended.stdout


def test_a_run_that_ends_earlier(command, tmp_path, result):
    """Nothing but its end tells it from the other."""
    clock = int(result.dma["clock"][len(result.dma) // 2])

    def until(log, field, per):
        return log[log[field].astype(np.int64) <= clock * per]

    short = replace(
        result, frames=until(result.frames, "last_clock", 1), dma=until(result.dma, "clock", 1),
        valid=until(result.valid, "clock", 1), reads=until(result.reads, "answered_clock", 1),
        trace=until(result.trace, "dequeue_ps", CLOCK_PS),
        register_accesses=until(result.register_accesses, "done_clock", 1),
        guest=until(result.guest, "answered_ps", CLOCK_PS),
        sent=[each for each in result.sent if each.last_clock <= clock],
    )  # fmt: skip
    a, b = write(tmp_path / "a", result), write(tmp_path / "b", short)
    ended = command("diff", a, b)
    assert ended.status == 1
    assert ended.stdout.startswith(f"{b} ends before ")
    assert "up to there the runs are equal" in ended.stdout
    assert command("diff", b, a).stdout.splitlines()[0] == ended.stdout.splitlines()[0]


def test_other_inputs_are_told_first(command, tmp_path, result):
    run = {"seed": 1, "kernel_sha256": "a" * 64, "time_model": {"read_ns": 400, "doorbell_ns": 200}, "git_commit": "x"}
    other = run | {"seed": 2, "kernel_sha256": "b" * 64, "time_model": {"read_ns": 500, "doorbell_ns": 200}}
    a = write(tmp_path / "a", result, run)
    b = write(tmp_path / "b", changed(result, "frames", 4, "count", 9), other)
    lines = command("diff", a, b).stdout.splitlines()
    assert lines[:3] == [
        "not the same input: seed is 1 / 2",
        "not the same input: kernel_sha256 is aaaaaaaaaaaa / bbbbbbbbbbbb",
        "not the same input: time_model.read_ns is 400 / 500",
    ]
    assert lines[3].startswith("first difference at")


def test_times_are_those_of_each_runs_clock(command, tmp_path, result):
    """The same clocks at 25 Gbit/s are other times: the first event is the first difference."""
    ended = command("diff", write(tmp_path / "a", result), write(tmp_path / "b", result, clock_ps=2560))
    assert ended.status == 1
    lines = ended.stdout.splitlines()
    assert lines[0] == "not the same input: clock_ps is 6400 / 2560"
    assert lines[1] == f"first difference at {500 * 2560 / 1000:,.3f} ns (clock 200): register accesses, number 0"


@pytest.mark.parametrize("missing", [*LOGS, None])
def test_no_record(command, tmp_path, result, missing):
    a, b = write(tmp_path / "a", result), write(tmp_path / "b", result)
    if missing:
        (b / f"record/{missing}.bin").unlink()
    else:
        b = tmp_path / "nothing"
    ended = command("diff", a, b)
    assert ended.status == 2
    assert str(b) in ended.error_line()


def test_another_layout(command, tmp_path, result):
    a, b = write(tmp_path / "a", result), write(tmp_path / "b", result)
    given = b / "record/loop.json"
    given.write_text(given.read_text().replace(f"{layout.LAYOUT_HASH:08x}", "12345678"))
    ended = command("diff", a, b)
    assert ended.status == 7
    assert "recorded with layout 1/12345678" in ended.error_line()
