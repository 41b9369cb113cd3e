# SPDX-License-Identifier: MIT
"""Fixtures for frames, and the tools and data that some tests need."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tb.model.receive import ReceiveModel
from tests.model.frames import GROUP, PORT, FrameSpec, mold


@pytest.fixture
def build() -> Callable[..., bytes]:
    """``build(payload=..., ...)``: a frame by FrameSpec."""
    return lambda **fields: FrameSpec(**fields).build()


@pytest.fixture(name="mold")
def _mold() -> Callable[..., bytes]:
    return mold


@pytest.fixture
def packet() -> Callable[..., bytes]:
    """``packet(sequence, blocks, ...)``: a sound frame around a MoldUDP64 packet."""
    return lambda *args, **kwargs: FrameSpec(payload=mold(*args, **kwargs)).build()


@pytest.fixture
def model() -> ReceiveModel:
    return ReceiveModel(GROUP, PORT)


@pytest.fixture
def tshark(tmp_path: Path) -> Callable[..., list[dict[str, list[str]]]]:
    """``tshark(frames, fields, *options)``: for every frame, the values tshark finds for each field."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")

    def dissect(frames: Sequence[bytes], fields: Sequence[str], *options: str) -> list[dict[str, list[str]]]:
        capture = tmp_path / "frames.pcap"
        with capture.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for second, frame in enumerate(frames):
                file.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
        command = [program, "-n", "-r", str(capture), *options, "-T", "fields", "-E", "separator=;"]
        for name in fields:
            command += ["-e", name]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        assert len(lines) == len(frames)
        return [
            {name: value.split(",") if value else [] for name, value in zip(fields, line.split(";"), strict=True)}
            for line in lines
        ]
    return dissect
