# SPDX-License-Identifier: MIT
"""Capture readers: every format, every way a file can be no capture, times, and that files are streamed."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from itch.messages import messages as itchfeed_messages

from generators.captures import Capture, CapturedFrame, CaptureError, read_capture, write_pcap
from generators.framing import MAX_MESSAGE, FrameEncoder, Group, mold_packet
from generators.tables import encode

FRAMES = [CapturedFrame(0, b"\x01" * 60), CapturedFrame(1_000, b"\x02" * 14), CapturedFrame(3_000_000_000, b"\x03")]


def pcap(frames: list[CapturedFrame], order: str = "<", unit: int = 1, link_type: int = 1, start: int = 1_577_716_200,
         ) -> bytes:
    """A pcap by hand, independent of write_pcap."""
    magic = 0xA1B23C4D if unit == 1 else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)]
    for time_ns, frame in frames:
        seconds, fraction = divmod(time_ns, 1_000_000_000)
        parts.append(struct.pack(order + "IIII", start + seconds, fraction // unit, len(frame), len(frame)) + frame)
    return b"".join(parts)


def itch(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(message)) + message for message in messages)


def delete(timestamp: int, reference: int = 1) -> bytes:
    return encode("D", {"stock_locate": 1, "tracking_number": 0, "timestamp": timestamp,
                        "order_reference_number": reference})


def store(path: Path, data: bytes, compress: bool = False) -> Path:
    path.write_bytes(gzip.compress(data) if compress else data)
    return path


def read_all(path: Path) -> tuple[list[CapturedFrame], list[str]]:
    capture = read_capture(path)
    frames = list(capture)
    return frames, capture.warnings


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("unit", [1, 1000], ids=["ns", "us"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("name", ["x.pcap", "x.itch", "x"])
def test_pcap(tmp_path: Path, name: str, order: str, unit: int, compress: bool) -> None:
    path = store(tmp_path / name, pcap(FRAMES, order, unit), compress)
    assert read_all(path) == (FRAMES, [])


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", ["x.itch", "12302019.NASDAQ_ITCH50", "S081321-v50.NASDAQ_ITCH50.bin", "x.itch.gz"])
def test_itch(tmp_path: Path, name: str, compress: bool) -> None:
    path = store(tmp_path / name, itch(delete(500, 1), delete(500, 2), delete(507, 3)), compress)
    frames = [CapturedFrame(0, FrameEncoder().encode(mold_packet([delete(500, 1), delete(500, 2)], 1))),
              CapturedFrame(7, FrameEncoder().encode(mold_packet([delete(507, 3)], 3)))]
    assert read_all(path) == (frames, [])
    assert list(read_capture(path).messages()) == [(0, delete(500, 1)), (0, delete(500, 2)), (7, delete(507, 3))]


def test_itch_goes_to_the_group(tmp_path: Path) -> None:
    group = Group("239.1.2.3", 1234)
    path = store(tmp_path / "x.itch", itch(delete(1)))
    assert list(read_capture(path, group)) == [(0, FrameEncoder(group).encode(mold_packet([delete(1)], 1)))]


def test_a_capture_can_be_read_again(tmp_path: Path) -> None:
    capture = read_capture(store(tmp_path / "x.pcap", pcap(FRAMES)[:-1]))
    assert list(capture) == list(capture) == FRAMES[:2]
    assert len(capture.warnings) == 1


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_pcap_ends_inside_a_record(tmp_path: Path, compress: bool) -> None:
    data = pcap(FRAMES)
    boundaries = [24, 24 + 76, 24 + 76 + 30, len(data)]
    for end in range(24, len(data)):
        frames, warnings = read_all(store(tmp_path / "x", data[:end], compress))
        whole = sum(boundary <= end for boundary in boundaries[1:])
        assert frames == FRAMES[:whole]
        assert len(warnings) == (end not in boundaries)
        assert all(f"ends inside record {whole}, read up to there" in warning for warning in warnings)


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_itch_ends_inside_a_message(tmp_path: Path, compress: bool) -> None:
    data = itch(delete(5), delete(6))
    for end in range(22, len(data)):
        capture = read_capture(store(tmp_path / "x.itch", data[:end], compress))
        assert [message for _, message in capture.messages()] == [delete(5)]
        assert len(capture.warnings) == 1
        assert "message 1, read up to there" in capture.warnings[0]
    capture = read_capture(store(tmp_path / "x.itch", data[:10], compress))
    assert list(capture) == []
    assert "ends inside message 0" in capture.warnings[0]


@pytest.mark.parametrize("kind", ["pcap", "itch"])
def test_gzip_stream_is_cut_short(tmp_path: Path, kind: str, random: Random) -> None:
    if kind == "pcap":
        data = pcap([CapturedFrame(n, random.randbytes(1000)) for n in range(500)])
    else:
        data = itch(*(delete(n, random.randrange(1 << 64)) for n in range(50_000)))
    whole, _ = read_all(store(tmp_path / f"whole.{kind}", data))
    packed = gzip.compress(data)
    frames, warnings = read_all(store(tmp_path / f"cut.{kind}", packed[:len(packed) // 2]))
    assert 0 < len(frames) < len(whole)
    assert frames == whole[:len(frames)]
    assert len(warnings) == 1
    assert "read up to there" in warnings[0]


@pytest.mark.parametrize("kind", ["pcap", "itch"])
def test_gzip_trailer_is_cut_off(tmp_path: Path, kind: str) -> None:
    data = pcap(FRAMES) if kind == "pcap" else itch(delete(0), delete(1), delete(2))
    frames, warnings = read_all(store(tmp_path / f"x.{kind}", gzip.compress(data)[:-8]))
    assert len(frames) == 3
    assert len(warnings) == 1, "all frames are there, yet the file is not whole"


def test_gzip_with_a_bad_checksum_is_an_error(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(pcap(FRAMES)))
    packed[-8] ^= 1
    with pytest.raises(CaptureError, match=r"x\.pcap\.gz: cannot be read: CRC check failed"):
        read_all(store(tmp_path / "x.pcap.gz", bytes(packed)))


def test_times_never_go_back(tmp_path: Path) -> None:
    times = [100, 90, 95, 120, 110, 130]
    path = store(tmp_path / "x.pcap", pcap([CapturedFrame(time_ns, b"x") for time_ns in times]))
    frames, warnings = read_all(path)
    assert [frame.time_ns for frame in frames] == [0, 0, 0, 20, 20, 30]
    assert warnings == [f"{path}: 3 frame(s) captured before their predecessor took its time"]
    path = store(tmp_path / "x.itch", itch(*(delete(time_ns) for time_ns in times)))
    capture = read_capture(path)
    assert [time_ns for time_ns, _ in capture.messages()] == [0, 0, 0, 20, 20, 30]
    assert capture.warnings == [f"{path}: 3 message(s) with a timestamp before their predecessor's took its time"]


def test_shortened_frames_are_counted(tmp_path: Path) -> None:
    data = pcap([]) + struct.pack("<IIII", 0, 0, 20, 60) + bytes(20)
    frames, warnings = read_all(store(tmp_path / "x", data))
    assert frames == [(0, bytes(20))]
    assert "1 frame(s) were shortened" in warnings[0]


def test_record_of_impossible_length(tmp_path: Path) -> None:
    path = store(tmp_path / "x", pcap(FRAMES[:1]) + struct.pack("<IIII", 0, 0, 262_145, 262_145) + bytes(300_000))
    with pytest.raises(CaptureError, match="damaged, record 1 claims 262145 bytes"):
        read_all(path)


def test_odd_messages_pass_as_they_are(tmp_path: Path) -> None:
    odd = [b"", b"Z", b"Z" * 40, b"D" + b"\xff" * 17, b"A" * 5, b"D" * 20, bytes(1460)]
    # "D" * 20 is too long, not odd: its timestamp stands where that of a Delete stands.
    late = int.from_bytes(b"D" * 6, "big")
    path = store(tmp_path / "x.itch", itch(delete(7), *odd, delete(late + 1)))
    capture = read_capture(path)
    messages = list(capture.messages())
    assert [message for _, message in messages] == [delete(7), *odd, delete(late + 1)]
    assert [time_ns for time_ns, _ in messages] == [0] * 6 + [late - 7] * 2 + [late - 6]
    assert capture.warnings == []
    first = list(read_capture(store(tmp_path / "y.itch", itch(b"", b"Z", delete(9), delete(11)))).messages())
    assert first == [(0, b""), (0, b"Z"), (0, delete(9)), (2, delete(11))]


def test_message_larger_than_a_datagram(tmp_path: Path) -> None:
    path = store(tmp_path / "x.itch", itch(delete(7), bytes(MAX_MESSAGE + 1)))
    with pytest.raises(CaptureError, match=r"x\.itch: message 1 of 65486 bytes does not fit a UDP datagram"):
        read_all(path)


TEXT = b"this is a text, and a text is not a capture\n"
NO_CAPTURES = {
    "empty": ("x.pcap", b"", "empty file"),
    "empty itch": ("x.itch", b"", "empty file"),
    "empty gzip": ("x.itch.gz", gzip.compress(b""), "empty file"),
    "text": ("x.pcap", TEXT, "neither a pcap, a pcapng nor an ITCH 5.0 file"),
    "text as itch": ("x.itch", TEXT, "not an ITCH 5.0 file"),
    "long text as itch": ("x.itch", TEXT * 5_000, "not an ITCH 5.0 file"),
    "zeros as itch": ("x.itch", bytes(100_000), "not an ITCH 5.0 file"),
    "little-endian lengths": ("x.itch", b"".join(b"\x13\x00" + delete(n) for n in range(5_000)),
                              "not an ITCH 5.0 file"),
    "no length prefixes": ("x.itch", b"".join(delete(n) for n in range(5_000)), "not an ITCH 5.0 file"),
    "one byte": ("x.itch", b"\0", "not an ITCH 5.0 file"),
    "itch by another name": ("x.bin", itch(delete(1)), "neither a pcap, a pcapng nor an ITCH 5.0 file"),
    "pcapng": ("x.pcapng", b"\x0a\x0d\x0d\x0a" + bytes(24), "block 0 is a section header without a byte-order"),
    "pcapng gz": ("x.gz", gzip.compress(b"\x0a\x0d\x0d\x0a" + bytes(24)), "block 0 is a section header without"),
    "pcapng cut": ("x.pcapng", b"\x0a\x0d\x0d\x0a" + bytes(2), "ends inside block 0"),
    "not Ethernet": ("x.pcap", pcap(FRAMES, link_type=113), "link type 113 is not Ethernet"),
    "big-endian not Ethernet": ("x.pcap", pcap(FRAMES, ">", link_type=101), "link type 101 is not Ethernet"),
    "pcap header cut": ("x.pcap", pcap(FRAMES)[:23], "ends inside the pcap header"),
    "gzip of nothing known": ("x.pcap.gz", gzip.compress(TEXT), "neither a pcap, a pcapng nor an ITCH 5.0 file"),
    "no gzip inside": ("x.gz", b"\x1f\x8b" + TEXT, "cannot be read"),
}


@pytest.mark.parametrize("case", NO_CAPTURES)
def test_no_capture(tmp_path: Path, case: str) -> None:
    name, data, text = NO_CAPTURES[case]
    path = store(tmp_path / name, data)
    with pytest.raises(CaptureError) as caught:
        read_capture(path)
    assert str(caught.value).startswith(f"{path}: {text}")
    assert "\n" not in str(caught.value)


def test_link_type_with_fcs_information_is_ethernet(tmp_path: Path) -> None:
    assert read_all(store(tmp_path / "x", pcap(FRAMES, link_type=0x2400_0001)))[0] == FRAMES


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        read_capture(tmp_path / "absent.pcap")
    with pytest.raises(CaptureError, match="is a directory"):
        read_capture(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CaptureError, match="not a regular file"):
        read_capture(tmp_path / "pipe")


def test_unreadable_files(tmp_path: Path) -> None:
    # Neither depends on permissions, which root does not meet: reading a process's memory at 0 is an I/O error.
    with pytest.raises(CaptureError, match="mem: cannot be read: Input/output error"):
        read_capture("/proc/self/mem")
    with pytest.raises(CaptureError, match="cannot be read: File name too long"):
        read_capture(tmp_path / ("x" * 300))


@pytest.mark.parametrize("name", ["x.pcap", "x.pcap.gz"])
@pytest.mark.parametrize("nanosecond", [True, False])
def test_write_and_read_back(tmp_path: Path, name: str, nanosecond: bool) -> None:
    path, again = tmp_path / name, tmp_path / f"again-{name}"
    assert write_pcap(path, FRAMES, nanosecond) == write_pcap(again, iter(FRAMES), nanosecond) == 3
    assert read_all(path) == (FRAMES, [])
    assert path.read_bytes() == again.read_bytes()
    assert path.read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


def test_microseconds_drop_the_rest(tmp_path: Path) -> None:
    write_pcap(tmp_path / "x", [(0, b"a"), (1_999, b"b")], nanosecond=False)
    assert read_all(tmp_path / "x")[0] == [(0, b"a"), (1_000, b"b")]


def peak_of_reading(capture: Capture) -> tuple[int, int]:
    tracemalloc.start()
    try:
        return sum(1 for _ in capture), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["pcap", "itch"])
def test_files_are_streamed(tmp_path: Path, kind: str) -> None:
    frames = [CapturedFrame(n, bytes(9_000)) for n in range(4_000)]
    path = tmp_path / f"x.{kind}.gz"
    data = pcap(frames) if kind == "pcap" else itch(delete(0), *([bytes(9_000)] * 4_000))
    assert len(data) > 32 << 20
    store(path, data, compress=True)
    count, peak = peak_of_reading(read_capture(path))
    assert count >= 4_000
    assert peak < 8 << 20


@pytest.mark.parametrize(("name", "span_ns", "packets"), [
    ("itch_12302019_open_1000.itch", 2_364_381, 881),
    ("itch_start_of_day_1000.itch", 282_303_037_429, 1000),
])
def test_real_samples(sample: Callable[[str], Path], name: str, span_ns: int, packets: int) -> None:
    capture = read_capture(sample(name))
    messages = list(capture.messages())
    assert len(messages) == 1_000
    stamps = [itchfeed_messages[message[:1]](message).timestamp for _, message in messages]
    assert [time_ns for time_ns, _ in messages] == [stamp - stamps[0] for stamp in stamps]
    frames = list(capture)
    assert (frames[0].time_ns, frames[-1].time_ns, len(frames)) == (0, span_ns, packets)
    assert sum(int.from_bytes(frame.data[60:62], "big") for frame in frames) == 1_000
    assert capture.warnings == []
