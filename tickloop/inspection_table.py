# SPDX-License-Identifier: MIT
"""What ``tickloop inspect`` found, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generators.tables import ITCH50
from tickloop.inspection import Inspection

BAR = 40
PACKETS = {"data": "with data", "heartbeat": "heartbeats", "end_of_session": "ends of a session",
           "truncated": "truncated", "extra_data": "with extra data"}
MOST_GAPS = 10
PACKING_STEPS = (1, 2, 4, 8, 16, 32, 64)


def duration(time_ns: float) -> str:
    """In the largest unit that leaves a figure in front of the point."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if time_ns >= size:
            return f"{time_ns / size:,.6g} {unit}"
    return f"{time_ns:,.0f} ns"


def inspection_text(found: Inspection) -> str:
    """All tables, one after the other."""
    document = found.document()
    sections = [list(_rows(found, document)), list(_sessions(document)), list(_gaps(document)), list(_types(document)),
                list(_packing(document)), list(_rates(document))]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _rows(found: Inspection, document: dict[str, Any]) -> Iterator[str]:
    rows = [
        ("capture", f"{found.source} ({', '.join(found.kinds)})"),
        ("group", str(found.group)),
        ("frames", f"{document['frames']:,}, {document['frame_bytes']:,} bytes, in "
                   f"{duration(document['duration_ns'])}"),
        ("accepted", _accepted(document)),
        ("bad or foreign", _listed(document["dropped"])),
    ]
    if document["other_groups"]:
        rows.append(("other groups", ", ".join(f"{each['group']} {each['frames']:,}"
                                               for each in document["other_groups"])))
    messages = f"{document['messages']:,}, {document['message_bytes']:,} bytes"
    odd = {status: count for status, count in document["messages_by_status"].items() if status != "ok"}
    if any(odd.values()):
        messages += f" ({_listed(odd)})"
    rows += [
        ("messages", messages),
        ("duplicates", f"{document['duplicates']:,} messages"),
        ("gaps", f"{document['gaps']:,}, {document['missing']:,} messages missing"),
    ]
    if document["messages_per_s"] is not None:
        rows.append(("rate", f"{document['messages_per_s']:,} messages/s"))
    rows.append(("most messages", ", ".join(f"{peak['messages']:,} in {duration(peak['window_ns'])}"
                                            for peak in document["peaks"])))
    for line, alone in document["lines"].items():
        bad = alone["frames"] - alone["accepted"]
        rows.append((f"line {line} alone", f"{alone['frames']:,} frames, {bad:,} bad or foreign, "
                     f"{alone['missing']:,} messages missing in {alone['gaps']:,} gaps; first with "
                     f"{alone['first_copies']:,} messages"))
    width = max(len(name) for name, _ in rows)
    yield from (f"  {name:<{width}}  {value}" for name, value in rows)


def _accepted(document: dict[str, Any]) -> str:
    packets = document["packets"]
    parts = [f"{packets[kind]:,} {name}" for kind, name in PACKETS.items() if packets.get(kind)]
    return f"{document['accepted']:,}" + (f" ({', '.join(parts)})" if parts else "")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


def _sessions(document: dict[str, Any]) -> Iterator[str]:
    if document["sessions"]:
        yield (f"  {'session':<10}  {'from':>12}  {'next':>12}  {'messages':>12}  {'missing':>10}  {'duplicates':>10}  "
               "ended")
    for each in document["sessions"]:
        yield (f"  {printable(each['session']):<10}  {each['first_sequence']:>12}  {each['next_expected']:>12}  "
               f"{each['messages']:>12,}  {each['missing']:>10,}  {each['duplicates']:>10,}  "
               f"{'yes' if each['ended'] else 'no'}")


def printable(text: str) -> str:
    """Text of a capture may hold anything; a terminal must not be given that."""
    return "".join(character if " " <= character <= "~" else f"\\x{ord(character):02x}" for character in text)


def _gaps(document: dict[str, Any]) -> Iterator[str]:
    gaps = document["gap_list"]
    if gaps:
        yield f"  {'gap at':>14}  missing"
    for gap in gaps[:MOST_GAPS]:
        yield f"  {duration(gap['time_ns']):>14}  {gap['from']} to {(gap['to'] - 1) % (1 << 64)}"
    if len(gaps) > MOST_GAPS:
        yield f"  {len(gaps) - MOST_GAPS:,} more gaps (all of them: --json)"


def _types(document: dict[str, Any]) -> Iterator[str]:
    types = document["messages_by_type"]
    total = sum(types.values())
    if types:
        yield f"  {'type':<46}  {'messages':>12}  {'share':>7}"
    for kind, count in sorted(types.items(), key=lambda entry: (-entry[1], entry[0])):
        known = ITCH50.get(kind) if document["format"] == "mold" else None
        name = f"{printable(kind)}  {known.name if known else 'unknown' if document['format'] == 'mold' else ''}"
        bar = _bar(count, max(types.values()))
        yield f"  {name:<46.46}  {count:>12,}  {100 * count / total:>6.2f}%  {bar}".rstrip()


def _packing(document: dict[str, Any]) -> Iterator[str]:
    packing = {int(count): packets for count, packets in document["messages_a_packet"].items()}
    if not packing:
        return
    packets = sum(packing.values())
    mean = sum(count * number for count, number in packing.items()) / packets
    yield f"  {'messages a packet':<20}  {'packets':>12}  (mean {mean:.2f}, most {max(packing)})"
    ranges: dict[str, int] = {}
    for count, number in packing.items():
        ranges[_range(count)] = ranges.get(_range(count), 0) + number
    for name, number in ranges.items():
        yield f"  {name:<20}  {number:>12,}  {_bar(number, max(ranges.values()))}".rstrip()


def _range(count: int) -> str:
    low = 0
    for high in PACKING_STEPS:
        if count <= high:
            return str(high) if high - low <= 1 else f"{low + 1} to {high}"
        low = high
    return f"more than {low}"


def _rates(document: dict[str, Any]) -> Iterator[str]:
    rates = document["rates"]
    width = rates["window_ns"]
    yield f"  {'from':>14}  {'frames':>10}  {'messages':>12}  {'messages/s':>14}  (each {duration(width)})"
    most = max(window["messages"] for window in rates["windows"])
    for window in rates["windows"]:
        rate = 1e9 * window["messages"] / width
        counts = f"{window['frames']:>10,}  {window['messages']:>12,}"
        bar = _bar(window["messages"], most)
        yield f"  {duration(window['from_ns']):>14}  {counts}  {rate:>14,.0f}  {bar}".rstrip()


def _bar(value: int, most: int) -> str:
    return "#" * round(BAR * value / most) if most else ""
