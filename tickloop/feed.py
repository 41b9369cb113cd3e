# SPDX-License-Identifier: MIT
"""A profile's traffic as one or two lines deliver it, faults included, and what a receiver of them must see.

The expected messages are those of the frames whose checksums hold, as the reference model receives them. Of two lines
there are three expectations: of each line alone, since each has faults of its own, and of both together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

from generators.captures import TimedFrame, write_pcap
from generators.faults import NO_FAULTS, Faults, faulty
from generators.framing import DEFAULT_GROUP
from generators.profiles import Profile, Watched, frames, generate
from tb.model.receive import ReceiveModel
from tb.model.wire import LINES, Arrival
from tickloop.arrivals import in_wire_order, received


@dataclass(frozen=True)
class Feed:
    """Traffic with all that fixes its bytes; None is the profile's own."""

    profile: Profile
    seed: int = 1
    messages: int | None = None
    symbols: int | None = None
    warm_up: int | None = None
    rate: float | None = None
    jitter_ns: int = 0
    watched: Watched = iter

    def frames(self, delay_ns: int = 0) -> Iterator[TimedFrame]:
        """Without faults, so much later."""
        traffic = self.watched(generate(self.profile, self.seed, self.messages, symbols=self.symbols,
                                        warm_up=self.warm_up, rate=self.rate))
        for time_ns, data in frames(traffic, self.seed, self.jitter_ns):
            yield TimedFrame(time_ns + delay_ns, data)


@dataclass(frozen=True)
class LineFile:
    """One line's capture: where, what goes wrong on the line, and how much later than line A its frames are."""

    path: Path
    faults: Faults = NO_FAULTS
    delay_ns: int = 0


@dataclass(frozen=True)
class Written:
    """A capture and its number of frames; what a receiver must see of it."""

    path: Path
    frames: int
    expected: Path


def expected_of_both(path: Path) -> Path:
    """Where it stands what a receiver of both lines must see."""
    return path.with_name(f"{path.name}.both.expect.jsonl")


def write_lines(feed: Feed, files: Sequence[LineFile]) -> list[Written]:
    """Writes a capture a line and, beside each, ``<path>.expect.jsonl``; of two lines also what both together give."""
    written = []
    for line, file in zip(LINES, files, strict=False):
        to_file, to_model = tee(_on_line(feed, file, line))
        expected = file.path.with_name(f"{file.path.name}.expect.jsonl")
        count = write_pcap(file.path, _written_beside(to_file, _expect(in_wire_order([to_model]), expected)))
        written.append(Written(file.path, count, expected))
    if len(files) > 1:
        lines = [_on_line(feed, file, line) for line, file in zip(LINES, files, strict=True)]
        for _ in _expect(in_wire_order(lines), expected_of_both(files[0].path)):
            pass
    return written


def _on_line(feed: Feed, file: LineFile, line: str) -> Iterator[TimedFrame]:
    return faulty(feed.frames(file.delay_ns), file.faults, feed.seed, line)


def _written_beside(arrived: Iterable[TimedFrame], model: Iterator[None]) -> Iterator[tuple[int, bytes]]:
    """The frames for the file, the model being kept up with them, so that what lies between the two stays small."""
    for frame in arrived:
        yield frame.time_ns, frame.data
        next(model, None)
    for _ in model:
        pass


def _expect(arrivals: Iterable[Arrival], path: Path) -> Iterator[None]:
    """Writes what a receiver must see, a step a frame."""
    model = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")
    with path.open("w", encoding="ascii", newline="\n") as file:
        for _, result in received(arrivals, model):
            for message in result.messages:
                line = {"sequence": message.sequence, "type": message.type, "fields": message.fields}
                file.write(json.dumps(line if message.status == "ok" else {**line, "status": message.status}) + "\n")
            yield
