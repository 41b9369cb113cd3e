# SPDX-License-Identifier: MIT
"""``tickloop inspect``: what a capture holds, as the reference model receives it; no RTL, no simulator.

The receiver is the one of the checks (tb/model), with verified delivery: a frame whose checksums fail is counted by its
reason and delivers nothing. Frames are read in one pass; what is kept grows with sessions, gaps and kinds, not with
the length of the capture. Times are those at which frames enter a port of 10 Gbit/s, from the first frame on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from generators.captures import Capture, CaptureError
from generators.framing import Group
from tb.model.headers import destination
from tb.model.packet import STATUSES, PacketFormat
from tb.model.receive import ReceiveModel
from tb.model.results import FrameResult
from tb.model.wire import LINES, Arrival
from tickloop.arrivals import in_wire_order, received
from tickloop.exits import UsageError
from tickloop.inputs import open_capture
from tickloop.progress import Progress
from tickloop.time_windows import Peak, Windows

# What sees the frames go by; it may end them early.
Watched = Callable[[Iterator[Arrival]], Iterator[Arrival]]

MOST_WINDOWS = 20
MOST_OTHER_GROUPS = 10
PEAK_WIDTHS_NS = (10_000, 1_000_000, 1_000_000_000)
SEQUENCES = 1 << 64


@dataclass
class Session:
    """One session of MoldUDP64; ``next_expected`` is the number behind the last one that was seen or announced."""

    session: str
    first_ns: int
    last_ns: int
    first_sequence: int | None
    next_expected: int | None
    messages: int = 0
    duplicates: int = 0
    gaps: int = 0
    missing: int = 0
    ended: bool = False


@dataclass
class Statistics:
    """Of the stream that one receiver got: from one line, or from both."""

    frames: int = 0
    frame_bytes: int = 0
    last_ps: int = 0
    accepted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    packets: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    message_bytes: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    gaps: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    packing: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    first_copies: Counter[str] = field(default_factory=Counter)
    other_groups: Counter[tuple[int, int]] = field(default_factory=Counter)
    windows: Windows = field(default_factory=Windows)
    peaks: tuple[Peak, ...] = field(default_factory=lambda: tuple(map(Peak, PEAK_WIDTHS_NS)))

    @property
    def missing(self) -> int:
        return sum(session.missing for session in self.sessions.values())

    def add(self, arrival: Arrival, result: FrameResult) -> None:
        """One frame and what the receiver made of it."""
        time_ns = arrival.start_ps // 1000
        self.frames += 1
        self.frame_bytes += len(arrival.data)
        self.sizes[len(arrival.data)] += 1
        self.last_ps = max(self.last_ps, arrival.start_ps)
        self.windows.add(time_ns, len(result.messages))
        if result.reason is not None:
            self.dropped[result.reason] += 1
            if result.reason in ("other_destination", "other_port") and (other := destination(arrival.data)):
                self.other_groups[other] += 1
            return
        self.accepted += 1
        self._packet(time_ns, result)
        if result.messages:
            for peak in self.peaks:
                peak.add(time_ns, len(result.messages))
        self.first_copies[arrival.line] += len(result.messages)
        for message in result.messages:
            self.statuses[message.status] += 1
            self.message_bytes += message.length
            if message.type is not None:
                self.types[message.type] += 1

    def _packet(self, time_ns: int, result: FrameResult) -> None:
        assert result.packet is not None
        assert result.session is not None
        self.packets[result.kind or ""] += 1
        if result.kind == "data":
            self.packing[len(result.packet.blocks)] += 1
        for flag in ("truncated", "extra_data"):
            self.flags[flag] += getattr(result.flags, flag)
        self.duplicates += result.duplicates
        self.messages += len(result.messages)
        session = self.sessions.get(result.session)
        if session is None:
            session = self.sessions[result.session] = Session(result.session, time_ns, time_ns, result.sequence, None)
        session.last_ns = max(session.last_ns, time_ns)
        session.messages += len(result.messages)
        session.duplicates += result.duplicates
        if result.messages:
            session.next_expected = (result.messages[-1].sequence + 1) % SEQUENCES
        elif session.next_expected is None or result.flags.gap:
            session.next_expected = result.sequence
        session.ended |= result.kind == "end_of_session"
        if result.gap_from is not None and result.sequence is not None:
            session.gaps += 1
            session.missing += (result.sequence - result.gap_from) % SEQUENCES
            self.gaps.append({"session": result.session, "from": result.gap_from, "to": result.sequence,
                              "time_ns": time_ns})


@dataclass(frozen=True)
class Inspection:
    """What was found: of the stream, of each line alone where there are two, and what the readers have to say."""

    source: str
    kinds: list[str]
    group: Group
    packet_format: PacketFormat
    stream: Statistics
    lines: dict[str, Statistics]
    warnings: list[str]

    def document(self) -> dict[str, Any]:
        """The object of ``--json``."""
        of = self.stream
        width, windows = of.windows.shown(MOST_WINDOWS)
        duration_ns = of.last_ps // 1000
        others = [{"group": str(Group(str(IPv4Address(address)), port)), "frames": count}
                  for (address, port), count in of.other_groups.most_common(MOST_OTHER_GROUPS)]
        return {
            "command": "inspect", "input": self.source, "kinds": self.kinds, "group": str(self.group),
            "format": self.packet_format, "duration_ns": duration_ns,
            **_counts(of),
            "other_groups": others,
            "packets": {kind: of.packets[kind] for kind in ("data", "heartbeat", "end_of_session")} | dict(of.flags),
            "messages_by_status": {status: of.statuses[status] for status in STATUSES},
            "messages_by_type": dict(sorted(of.types.items())),
            "message_bytes": of.message_bytes,
            "sessions": [asdict(session) for session in of.sessions.values()],
            "gap_list": of.gaps,
            "messages_a_packet": {str(count): packets for count, packets in sorted(of.packing.items())},
            "frame_sizes": {"min": min(of.sizes, default=0), "max": max(of.sizes, default=0),
                            "mean": round(of.frame_bytes / max(of.frames, 1), 1)},
            "messages_per_s": round(1e9 * of.messages / duration_ns) if duration_ns else None,
            "peaks": [{"window_ns": peak.width_ns, "messages": peak.most} for peak in of.peaks],
            "rates": {"window_ns": width, "windows": [asdict(window) for window in windows]},
            "lines": {line: _counts(alone) | {"first_copies": of.first_copies[line]}
                      for line, alone in self.lines.items()},
            "warnings": self.warnings,
        }


def _counts(of: Statistics) -> dict[str, Any]:
    return {
        "frames": of.frames, "frame_bytes": of.frame_bytes, "accepted": of.accepted,
        "dropped": dict(of.dropped.most_common()), "messages": of.messages, "duplicates": of.duplicates,
        "gaps": len(of.gaps), "missing": of.missing,
    }


def inspect(path: Path, group: Group, line_b: Path | None = None, fcs: bool = False,
            packet_format: PacketFormat = "mold", watched: Watched = iter) -> Inspection:
    """Reads the capture, and that of the other line if there is one, to the end, or as far as ``watched`` lets frames
    through.

    Raises:
        UsageError: one cannot be read, or is no capture.
    """
    captures = [open_capture(each, group, fcs) for each in (path, line_b) if each is not None]
    progress = Progress("frames")
    try:
        stream = _received(captures, fcs, group, packet_format, progress, watched)
        lines = {}
        for line, capture in zip(LINES, captures, strict=False):
            if len(captures) > 1:
                lines[line] = _received([capture], fcs, group, packet_format, progress, watched)
    except CaptureError as error:
        raise UsageError(str(error)) from None
    finally:
        progress.close()
    warnings = [warning for capture in captures for warning in capture.warnings]
    source = str(path) if line_b is None else f"{path} and {line_b}"
    return Inspection(source, [capture.kind for capture in captures], group, packet_format, stream, lines, warnings)


def _received(captures: list[Capture], fcs: bool, group: Group, packet_format: PacketFormat,
              progress: Progress, watched: Watched) -> Statistics:
    model = ReceiveModel(group.address, group.port, delivery="verified", packet_format=packet_format)
    statistics = Statistics()
    for arrival, result in received(watched(in_wire_order([capture.timed(fcs) for capture in captures])), model):
        statistics.add(arrival, result)
        progress(statistics.frames, 0)
    return statistics
