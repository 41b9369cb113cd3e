# SPDX-License-Identifier: MIT
"""A LoopResult as a faultless NIC and kernel would leave it, made from the reference model and the layout's tables.

It lets the tests of decoding, checks and files run without a simulator, and lets them break one thing at a time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bridge import layout
from bridge.interface import CLOCK_PS, LoopResult, SentFrame
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import FrameResult, MessageResult, ReceiveModel
from tb.model.segments import SegmentModel

RX_BASE = 0x0400_0000
RX_LOG2 = 6
EPOCH = 0x7FFF_FFF0  # so that publish words wrap in the first lines
ORIGIN_NS = 5_000  # NIC time when the first frame arrives
FIRST_CLOCK = 1_000
FRAME_CLOCKS = 400
DMA_CLOCKS = 5
DEQUEUE_PS, DECISION, DOORBELL, DONE, PS = 250_000, 40, 90, 120, 250


def encode_record(message: MessageResult, hw_timestamp_ns: int, index: int, epoch: int) -> list[bytes]:
    """The message's lines in the order of their slots: first line, then continuations."""
    body = layout.ITCH_BODY.get(message.type or "")
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
    record[27] = layout.MessageStatus[message.status.upper()] | (layout.STATUS_RAW if raw else 0)
    if raw:
        put(0, 32, message.raw[:layout.RAW_FIRST_BYTES])
        for k, start in enumerate(range(layout.RAW_FIRST_BYTES, len(message.raw), layout.CONTINUATION_BYTES), 1):
            put(k, 0, message.raw[start:start + layout.CONTINUATION_BYTES])
    else:
        assert body is not None
        for name, line, offset, size, integer in body:
            value = fields[name]
            put(line, offset, value.to_bytes(size, "little") if integer else value.encode("latin-1"))
    record[28] = len(lines) - 1
    put(0, 60, (layout.PUBLISH_VALID | (epoch + index) & (layout.PUBLISH_VALID - 1)).to_bytes(4, "little"))
    return [bytes(line) for line in lines]


def loop_result(frames: Iterable[tuple[int, bytes]], config: KernelConfig, closed_loop: bool = True) -> LoopResult:
    """What a faultless run over ``frames`` leaves."""
    receive = ReceiveModel(config.group_address, config.group_port)
    kernel, segments = KernelModel(config), SegmentModel(config)
    frame_log, dma_log, trace_log, sent = [], [], [], []
    index = 0
    for number, (_, data) in enumerate(frames):
        first = FIRST_CLOCK + number * FRAME_CLOCKS
        timestamp = ORIGIN_NS + number * FRAME_CLOCKS * CLOCK_PS // 1000
        last = first + (len(data) + 7) // 8 - 1
        result = receive.frame(data)
        frame_log.append(_frame_entry(result, first, last, timestamp))
        for message in result.messages:
            lines = encode_record(message, timestamp, index, EPOCH)
            clock = last + DMA_CLOCKS
            for k in [*range(1, len(lines)), 0]:
                dma_log.append((clock, RX_BASE + (index + k) % (1 << RX_LOG2) * 64, np.frombuffer(lines[k], np.uint8)))
            index += len(lines)
            if closed_loop:
                order = kernel.message(message)
                dequeue = clock * CLOCK_PS + DEQUEUE_PS
                trace_log.append((
                    message.sequence, dequeue, dequeue + DECISION * PS, dequeue + DOORBELL * PS * bool(order),
                    dequeue + DONE * PS, DECISION, DOORBELL if order else 0, DONE, 0, 0, int(order is not None), 0,
                ))
                if order:
                    at = (dequeue + DOORBELL * PS) // CLOCK_PS + 40
                    sent.append(SentFrame(at, at + 14, segments.segment(order.message)))
    return LoopResult(
        frames=_log(frame_log, layout.FRAME_LOG), dma=_log(dma_log, layout.DMA_LOG), sent=sent,
        guest=_log([], layout.GUEST_LOG), trace=_log(trace_log, layout.TRACE_LOG),
        registers=_registers(receive.counters),
        export=export_bytes(kernel) if closed_loop else b"", clocks=FIRST_CLOCK + len(frame_log) * FRAME_CLOCKS,
        clocks_skipped=0, wall={"setup_s": 0.1, "boot_s": 0.1, "loop_s": 0.1}, rx_base=RX_BASE, rx_log2=RX_LOG2,
        epoch=EPOCH,
    )


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
        layout.FrameKind[result.kind.upper()] if accepted and result.kind else 0, flags if accepted else 0, 0,
    )


def _registers(counters: dict) -> dict[str, int]:
    registers = dict.fromkeys(layout.REGISTERS, 0)
    registers |= {"FRAMES": counters["frames"], "ACCEPTED": counters["accepted"], "DUPLICATES": counters["duplicates"],
                  "GAPS": counters["gaps"], "MESSAGES_BAD": counters["bad_messages"]}
    registers |= {f"DROPPED_{reason.upper()}": count for reason, count in counters["dropped"].items()}
    registers |= {f"MESSAGES_{status.upper()}": count for status, count in counters["messages"].items()}
    if counters["next_expected"] is not None:
        registers |= {"STREAM_STATUS": 1, "NEXT_EXPECTED_LO": counters["next_expected"] & 0xFFFFFFFF,
                      "NEXT_EXPECTED_HI": counters["next_expected"] >> 32}
    return registers


def export_bytes(kernel: KernelModel) -> bytes:
    """The kernel's export as records.toml lays it out."""
    books = b""
    for book in kernel.books.levels():
        entry = np.zeros((), layout.EXPORT_BOOK)
        entry["stock_locate"] = book["stock_locate"]
        entry["bids"], entry["asks"] = len(book["bids"]), len(book["asks"])
        entry["stock"] = list(book["stock"].encode("latin-1"))
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
