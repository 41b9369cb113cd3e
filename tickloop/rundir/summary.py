# SPDX-License-Identifier: MIT
"""summary.json: the counters as the hardware counted them, and whether they equal what the other files say.

Messages that the filter kept back are in no file. They and duplicates look the same there, so with a filter the files
give the sum of both, and of the next expected sequence what is sure and what is possible.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bridge.layout import DropReason, MessageStatus

SEQUENCES = 1 << 64
_REASONS = [reason for reason in DropReason if reason != DropReason.ACCEPT]
Lines = list[dict[str, Any]]


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


def disagreements(counters: dict[str, Any], frames: Lines, messages: Lines, events: Lines) -> list[str]:
    """What the counters and the files say differently; empty when they agree."""
    accepted = [line for line in frames if line["disposition"] == "accept"]
    good = [line for line in messages if line.get("verdict") != "bad"]
    dropped = Counter(line["reason"] for line in frames if line["disposition"] == "drop")
    delivered = Counter(line["status"] for line in good)
    said = {
        "frames": len(frames),
        "accepted": len(accepted),
        "dropped": {reason: dropped[reason] for reason in counters["dropped"]},
        "messages": {status: delivered[status] for status in counters["messages"]},
        "bad_messages": len(messages) - len(good),
        "gaps": sum(event["event"] == "gap" for event in events),
        "frames_b": _of_line_b(frames),
        "accepted_b": _of_line_b(accepted),
        "messages_b": _of_line_b(good),
        "ring_full_dropped": 0,
        "too_large_dropped": 0,
    }
    found = [f"{name}: the hardware counted {counters[name]}, the files say {value}"
             for name, value in said.items() if counters[name] != value]
    return found + _duplicates(counters, accepted, messages) + _next_expected(counters, accepted, messages)


def _of_line_b(lines: Lines) -> int:
    return sum(line["line"] == "B" for line in lines)


def _delivered_by_frame(messages: Lines) -> dict[int, list[int]]:
    """Frame -> sequence numbers delivered from it."""
    delivered: dict[int, list[int]] = {}
    for line in messages:
        delivered.setdefault(line["frame"], []).append(line["sequence"])
    return delivered


def _duplicates(counters: dict[str, Any], accepted: Lines, messages: Lines) -> list[str]:
    """Compares duplicates with the blocks that were not delivered.

    Of a truncated packet only the delivered ones tell how many blocks were whole, so it gives a range.
    """
    delivered = _delivered_by_frame(messages)
    least = most = 0
    for line in accepted:
        if line["kind"] != "data":
            continue
        new = delivered.get(line["frame"], [])
        if line.get("flag") != "truncated":
            least += line["count"] - len(new)
            most += line["count"] - len(new)
            continue
        sure = (new[-1] - line["sequence"]) % SEQUENCES + 1 - len(new) if new else 0
        least += sure
        most += sure if new and not counters["filtered"] else line["count"] - 1 - len(new)
    # The filter's counter has the messages of bad frames too.
    counted, beside = counters["duplicates"], counters["filtered"]
    if counted <= most and least <= counted + beside:
        return []
    return [f"duplicates: the hardware counted {counted}{f' beside {beside} filtered' if beside else ''}, "
            f"the files say {least}" + (f" to {most}" if most != least else "")]


def _next_expected(counters: dict[str, Any], accepted: Lines, messages: Lines) -> list[str]:
    """Replays the stream rule over the accepted frames.

    Frames that were held took effect later than they stand in the file; within a session that makes no difference,
    since nothing moves the number back.
    """
    delivered = _delivered_by_frame(messages)
    session: str | None = None
    least = most = None
    for line in accepted:
        sequence = line["sequence"]
        if least is None or most is None or line["session"] != session:
            least = most = sequence
        session = line["session"]
        new = delivered.get(line["frame"], [])
        if line["kind"] != "data":
            sure = possible = sequence
        elif line.get("flag") != "truncated":
            sure = possible = sequence + line["count"]
        else:
            sure = possible = new[-1] + 1 if new else sequence
            if counters["filtered"]:
                possible = sequence + line["count"] - 1
        # In two steps, since a packet may be so far ahead that its end is not.
        least = _further(_further(least, sequence), sure)
        most = _further(_further(most, sequence), possible)
    counted = counters["next_expected"]
    if counted is None or least is None or most is None:
        agree = counted == least
    else:
        agree = (counted - least) % SEQUENCES <= (most - least) % SEQUENCES
    if agree:
        return []
    return [f"next_expected: the hardware has {counted}, the files say {least}"]


def _further(expected: int, sequence: int) -> int:
    """The later of two sequence numbers, modulo 2^64."""
    return sequence % SEQUENCES if 0 < (sequence - expected) % SEQUENCES < SEQUENCES // 2 else expected
