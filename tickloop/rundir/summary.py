# SPDX-License-Identifier: MIT
"""summary.json: the counters as the hardware counted them, and whether they equal what the other files say.

Messages that the filter kept back are in no file. They and duplicates look the same there, so with a filter the files
give the sum of both, and of the next expected sequence what is sure and what is possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bridge.layout import DropReason, MessageStatus
from tickloop.rundir.json_lines import Line

SEQUENCES = 1 << 64
_REASONS = [reason for reason in DropReason if reason != DropReason.ACCEPT]


def hardware_counters(registers: dict[str, int]) -> dict[str, Any]:
    """The counter registers under the names of summary.json."""
    expected = registers["NEXT_EXPECTED_HI"] << 32 | registers["NEXT_EXPECTED_LO"]
    return {
        "frames": registers["FRAMES"],
        "accepted": registers["ACCEPTED"],
        "dropped": {reason.name.lower(): registers[f"DROPPED_{reason.name}"] for reason in _REASONS},
        "messages": {status.name.lower(): registers[f"MESSAGES_{status.name}"] for status in MessageStatus},
        "bad_messages": registers["MESSAGES_BAD"],
        "duplicates": registers["DUPLICATES"],
        "filtered": registers["FILTERED"],
        "gaps": registers["GAPS"],
        "next_expected": expected if registers["STREAM_STATUS"] & 1 else None,
        "frames_b": registers["FRAMES_B"],
        "accepted_b": registers["ACCEPTED_B"],
        "messages_b": registers["MESSAGES_B"],
        "ring_full_dropped": registers["RX_RING_FULL_DROPPED"],
        "too_large_dropped": registers["RX_TOO_LARGE_DROPPED"],
        "raw_frames": registers["RAW_FRAMES"],
        "raw_dropped": registers["RAW_DROPPED"],
    }


@dataclass(slots=True)
class _Delivered:
    """How many messages of a frame were delivered, and the sequence number of the last one."""

    count: int = 0
    last: int = 0


@dataclass
class _Said:
    """What the files say, counted up line by line.

    Of a truncated packet only the delivered messages tell how many blocks were whole, and what a filter kept back
    is in no file: so of duplicates and the next expected sequence there is the least and the most.
    """

    frames: int = 0
    accepted: int = 0
    frames_b: int = 0
    accepted_b: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    messages_b: int = 0
    bad_messages: int = 0
    delivered: dict[int, _Delivered] = field(default_factory=dict)
    duplicates: tuple[int, int] = (0, 0)
    next_expected: tuple[int, int] | None = None
    session: str | None = None

    def message(self, line: Line) -> None:
        of_frame = self.delivered.setdefault(line["frame"], _Delivered())
        of_frame.count += 1
        of_frame.last = line["sequence"]
        if line.get("verdict") == "bad":
            self.bad_messages += 1
        else:
            self.messages[line["status"]] += 1
            self.messages_b += line["line"] == "B"

    def frame(self, line: Line, filtered: int) -> None:
        """One of frames.jsonl, after all messages."""
        on_b = line["line"] == "B"
        self.frames += 1
        self.frames_b += on_b
        if line["disposition"] == "drop":
            self.dropped[line["reason"]] += 1
            return
        self.accepted += 1
        self.accepted_b += on_b
        new = self.delivered.get(line["frame"], _NOTHING)
        self._duplicates(line, new, filtered)
        self._next_expected(line, new, filtered)

    def _duplicates(self, line: Line, new: _Delivered, filtered: int) -> None:
        """Blocks that were not delivered."""
        if line["kind"] != "data":
            return
        least, most = self.duplicates
        if line.get("flag") != "truncated":
            sure = possible = line["count"] - new.count
        else:
            sure = (new.last - line["sequence"]) % SEQUENCES + 1 - new.count if new.count else 0
            possible = sure if new.count and not filtered else line["count"] - 1 - new.count
        self.duplicates = least + sure, most + possible

    def _next_expected(self, line: Line, new: _Delivered, filtered: int) -> None:
        """The stream rule. Frames that were held took effect later than they stand in the file; within a session that
        makes no difference, since nothing moves the number back."""
        sequence = line["sequence"]
        least, most = self.next_expected or (sequence, sequence)
        if line["session"] != self.session:
            least = most = sequence
        self.session = line["session"]
        if line["kind"] != "data":
            sure = possible = sequence
        elif line.get("flag") != "truncated":
            sure = possible = sequence + line["count"]
        else:
            sure = possible = new.last + 1 if new.count else sequence
            if filtered:
                possible = sequence + line["count"] - 1
        # In two steps, since a packet may be so far ahead that its end is not.
        self.next_expected = _further(_further(least, sequence), sure), _further(_further(most, sequence), possible)


_NOTHING = _Delivered()


def disagreements(counters: dict[str, Any], frames: Iterable[Line], messages: Iterable[Line],
                  events: Iterable[Line]) -> list[str]:
    """What the counters and the files say differently; empty when they agree."""
    said = _Said()
    for line in messages:
        said.message(line)
    for line in frames:
        said.frame(line, counters["filtered"])
    values = {
        "frames": said.frames,
        "accepted": said.accepted,
        "dropped": {reason: said.dropped[reason] for reason in counters["dropped"]},
        "messages": {status: said.messages[status] for status in counters["messages"]},
        "bad_messages": said.bad_messages,
        "gaps": sum(event["event"] == "gap" for event in events),
        "frames_b": said.frames_b,
        "accepted_b": said.accepted_b,
        "messages_b": said.messages_b,
        "ring_full_dropped": 0,
        "too_large_dropped": 0,
    }
    found = [f"{name}: the hardware counted {counters[name]}, the files say {value}"
             for name, value in values.items() if counters[name] != value]
    return found + _of_duplicates(counters, said) + _of_next_expected(counters, said)


def _of_duplicates(counters: dict[str, Any], said: _Said) -> list[str]:
    least, most = said.duplicates
    # The filter's counter has the messages of bad frames too.
    counted, beside = counters["duplicates"], counters["filtered"]
    if counted <= most and least <= counted + beside:
        return []
    return [f"duplicates: the hardware counted {counted}{f' beside {beside} filtered' if beside else ''}, "
            f"the files say {least}" + (f" to {most}" if most != least else "")]


def _of_next_expected(counters: dict[str, Any], said: _Said) -> list[str]:
    counted = counters["next_expected"]
    least, most = said.next_expected or (None, None)
    if counted is None or least is None or most is None:
        agree = counted == least
    else:
        agree = (counted - least) % SEQUENCES <= (most - least) % SEQUENCES
    return [] if agree else [f"next_expected: the hardware has {counted}, the files say {least}"]


def _further(expected: int, sequence: int) -> int:
    """The later of two sequence numbers, modulo 2^64."""
    return sequence % SEQUENCES if 0 < (sequence - expected) % SEQUENCES < SEQUENCES // 2 else expected
