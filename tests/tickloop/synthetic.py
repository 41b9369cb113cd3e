# SPDX-License-Identifier: MIT
"""A LoopResult as a faultless NIC and kernel would leave it, made from the reference model and the layout's tables.

It lets the tests of decoding, checks and files run without a simulator, and lets them break one thing at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

import numpy as np

from bridge import layout
from bridge.interface import CLOCK_PS, LoopResult, SentFrame
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import (
    Arrival,
    Blocked,
    FrameResult,
    HostEvent,
    MessageResult,
    ReceiveModel,
    in_wire_order,
)
from tb.model.receive import on_line as model_on_line
from tb.model.segments import SegmentModel
from tickloop.config import DEFAULT_NIC, NicConfig
from tickloop.inputs import LineFrame

RX_BASE = 0x0400_0000
RX_LOG2 = 6
BUFFERS = 0x0500_0000  # of a ring of descriptors
EPOCH = 0x7FFF_FFF0  # so that publish words wrap in the first lines
ORIGIN_NS = 5_000  # NIC time when the first frame arrives
FIRST_CLOCK = 1_000
FRAME_CLOCKS = 400
DMA_CLOCKS = 5
DEQUEUE_PS, APPLIED, DECISION, DOORBELL, DONE, PS = 250_000, 30, 40, 90, 120, 250


def encode_record(message: MessageResult, hw_timestamp_ns: int, index: int, epoch: int, line: str = "A",
                  ) -> list[bytes]:
    """The message's lines in the order of their slots: first line, then continuations."""
    body = layout.ITCH_BODY.get(message.type or "") if message.format == "mold" else \
        tuple(entry for entry in layout.ITCH_BODY["A"] if entry[0] in ("price", "shares"))
    raw = body is None or message.status not in ("ok", "too_long")
    fields = message.fields or {}
    lines = [bytearray(64)]
    record = lines[0]

    def put(line: int, offset: int, data: bytes) -> None:
        while len(lines) <= line:
            lines.append(bytearray(64))
        lines[line][offset:offset + len(data)] = data

    put(0, 0, message.sequence.to_bytes(8, "little"))
    put(0, 8, hw_timestamp_ns.to_bytes(6, "little"))
    put(0, 14, fields.get("stock_locate", 0).to_bytes(2, "little"))
    put(0, 16, fields.get("timestamp", 0).to_bytes(6, "little"))
    put(0, 22, fields.get("tracking_number", 0).to_bytes(2, "little"))
    put(0, 24, message.length.to_bytes(2, "little"))
    record[26] = ord(message.type) if message.type else 0
    record[27] = layout.MessageStatus[message.status.upper()] | (layout.STATUS_RAW if raw else 0) | on_line(line)
    if raw:
        put(0, 32, message.raw[:layout.RAW_FIRST_BYTES])
        for k, start in enumerate(range(layout.RAW_FIRST_BYTES, len(message.raw), layout.CONTINUATION_BYTES), 1):
            put(k, 0, message.raw[start:start + layout.CONTINUATION_BYTES])
    else:
        assert body is not None
        for name, line_number, offset, size, integer in body:
            value = fields[name]
            put(line_number, offset, value.to_bytes(size, "little") if integer else value.encode("latin-1"))
    record[28] = len(lines) - 1
    put(0, 60, publish_word(index, epoch))
    return [bytes(line) for line in lines]


def encode_event(event: HostEvent, hw_timestamp_ns: int, index: int, epoch: int) -> bytes:
    """An rx_event line."""
    line = np.zeros((), layout.RX_EVENT)
    line["sequence"], line["count"], line["gap_from"] = event.sequence, event.count, event.gap_from
    line["delivered"] = event.delivered
    line["hw_timestamp_ns"] = list(hw_timestamp_ns.to_bytes(6, "little"))
    line["status"] = layout.STATUS_EVENT | on_line(event.line)
    line["reason"] = layout.DropReason[event.reason.upper()] if event.reason else layout.DropReason.ACCEPT
    line["kind"] = layout.FrameKind[event.kind.upper()]
    line["flags"] = sum(bit << k for k, bit in enumerate(event.flags))
    line["session"] = list(event.session)
    line["publish"] = int.from_bytes(publish_word(index, epoch), "little")
    return line.tobytes()


def encode_lost(sequence: int, count: int, index: int, epoch: int) -> bytes:
    """An rx_lost line."""
    line = np.zeros((), layout.RX_LOST)
    line["sequence"], line["count"], line["status"] = sequence, count, layout.STATUS_LOST
    line["publish"] = int.from_bytes(publish_word(index, epoch), "little")
    return line.tobytes()


def on_line(line: str) -> int:
    return layout.STATUS_LINE_B if line == "B" else 0


def publish_word(index: int, epoch: int) -> bytes:
    return (layout.PUBLISH_VALID | (epoch + index) & (layout.PUBLISH_VALID - 1)).to_bytes(4, "little")


class Ring:
    """The DMA writes of an RX ring, line by line or by descriptor."""

    def __init__(self, descriptors: bool) -> None:
        self.writes: list[tuple[object, ...]] = []
        self.index = 0
        self._descriptors = descriptors

    def put(self, clock: int, lines: list[bytes]) -> None:
        """One record: its continuation lines, then its first line; descriptors are marked in the same order, as many
        at once as lie in a line of memory."""
        order = [*range(1, len(lines)), 0]
        for k in order:
            address = BUFFERS + 64 * (self._slot(k) ^ 5) if self._descriptors else RX_BASE + 64 * self._slot(k)
            self._write(clock, address, (1 << 64) - 1, lines[k])
        if self._descriptors:
            for _, together in groupby(order[:-1], key=lambda k: (self.index + k) // 4):
                self._mark(clock, list(together), len(lines) - 1)
            self._mark(clock, [0], len(lines) - 1)
        self.index += len(lines)

    def _slot(self, k: int) -> int:
        return (self.index + k) % (1 << RX_LOG2)

    def _mark(self, clock: int, lines: list[int], last: int) -> None:
        data, strobe = bytearray(64), 0
        for k in lines:
            descriptor = np.zeros((), layout.DESCRIPTOR)
            descriptor["length"] = 64
            descriptor["status"] = layout.DESCRIPTOR_DONE | (layout.DESCRIPTOR_END if k == last else 0)
            start = self._slot(k) % 4 * 16
            data[start:start + 16] = descriptor.tobytes()
            strobe |= 0xFF00 << start
        self._write(clock, RX_BASE + self._slot(lines[0]) // 4 * 64, strobe, bytes(data))

    def _write(self, clock: int, address: int, strobe: int, line: bytes) -> None:
        self.writes.append((clock, address, strobe, np.frombuffer(line, np.uint8)))


def loop_result(frames: Iterable[tuple], config: KernelConfig, closed_loop: bool = True, nic: NicConfig = DEFAULT_NIC,
                filter_writes: Sequence[tuple[int, str, int]] = (), blocked: Blocked = (),
                events: Collection[str] | None = None, lost: Sequence[tuple[int, int]] = ()) -> LoopResult:
    """What a faultless run leaves over ``frames``: (time_ns, frame) of line A, or LineFrames of both.

    ``filter_writes`` are the kernel's (ps, register, value), ``blocked`` what the filter makes of them; ``events`` are
    the event lines that reach the ring, ``lost`` the (sequence, count) of rx_lost lines at its end.
    """
    frames = [frame if isinstance(frame, LineFrame) else LineFrame("A", *frame) for frame in frames]
    receive = ReceiveModel(config.group_address, config.group_port, delivery=nic.delivery, hold_ns=nic.hold_ns,
                           packet_format=nic.packet_format, blocked=blocked)
    results = receive.run(arrivals(frames))
    enabled = {"STREAM", "BAD", "LOST"} if closed_loop else set(layout.REGISTER_FIELDS["EVENT_ENABLE"])
    data_of = [arrival.data for arrival in in_wire_order(arrivals(frames))]
    kernel, segments = KernelModel(config), SegmentModel(config)
    ring = Ring(nic.mode == "descriptors")
    frame_log, trace_log, sent = [None] * len(results), [], []
    now = 0
    for result in sorted(results, key=lambda result: result.turn):
        number = result.frame
        first = FIRST_CLOCK + number * FRAME_CLOCKS
        timestamp = ORIGIN_NS + number * FRAME_CLOCKS * CLOCK_PS // 1000
        last = first + (len(data_of[number]) + 7) // 8 - 1
        frame_log[number] = _frame_entry(result, first, last, timestamp)
        clock = now = max(now, last + DMA_CLOCKS)
        for message in result.messages:
            ring.put(clock, encode_record(message, timestamp, ring.index, EPOCH, result.line))
            if closed_loop:
                orders = kernel.message(message)
                dequeue = clock * CLOCK_PS + DEQUEUE_PS
                trace_log.append((
                    message.sequence, dequeue, dequeue + APPLIED * PS, dequeue + DECISION * PS,
                    dequeue + DOORBELL * PS * bool(orders), dequeue + DONE * PS, APPLIED, DECISION,
                    DOORBELL if orders else 0, DONE, 0, 0, 0, 0, len(orders), 0,
                ))
                for order in orders:
                    at = (dequeue + DOORBELL * PS) // CLOCK_PS + 40
                    sent.append(SentFrame(at, at + 14, segments.segment(order.message)))
        event = result.event(enabled if events is None else events)
        if event is not None:
            ring.put(clock, [encode_event(event, timestamp, ring.index, EPOCH)])
            kernel.event(event)
    for sequence, count in lost:
        ring.put(now, [encode_lost(sequence, count, ring.index, EPOCH)])
    control = {"VERIFIED": nic.delivery == "verified", "PROTOTYPE": nic.packet_format == "prototype",
               "RX_DESCRIPTOR": nic.mode == "descriptors", "TX_DESCRIPTOR": nic.mode == "descriptors",
               "FILTER_ENABLE": closed_loop and nic.filter and not config.subscribe_all}
    registers = _registers(receive.counters) | {
        "CONTROL": sum(layout.REGISTER_FIELDS["CONTROL"][name] for name, on in control.items() if on),
        "EVENT_ENABLE": sum(layout.REGISTER_FIELDS["EVENT_ENABLE"][name] for name in enabled),
        "HOLD": nic.hold_ns, "TX_ORDERS": len(sent),
    }
    guest_log = [(time_ps, 0, time_ps, layout.MailboxOp.REGISTER_WRITE, layout.REGISTERS[name], value, 0, 0, 0)
                 for time_ps, name, value in filter_writes]
    return LoopResult(
        frames=_log(frame_log, layout.FRAME_LOG), dma=_log(ring.writes, layout.DMA_LOG), sent=sent,
        reads=_log([], layout.READ_LOG), register_accesses=_log([], layout.REGISTER_LOG),
        guest=_log(guest_log, layout.GUEST_LOG), trace=_log(trace_log, layout.TRACE_LOG), registers=registers,
        export=export_bytes(kernel) if closed_loop else b"",
        clocks=FIRST_CLOCK + len(frame_log) * FRAME_CLOCKS,
        clocks_skipped=0, wall={"setup_s": 0.1, "boot_s": 0.1, "loop_s": 0.1}, rx_base=RX_BASE, rx_log2=RX_LOG2,
        epoch=EPOCH,
    )


def arrivals(frames: Iterable[LineFrame]) -> list[Arrival]:
    return [arrival for line in ("A", "B") for arrival in model_on_line(
        line, ((frame.time_ns, frame.data, frame.bad_fcs) for frame in frames if frame.line == line))]


def _log(entries: list[tuple[object, ...]], dtype: np.dtype) -> np.ndarray:
    array = np.zeros(len(entries), dtype)
    for row, entry in zip(array, entries, strict=True):
        for name, value in zip(dtype.names or (), entry, strict=True):
            row[name] = value
    return array


def _frame_entry(result: FrameResult, first: int, last: int, timestamp: int) -> tuple[object, ...]:
    flags = sum(bit << k for k, bit in enumerate(result.flags))
    accepted = result.disposition == "accept"
    session = (result.session if accepted and result.session else "").encode("latin-1").ljust(10, b"\0")
    return (
        first, last, (result.sequence or 0) if accepted else 0, result.gap_from or 0, timestamp,
        np.frombuffer(session, np.uint8),
        (result.count or 0) if accepted else 0,
        layout.DropReason[result.reason.upper()] if result.reason else 0,
        layout.FrameKind[result.kind.upper()] if accepted and result.kind else 0, flags if accepted else 0,
        int(result.line == "B"), 0,
    )


def _registers(counters: dict) -> dict[str, int]:
    registers = dict.fromkeys(layout.REGISTERS, 0)
    registers |= {"FRAMES": counters["frames"], "ACCEPTED": counters["accepted"], "DUPLICATES": counters["duplicates"],
                  "GAPS": counters["gaps"], "MESSAGES_BAD": counters["bad_messages"],
                  "FILTERED": counters["filtered"]}
    registers |= {name.upper(): counters[name] for name in ("frames_b", "accepted_b", "messages_b")}
    registers |= {f"DROPPED_{reason.upper()}": count for reason, count in counters["dropped"].items()}
    registers |= {f"MESSAGES_{status.upper()}": count for status, count in counters["messages"].items()}
    if counters["next_expected"] is not None:
        registers |= {"STREAM_STATUS": 1, "NEXT_EXPECTED_LO": counters["next_expected"] & 0xFFFFFFFF,
                      "NEXT_EXPECTED_HI": counters["next_expected"] >> 32}
    return registers


def export_bytes(kernel: KernelModel) -> bytes:
    """The kernel's export as records.toml lays it out."""
    books = b""
    for book, position in zip(kernel.books.levels(), kernel.positions(), strict=True):
        entry = np.zeros((), layout.EXPORT_BOOK)
        entry["stock_locate"] = book["stock_locate"]
        entry["bids"], entry["asks"] = len(book["bids"]), len(book["asks"])
        entry["stock"] = list(book["stock"].encode("latin-1"))
        for name in ("flags", "open_orders", "mark", "position", "cash", "bought", "sold"):
            entry[name] = position[name]
        levels = np.zeros(len(book["bids"]) + len(book["asks"]), layout.EXPORT_LEVEL)
        for level, (price, shares, orders) in zip(levels, [*book["bids"], *book["asks"]], strict=True):
            level["price"], level["shares"], level["orders"] = price, shares, orders
        books += entry.tobytes() + levels.tobytes()
    header = np.zeros((), layout.EXPORT_HEADER)
    header["magic"], header["version"] = layout.EXPORT_MAGIC, layout.LAYOUT_VERSION
    header["book_count"] = len(kernel.books.levels())
    header["bytes"] = layout.EXPORT_HEADER.itemsize + len(books)
    for name, value in kernel.statistics.items():
        header[name] = value
    return header.tobytes() + books
