# SPDX-License-Identifier: MIT
"""The host's side of the rings: what it finds in the RX and the raw ring, what it puts into the TX ring.

A ring is one of 64-byte lines, or of descriptors with a buffer each; slots are counted absolutely, and head and tail
mean the same in both. The first line of an entry makes it visible: by its publish word, or by DD of its descriptor.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

from cocotb.triggers import Timer
from pyuvm import ConfigDB, uvm_analysis_port, uvm_component, uvm_subscriber

from bridge import layout
from bridge.interface import CLOCK_PS
from tb.agents.fields import offset
from tb.agents.host_memory import HostMemory
from tb.agents.items import DmaWrite, RingEntry
from tb.agents.registers import RegisterAgent

LINE_BYTES = layout.LINE_BYTES
DESCRIPTOR_BYTES = layout.DESCRIPTOR_BYTES
PUBLISH = offset(layout.RX_RECORD, "publish")
CONTINUATIONS = offset(layout.RX_RECORD, "continuations")
_DESCRIPTOR = struct.Struct("<QHHBBH")  # address, length, checksum, status, errors, special


@dataclass(frozen=True)
class RingSetup:
    """Where a ring lies. With ``buffers`` it is one of descriptors at ``base``, each with a line of the buffers."""

    base: int
    log2: int
    epoch: int = 0
    buffers: int | None = None

    @property
    def slots(self) -> int:
        return 1 << self.log2

    def line(self, index: int) -> int:
        """The address of the line of an absolute index."""
        return (self.base if self.buffers is None else self.buffers) + index % self.slots * LINE_BYTES

    def publish(self, index: int) -> int:
        """The publish word of an absolute index."""
        return layout.PUBLISH_VALID | (self.epoch + index) % (1 << 31)


def fill_descriptors(memory: HostMemory, setup: RingSetup) -> None:
    """Every descriptor owns the buffer of its slot for good; status 0 gives all of them to the NIC."""
    ring = b"".join(
        _DESCRIPTOR.pack(setup.line(index), layout.BUFFER_BYTES, 0, 0, 0, 0) for index in range(setup.slots)
    )
    for at in range(0, len(ring), LINE_BYTES):
        memory.lines[setup.base + at] = ring[at:at + LINE_BYTES]


def descriptor_status(memory: HostMemory, setup: RingSetup, index: int) -> int:
    """The status of a descriptor; its other fields must be those that the host or the NIC may have written."""
    line, within = _descriptor_place(setup, index)
    address, length, checksum, status, errors, special = _DESCRIPTOR.unpack_from(memory.lines[line], within)
    assert (address, length) == (setup.line(index), layout.BUFFER_BYTES), f"descriptor {index}: address or length"
    assert checksum == errors == special == 0, f"descriptor {index}: a field that must be 0"
    return int(status)


def clear_descriptor(memory: HostMemory, setup: RingSetup, index: int) -> None:
    """The host gives the descriptor away."""
    line, within = _descriptor_place(setup, index)
    data = bytearray(memory.lines[line])
    _DESCRIPTOR.pack_into(data, within, setup.line(index), layout.BUFFER_BYTES, 0, 0, 0, 0)
    memory.lines[line] = bytes(data)


def _descriptor_place(setup: RingSetup, index: int) -> tuple[int, int]:
    address = setup.base + index % setup.slots * DESCRIPTOR_BYTES
    return address & -LINE_BYTES, address % LINE_BYTES


class RingConsumer(uvm_subscriber):  # type: ignore[misc]
    """Consumes the ring of registers ``<ring>_...`` as the NIC's writes arrive; every entry goes to ``ap``.

    Lines go back some time after they were seen; ``keep`` stops that, so the ring fills.
    """

    def __init__(self, name: str, parent: uvm_component, ring: str, memory: HostMemory,
                 registers: RegisterAgent) -> None:
        super().__init__(name, parent)
        self._ring = ring
        self._memory = memory
        self._registers = registers

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        self._random = Random(f"{ConfigDB().get(self, '', 'SEED')} {self.get_full_name()}")
        self.stop()

    def stop(self) -> None:
        """The ring is off."""
        self.setup: RingSetup | None = None
        self.head = self.tail = 0
        self.keep = False
        self.delay = 60

    def start(self, setup: RingSetup) -> None:
        """The ring starts at index 0, all of its slots free."""
        self.stop()
        self.setup = setup
        if setup.buffers is not None:
            fill_descriptors(self._memory, setup)

    def write(self, written: DmaWrite) -> None:
        """Looks whether the NIC has published something."""
        if self.setup is None:
            return
        while self._published():
            record = self._memory.lines[self.setup.line(self.head)]
            count = record[CONTINUATIONS]
            self._check_descriptors(1 + count)
            lines = [self._memory.lines[self.setup.line(self.head + 1 + k)] for k in range(count)]
            for line in lines:
                assert not any(line[PUBLISH:]), "a continuation line with a publish word"
            entry = RingEntry(self.head, self.tail, written.clock, record[:PUBLISH],
                              tuple(line[:PUBLISH] for line in lines))
            self.head += 1 + count
            assert self.head - self.tail <= self.setup.slots, f"{self._ring} ring: slots written that are not free"
            self.ap.write(entry)

    def _published(self) -> bool:
        setup = self.setup
        assert setup is not None
        if setup.buffers is not None:
            done = descriptor_status(self._memory, setup, self.head) & layout.DESCRIPTOR_DONE
            # All slots may be done and not given back: then DD is that of the turn before.
            return bool(done) and self.head - self.tail < setup.slots
        line = self._memory.lines.get(setup.line(self.head))
        return line is not None and int.from_bytes(line[PUBLISH:], "little") == setup.publish(self.head)

    def _check_descriptors(self, lines: int) -> None:
        """DD on every descriptor of the entry, EOP on the last one only."""
        if self.setup is None or self.setup.buffers is None:
            return
        for k in range(lines):
            due = layout.DESCRIPTOR_DONE | (layout.DESCRIPTOR_END if k == lines - 1 else 0)
            status = descriptor_status(self._memory, self.setup, self.head + k)
            assert status == due, f"descriptor {self.head + k}: status {status:#x}, not {due:#x}"

    async def run_phase(self) -> None:
        while True:
            await Timer(self._random.randint(1, self.delay) * CLOCK_PS, "ps")
            if self.setup is not None and not self.keep:
                await self.give_back()

    async def give_back(self, at_most: int | None = None) -> None:
        """Returns what was consumed, or that many lines of it."""
        setup, target = self.setup, self.head
        if at_most is not None:
            target = min(target, self.tail + at_most)
        if setup is None or target == self.tail:
            return
        if setup.buffers is not None:
            for index in range(self.tail, target):
                clear_descriptor(self._memory, setup, index)
        # The NIC may use the slots from the clock in which it takes the write.
        self.tail = target
        await self._registers.write(f"{self._ring}_TAIL", target % (1 << 32))


class TransmitRing(uvm_component):  # type: ignore[misc]
    """Puts slots into the TX ring; ``doorbell`` tells the NIC of them."""

    def __init__(self, name: str, parent: uvm_component, memory: HostMemory, registers: RegisterAgent) -> None:
        super().__init__(name, parent)
        self._memory = memory
        self._registers = registers

    def start(self, setup: RingSetup) -> None:
        self.setup = setup
        self.tail = 0
        self._reclaimed = 0
        if setup.buffers is not None:
            fill_descriptors(self._memory, setup)

    def post(self, body: bytes, kind: int, length: int, packet_type: str = "U") -> None:
        """One slot: a packet's payload, or the address of a frame; free slots are the caller's business."""
        setup = self.setup
        slot = body.ljust(offset(layout.TX_SLOT, "kind"), b"\0") + struct.pack(
            "<BBHI", kind, ord(packet_type), length, setup.publish(self.tail))
        self._memory.lines[setup.line(self.tail)] = slot
        self.tail += 1

    def post_frame(self, frame: bytes, address: int) -> None:
        """A slot of kind frame, with the frame in host memory."""
        padded = frame.ljust(-(-len(frame) // LINE_BYTES) * LINE_BYTES, b"\xEE")
        for at in range(0, len(padded), LINE_BYTES):
            self._memory.lines[address + at] = padded[at:at + LINE_BYTES]
        self.post(struct.pack("<Q", address), int(layout.TxKind.FRAME), len(frame))

    async def doorbell(self) -> None:
        await self._registers.write("TX_TAIL", self.tail % (1 << 32))

    async def taken(self) -> int:
        """How many slots the NIC has taken; in descriptor mode DD must say the same."""
        head = await self._registers.read("TX_HEAD")
        setup = self.setup
        if setup.buffers is not None:
            while self._reclaimed < self.tail and descriptor_status(
                    self._memory, setup, self._reclaimed) & layout.DESCRIPTOR_DONE:
                clear_descriptor(self._memory, setup, self._reclaimed)
                self._reclaimed += 1
        return head
