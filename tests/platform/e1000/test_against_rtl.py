# SPDX-License-Identifier: MIT
"""The software parsers against the RTL itself: the same capture through both, every line in the RX ring is theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from bridge import layout
from bridge.record import read_log
from generators.captures import write_pcap
from generators.framing import FrameEncoder, mold_packet
from generators.mutation import traffic
from generators.profiles import generate
from generators.tables import ITCH50
from tests.platform.e1000.parser_harness import PUBLISH, Parser, build_parser
from tests.platform.e1000.test_parser import FRAMES

ROOT = Path(__file__).resolve().parents[3]
ENCODER = FrameEncoder()
MIN_BYTES = 14  # of a frame that the RTL's port takes
STATUS = layout.RX_RECORD.fields["status"][1]
CONTINUATIONS = layout.RX_RECORD.fields["continuations"][1]
REASON = layout.RX_EVENT.fields["reason"][1]
TIME = slice(8, 14)  # hw_timestamp_ns, the NIC's own


def frames() -> list[bytes]:
    """All types, every reason to drop a frame, a profile's packets, and half of them mutated traffic."""
    random = Random(7)
    types = [kind.encode() + random.randbytes(ITCH50[kind].length - 1) for kind in sorted(ITCH50) for _ in range(3)]
    packets = [mold_packet(types[at:at + 10], at + 1, "SESSION000") for at in range(0, len(types), 10)]
    made = [ENCODER.encode(packet) for packet in packets]
    made += [spec.build() for specs in FRAMES.values() for spec in specs]
    messages = [raw for _, raw in generate("opening", seed=3, messages=300)]
    made += [ENCODER.encode(mold_packet(messages[at:at + 6], at + 1)) for at in range(0, 300, 6)]
    mutated = traffic(21, 400, two_lines=False).frames
    made += [mutated.frame(row) for row in range(len(mutated))]
    return [frame for frame in made if len(frame) >= MIN_BYTES]


def tells_of_a_drop(line: bytes) -> bool:
    """An event line that the RTL writes for whoever wants to see every frame; the kernel does not ask for them."""
    return line[STATUS] == layout.STATUS_EVENT and line[REASON] != layout.DropReason.ACCEPT


def untimed(line: bytes) -> bytes:
    return line[:TIME.start] + bytes(TIME.stop - TIME.start) + line[TIME.stop:-len(PUBLISH)] + PUBLISH


@pytest.fixture(scope="module")
def rtl(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], dict[str, int]]:
    """The lines that the RTL wrote, a record before its continuation lines, and its counts of dropped frames."""
    directory = tmp_path_factory.mktemp("rtl")
    write_pcap(directory / "all.pcap", [(2000 * number, frame) for number, frame in enumerate(frames())])
    subprocess.run([sys.executable, "-m", "tickloop", "parse", directory / "all.pcap", "--delivery", "verified",
                    "--out", directory / "out"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    record = directory / "out/record"
    written = {int(entry["address"]): int(entry["value"]) for entry in
               read_log(record, "registers", layout.REGISTER_LOG) if entry["write"]}
    base, log2 = (written[layout.REGISTERS[name]] for name in ("RX_BASE_LO", "RX_LOG2"))
    lines: list[bytes] = []
    ahead: dict[int, bytes] = {}  # by slot: continuation lines, which come before their record
    for entry in read_log(record, "dma", layout.DMA_LOG):
        slot, line = (int(entry["address"]) - base) // layout.LINE_BYTES, entry["data"].tobytes()
        if not 0 <= slot < 1 << log2:
            continue  # of the raw ring
        if line[-len(PUBLISH):] == PUBLISH:
            ahead[slot] = line
            continue
        behind = [ahead[(slot + 1 + number) % (1 << log2)] for number in range(line[CONTINUATIONS])]
        lines += [] if tells_of_a_drop(line) else [line, *behind]
        ahead.clear()
    summary = json.loads((directory / "out/summary.json").read_text())
    return lines, {reason: count for reason, count in summary["dropped"].items() if count}


@pytest.mark.parametrize("assembly", [False, True], ids=["c", "assembly"])
def test_the_same_lines_and_reasons(rtl: tuple[list[bytes], dict[str, int]], assembly: bool, tmp_path: Path) -> None:
    expected, dropped = rtl
    parser = Parser(build_parser(tmp_path), assembly)
    found: list[bytes] = []
    reasons: dict[str, int] = {}
    for frame in frames():
        reason, lines = parser.frame(frame)
        found += lines
        if reason is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
    parser.close()
    statuses = {line[STATUS] & ~layout.STATUS_RAW for line in expected}
    assert {line[26] for line in expected} >= {ord(kind) for kind in ITCH50}
    assert statuses >= {int(status) for status in layout.MessageStatus} | {layout.STATUS_EVENT}
    assert [untimed(line) for line in found] == [untimed(line) for line in expected]
    assert reasons == dropped
    assert len(dropped) == len(FRAMES) - 1
