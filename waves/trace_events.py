# SPDX-License-Identifier: MIT
"""Writes a run's timeline as trace events for ui.perfetto.dev and chrome://tracing, with an arrow from frame to order.

Times are microseconds of simulated time from clock 0, to the picosecond. One event a line, written as it is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.interface import LoopResult
from bridge.layout import REGISTERS, MailboxOp
from tickloop.rundir.lines import Records
from tickloop.rundir.orders import last_orders, segments_sent
from waves.kernel import Activity, Message

WIRES = (1, 2)  # tracks of lines A and B
DMA_WRITES, KERNEL, DMA_READS, TRANSMIT = 3, 4, 5, 6
TRACKS = {
    WIRES[0]: "wire A in", WIRES[1]: "wire B in", DMA_WRITES: "NIC: DMA write, RX ring", KERNEL: "kernel",
    DMA_READS: "NIC: DMA read", TRANSMIT: "wire out",
}
PROCESS = 1
FLOW = {"name": "tick to trade", "cat": "message", "pid": PROCESS}

_ADDRESSES = {address: name for name, address in REGISTERS.items()}
Event = dict[str, Any]


def _us(ps: int) -> float:
    """To the picosecond: JSON shows the shortest number that is this one."""
    return ps / 1_000_000


def write_trace(path: Path, result: LoopResult, records: Records, frame_of: list[int | None],
                activity: Activity) -> None:
    """``records``: the messages of the RX ring; ``frame_of``: the frame of each, None where it has none."""
    encode = json.JSONEncoder(check_circular=False).encode
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        separator = ""
        for event in _events(result, records, frame_of, activity):
            file.write(separator + encode(event))
            separator = ",\n"
        file.write("\n]}\n")


def _events(result: LoopResult, records: Records, frame_of: list[int | None], activity: Activity) -> Iterator[Event]:
    yield {"ph": "M", "pid": PROCESS, "name": "process_name", "args": {"name": "tickloop"}}
    for track, name in TRACKS.items():
        yield {"ph": "M", "pid": PROCESS, "tid": track, "name": "thread_name", "args": {"name": name}}
        yield {"ph": "M", "pid": PROCESS, "tid": track, "name": "thread_sort_index", "args": {"sort_index": track}}
    yield from _wires(result)
    for request in activity.requests:
        if request.end > request.start:
            name = request.op.name.lower()
            at = {"register": _ADDRESSES.get(request.address)} if request.op == MailboxOp.REGISTER_READ else {}
            yield _slice(KERNEL, f"wait: {name}", request.start, request.end, **at)
    yield from _messages(result, records, frame_of, activity.messages)


def _wires(result: LoopResult) -> Iterator[Event]:
    clock_ps = result.clock_ps
    for number, frame in enumerate(result.frames):
        yield _slice(WIRES[int(frame["line"])], f"frame {number}", int(frame["first_clock"]) * clock_ps,
                     (int(frame["last_clock"]) + 1) * clock_ps, sequence=int(frame["sequence"]),
                     messages=int(frame["count"]))
    for read in result.reads:
        issued = int(read["issued_clock"]) * clock_ps
        yield _slice(DMA_READS, "read", issued, issued + clock_ps, address=f"0x{int(read['address']):x}",
                     answered_us=_us(int(read["answered_clock"]) * clock_ps))
    for number, sent in enumerate(result.sent):
        yield _slice(TRANSMIT, f"sent {number}", sent.first_clock * clock_ps, (sent.last_clock + 1) * clock_ps,
                     bytes=len(sent.data))


def _messages(result: LoopResult, records: Records, frame_of: list[int | None],
              messages: list[Message]) -> Iterator[Event]:
    """Every message from its frame on: the line in the ring, the kernel's work, the order; and the arrows between."""
    clock_ps = result.clock_ps
    segments, last = segments_sent(result), last_orders(result)
    columns = zip(records.column("sequence").tolist(), records.column("type").tolist(), records.clock.tolist(),
                  frame_of, strict=True)
    for number, (sequence, kind, clock, frame) in enumerate(columns):
        issued = int(clock) * clock_ps
        label = f"{chr(kind) if kind else 'empty'} {sequence}"
        path = []
        if frame is not None and frame >= 0:
            path.append((WIRES[int(result.frames[frame]["line"])], int(result.frames[frame]["first_clock"]) * clock_ps))
            for phase, time in (("b", path[0][1]), ("e", issued)):
                yield {"ph": phase, "cat": "nic", "pid": PROCESS, "id": number, "name": f"in the NIC: {label}",
                       "ts": _us(time)}
        yield _slice(DMA_WRITES, label, issued, issued + clock_ps)
        path.append((DMA_WRITES, issued))
        if number < len(messages):
            message = messages[number]
            yield from _work(label, message)
            path.append((KERNEL, message.dequeue))
            if message.orders and last[number] < len(segments):
                path.append((TRANSMIT, segments[last[number]].first_clock * clock_ps))
        yield from _arrows(number, path)


def _work(label: str, message: Message) -> Iterator[Event]:
    facts: Event = {"symbol": message.symbol.rstrip()}
    if message.applied is not None:
        facts |= {"best_bid": message.bid, "best_ask": message.ask}
    if message.token is not None:
        facts["order_token"] = message.token
    yield _slice(KERNEL, label, message.dequeue, message.done, **facts)
    after_parsing = message.done if message.applied is None else message.applied
    yield _slice(KERNEL, "parsing", message.dequeue, after_parsing)
    if message.applied is not None:
        yield _slice(KERNEL, "deciding", message.applied, message.decision or message.done)
    if message.orders and message.decision is not None:
        yield _slice(KERNEL, "sending", message.decision, message.done)


def _slice(track: int, name: str, start_ps: int, end_ps: int, **facts: Any) -> Event:
    event: Event = {"ph": "X", "pid": PROCESS, "tid": track, "name": name, "ts": _us(start_ps),
                    "dur": _us(end_ps - start_ps)}
    return event | {"args": facts} if facts else event


def _arrows(number: int, path: list[tuple[int, int]]) -> Iterator[Event]:
    """One flow through the slices that begin at each point."""
    if len(path) < 2:
        return
    for step, (track, time) in enumerate(path):
        phase = "s" if step == 0 else "f" if step == len(path) - 1 else "t"
        event: Event = {"ph": phase, **FLOW, "tid": track, "id": number, "ts": _us(time)}
        yield event | {"bp": "e"} if phase == "f" else event
