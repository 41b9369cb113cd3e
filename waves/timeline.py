# SPDX-License-Identifier: MIT
"""Puts what the kernel did into a dump of the RTL: a scope ``kernel`` on the same time axis.

The kernel's times are known only after the run, so the simulator's dump is copied once, in pieces of constant size,
with the kernel's changes where they belong. Clock 0 of the testbench, from which the kernel's times count, is where its
``clock`` becomes 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bridge.layout import MailboxOp
from waves.dump import PIECE_BYTES, Definitions, DumpError, read_definitions
from waves.kernel import Activity, State
from waves.save_file import KERNEL

CLOCK = "testbench.clock"  # of the edge that is being computed

_TIME = re.compile(rb"^#(\d+)\n", re.M)


class Variable(NamedTuple):
    """A variable of the scope; ``width`` in bits."""

    name: str
    width: int


VARIABLES = {variable.name: variable for variable in (
    Variable("state", 3), Variable("request", 4), Variable("sequence", 64), Variable("message_type", 8),
    Variable("symbol", 64), Variable("target", 64), Variable("best_bid", 32), Variable("best_ask", 32),
    Variable("order_token", 112), Variable("orders_sent", 32), Variable("rx_occupancy", 32),
)}
Value = int | str  # text is padded with blanks
Change = tuple[int, str, Value]  # ps from clock 0, variable, value


def changes(activity: Activity, target: int | None) -> list[Change]:
    """Every change of the scope's variables in time order; ``target`` is the stock locate whose book is shown."""
    found: list[Change] = [(0, name, 0) for name in ("request", "orders_sent", "rx_occupancy", "best_bid", "best_ask")]
    found.append((0, "state", State.STARTING))
    found += [(0, "target", message.symbol) for message in activity.messages if message.stock_locate == target][:1]
    polls = [request.start for request in activity.requests if request.op == MailboxOp.POLL]
    exports = [request.start for request in activity.requests if request.op == MailboxOp.EXPORT]
    found += [(time, "state", State.POLLING) for time in polls[:1]]
    found += [(time, "state", State.STOPPING) for time in exports[:1]]
    for request in activity.requests:
        found += [(request.start, "request", request.op), (request.end, "request", 0)]
    orders = 0
    for message in activity.messages:
        found += [
            (message.dequeue, "state", State.PARSING), (message.dequeue, "sequence", message.sequence),
            (message.dequeue, "message_type", message.type), (message.dequeue, "symbol", message.symbol),
        ]
        if message.applied is not None:
            found.append((message.applied, "state", State.DECIDING))
            if message.stock_locate == target:
                found += [(message.applied, "best_bid", message.bid), (message.applied, "best_ask", message.ask)]
        if message.decision is not None:
            found.append((message.decision, "state", State.SENDING if message.orders else State.POLLING))
        if message.doorbell is not None:
            orders += message.orders
            found += [(message.doorbell, "orders_sent", orders), (message.doorbell, "order_token", message.token or "")]
        found.append((message.done, "state", State.POLLING))
    found += [(time, "rx_occupancy", level) for time, level in activity.occupancy]
    found.sort(key=lambda change: change[0])
    return found


def origin_ps(dump: BinaryIO, definitions: Definitions, end: int) -> int:
    """The dump's time of clock 0; ``end`` is where its definitions end.

    Raises:
        DumpError: the dump is none of the testbench, or its clock never started.
    """
    if CLOCK not in definitions:
        raise DumpError(f"{CLOCK} is not in the dump")
    first = re.compile(rb"^b0*1 " + re.escape(definitions[CLOCK].code) + rb"\n", re.M)
    dump.seek(end)
    now = 0
    for piece in _pieces(dump):
        found = first.search(piece)
        for mark in _TIME.finditer(piece, 0, found.start() if found else len(piece)):
            now = int(mark.group(1))
        if found:
            return now
    raise DumpError("the testbench's clock never started")


def merge(source: Path, target: Path, kernel: list[Change] | None,
          progress: Callable[[int, int], None] | None = None) -> tuple[Definitions, int]:
    """Copies the dump ``source`` to ``target``, with the scope unless ``kernel`` is None; returns the definitions of
    ``target``, and its time of clock 0.

    Raises:
        DumpError: the dump is none of the testbench.
    """
    total = source.stat().st_size
    with source.open("rb") as dump, target.open("wb") as out:
        definitions, end = read_definitions(dump)
        origin = origin_ps(dump, definitions, end)
        longest = max(len(variable.code) for variable in definitions.values())
        codes = {name: b"~" * longest + bytes([33 + number]) for number, name in enumerate(VARIABLES)}
        dump.seek(0)
        out.write(dump.read(end))
        if kernel is not None:
            out.write(_definitions(codes))
        pending = ((origin + time, _change(VARIABLES[name], value, codes[name])) for time, name, value in kernel or ())
        for piece in _insert(_pieces(dump), pending):
            out.write(piece)
            if progress:
                progress(dump.tell() >> 20, total >> 20)
    with target.open("rb") as merged:
        return read_definitions(merged)[0], origin


def _definitions(codes: dict[str, bytes]) -> bytes:
    variables = [f"$var wire {width} ".encode() + codes[name] + f" {name} [{width - 1}:0] $end\n".encode()
                 for name, width in VARIABLES.values()]
    return b"".join([f"$scope module {KERNEL} $end\n".encode(), *variables, b"$upscope $end\n"])


def _change(variable: Variable, value: Value, code: bytes) -> bytes:
    if isinstance(value, str):
        value = int.from_bytes(value.ljust(variable.width // 8).encode("latin-1"), "big")
    return b"b" + f"{value:b}".encode() + b" " + code + b"\n"


def _pieces(dump: BinaryIO) -> Iterator[bytes]:
    """The rest of the dump in pieces that end before a time stamp."""
    rest = b""
    while piece := dump.read(PIECE_BYTES):
        rest += piece
        cut = rest.rfind(b"\n#") + 1
        yield rest[:cut]
        rest = rest[cut:]
    yield rest


def _insert(pieces: Iterator[bytes], pending: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """The pieces with each change under its time stamp, one of its own where the dump has none."""
    time, change = next(pending, (None, b""))
    stamped = -1
    for piece in pieces:
        at = 0
        for mark in _TIME.finditer(piece):
            now = int(mark.group(1))
            if time is not None and time < now:
                yield piece[at:mark.start()]
                at = mark.start()
                while time is not None and time < now:
                    yield change if time == stamped else b"#%d\n" % time + change
                    stamped = time
                    time, change = next(pending, (None, b""))
            stamped = now
            if time == now:
                yield piece[at:mark.end()]
                at = mark.end()
                while time == now:
                    yield change
                    time, change = next(pending, (None, b""))
        yield piece[at:]
    while time is not None:
        yield change if time == stamped else b"#%d\n" % time + change
        stamped = time
        time, change = next(pending, (None, b""))
