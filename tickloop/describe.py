# SPDX-License-Identifier: MIT
"""An entry of a log in words: registers by name, records by sequence number and type, orders by their fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from bridge import layout
from bridge.interface import SentFrame, TraceNote
from generators.tables import OUCH42_INBOUND, WireError, decode
from tickloop.rundir.orders import is_segment, ouch_message

WHOLE_LINE = (1 << layout.LINE_BYTES) - 1
REGISTER_NAMES = {address: name for name, address in layout.REGISTERS.items()}


def _name(enum: Any, value: int) -> str:
    return enum(value).name.lower() if value in set(enum) else str(value)


def register(address: int) -> str:
    """A register's name."""
    return REGISTER_NAMES.get(address, f"0x{address:03x}")


def order(message: bytes) -> str:
    """An OUCH message's fields."""
    try:
        fields = decode(message, OUCH42_INBOUND)
    except WireError as error:
        return f"no OUCH message ({error})"
    return ", ".join(f"{name} {value.strip() if isinstance(value, str) else value}" for name, value in fields.items())


def written_line(data: bytes, strobe: int) -> str:
    """What a line means that the NIC writes."""
    if strobe != WHOLE_LINE:
        first = (strobe & -strobe).bit_length() - 1
        return f"bytes {first} to {strobe.bit_length() - 1}: {data[first:strobe.bit_length()].hex()}"
    record = np.frombuffer(data, layout.RX_RECORD)[0]
    if not int(record["publish"]) & layout.PUBLISH_VALID:
        return f"a line that publishes nothing: {data[:16].hex()}..."
    sequence, status = int(record["sequence"]), int(record["status"])
    if status == layout.STATUS_FRAME:
        return f"raw frame of {int(np.frombuffer(data, layout.RAW_FRAME)[0]['length'])} bytes"
    if status == layout.STATUS_LOST:
        return f"{int(np.frombuffer(data, layout.RX_LOST)[0]['count'])} messages lost from sequence {sequence} on"
    if status & (layout.STATUS_RAW | layout.STATUS_EVENT) == layout.STATUS_EVENT:
        reason = int(np.frombuffer(data, layout.RX_EVENT)[0]["reason"])
        return f"event of the packet with sequence {sequence}, {_name(layout.DropReason, reason)}"
    kind = chr(int(record["type"])) if record["type"] else "zero-length"
    line = "B" if status & layout.STATUS_LINE_B else "A"
    return f"message {sequence}, type {kind}, locate {int(record['stock_locate'])}, line {line}"


def read_line(data: bytes) -> str:
    """What a line means that the NIC reads."""
    slot = np.frombuffer(data, layout.TX_SLOT)[0]
    length = int(slot["length"])
    if int(slot["publish"]) & layout.PUBLISH_VALID and int(slot["kind"]) == layout.TxKind.ORDER:
        return f"order: {order(data[: min(length, 56)])}"
    if int(slot["publish"]) & layout.PUBLISH_VALID and int(slot["kind"]) == layout.TxKind.FRAME:
        return f"a frame of {length} bytes to send"
    return f"{data[:16].hex()}..."


def frame(entry: Any) -> str:
    """A received frame as the NIC reported it."""
    line, reason = "AB"[int(entry["line"]) & 1], _name(layout.DropReason, int(entry["reason"]))
    stream = f"sequence {int(entry['sequence'])} count {int(entry['count'])}"
    clocks = f"clocks {int(entry['first_clock'])} to {int(entry['last_clock'])}"
    return f"frame on line {line}, {reason}, {_name(layout.FrameKind, int(entry['kind']))} {stream}, {clocks}"


def decoded(entry: Any) -> str:
    """A message on its way to the RX ring."""
    return f"message {int(entry['sequence'])} leaves the filter at clock {int(entry['clock'])}"


def dma(entry: Any) -> str:
    """A line that the NIC wrote."""
    what = written_line(entry["data"].tobytes(), int(entry["strobe"]))
    return f"DMA write to 0x{int(entry['address']):x} at clock {int(entry['clock'])}: {what}"


def read(entry: Any) -> str:
    """A line that the NIC read."""
    issued, answered = int(entry["issued_clock"]), int(entry["answered_clock"])
    what = read_line(entry["data"].tobytes())
    return f"DMA read of 0x{int(entry['address']):x}, clocks {issued} to {answered}: {what}"


def access(entry: Any) -> str:
    """A register access on AXI4-Lite."""
    what = f"{register(int(entry['address']))} {'=' if entry['write'] else 'reads'} 0x{int(entry['value']):x}"
    refused = f", response {int(entry['response'])}" if entry["response"] else ""
    return f"register {what}, clocks {int(entry['started_clock'])} to {int(entry['done_clock'])}{refused}"


def request(entry: Any) -> str:
    """A request of the kernel."""
    op, value = int(entry["op"]), int(entry["value"])
    requests: dict[int, str] = {
        layout.MailboxOp.REGISTER_WRITE: f"writes {register(int(entry['address']))} = 0x{value:x}",
        layout.MailboxOp.REGISTER_READ: f"reads {register(int(entry['address']))}: 0x{int(entry['answer']):x}",
        layout.MailboxOp.POLL: f"polls after {value} records",
        layout.MailboxOp.EXIT: f"ends with status {value}",
    }
    what = requests.get(op, f"makes request {_name(layout.MailboxOp, op)}")
    status = _name(layout.AcknowledgeStatus, int(entry["status"]))
    return (f"kernel {what} after {int(entry['work'])} instructions, goes on at {int(entry['answered_ps']) / 1000} ns"
            + (f" ({status})" if status != "ok" else ""))


def processed(entry: Any) -> str:
    """A record that the kernel finished."""
    kind = chr(int(entry["type"])) if entry["type"] else "zero-length"
    return (f"kernel takes message {int(entry['sequence'])}, type {kind}, locate {int(entry['stock_locate'])}: "
            f"{int(entry['done_work'])} instructions, {int(entry['orders'])} orders, "
            f"done at {int(entry['done_ps']) / 1000} ns")


def _text(value: int) -> str:
    """Of a note, eight characters of a command."""
    return value.to_bytes(8, "little").rstrip(b"\0").decode("latin-1")


def noted(entry: TraceNote) -> str:
    """Something that the kernel did beside records."""
    what = {
        layout.TraceKind.ANSWERS: f"has applied {entry.value} answers of the exchange",
        layout.TraceKind.COMMAND: f"has taken {entry.value} host commands",
        layout.TraceKind.LINK: f"order entry is {_name(layout.LinkState, entry.value)}",
        layout.TraceKind.CONSOLE: f"takes a typed command: {_text(entry.value)}",
        layout.TraceKind.CANCELS: f"sends {entry.value} cancels on command",
    }.get(layout.TraceKind(entry.kind), f"{_name(layout.TraceKind, entry.kind)} {entry.value}")
    return f"kernel {what} after {entry.records} records, at {entry.time_ps / 1000} ns"


def sent(entry: SentFrame) -> str:
    """A frame that left the NIC."""
    what = f"frame of {len(entry.data)} bytes"
    if is_segment(entry.data):
        try:
            what = f"order: {order(ouch_message(entry.data))}"
        except WireError as error:
            what = f"TCP segment, {error}"
    return f"sent in clocks {entry.first_clock} to {entry.last_clock}: {what}"
