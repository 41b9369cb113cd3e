# SPDX-License-Identifier: MIT
"""run=e1000 in a real boot: frames through QEMU's e1000 into the software parser, books and orders as the models have
them; what goes wrong on the line is counted, and no frame is lost silently."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from generators.framing import DEFAULT_GROUP, FrameEncoder, end_of_session, mold_packet, pack_messages
from generators.mutation import traffic
from generators.profiles import generate
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import ReceiveModel
from tb.model.segments import SegmentModel
from tests.model.frames import FrameSpec
from tests.platform.e1000.line import Line, Outcome, padded
from tests.platform.e1000.test_parser import FRAMES
from tests.platform.machine import PANIC, TIMEOUT_S, Setup, run
from tests.sanitized import FIRMWARE, build
from tickloop.config import compile_module
from tickloop.rundir.books import parse_export

ENCODER = FrameEncoder()
CONFIG = replace(KernelConfig(), max_books=1000, max_orders=1 << 16, max_levels=1 << 15)
PARSERS = ["parser=c", "parser=asm"]


def config_file(directory: Path, **changes: Any) -> Path:
    path = directory / "config.bin"
    path.write_bytes(compile_module(replace(CONFIG, **changes)))
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return config_file(tmp_path)


@dataclass
class Expected:
    """What the models make of frames as they arrive."""

    kernel: KernelModel
    receiver: ReceiveModel
    orders: list[bytes]


def expect(frames: Iterable[bytes]) -> Expected:
    receiver = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")
    kernel, segments = KernelModel(CONFIG), SegmentModel(CONFIG)
    kernel.link("ready")
    orders: list[bytes] = []
    for frame in frames:
        result = receiver.frame(padded(frame))
        for message in result.messages:
            orders += [segments.segment(order.message) for order in kernel.message(message)]
        event = result.event({"STREAM"})
        if event is not None:
            kernel.event(event)
        if result.disposition == "accept" and result.kind == "end_of_session":
            break
    return Expected(kernel, receiver, orders)


def check(outcome: Outcome, expected: Expected) -> None:
    """Counters, books, positions and every byte of every order."""
    counters, statistics = expected.receiver.counters, outcome.statistics
    for name in ("frames", "accepted", "duplicates", "gaps", "next_expected"):
        assert statistics[name] == counters[name], name
    assert {name: statistics[f"messages {name}"] for name in counters["messages"]} == counters["messages"]
    dropped = {name: count for name, count in counters["dropped"].items() if count}
    assert {name[8:]: value for name, value in statistics.items() if name.startswith("dropped ")} == dropped
    export = parse_export(outcome.export)
    assert not export.problems
    assert export.books == expected.kernel.books.levels()
    assert export.positions == expected.kernel.positions()
    assert {name: export.statistics[name] for name in expected.kernel.statistics} == expected.kernel.statistics
    assert outcome.orders == expected.orders
    assert statistics["orders"] == len(expected.orders)
    for name in ("missed", "damaged", "bad_lengths", "link_losses"):
        assert statistics[name] == 0, name


def opening(count: int) -> list[bytes]:
    messages = generate("opening", seed=1, messages=count)
    frames = [ENCODER.encode(packet) for _, packet in pack_messages(messages)]
    return [*frames, ENCODER.encode(end_of_session(count + 1))]


def boot(kernel: Path, config: Path, frames: Sequence[bytes], *words: str, lockstep: bool = True) -> Outcome:
    with Line(kernel, config, words, lockstep) as line:
        line.send(frames)
        return line.finish()


@pytest.mark.parametrize("words", PARSERS)
def test_books_and_orders_are_those_of_the_model(kernel: Path, config: Path, words: str) -> None:
    """And the work is a function of the frames: the same to the instruction whenever they arrive."""
    frames = opening(2000)
    expected = expect(frames)
    assert len(expected.orders) > 20
    first = boot(kernel, config, frames, words)
    check(first, expected)
    assert "e1000: end of session" in first.console
    assert boot(kernel, config, frames, words).statistics["work"] == first.statistics["work"]


def test_in_the_machines_own_time(kernel: Path, config: Path) -> None:
    frames = opening(2000)
    check(boot(kernel, config, frames, "parser=asm", lockstep=False), expect(frames))


@pytest.mark.parametrize("words", PARSERS)
def test_bad_frames_are_dropped_for_the_models_reasons(kernel: Path, config: Path, words: str) -> None:
    """Every reason, mutated traffic, jumbo frames over several buffers, runts, and what is longer than any frame."""
    mutated = traffic(11, 800, two_lines=False).frames
    jumbo = traffic(12, 40, two_lines=False, jumbo=True).frames
    frames = [spec.build() for specs in FRAMES.values() for spec in specs if spec.cut != 13]
    frames += [mutated.frame(row) for row in range(len(mutated))] + [jumbo.frame(row) for row in range(len(jumbo))]
    frames += [FrameSpec(b"", trailer=bytes(9216)).build(), bytes(15000), *opening(100)[:-1]]
    frames = [frame for frame in frames if not ends_one(frame)] + [ENCODER.encode(end_of_session(1))]
    expected = expect(frames)
    outcome = boot(kernel, config, frames, words)
    check(outcome, expected)
    assert len({name for name in outcome.statistics if name.startswith("dropped ")}) == len(FRAMES) - 1
    assert expected.receiver.counters["gaps"] > 0


def ends_one(frame: bytes) -> bool:
    """An end of session, which would end the run."""
    receiver = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")
    return receiver.frame(padded(frame)).kind == "end_of_session"


def test_frames_without_descriptors_are_missed_and_counted(kernel: Path, tmp_path: Path) -> None:
    """15 free buffers, frames of four, each a long work: the fourth one finds three, and shows as a gap later."""
    blocks, count = [b"?"] * 2500, 60
    frames = [ENCODER.encode(mold_packet(blocks, 1 + len(blocks) * row)) for row in range(count)]
    with Line(kernel, config_file(tmp_path, rx_log2=4)) as line:
        line.send(frames)
        line.send([ENCODER.encode(end_of_session(1 + len(blocks) * count))])
        statistics = line.finish().statistics
    assert statistics["missed"] > 0
    assert statistics["frames"] + statistics["missed"] == count + 1
    assert statistics["messages"] == len(blocks) * (statistics["frames"] - 1)
    assert statistics["next_expected"] == 1 + len(blocks) * count
    assert 0 < statistics["gaps"] <= statistics["missed"]


def test_the_link_goes_and_comes_back(kernel: Path, config: Path) -> None:
    """While it is down QEMU keeps frames back, but for one that may be under way; what is lost shows as a gap."""
    frames = opening(300)
    with Line(kernel, config, lockstep=False) as line:
        line.send(frames[:100])
        line.machine.qmp("set_link", name="nic", up=False)
        line.machine.expect("^e1000: link down$")
        line.send(frames[100:150])
        line.machine.qmp("set_link", name="nic", up=True)
        line.machine.expect("^e1000: link up$")
        line.send(frames[150:])
        statistics = line.finish().statistics
    assert (statistics["link_losses"], statistics["next_expected"]) == (1, 301)
    assert len(frames) - statistics["frames"] in (0, 1)
    assert statistics["gaps"] == (statistics["frames"] < len(frames))


def test_a_silent_line_ends_the_run(kernel: Path, config: Path) -> None:
    frames = opening(200)[:-1]
    began = time.monotonic()
    outcome = boot(kernel, config, frames, "timeout_ms=300")
    assert "e1000: no frame for 300 ms" in outcome.console
    assert time.monotonic() - began < TIMEOUT_S
    arrived = outcome.statistics["frames"]  # all, unless the feed itself was held up
    assert arrived > 0
    check(outcome, expect(frames[:arrived]))


@pytest.mark.parametrize(("words", "cpu", "line"), [
    ("", "max", "no e1000: PCI device 8086:100e not found"),
    ("parser=fast", "max", "command line: parser=fast is neither c nor asm"),
    ("timeout_ms=soon", "max", "command line: timeout_ms=soon is no number"),
    ("colour=red", "max", "command line: colour is not known"),
    ("parser=asm", "max,-movbe", "parser=asm needs a processor with MOVBE"),
])
def test_what_cannot_work_is_one_line(kernel: Path, config: Path, words: str, cpu: str, line: str) -> None:
    status, console = run(Setup(kernel, command_line=f"run=e1000 {words}", modules=[config], memory_mib=128, cpu=cpu,
                                lockstep=True))
    assert (status, console.splitlines()[-1]) == (PANIC, f"panic: {line}")


def test_descriptors_that_make_no_sense(tmp_path: Path) -> None:
    """The driver against a device in memory: errors, no end, lengths of zero and beyond the buffer, full rings."""
    program = build(tmp_path / "device", [Path(__file__).parent / "device.c", FIRMWARE / "drivers/e1000.c"])
    subprocess.run([program], check=True)
