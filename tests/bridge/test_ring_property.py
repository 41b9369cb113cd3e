# SPDX-License-Identifier: MIT
"""The RX ring as a queue: whatever the NIC writes, whenever it becomes visible and whenever the kernel looks, the
kernel gets the records in order, whole, and not before their last write. A record goes in exactly if there is room."""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import build, layout
from bridge.layout import LINE_BYTES, RingMode

HERE = Path(__file__).parent
CORE, FIRMWARE = build.BRIDGE / "core", build.ROOT / "firmware"
CONTENT = layout.RX_RECORD.fields["publish"][1]
CONTINUATIONS = layout.RX_RECORD.fields["continuations"][1]
MOST_LINES = 16

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, MOST_LINES), st.integers(0, 1 << 32)),
        st.tuples(st.just("commit"), st.integers(0, 80)),
        st.tuples(st.just("take")),
        st.tuples(st.just("idle")),
    ),
    min_size=20,
    max_size=100,
)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Both ends of the ring: the bridge's memory and the kernel's driver."""
    output = tmp_path_factory.mktemp("ring") / "ring_pair.so"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", f"-I{FIRMWARE}",
         f"-I{FIRMWARE / 'include'}", f"-I{CORE}", "-o", output, HERE / "ring_pair.c",
         HERE / "kernel_console.c", CORE / "memory.c", CORE / "rings.c", FIRMWARE / "drivers/nic.c",
         FIRMWARE / "core/raw.c"],
        check=True,
    )  # fmt: skip
    library = ctypes.CDLL(str(output))
    library.pair_failure.restype = ctypes.c_char_p
    library.pair_commit.argtypes, library.pair_commit.restype = (ctypes.c_uint64,), ctypes.c_uint64
    return library


class Model:
    """A queue with room for ``slots`` lines. They come back a quarter of them at a time, or when the kernel idles."""

    def __init__(self, slots: int, writes_a_line: int) -> None:
        self.slots, self.writes_a_line = slots, writes_a_line
        self.records: deque[tuple[int, list[bytes]]] = deque()  # writes made when it is whole, its lines
        self.written = self.visible = self.published = 0
        self.head = self.taken = self.returned = 0

    def write(self, lines: list[bytes]) -> bool:
        if self.slots - (self.head - self.returned) < len(lines):
            return False
        self.head += len(lines)
        self.written += len(lines) * self.writes_a_line
        self.records.append((self.written, lines))
        return True

    def commit(self, writes: int) -> int:
        before, self.visible = self.visible, min(self.written, self.visible + writes)
        self.published += sum(before < whole <= self.visible for whole, _ in self.records)
        return self.published

    def take(self) -> list[bytes]:
        if not self.records or self.records[0][0] > self.visible:
            return []
        lines = self.records.popleft()[1]
        self.taken += len(lines)
        if self.taken - self.returned >= self.slots // 4:
            self.returned = self.taken
        return lines

    def idle(self) -> None:
        self.returned = self.taken


def _take(native: ctypes.CDLL) -> list[bytes]:
    """What the kernel sees of the next record, but for the publish words."""
    lines = (ctypes.c_uint8 * (MOST_LINES * LINE_BYTES))()
    count = native.pair_take(lines)
    return [bytes(lines[LINE_BYTES * k : LINE_BYTES * k + CONTENT]) for k in range(count)]


def _play(native: ctypes.CDLL, model: Model, operation: tuple[Any, ...]) -> None:
    match operation:
        case ("write", count, seed):
            data = random.Random(seed).randbytes(CONTENT * count)
            lines = [data[CONTENT * k : CONTENT * (k + 1)] for k in range(count)]
            lines[0] = lines[0][:CONTINUATIONS] + bytes([count - 1]) + lines[0][CONTINUATIONS + 1 :]
            assert bool(native.pair_write(count, data)) == model.write(lines)
        case ("commit", writes):
            assert native.pair_commit(writes) == model.commit(writes)
        case ("take",):
            assert _take(native) == model.take()
        case ("idle",):
            native.pair_idle()
            model.idle()
    assert native.pair_failure() == b""


@settings(max_examples=300, deadline=None)
@given(
    log2=st.integers(4, 6),
    turns=st.integers(0, 8),
    epoch=st.one_of(st.integers(0, (1 << 31) - 1), st.integers((1 << 31) - 100, (1 << 31) - 1)),
    mode=st.sampled_from(RingMode),
    operations=OPERATIONS,
)
def test_the_ring_is_a_queue(
    native: ctypes.CDLL, log2: int, turns: int, epoch: int, mode: RingMode, operations: list[tuple[Any, ...]]
) -> None:
    """Rings of 16 to 64; the absolute index begins some turns before its wrap, the epoch's often wraps too."""
    slots = 1 << log2
    native.pair_open(log2, (1 << 32) - turns * slots, epoch, int(mode))
    model = Model(slots, 2 if mode == RingMode.DESCRIPTORS else 1)
    for operation in operations:
        _play(native, model, operation)
    _play(native, model, ("commit", model.written))
    while model.records:
        _play(native, model, ("take",))
    assert _take(native) == []
