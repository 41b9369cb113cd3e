# SPDX-License-Identifier: MIT
"""Measures from a run's dump what the run claims: ``python -m waves.measure DIR`` prints a table.

Only the dump is read, with vcdvcd: frames, ring lines, register writes and orders are put together again from the
signals at each rising edge, and latency.csv must come out of them, sample by sample. An edge's clock is the value of
``testbench.clock`` before it, which is the clock of the bridge's logs.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from vcdvcd import VCDVCD

from bridge.layout import (
    LINE_BYTES,
    PUBLISH_VALID,
    REGISTERS,
    RX_RECORD,
    STATUS_EVENT,
    STATUS_LINE_B,
    STATUS_RAW,
)
from waves.dump import Definitions, DumpError, read_definitions
from waves.kernel import State
from waves.save_file import KERNEL, NIC

TESTBENCH = "testbench"
CLOCKS, NANOSECONDS = "clock cycles", "simulated ns"
ETHERTYPES_VLAN = (0x8100, 0x88A8)
NOT_A_COUNT = 0xFFFF  # MoldUDP64: the end of a session
# Handshakes of the NIC whose partner can make it wait.
STALLS = {
    "DMA write address": "m_axi_aw", "DMA write data": "m_axi_w", "DMA read address": "m_axi_ar",
    "transmit port": "tx_t",
}


class Frame(NamedTuple):
    """A frame at a receive port: clocks of its first and last beat; of each whole MoldUDP64 message, the clock of the
    beat with its last byte."""

    first: int
    last: int
    sequence: int
    messages: tuple[int, ...]


@dataclass
class Measured:
    """Samples by stage and sequence number, as latency.csv has them; stages of an order by the order's number."""

    samples: dict[str, dict[int, float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, stage: str, unit: str, samples: dict[int, float]) -> None:
        self.units[stage] = unit
        self.samples[stage] = samples


class Edges:
    """The signals as the NIC samples them: their values just before each rising edge of the clock."""

    def __init__(self, dump: Path) -> None:
        with dump.open("rb") as file:
            self.definitions: Definitions = read_definitions(file)[0]
        if f"{TESTBENCH}.clock" not in self.definitions:
            raise DumpError(f"{TESTBENCH}.clock is not in the dump")
        wanted = [variable.viewer_name for name, variable in self.definitions.items()
                  if name in (f"{TESTBENCH}.clk", f"{TESTBENCH}.clock") or name.rpartition(".")[0] in (NIC, KERNEL)]
        self._vcd = VCDVCD(str(dump), signals=wanted)
        self.times = np.asarray([time for time, value in self.changes(f"{TESTBENCH}.clk") if value == "1"], np.int64)
        self.clocks = self.integers(f"{TESTBENCH}.clock")
        started = np.flatnonzero(self.clocks == 1)
        if not len(started):
            raise DumpError("the testbench's clock never started")
        self.clock_ps = int(self.times[started[0]] - self.times[started[0] - 1])
        self.origin_ps = int(self.times[started[0]]) - self.clock_ps

    def changes(self, name: str) -> list[tuple[int, str]]:
        """(time, bits) of every change."""
        found: list[tuple[int, str]] = self._vcd[self.definitions[name].viewer_name].tv
        return found

    def texts(self, name: str) -> list[str]:
        """Bits at each edge."""
        changes = self.changes(name)
        index = np.searchsorted([time for time, _ in changes], self.times, side="left") - 1
        return [changes[i][1] if i >= 0 else "x" for i in index.tolist()]

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        """Values at each edge, -1 while unknown; for signals of less than 63 bits, and the clock."""
        return np.asarray([int(bits, 2) if not set(bits) - {"0", "1"} else -1 for bits in self.texts(name)], np.int64)

    def port(self, name: str) -> npt.NDArray[np.int64]:
        return self.integers(f"{NIC}.{name}")

    def rows(self, where: npt.NDArray[np.bool_], name: str) -> list[int]:
        """The values of a signal of any width at the edges ``where``."""
        texts = self.texts(f"{NIC}.{name}")
        return [int(texts[i], 2) for i in np.flatnonzero(where).tolist()]

    def taken(self, channel: str) -> npt.NDArray[np.bool_]:
        """The edges at which a handshake of ``channel`` is."""
        both: npt.NDArray[np.bool_] = (self.port(f"{channel}valid") == 1) & (self.port(f"{channel}ready") == 1)
        return both

    def at(self, where: npt.NDArray[np.bool_]) -> list[int]:
        """The clocks of edges."""
        clocks: list[int] = self.clocks[where].tolist()
        return clocks


def measure(dump: Path) -> Measured:
    """Everything that a dump tells of its run's latencies and stalls.

    Raises:
        DumpError: the dump is none of the testbench.
    """
    edges, measured = Edges(dump), Measured()
    registers = _register_writes(edges)
    group = (_last(registers, "GROUP_ADDRESS"), _last(registers, "GROUP_PORT"))
    frames = {line: _frames(edges, line, group) for line in "ab"}
    for line in "ab":
        _decode_latency(measured, edges, line, frames[line])
    records = _records(edges, registers)
    found = {sequence: _frame_of(frames["b" if on_b else "a"], sequence, clock) for sequence, on_b, clock in records}
    whole = {sequence: frame for sequence, frame in found.items() if frame is not None}
    issued = {sequence: clock for sequence, _, clock in records}
    measured.add("wire_first_byte_to_dma_issue", CLOCKS,
                 {sequence: issued[sequence] - frame.first for sequence, frame in whole.items()})
    measured.add("last_byte_to_dma_issue", CLOCKS, {
        sequence: issued[sequence] - frame.last for sequence, frame in whole.items()
        if sequence == frame.sequence + len(frame.messages) - 1})
    if f"{KERNEL}.state" in edges.definitions:
        _kernel_stages(measured, edges, issued, whole)
        _order_stages(measured, edges, registers)
    for name, channel in STALLS.items():
        waits = (edges.port(f"{channel}valid") == 1) & (edges.port(f"{channel}ready") == 0)
        measured.stalls[name] = int(waits.sum())
    return measured


def _register_writes(edges: Edges) -> list[tuple[int, int, int]]:
    """(clock, address, value) of the host's register writes: the clock at which the NIC took the address."""
    address, data = edges.taken("s_axil_aw"), edges.taken("s_axil_w")
    return list(zip(edges.at(address), edges.rows(address, "s_axil_awaddr"), edges.rows(data, "s_axil_wdata"),
                    strict=True))


def _last(registers: list[tuple[int, int, int]], name: str) -> int:
    return next((value for _, address, value in reversed(registers) if address == REGISTERS[name]), 0)


def _frames(edges: Edges, line: str, group: tuple[int, int]) -> list[Frame]:
    """The frames at a port that carry MoldUDP64 for the group."""
    valid = edges.port(f"rx_{line}_tvalid") == 1
    beats = zip(edges.at(valid), edges.rows(valid, f"rx_{line}_tdata"), edges.rows(valid, f"rx_{line}_tkeep"),
                edges.rows(valid, f"rx_{line}_tlast"), strict=True)
    frames, data, clocks = [], b"", []
    for clock, word, keep, last in beats:
        data += word.to_bytes(8, "little")[:keep.bit_count()]
        clocks.append(clock)
        if last:
            packet = _mold(data, group)
            if packet is not None:
                sequence, ends = packet
                frames.append(Frame(clocks[0], clock, sequence, tuple(clocks[end // 8] for end in ends)))
            data, clocks = b"", []
    return frames


def _mold(data: bytes, group: tuple[int, int]) -> tuple[int, list[int]] | None:
    """Sequence number of a frame's packet, and of each of its messages the place of the last byte in the frame."""
    at = 12
    while int.from_bytes(data[at:at + 2], "big") in ETHERTYPES_VLAN:
        at += 4
    if data[at:at + 2] != b"\x08\x00" or len(data) < at + 22:
        return None
    ip = at + 2
    udp = ip + 4 * (data[ip] & 15)
    if (int.from_bytes(data[ip + 16:ip + 20], "big"), int.from_bytes(data[udp + 2:udp + 4], "big")) != group:
        return None
    sequence, count = struct.unpack_from(">QH", data, udp + 18)
    end, ends = udp + 28, []
    for _ in range(0 if count == NOT_A_COUNT else count):
        end += 2 + int.from_bytes(data[end:end + 2], "big")
        if end > len(data):
            break
        ends.append(end - 1)
    return sequence, ends


def _decode_latency(measured: Measured, edges: Edges, line: str, frames: list[Frame]) -> None:
    """L: from the beat with a message's last byte to the message decoded."""
    decoded = edges.at(edges.port(f"decoded_{line}") == 1)
    ends = [(frame.sequence + number, clock) for frame in frames for number, clock in enumerate(frame.messages)]
    if len(decoded) != len(ends):
        measured.problems.append(f"line {line.upper()}: {len(decoded)} messages decoded, {len(ends)} received")
        return
    measured.add(f"last_byte_to_decoded_{line}", CLOCKS,
                 {sequence: clock - end for (sequence, end), clock in zip(ends, decoded, strict=True)})


def _records(edges: Edges, registers: list[tuple[int, int, int]]) -> list[tuple[int, bool, int]]:
    """(sequence, came on line B, clock of issue) of the messages in the RX ring of lines. Address and data of a write
    may be taken at different edges: it is issued when both are."""
    base = _last(registers, "RX_BASE_LO") | _last(registers, "RX_BASE_HI") << 32
    end = base + (LINE_BYTES << _last(registers, "RX_LOG2"))
    address, data = edges.taken("m_axi_aw"), edges.taken("m_axi_w")
    writes = zip(edges.at(address), edges.rows(address, "m_axi_awaddr"), edges.at(data),
                 edges.rows(data, "m_axi_wdata"), strict=True)
    records = []
    for address_clock, at, data_clock, line in writes:
        record = np.frombuffer(line.to_bytes(LINE_BYTES, "little"), RX_RECORD, 1)[0]
        status = int(record["status"])
        message = status & (STATUS_RAW | STATUS_EVENT) != STATUS_EVENT
        if base <= at < end and record["publish"] & PUBLISH_VALID and message:
            records.append((int(record["sequence"]), bool(status & STATUS_LINE_B), max(address_clock, data_clock)))
    return records


def _frame_of(frames: list[Frame], sequence: int, issued: int) -> Frame | None:
    """The last frame before ``issued`` that carries a message."""
    return next((frame for frame in reversed(frames) if frame.first <= issued
                 and frame.sequence <= sequence < frame.sequence + len(frame.messages)), None)


def _frame_starts(edges: Edges) -> list[int]:
    """The clocks of the first beats at the transmit port."""
    beat = edges.taken("tx_t")
    lasts = edges.rows(beat, "tx_tlast")
    return [clock for clock, before in zip(edges.at(beat), [1, *lasts], strict=False) if before]


def _kernel_stages(measured: Measured, edges: Edges, issued: dict[int, int], frames: dict[int, Frame]) -> None:
    """From the ring into the kernel, and from its doorbell to the wire. Every message is dequeued in ring order."""

    def ps(clock: int) -> int:
        return edges.origin_ps + clock * edges.clock_ps

    dequeues = [time for time, bits in edges.changes(f"{KERNEL}.state") if int(bits, 2) == State.PARSING]
    if len(dequeues) != len(issued):
        measured.problems.append(f"{len(dequeues)} messages in the kernel, {len(issued)} in the ring")
        return
    measured.add("dma_to_dequeue", NANOSECONDS, {
        sequence: (time - ps(clock)) / 1000 for (sequence, clock), time in zip(issued.items(), dequeues, strict=True)})
    doorbells = [time for time, bits in edges.changes(f"{KERNEL}.orders_sent") if int(bits, 2) > 0]
    starts = _frame_starts(edges)
    if len(doorbells) != len(starts):
        measured.problems.append(f"{len(doorbells)} doorbells, {len(starts)} frames sent")
        return
    sequences = list(issued)
    ordered = [sequences[int(np.searchsorted(dequeues, time)) - 1] for time in doorbells]
    measured.add("doorbell_to_wire", NANOSECONDS, {
        sequence: (ps(start) - time) / 1000
        for sequence, start, time in zip(ordered, starts, doorbells, strict=True)})
    measured.add("tick_to_trade", NANOSECONDS, {
        sequence: (start - frames[sequence].first) * edges.clock_ps / 1000
        for sequence, start in zip(ordered, starts, strict=True) if sequence in frames})
    _way_through_the_nic(measured, edges, [sequence for sequence in ordered if sequence in frames], issued, frames)
    _way_to_the_wire(measured, edges, ordered, doorbells, starts)


def _way_through_the_nic(measured: Measured, edges: Edges, ordered: list[int], issued: dict[int, int],
                         frames: dict[int, Frame]) -> None:
    """Of messages with an order: to the last byte, to the record behind the filter, to its DMA write."""
    behind = (edges.port("line_valid") == 1) & (edges.port("line_first") == 1) & (edges.port("line_event") == 0)
    lines = (line & (1 << 64) - 1 for line in edges.rows(behind, "line_data"))  # begin with the sequence number
    valid = dict(zip(lines, edges.at(behind), strict=True))
    last = {sequence: frames[sequence].messages[sequence - frames[sequence].sequence] for sequence in ordered}
    measured.add("wire_first_byte_to_last_byte", CLOCKS,
                 {sequence: last[sequence] - frames[sequence].first for sequence in ordered})
    measured.add("last_byte_to_record_valid", CLOCKS,
                 {sequence: valid[sequence] - last[sequence] for sequence in ordered})
    measured.add("record_valid_to_dma_issue", CLOCKS,
                 {sequence: issued[sequence] - valid[sequence] for sequence in ordered})


def _way_to_the_wire(measured: Measured, edges: Edges, ordered: list[int], doorbells: list[int],
                     starts: list[int]) -> None:
    """Of messages with an order: the kernel's decision, its doorbell, the read of the slot, the first beat."""
    states = [(time, int(bits, 2)) for time, bits in edges.changes(f"{KERNEL}.state")]
    decisions = [time for time, state in states if state == State.SENDING]
    parsing = [time for time, state in states if state == State.PARSING]
    fetches = edges.at(edges.taken("m_axi_ar"))
    if not len(decisions) == len(fetches) == len(doorbells):
        return
    dequeues = [parsing[int(np.searchsorted(parsing, time)) - 1] for time in decisions]
    points = zip(ordered, dequeues, decisions, doorbells, fetches, starts, strict=True)
    rows = [(sequence, decision - dequeue, doorbell - decision,
             edges.origin_ps + fetch * edges.clock_ps - doorbell, start - fetch)
            for sequence, dequeue, decision, doorbell, fetch, start in points]
    for place, (stage, unit) in enumerate((
            ("dequeue_to_decision_ns", NANOSECONDS), ("decision_to_doorbell_ns", NANOSECONDS),
            ("doorbell_to_tx_fetch", NANOSECONDS), ("tx_fetch_to_wire", CLOCKS)), 1):
        measured.add(stage, unit, {row[0]: row[place] / 1000 if unit == NANOSECONDS else row[place] for row in rows})


def _order_stages(measured: Measured, edges: Edges, registers: list[tuple[int, int, int]]) -> None:
    """An order in the NIC: its doorbell at the register port, the fetch of its TX slot, the answer, its first beat."""
    doorbells = [clock for clock, address, _ in registers if address == REGISTERS["TX_TAIL"]]
    fetches, answers = edges.at(edges.taken("m_axi_ar")), edges.at(edges.taken("m_axi_r"))
    starts = _frame_starts(edges)
    if not len(doorbells) == len(fetches) == len(answers) == len(starts):
        measured.problems.append(f"{len(doorbells)} doorbells, {len(fetches)} fetches of a TX slot, {len(answers)} "
                                 f"answers, {len(starts)} frames sent: the stages of an order are not told apart")
        return
    points = {"doorbell_to_fetch": (doorbells, fetches), "fetch_to_answer": (fetches, answers),
              "answer_to_first_beat": (answers, starts)}
    for stage, (begins, ends) in points.items():
        measured.add(stage, CLOCKS, {number: end - begin for number, (begin, end)
                                     in enumerate(zip(begins, ends, strict=True))})


def table(measured: Measured) -> str:
    """A line a stage, then the stalls."""
    lines = [f"{'stage':30}{'count':>8}{'min':>10}{'mean':>12}{'max':>10}  unit"]
    for stage, samples in measured.samples.items():
        if samples:
            values = list(samples.values())
            lines.append(f"{stage:30}{len(values):8}{min(values):10g}{sum(values) / len(values):12.3f}"
                         f"{max(values):10g}  {measured.units[stage]}")
    lines += [f"{f'{name} waits':30}{count:8}{'':32}  {CLOCKS}" for name, count in measured.stalls.items()]
    return "\n".join([*lines, *(f"not measured: {problem}" for problem in measured.problems)])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m waves.measure DIR    latencies and stalls of a run, from its waves.vcd alone",
              file=sys.stdout if arguments in (["-h"], ["--help"]) else sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    dump = Path(arguments[0]) / "waves.vcd"
    try:
        print(table(measure(dump)))
    except FileNotFoundError:
        how = "fst2vcd -f waves.fst -o waves.vcd makes it" if dump.with_suffix(".fst").exists() else "run with --waves"
        print(f"waves.measure: {dump} is missing; {how}", file=sys.stderr)
        return 2
    except DumpError as error:
        print(f"waves.measure: {dump}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
