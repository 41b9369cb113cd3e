# SPDX-License-Identifier: MIT
"""Capture readers: pcap, pcapng and Nasdaq ITCH 5.0 files, plain or gzip, as one stream of timed Ethernet frames.

The content decides what a file is; the name (`.itch`, `*NASDAQ_ITCH50*`) only says that a file without a magic number
is an ITCH file. Files are streamed: a day of messages never stands in memory. Times never go back: a frame captured
"before" its predecessor keeps its place and takes its predecessor's time, and a warning counts such frames.

An ITCH file (BinaryFILE: 2-byte big-endian length, message, repeated) has no magic number. It is refused if no length
prefix in its first 64 KiB agrees with the type behind it, i.e. no message there is of a known type and of exactly the
length of that type: text, zero-filled or little-endian files never meet that, a file with odd messages among sound
ones does. Odd messages (unknown type, wrong or zero length) are passed on as they are, at the time of the message
before them, because nothing says that such bytes hold a timestamp.
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple, Self

from generators.fcs import FCS_BYTES, strip_fcs
from generators.framing import DEFAULT_GROUP, MAX_MESSAGE, FrameEncoder, Group, pack_messages
from generators.pcapng import Packet, PcapngError, packets
from generators.tables import ITCH50, ITCH_TIMESTAMP

LINKTYPE_ETHERNET = 1
PCAP_HEADER_BYTES = 24
PCAP_VERSION = (2, 4)
MAX_RECORD = 262_144                   # libpcap's MAXIMUM_SNAPLEN: a longer record is a damaged file
SNIFF_BYTES = 1 << 16
BUFFER_BYTES = 1 << 20

MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
# First four bytes -> (struct byte order, nanoseconds per unit of the fraction)
_PCAP_MAGICS = {
    struct.pack(order + "I", magic): (order, unit)
    for order in "<>"
    for magic, unit in ((MICROSECONDS, 1000), (NANOSECONDS, 1))
}
_PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_GZIP_MAGIC = b"\x1f\x8b"
_MESSAGE_LENGTHS = {ord(message.type): message.length for message in ITCH50.values()}


class CaptureError(Exception):
    """A capture that cannot be read; the text is one line that names the file and what is wrong."""


class CapturedFrame(NamedTuple):
    """One frame without FCS, at its capture time in nanoseconds after the first frame's."""

    time_ns: int
    data: bytes


class TimedFrame(NamedTuple):
    """One frame without FCS at the time its file gives: since 1970 for a pcap or pcapng, since the first message for
    an ITCH file."""

    time_ns: int
    data: bytes
    bad_fcs: bool = False


class Capture:
    """The frames of one file, read anew by each iteration. `warnings` is complete when an iteration has ended."""

    def __init__(self, path: Path, kind: str, group: Group) -> None:
        self.path = path
        self.kind = kind
        self.group = group
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[CapturedFrame]:
        first: int | None = None
        for frame in self.timed():
            first = frame.time_ns if first is None else first
            yield CapturedFrame(frame.time_ns - first, frame.data)

    def timed(self, fcs: bool = False) -> Iterator[TimedFrame]:
        """The frames at the file's own times; with `fcs` their last four bytes are an FCS, which is checked."""
        self.warnings = []
        with _Source(self.path) as source:
            if self.kind == "itch":
                yield from self._itch_frames(source)
            else:
                yield from self._frames(self._records(source), fcs)

    def chunks(self) -> Iterator[bytes]:
        """What the file holds, unpacked if it is gzip, in large pieces."""
        self.warnings = []
        with _Source(self.path) as source:
            while chunk := source.read(BUFFER_BYTES):
                yield chunk
            if source.cut_short:
                self._warn("ends early, read up to there")

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """(time, message) of an ITCH file, before packing."""
        if self.kind != "itch":
            raise CaptureError(f"{self.path}: not an ITCH file")
        self.warnings = []
        with _Source(self.path) as source:
            yield from self._itch_messages(source)

    def _warn(self, text: str) -> None:
        self.warnings.append(f"{self.path}: {text}")

    def _records(self, source: _Source) -> Iterator[Packet]:
        return self._pcapng_records(source) if self.kind == "pcapng" else self._pcap_records(source)

    def _pcapng_records(self, source: _Source) -> Iterator[Packet]:
        try:
            yield from packets(source.read)
            if source.cut_short:
                self._warn("ends early, read up to there")
        except PcapngError as error:
            self._warn(f"{error}, read up to there")

    def _pcap_records(self, source: _Source) -> Iterator[Packet]:
        header = source.read(PCAP_HEADER_BYTES)
        order, unit = _PCAP_MAGICS[header[:4]]
        record = struct.Struct(order + "IIII")
        for index in count():
            head = source.read(record.size)
            if len(head) < record.size:
                if head or source.cut_short:
                    self._warn(f"ends inside record {index}, read up to there")
                return
            seconds, fraction, stored, original = record.unpack(head)
            if stored > MAX_RECORD:
                raise CaptureError(f"{self.path}: damaged, record {index} claims {stored} bytes")
            data = source.read(stored)
            if len(data) < stored:
                self._warn(f"ends inside record {index}, read up to there")
                return
            yield Packet(seconds * 1_000_000_000 + fraction * unit, data, original, LINKTYPE_ETHERNET)

    def _frames(self, records: Iterable[Packet], fcs: bool) -> Iterator[TimedFrame]:
        backward = cut = empty = foreign = 0
        least = FCS_BYTES if fcs else 0
        last: int | None = None
        for captured_ns, data, original, link_type in records:
            if link_type != LINKTYPE_ETHERNET:
                foreign += 1
                continue
            if len(data) <= least:
                empty += 1  # nothing of such a frame can arrive anywhere
                continue
            time_ns = (last or 0) if captured_ns is None else captured_ns
            if last is not None and time_ns < last:
                backward += 1
                time_ns = last
            last = time_ns
            cut += len(data) < original
            yield TimedFrame(time_ns, *strip_fcs(data)) if fcs else TimedFrame(time_ns, data)
        if backward:
            self._warn(f"{backward} frame(s) captured before their predecessor took its time")
        if empty:
            self._warn(f"{empty} record(s) without a byte {'in front of the FCS ' if fcs else ''}were left out")
        if cut:
            self._warn(f"{cut} frame(s) were shortened by the capture's snapshot length")
        if foreign:
            self._warn(f"{foreign} packet(s) of interfaces that are not Ethernet were left out")

    def _itch_frames(self, source: _Source) -> Iterator[TimedFrame]:
        encode = FrameEncoder(self.group).encode
        for time_ns, packet in pack_messages(self._itch_messages(source)):
            yield TimedFrame(time_ns, encode(packet))

    def _itch_messages(self, source: _Source) -> Iterator[tuple[int, bytes]]:
        # Names are bound here because this loop runs a few hundred million times on a day's file.
        read, lengths, from_bytes = source.read, _MESSAGE_LENGTHS, int.from_bytes
        start = ITCH_TIMESTAMP.offset
        end = start + (ITCH_TIMESTAMP.length or 0)
        index = backward = 0
        first: int | None = None
        now = 0
        while len(prefix := read(2)) == 2:
            length = from_bytes(prefix, "big")
            message = read(length)
            if len(message) < length:
                self._warn(f"ends inside message {index}, read up to there")
                break
            if length > MAX_MESSAGE:
                raise CaptureError(f"{self.path}: message {index} of {length} bytes does not fit a UDP datagram")
            if length and lengths.get(message[0], MAX_RECORD) <= length:
                timestamp = from_bytes(message[start:end], "big")
                if first is None:
                    first = timestamp
                if timestamp - first >= now:
                    now = timestamp - first
                else:
                    backward += 1
            index += 1
            yield now, message
        else:
            if prefix or source.cut_short:
                self._warn(f"ends inside the length of message {index}, read up to there")
        if backward:
            self._warn(f"{backward} message(s) with a timestamp before their predecessor's took its time")


class _GzipData(io.RawIOBase):
    """What a gzip file holds. A stream that is cut short ends where its data end, and `cut_short` says so.

    Only read1 is safe for that: GzipFile's other reads throw away what they have when they meet the early end.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = gzip.GzipFile(path)
        self.cut_short = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._file.read1(len(buffer))
        except EOFError:
            self.cut_short = True
            return 0
        buffer[:len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Source:
    """A buffered byte stream of a plain or gzip file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gzip: _GzipData | None = None
        try:
            file: IO[bytes] = path.open("rb")
            if file.read(2) == _GZIP_MAGIC:
                file.close()
                self._gzip = _GzipData(path)
                self._stream: IO[bytes] = io.BufferedReader(self._gzip, BUFFER_BYTES)
            else:
                file.seek(0)
                self._stream = file
        except OSError as error:
            raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from None

    @property
    def cut_short(self) -> bool:
        return self._gzip is not None and self._gzip.cut_short

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, zlib.error) as error:
            raise CaptureError(f"{self._path}: cannot be read: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def read_capture(path: str | Path, group: Group = DEFAULT_GROUP) -> Capture:
    """Opens a capture and checks what it is; frames come from iterating the result.

    `group` is where the packets of an ITCH file are sent; frames of a pcap are taken as captured.
    """
    path = Path(path)
    _check_regular(path)
    with _Source(path) as source:
        head = source.read(SNIFF_BYTES)
    if not head:
        raise CaptureError(f"{path}: empty file")
    if head[:4] == _PCAPNG_MAGIC:
        _check_pcapng(path)
        return Capture(path, "pcapng", group)
    if head[:4] in _PCAP_MAGICS:
        _check_pcap_header(path, head)
        return Capture(path, "pcap", group)
    if not _named_itch(path):
        raise CaptureError(f"{path}: neither a pcap, a pcapng nor an ITCH 5.0 file (.itch or *NASDAQ_ITCH50*)")
    if not _has_sound_message(head):
        raise CaptureError(f"{path}: not an ITCH 5.0 file: no length prefix agrees with its message's type")
    return Capture(path, "itch", group)


def _check_regular(path: Path) -> None:
    """A capture is opened once to see what it is and again to be read, so a pipe will not do."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CaptureError(f"{path}: no such file") from None
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise CaptureError(f"{path}: is a directory, not a capture")
    if not stat.S_ISREG(mode):
        raise CaptureError(f"{path}: not a regular file")


def _check_pcapng(path: Path) -> None:
    """The first block must be sound, and the first packets of an Ethernet interface, if there are packets at all."""
    other: int | None = None
    try:
        with _Source(path) as source:
            for packet in packets(source.read):
                if packet.link_type == LINKTYPE_ETHERNET:
                    return
                other = packet.link_type
    except PcapngError as error:
        if error.block == 0:
            raise CaptureError(f"{path}: {error}") from None
    if other is not None:
        raise CaptureError(f"{path}: link type {other} is not Ethernet")


def _check_pcap_header(path: Path, head: bytes) -> None:
    if len(head) < PCAP_HEADER_BYTES:
        raise CaptureError(f"{path}: ends inside the pcap header")
    order, _ = _PCAP_MAGICS[head[:4]]
    # The upper half of the last word holds FCS information, the lower half the link type.
    link_type = struct.unpack(order + "I", head[20:24])[0] & 0xFFFF
    if link_type != LINKTYPE_ETHERNET:
        raise CaptureError(f"{path}: link type {link_type} is not Ethernet")


def _named_itch(path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    return name.endswith(".itch") or "NASDAQ_ITCH50" in name


def _has_sound_message(head: bytes) -> bool:
    position = 0
    while position + 3 <= len(head):
        length = int.from_bytes(head[position:position + 2], "big")
        if length and _MESSAGE_LENGTHS.get(head[position + 2]) == length:
            return True
        position += 2 + length
    return False


def write_pcap(path: str | Path, frames: Iterable[CapturedFrame | tuple[int, bytes]], nanosecond: bool = True) -> int:
    """Writes (time_ns, frame) pairs as a little-endian classic pcap (gzip if the name ends in .gz); returns how many.

    Time 0 is the epoch, so the same frames are the same bytes on every run.
    """
    path = Path(path)
    unit = 1 if nanosecond else 1000
    record = struct.Struct("<IIII")
    written = 0
    with path.open("wb") as file:
        # No name and no time in the gzip header: they would make equal captures differ.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else None
        output: IO[bytes] = packed or file  # type: ignore[assignment]
        output.write(struct.pack("<IHHiIII", NANOSECONDS if nanosecond else MICROSECONDS, *PCAP_VERSION, 0, 0,
                                 MAX_RECORD, LINKTYPE_ETHERNET))
        for time_ns, data in frames:
            seconds, fraction = divmod(time_ns, 1_000_000_000)
            output.write(record.pack(seconds, fraction // unit, len(data), len(data)) + data)
            written += 1
        if packed is not None:
            packed.close()
    return written
