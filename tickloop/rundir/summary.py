# SPDX-License-Identifier: MIT
"""summary.json: the counters as the hardware counted them, and whether they equal what the other files say."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bridge.layout import DropReason, MessageStatus

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
        "gaps": registers["GAPS"],
        "next_expected": expected if registers["STREAM_STATUS"] & 1 else None,
        "ring_full_dropped": registers["RX_RING_FULL_DROPPED"],
        "too_large_dropped": registers["RX_TOO_LARGE_DROPPED"],
    }


def disagreements(counters: dict[str, Any], frames: list[dict[str, Any]], messages: list[dict[str, Any]],
                  events: list[dict[str, Any]]) -> list[str]:
    """What the counters and the files say differently; empty when they agree.

    Duplicates of a truncated packet of which nothing was new are in no file, so they only bound that counter.
    """
    dropped = Counter(line["reason"] for line in frames if line["disposition"] == "drop")
    delivered = Counter(line["status"] for line in messages if line["verdict"] == "good")
    said = {
        "frames": len(frames),
        "accepted": sum(line["disposition"] == "accept" for line in frames),
        "dropped": {reason: dropped[reason] for reason in counters["dropped"]},
        "messages": {status: delivered[status] for status in counters["messages"]},
        "bad_messages": sum(line["verdict"] == "bad" for line in messages),
        "gaps": sum(event["event"] == "gap" for event in events),
        "next_expected": _next_expected(frames, messages),
        "ring_full_dropped": 0,
        "too_large_dropped": 0,
    }
    found = [f"{name}: the hardware counted {counters[name]}, the files say {value}"
             for name, value in said.items() if counters[name] != value]
    least, most = _duplicates(frames, messages)
    if not least <= counters["duplicates"] <= most:
        found.append(f"duplicates: the hardware counted {counters['duplicates']}, the files say {least}"
                     + (f" to {most}" if most != least else ""))
    return found


def _delivered_by_frame(messages: list[dict[str, Any]]) -> dict[int, list[int]]:
    """Frame -> sequence numbers delivered from it."""
    delivered: dict[int, list[int]] = {}
    for line in messages:
        delivered.setdefault(line["frame"], []).append(line["sequence"])
    return delivered


def _duplicates(frames: list[dict[str, Any]], messages: list[dict[str, Any]]) -> tuple[int, int]:
    delivered = _delivered_by_frame(messages)
    least = most = 0
    for line in frames:
        if line["disposition"] != "accept" or line["kind"] != "data":
            continue
        new = delivered.get(line["frame"], [])
        if line.get("flag") != "truncated":
            old = line["count"] - len(new)
            least, most = least + old, most + old
        elif new:
            old = (new[-1] - line["sequence"]) % (1 << 64) + 1 - len(new)
            least, most = least + old, most + old
        else:
            most += line["count"] - 1
    return least, most


def _next_expected(frames: list[dict[str, Any]], messages: list[dict[str, Any]]) -> int | None:
    """Replays the stream rule over the accepted frames."""
    delivered = _delivered_by_frame(messages)
    session: str | None = None
    expected: int | None = None
    for line in frames:
        if line["disposition"] != "accept":
            continue
        sequence = line["sequence"]
        if expected is None or line["session"] != session or 0 < (sequence - expected) % (1 << 64) < 1 << 63:
            expected = sequence
        session = line["session"]
        if new := delivered.get(line["frame"]):
            expected = (new[-1] + 1) % (1 << 64)
    return expected
