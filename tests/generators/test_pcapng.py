# SPDX-License-Identifier: MIT
"""pcapng: files of other writers (scapy, editcap, mergecap), every block by hand, and damage at every byte."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, RawPcapNgReader

from generators.captures import CapturedFrame, CaptureError, TimedFrame, read_capture, write_pcap
from generators.pcapng import MAX_BLOCK
from generators.profiles import frames, generate

SECOND = 1_000_000_000


class Writer:
    """Blocks by hand, in one byte order."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.blocks: list[bytes] = []

    def block(self, kind: int, body: bytes) -> Writer:
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        self.blocks.append(struct.pack(self.order + "I", kind) + length + body + length)
        return self

    def section(self, major: int = 1) -> Writer:
        return self.block(0x0A0D0D0A, struct.pack(self.order + "IHHq", 0x1A2B3C4D, major, 0, -1))

    def interface(self, link_type: int = 1, snap: int = 0, **options: bytes) -> Writer:
        codes = {"name": 2, "tsresol": 9, "tsoffset": 14}
        body = struct.pack(self.order + "HHI", link_type, 0, snap)
        for name, value in options.items():
            body += struct.pack(self.order + "HH", codes[name], len(value)) + value + bytes(-len(value) % 4)
        return self.block(1, body + bytes(4 if options else 0))

    def packet(self, ticks: int, data: bytes, interface: int = 0, original: int | None = None) -> Writer:
        head = struct.pack(self.order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data),
                           len(data) if original is None else original)
        return self.block(6, head + data)

    def store(self, path: Path, compress: bool = False) -> Path:
        data = b"".join(self.blocks)
        path.write_bytes(gzip.compress(data) if compress else data)
        return path


def timed(path: Path) -> tuple[list[TimedFrame], list[str]]:
    capture = read_capture(path)
    found = list(capture.timed())
    return found, capture.warnings


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize(("options", "ticks_per_second", "offset"), [
    ({}, 10**6, 0),
    ({"tsresol": b"\x06"}, 10**6, 0),
    ({"tsresol": b"\x09"}, 10**9, 0),
    ({"tsresol": b"\x03"}, 10**3, 0),
    ({"tsresol": b"\x8a"}, 1 << 10, 0),
    ({"name": b"eth0", "tsresol": b"\x09"}, 10**9, 0),
    ({"tsresol": b"\x09", "tsoffset": 0}, 10**9, 1_577_716_200),
])
def test_time_resolutions(tmp_path, order, compress, options, ticks_per_second, offset):
    if "tsoffset" in options:
        options = options | {"tsoffset": struct.pack(order + "q", offset)}
    ticks = [5, 5, 7 * ticks_per_second, (1 << 33) + 3]
    writer = Writer(order).section().interface(**options)
    for number, tick in enumerate(ticks):
        writer.packet(tick, bytes([number]) * (14 + number))
    found, warnings = timed(writer.store(tmp_path / "x", compress))
    assert warnings == []
    assert [frame.time_ns for frame in found] == \
        [offset * SECOND + tick * SECOND // ticks_per_second for tick in ticks]
    assert [frame.data for frame in found] == [bytes([number]) * (14 + number) for number in range(4)]


def test_the_times_of_a_capture_begin_with_its_first_frame(tmp_path):
    path = Writer().section().interface().packet(10**6, b"a").packet(10**6 + 3, b"b").store(tmp_path / "x")
    assert list(read_capture(path)) == [CapturedFrame(0, b"a"), CapturedFrame(3_000, b"b")]


def test_interfaces_each_with_its_own_clock(tmp_path):
    writer = Writer().section().interface(tsresol=b"\x09").interface().interface(tsresol=b"\x03")
    writer.packet(1_000, b"ns", 0).packet(2, b"us", 1).packet(1, b"ms", 2)
    assert [(frame.time_ns, frame.data) for frame in timed(writer.store(tmp_path / "x"))[0]] == \
        [(1_000, b"ns"), (2_000, b"us"), (1_000_000, b"ms")]


def test_a_new_section_has_its_own_byte_order_and_interfaces(tmp_path):
    first = Writer("<").section().interface(tsresol=b"\x09").packet(1, b"one")
    second = Writer(">").section().interface().packet(1, b"two")
    first.blocks += second.blocks
    assert [(frame.time_ns, frame.data) for frame in timed(first.store(tmp_path / "x"))[0]] == \
        [(1, b"one"), (1_000, b"two")]


def test_simple_and_obsolete_packets(tmp_path):
    writer = Writer().section().interface(snap=4).packet(3, b"abcd")
    writer.block(3, struct.pack("<I", 6) + b"efgh")  # no time, and cut to the snapshot length
    writer.block(2, struct.pack("<HHIIII", 0, 0xFFFF, 0, 9, 2, 2) + b"ij")
    found, warnings = timed(writer.store(tmp_path / "x"))
    assert [(frame.time_ns, frame.data) for frame in found] == [(3_000, b"abcd"), (3_000, b"efgh"), (9_000, b"ij")]
    assert len(warnings) == 1
    assert "1 frame(s) were shortened" in warnings[0]


def test_blocks_without_a_packet_are_passed_over(tmp_path):
    writer = Writer().section().block(0xBAD, b"custom").interface().block(4, b"names").packet(1, b"x")
    writer.block(5, bytes(12))
    assert timed(writer.store(tmp_path / "x")) == ([TimedFrame(1_000, b"x")], [])


def test_packets_of_other_link_types_are_left_out(tmp_path):
    writer = Writer().section().interface(link_type=113).interface()
    writer.packet(1, b"cooked", 0).packet(2, b"frame", 1)
    found, warnings = timed(writer.store(tmp_path / "x"))
    assert [frame.data for frame in found] == [b"frame"]
    assert "1 packet(s) of interfaces that are not Ethernet" in warnings[0]


def test_damage_ends_the_capture_with_a_warning(tmp_path):
    writer = Writer().section().interface().packet(1, b"first").packet(2, b"second!!")
    data = b"".join(writer.blocks)
    ends = [len(b"".join(writer.blocks[:count])) for count in range(5)]
    for end in range(ends[1], len(data)):
        (tmp_path / "x").write_bytes(data[:end])
        found, warnings = timed(tmp_path / "x")
        assert len(found) == sum(end >= boundary for boundary in ends[3:])
        assert len(warnings) == (end not in ends)
        assert all("read up to there" in warning for warning in warnings)


@pytest.mark.parametrize(("damage", "says"), [
    (lambda w: w.packet(2, b"x", interface=1), "names interface 1"),
    (lambda w: w.block(6, bytes(8)), "too short for a packet"),
    (lambda w: w.block(6, struct.pack("<IIIII", 0, 0, 5, 400, 400)), "claims 400 bytes"),
    (lambda w: w.block(1, bytes(4)), "too short for an interface"),
    (lambda w: w.section(major=2), "version 2"),
    (lambda w: w.blocks.append(struct.pack("<II", 6, 8)), "impossible length of 8"),
    (lambda w: w.blocks.append(struct.pack("<II", 6, 33)), "impossible length of 33"),
    (lambda w: w.blocks.append(struct.pack("<II", 6, MAX_BLOCK + 4)), "impossible length"),
    (lambda w: w.blocks.append(struct.pack("<II", 6, 32) + bytes(20) + struct.pack("<I", 36)), "two lengths"),
    (lambda w: w.blocks.append(bytes.fromhex("0a0d0d0a 1c000000 00000000")), "byte-order magic"),
])
def test_a_damaged_block(tmp_path, damage, says):
    writer = Writer().section().interface().packet(1, b"first")
    damage(writer)
    writer.packet(3, b"never read")
    found, warnings = timed(writer.store(tmp_path / "x"))
    assert [frame.data for frame in found] == [b"first"]
    assert len(warnings) == 1
    assert says in warnings[0]


@pytest.mark.parametrize(("writer", "says"), [
    (Writer().section(major=2), "version 2"),
    (Writer().section().interface(link_type=113).packet(1, b"x"), "link type 113 is not Ethernet"),
])
def test_what_is_no_capture(tmp_path, writer, says):
    path = writer.store(tmp_path / "x.pcapng")
    with pytest.raises(CaptureError, match=says) as caught:
        read_capture(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_what_scapy_writes(tmp_path, compress):
    sent = list(frames(generate("quiet", 1, 40)))
    with PcapNgWriter(str(tmp_path / "x.pcapng")) as writer:
        for time_ns, data in sent:
            packet = Ether(data)
            packet.time = 1_577_716_200 + time_ns / SECOND
            writer.write(packet)
    if compress:
        (tmp_path / "x.pcapng").write_bytes(gzip.compress((tmp_path / "x.pcapng").read_bytes()))
    found, warnings = timed(tmp_path / "x.pcapng")
    assert warnings == []
    assert [frame.data for frame in found] == [data for _, data in sent]
    with RawPcapNgReader(str(tmp_path / "x.pcapng")) as reader:
        read = [(high << 32 | low, data) for data, (_, _, high, low, *_) in reader]
    assert [(frame.time_ns, frame.data) for frame in found] == [(ticks * 1_000, data) for ticks, data in read]


def test_what_editcap_and_mergecap_write(tmp_path):
    """Nanoseconds through editcap's pcapng; two captures merged by time into one with two interfaces."""
    editcap, mergecap = program("editcap"), program("mergecap")
    sent = list(frames(generate("quiet", 1, 60)))
    for name, part in (("a", sent[::2]), ("b", sent[1::2])):
        write_pcap(tmp_path / f"{name}.pcap", part)
        subprocess.run([editcap, "-F", "pcapng", tmp_path / f"{name}.pcap", tmp_path / f"{name}.pcapng"], check=True)
    subprocess.run([mergecap, "-w", tmp_path / "m.pcapng", tmp_path / "a.pcapng", tmp_path / "b.pcapng"], check=True)
    assert timed(tmp_path / "a.pcapng") == ([TimedFrame(*frame) for frame in sent[::2]], [])
    assert timed(tmp_path / "m.pcapng") == ([TimedFrame(*frame) for frame in sent], [])
