# SPDX-License-Identifier: MIT
"""The way of a message that caused an order, from the first byte of its frame to the first byte of the order's frame,
cut into consecutive stages: each begins where the one before it ends, to the picosecond, so they add up.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bridge.interface import LoopResult, SentFrame
from bridge.layout import READ_LOG, STIMULUS_FRAME, STIMULUS_LINE_B, TX_SLOT, TxKind
from generators.framing import ETHERTYPE_SERVICE_VLAN, ETHERTYPE_VLAN
from generators.tables import WireError
from tickloop.rundir.orders import PACKETS_OF_THE_SESSION, ouch_message

Integers = npt.NDArray[np.int64]

# From each boundary to the next one: the stages in their order.
STAGES = (
    "wire_first_byte_to_last_byte", "last_byte_to_record_valid", "record_valid_to_dma_issue", "dma_issue_to_visible",
    "visible_to_dequeue", "dequeue_to_decision", "decision_to_doorbell", "doorbell_to_tx_fetch", "tx_fetch_to_wire",
)
# Both ends lie on clock edges; the kernel's boundaries do not.
BETWEEN_CLOCKS = {*STAGES[:4], "tx_fetch_to_wire"}
OF_THE_SESSION = [ord(kind) for kind in PACKETS_OF_THE_SESSION]
ETHERNET_BYTES, UDP_BYTES, SESSION_BYTES, MOLD_BYTES, LENGTH_BYTES = 14, 8, 10, 20, 2
BEAT_BYTES = 8


class TickToTradeError(Exception):
    """The logs contradict each other."""


def boundaries(result: LoopResult, rows: Integers, frame: Integers, sequence: npt.NDArray[np.uint64],
               issued: Integers, segments: list[SentFrame], order: Integers) -> list[Integers]:
    """Simulated times in ps of the ten boundaries of ``STAGES``, an array each with an entry for each of ``rows``.

    ``rows`` are the records that caused an order; ``frame``, ``sequence`` and ``issued`` (clock of the DMA write) are
    of every record; ``segments`` are the frames of all orders, ``order`` says which is that of each row.

    Raises:
        TickToTradeError: a boundary is missing, or lies before the one before it.
    """
    clock, trace = result.clock_ps, result.trace[rows]
    first = result.frames["first_clock"].astype(np.int64)[frame[rows]]
    times = [
        first * clock,
        (first + _last_beats(result, frame[rows], sequence[rows])) * clock,
        _valid_clocks(result, sequence, issued)[rows] * clock,
        issued[rows] * clock,
        (issued[rows] + result.posted_write_clocks) * clock,
        *(trace[name].astype(np.int64) for name in ("dequeue_ps", "decision_ps", "doorbell_ps")),
        _fetch_clocks(result, segments)[order] * clock,
        np.array([sent.first_clock for sent in segments], np.int64)[order] * clock,
    ]
    for stage, begin, end in zip(STAGES, times[:-1], times[1:], strict=True):
        if (end < begin).any():
            row = rows[int(np.argmax(end < begin))]
            raise TickToTradeError(f"sequence {sequence[row]}: stage {stage} ends before it begins")
    return times


def _valid_clocks(result: LoopResult, sequence: npt.NDArray[np.uint64], issued: Integers) -> Integers:
    """The clock at which each record left the filter. Some never reach the ring: for want of room, or cut off."""
    if np.array_equal(result.valid["sequence"], sequence):
        all_clocks: Integers = result.valid["clock"].astype(np.int64)
        return all_clocks
    left = zip(result.valid["sequence"].tolist(), result.valid["clock"].tolist(), strict=True)
    clocks = np.zeros(len(sequence), np.int64)
    for record, wanted in enumerate(sequence.tolist()):
        found = next((clock for number, clock in left if number == wanted), None)
        if found is None or found > issued[record]:
            raise TickToTradeError(f"sequence {wanted}: written to the ring before it was decoded")
        clocks[record] = found
    return clocks


def _fetch_clocks(result: LoopResult, segments: list[SentFrame]) -> Integers:
    """The clock at which the NIC read each order's slot, or buffer: it reads them in their order."""
    kind, packet = (TX_SLOT.fields[name][1] for name in ("kind", "packet_type"))  # type: ignore[index]
    bytes_at = READ_LOG.fields["data"][1]  # type: ignore[index]
    lines = result.reads.view(np.uint8).reshape(len(result.reads), READ_LOG.itemsize)[:, bytes_at:]
    orders = np.flatnonzero((lines[:, kind] == TxKind.ORDER) & ~np.isin(lines[:, packet], OF_THE_SESSION))
    if len(orders) < len(segments):
        raise TickToTradeError(f"{len(segments)} orders were sent, {len(orders)} were read")
    for order, sent in zip(orders.tolist(), segments, strict=False):
        try:
            message = ouch_message(sent.data)
        except WireError as error:
            raise TickToTradeError(f"the order sent at clock {sent.first_clock}: {error}") from None
        if lines[order, :len(message)].tobytes() != message:
            raise TickToTradeError(f"the order sent at clock {sent.first_clock} is not the one read for it")
    clocks: Integers = result.reads["issued_clock"][orders[:len(segments)]].astype(np.int64)
    return clocks


def _last_beats(result: LoopResult, frame: Integers, sequence: npt.NDArray[np.uint64]) -> Integers:
    """The beat of each message's last byte, counted from its frame's first beat."""
    data = dict(_frames(result, set(frame.tolist())))
    if missing := set(frame.tolist()) - set(data):
        raise TickToTradeError(f"frame {min(missing)} is not in the stimulus")
    return np.array([
        (_block_end(data[number], message) - 1) // BEAT_BYTES
        for number, message in zip(frame.tolist(), sequence.tolist(), strict=True)
    ], np.int64)


def _frames(result: LoopResult, wanted: set[int]) -> Iterator[tuple[int, bytes]]:
    """The bytes of the ``wanted`` frames. A line's frames are received in the order of the stimulus.

    Of an interrupted run with an exchange the stimulus may end inside a frame, which is left out.
    """
    numbers = [iter(np.flatnonzero(result.frames["line"] == line).tolist()) for line in (0, 1)]
    assert result.stimulus is not None
    data, at = result.stimulus.read_bytes(), 0
    entries = np.dtype(STIMULUS_FRAME)
    length_at, flags_at = (entries.fields[name][1] for name in ("length", "flags"))  # type: ignore[index]
    while at + entries.itemsize <= len(data):
        length = int.from_bytes(data[at + length_at:at + length_at + 4], "little")
        number = next(numbers[bool(data[at + flags_at] & STIMULUS_LINE_B)], None)
        at += entries.itemsize
        if number in wanted and at + length <= len(data):
            yield number, data[at:at + length]
        at += length + -length % 8


def _block_end(frame: bytes, sequence: int) -> int:
    """Bytes of a frame, one of which messages were delivered, up to the end of its MoldUDP64 message ``sequence``.

    The packet's first number is read from the frame: the report of one that turned out bad does not have it.
    """
    at = ETHERNET_BYTES
    while int.from_bytes(frame[at - 2:at], "big") in (ETHERTYPE_VLAN, ETHERTYPE_SERVICE_VLAN):
        at += 4
    at += 4 * (frame[at] & 15) + UDP_BYTES
    first = int.from_bytes(frame[at + SESSION_BYTES:at + SESSION_BYTES + 8], "big")
    at += MOLD_BYTES
    for _ in range(sequence - first + 1):
        at += LENGTH_BYTES + int.from_bytes(frame[at:at + LENGTH_BYTES], "big")
    return at
