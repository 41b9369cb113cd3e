# SPDX-License-Identifier: MIT
"""Where a run's frames come from: captures on one or both lines, a scenario that the generators make on the spot, or an
exchange that makes them as the run goes on."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bridge.interface import Exchange
from bridge.stimulus import read_stimulus
from generators.captures import Capture, CaptureError, TimedFrame, read_capture
from generators.faults import USUAL, Faults, faulty
from generators.framing import Group
from generators.profiles import DEFAULT_SCENARIO, PROFILES, frames, generate
from tb.model.config import KernelConfig
from tickloop.exits import UsageError
from tickloop.rundir.files import RECORD, STIMULUS

FAULTS = "faults"  # the embedded scenario on both lines, each with faults of its own
EXCHANGE = "exchange"  # the scenario whose frames depend on the orders
Line = Literal["A", "B"]
KEPT_BYTES = 1 << 29
FRAME_OVERHEAD = 200  # bytes of Python's objects
_LINES: tuple[Line, Line] = ("A", "B")


class LineFrame(NamedTuple):
    """A frame on its line, at its capture time in nanoseconds after the run's first frame."""

    line: Line
    time_ns: int
    data: bytes
    bad_fcs: bool = False


@dataclass(frozen=True)
class Input:
    """Frames of both lines in order of their capture times, A before B. A ``scenario`` is the traffic of line A that no
    capture gave."""

    name: str
    frames: Callable[[], Iterable[LineFrame]]
    captures: tuple[Capture, ...] = ()
    scenario: bool = False
    two_lines: bool = False
    exchange: Exchange | None = None  # ``frames`` are what it recorded, once the run is over

    @property
    def warnings(self) -> list[str]:
        """What the readers have to say; complete once the frames were read to the end."""
        return [warning for capture in self.captures for warning in capture.warnings]


@dataclass(frozen=True)
class Damage:
    """What goes wrong on the lines."""

    faults: Faults
    seed: int

    def lines(self, lines: list[Iterator[TimedFrame]]) -> list[Iterator[TimedFrame]]:
        return [faulty(frames, self.faults, self.seed, line) for line, frames in zip(_LINES, lines, strict=False)]


def from_capture(path: Path, group: Group, line_b: Path | None = None, fcs: bool = False,
                 damage: Damage | None = None) -> Input:
    """A capture file, and the one of the other line if there is one.

    Raises:
        UsageError: one cannot be read, is no capture, or holds no frames that could carry an FCS.
    """
    captures = tuple(open_capture(each, group, fcs) for each in (path, line_b) if each is not None)
    name = str(path) if line_b is None else f"{path} and {line_b}"
    return Input(name, kept(lambda: merged([capture.timed(fcs) for capture in captures], damage)), captures,
                 two_lines=line_b is not None)


def from_scenario(name: str | None, seed: int, messages: int | None, group: Group, line_b: Path | None = None,
                  fcs: bool = False, damage: Damage | None = None) -> Input:
    """A generator profile on line A, or with faults on both lines; None is the embedded scenario.

    Raises:
        UsageError: there is no such scenario, or line B's capture cannot be used.
    """
    name = DEFAULT_SCENARIO.profile.name if name is None else name
    profile = DEFAULT_SCENARIO.profile.name if name == FAULTS else name
    if name == FAULTS:
        damage = damage or Damage(USUAL, seed)
    if profile not in PROFILES:
        raise UsageError(f"--scenario {name}: no such scenario (there are {', '.join([*PROFILES, FAULTS, EXCHANGE])})")
    if fcs and line_b is None:
        raise UsageError("--fcs: a scenario's frames carry none")
    captures = (open_capture(line_b, group, fcs),) if line_b else ()

    def make() -> Iterable[LineFrame]:
        lines = [traffic(), *(capture.timed(fcs) for capture in captures)]
        return merged([traffic(), traffic()] if damage and not captures else lines, damage)

    def traffic() -> Iterator[TimedFrame]:
        return (TimedFrame(*frame) for frame in frames(generate(profile, seed, messages), seed, group=group))

    # Whether there is an order behind the first gap is a matter of the faults.
    return Input(name if line_b is None else f"{name} and {line_b}", kept(make), captures, damage is None,
                 line_b is not None or damage is not None)


def from_exchange(config: KernelConfig, market: Mapping[str, Any], seed: int, messages: int | None,
                  out: Path) -> Input:
    """The exchange model with a ``market`` (``[exchange]`` of the configuration), set up for the client that ``config``
    describes; the run leaves its record in ``out``."""
    arguments: dict[str, Any] = {
        **market, "seed": seed, "ouch": config.ouch_version, "firm": config.firm.rstrip(),
        "group_address": config.group_address, "group_port": config.group_port,
        "mac": config.destination_mac, "address": config.destination_address, "port": config.destination_port,
        "client_address": config.source_address,
        "username": config.soup_username.rstrip(), "password": config.soup_password.rstrip(),
    }
    if messages is not None:
        arguments["messages"] = messages
    if config.soup_session.strip():
        arguments["session"] = config.soup_session.strip()
    if config.recovery_address == config.destination_address:
        arguments["request_port"] = config.recovery_port

    def frames() -> Iterator[LineFrame]:
        recorded = read_stimulus(out / RECORD / STIMULUS)
        yield from (LineFrame(_LINES[frame.line], frame.time_ns, frame.data, frame.bad_fcs)
                    for frame in sorted(recorded, key=lambda frame: (frame.time_ns, frame.line)))

    return Input(EXCHANGE, frames, scenario=True, two_lines=True,
                 exchange=Exchange("generators.exchange.exchange:make", arguments))


def kept(make: Callable[[], Iterable[LineFrame]], most: int = KEPT_BYTES) -> Callable[[], Iterable[LineFrame]]:
    """``make``, whose frames are kept in memory for the next time and no longer, up to so many bytes of them."""
    memory: list[LineFrame] = []

    def frames() -> Iterator[LineFrame]:
        if memory:
            again = list(memory)
            memory.clear()
            yield from again
            return
        read: list[LineFrame] = []
        size = 0
        for frame in make():
            size += FRAME_OVERHEAD + len(frame.data)
            if size <= most:
                read.append(frame)
            yield frame
        if size <= most:
            memory.extend(read)

    return frames


def merged(lines: list[Iterator[TimedFrame]], damage: Damage | None = None) -> Iterator[LineFrame]:
    """The frames of line A and, if given, line B by capture time, as they arrive; the first of them is at time 0."""
    first: int | None = None
    if damage:
        lines = damage.lines(lines)
    # At equal times heapq.merge takes the earlier iterator's frame first, which is line A's.
    for line, frame in heapq.merge(*map(_on_line, _LINES, lines), key=lambda entry: entry[1].time_ns):
        first = frame.time_ns if first is None else first
        yield LineFrame(line, frame.time_ns - first, frame.data, frame.bad_fcs)


def _on_line(line: Line, line_frames: Iterator[TimedFrame]) -> Iterator[tuple[Line, TimedFrame]]:
    for frame in line_frames:
        yield line, frame


def open_capture(path: Path, group: Group, fcs: bool) -> Capture:
    try:
        capture = read_capture(path, group)
    except CaptureError as error:
        raise UsageError(str(error)) from None
    if fcs and capture.kind == "itch":
        raise UsageError(f"--fcs: {path} holds ITCH messages, not frames")
    return capture
