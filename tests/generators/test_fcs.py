# SPDX-License-Identifier: MIT
"""Frames that carry their FCS: the CRC of IEEE 802.3 against scapy, stripping, and what is too short to carry one."""

from __future__ import annotations

import zlib

import pytest
from scapy.compat import raw
from scapy.layers.l2 import Ether

from generators.captures import TimedFrame, read_capture, write_pcap
from generators.fcs import strip_fcs, with_fcs
from generators.profiles import frames, generate


def test_known_value():
    """The check value of CRC-32 over the digits 1 to 9 is 0xCBF43926; it is sent least significant byte first."""
    assert with_fcs(b"123456789") == b"123456789" + bytes.fromhex("2639f4cb")


def test_residue():
    """Over frame and FCS the CRC is a constant, which is how hardware checks it (IEEE 802.3, 3.2.9)."""
    assert {zlib.crc32(with_fcs(data)) for _, data in frames(generate("quiet", 1, 20))} == {0x2144DF1C}


def test_strip():
    for _, data in frames(generate("quiet", 1, 20)):
        sealed = with_fcs(data)
        assert strip_fcs(sealed) == (data, False)
        for position in range(0, 8 * len(sealed), 13):
            flipped = bytearray(sealed)
            flipped[position // 8] ^= 1 << position % 8
            assert strip_fcs(bytes(flipped)) == (bytes(flipped[:-4]), True)


def test_scapy_rebuilds_the_frame():
    data = next(iter(frames(generate("quiet", 1, 1)))).data
    assert raw(Ether(strip_fcs(with_fcs(data))[0])) == data


@pytest.mark.parametrize("fcs", [False, True])
def test_a_capture_with_fcs(tmp_path, fcs):
    good = b"\x01" * 60
    bad = bytearray(with_fcs(good))
    bad[-1] ^= 1
    write_pcap(tmp_path / "x.pcap", [(0, with_fcs(good)), (5, bytes(bad)), (6, b"abcd"), (7, b"abc"), (8, b"abcde")])
    capture = read_capture(tmp_path / "x.pcap")
    found = list(capture.timed(fcs=fcs))
    if fcs:
        assert found == [TimedFrame(0, good, False), TimedFrame(5, good, True), TimedFrame(8, b"a", True)]
        (warning,) = capture.warnings
        assert warning.endswith("x.pcap: 2 record(s) without a byte in front of the FCS were left out")
    else:
        assert [len(frame.data) for frame in found] == [64, 64, 4, 3, 5]
        assert not any(frame.bad_fcs for frame in found)
