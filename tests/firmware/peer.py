# SPDX-License-Identifier: MIT
"""Boots the kernel in QEMU and plays bridge and NIC for it: registers, RX and raw ring filled, TX ring emptied.

The rings are those the kernel asks for: published lines, or descriptors with the DD bit.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bridge import layout
from bridge.layout import AcknowledgeStatus, MailboxOp, RunMode

RAM_BYTES = 256 << 20
TIMEOUT_S = 20.0
CAPABILITIES = sum(layout.REGISTER_FIELDS["CAPABILITIES"].values())
REGISTER = layout.REGISTERS


class PeerError(Exception):
    """The kernel broke the protocol."""


def exit_code(status: int) -> int:
    """QEMU's exit code for a value written to isa-debug-exit."""
    return 2 * status + 1


@dataclass
class Run:
    """What a boot left behind."""

    exit_code: int = -1
    console: str = ""
    operations: list[tuple[MailboxOp, int, int]] = field(default_factory=list)
    work: list[int] = field(default_factory=list)
    orders: list[bytes] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)  # of TX slots of kind frame
    trace: list[np.void] = field(default_factory=list)
    export: bytes = b""

    def writes(self, register: str) -> list[int]:
        """The values written to a register."""
        return [
            value
            for op, address, value in self.operations
            if op == MailboxOp.REGISTER_WRITE and address == REGISTER[register]
        ]

    def reads(self, register: str) -> int:
        """How often a register was read."""
        wanted = (MailboxOp.REGISTER_READ, REGISTER[register])
        return sum(operation[:2] == wanted for operation in self.operations)


class Peer:
    """The other side of the mailbox. A record is a list of lines, publish words still to be set."""

    mode = RunMode.LOCKSTEP

    def __init__(self, records: Sequence[list[bytearray]] = (), *, epoch: int = 0x7FFFFFF0, burst: int = 7,
                 take_orders: bool = True, registers: dict[str, int] | None = None,
                 delay: Callable[[], None] | None = None, layout_hash: int = layout.LAYOUT_HASH,
                 mailbox_bytes: int = layout.MAILBOX_BYTES, raw: Sequence[bytes] = ()) -> None:
        self.records = records
        self.raw = raw
        self.epoch = epoch
        self.burst = burst
        self.take_orders = take_orders
        self.delay = delay
        self.layout_hash = layout_hash
        self.mailbox_bytes = mailbox_bytes
        self.run = Run()
        self._fed = 0
        self._consumed = 0
        self._lines = 0
        self._raw_lines = 0
        self._raw_fed = 0
        self._registers = {
            REGISTER[name]: value
            for name, value in {
                "ID": 0x434E4C54, "VERSION": 0x10000, "LAYOUT_HASH": layout.LAYOUT_HASH, "CAPABILITIES": CAPABILITIES,
                **(registers or {}),
            }.items()
        }
        self._traced = 0

    def boot(self, kernel: Path, config: Path | None, console: Path, extra: Sequence[str] = (),
             boot: Sequence[str] = ()) -> Run:
        """Boot to the end of QEMU, serving every request on the way; ``boot``: QEMU's words for another way to boot."""
        boot = boot or ("-kernel", str(kernel), *(("-initrd", str(config)) if config else ()))
        with contextlib.ExitStack() as stack:
            ram_fd, self._ram = stack.enter_context(_shared("ram", RAM_BYTES))
            nic_fd, self._nic = stack.enter_context(_shared("nic", self.mailbox_bytes))
            self._mailbox = np.frombuffer(self._nic, layout.MAILBOX, 1)[0]
            stack.callback(self._drop_views)
            for name, value in {"magic": layout.MAILBOX_MAGIC, "version": layout.LAYOUT_VERSION, "epoch": self.epoch,
                                "layout_hash": self.layout_hash, "mode": self.mode, "ps_per_instruction": 250}.items():
                self._mailbox[name] = value
            command = [
                "qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot",
                "-machine", "pc,accel=tcg,memory-backend=ram", "-cpu", "max", "-m", "256M",
                "-object", f"memory-backend-file,id=ram,size={RAM_BYTES},mem-path=/proc/self/fd/{ram_fd},share=on",
                "-object", f"memory-backend-file,id=nic,size={self.mailbox_bytes},"
                           f"mem-path=/proc/self/fd/{nic_fd},share=on",
                "-device", "ivshmem-plain,memdev=nic", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-serial", f"file:{console}", *self._time(), *boot, *extra,
            ]
            with subprocess.Popen(command, pass_fds=(ram_fd, nic_fd)) as process:
                try:
                    self._serve(process)
                    self.run.exit_code = process.wait(TIMEOUT_S)
                finally:
                    process.kill()
            self.run.console = console.read_text()
        return self.run

    def _time(self) -> Sequence[str]:
        """QEMU's words for whose time it is: that of executed instructions."""
        return "-icount", "shift=0,sleep=off"

    def _drop_views(self) -> None:
        del self._mailbox

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        words = memoryview(self._nic).cast("I")
        request_at = layout.MAILBOX.fields["request"][1] // 4  # type: ignore[index]
        acknowledge_at = layout.MAILBOX.fields["acknowledge"][1] // 4  # type: ignore[index]
        deadline = time.monotonic() + TIMEOUT_S
        answered = idle = 0
        try:
            while True:
                request = words[request_at]
                if request == answered:
                    idle += 1
                    self._meanwhile()
                    if idle % 4096 == 0:
                        if process.poll() is not None:
                            return
                        if time.monotonic() > deadline:
                            raise PeerError(f"no request within {TIMEOUT_S} s")
                    continue
                if self.delay:
                    self.delay()
                status, value = self._perform()
                self._mailbox["now_ps"] = self._now_ps()
                self._mailbox["ack_status"] = status
                self._mailbox["ack_value"] = value
                answered = request
                words[acknowledge_at] = request  # last: the kernel goes on at once
                if self.run.operations[-1][0] == MailboxOp.EXIT:
                    return
        finally:
            words.release()

    def _perform(self) -> tuple[AcknowledgeStatus, int]:
        box = self._mailbox
        op, address, value = MailboxOp(int(box["op"])), int(box["address"]), int(box["value"])
        self.run.operations.append((op, address, value))
        self.run.work.append(int(box["work"]))
        self._collect_trace(int(box["trace_index"]))
        if op == MailboxOp.ATTACH:
            self._trace = (int(box["trace_address"]), int(box["trace_log2"]))
        elif op == MailboxOp.REGISTER_WRITE:
            self._registers[address] = value
            if address == REGISTER["TX_TAIL"]:
                self._take_orders(value)
        elif op == MailboxOp.REGISTER_READ:
            return AcknowledgeStatus.OK, self._registers.get(address, 0)
        elif op == MailboxOp.POLL:
            self._consumed = value
            return (AcknowledgeStatus.OK if self._poll(address) else AcknowledgeStatus.STOP), 0
        elif op == MailboxOp.EXPORT:
            at, size = int(box["export_address"]), int(box["export_bytes"])
            self.run.export = self._ram[at : at + size]
        return AcknowledgeStatus.OK, 0

    def _meanwhile(self) -> None:
        """No request."""

    def _now_ps(self) -> int:
        """Simulated time at which the kernel goes on: nothing here takes any."""
        return 0

    def _poll(self, deadline_ns: int) -> bool:
        """The kernel waits, so many nanoseconds at most if not 0; False: the run is over."""
        return self._feed()

    def _wide(self, name: str) -> int:
        return self._registers[REGISTER[f"{name}_LO"]] | self._registers[REGISTER[f"{name}_HI"]] << 32

    def _check_window(self, address: int, size: int) -> None:
        for window in ("WINDOW", "WINDOW2"):
            base, limit = self._wide(f"{window}_BASE"), self._wide(f"{window}_SIZE")
            if base <= address and address + size <= base + limit:
                return
        raise PeerError(f"0x{address:x} lies outside the granted windows")

    def _publish_word(self, index: int) -> int:
        return layout.PUBLISH_VALID | (self.epoch + index) % (1 << 31)

    def _in_mode(self, bit: str) -> bool:
        return bool(self._registers[REGISTER["CONTROL"]] & layout.REGISTER_FIELDS["CONTROL"][bit])

    def _slots(self, ring: str) -> int:
        return 1 << self._registers[REGISTER[f"{ring}_LOG2"]]

    def _write(self, address: int, data: bytes | bytearray) -> None:
        self._check_window(address, len(data))
        self._ram[address : address + len(data)] = bytes(data)

    def _read(self, address: int, size: int) -> bytes:
        self._check_window(address, size)
        return self._ram[address : address + size]

    def _descriptor(self, ring: str, index: int) -> tuple[int, np.void]:
        """Address and content of a descriptor that the kernel has given away."""
        address = self._wide(f"{ring}_BASE") + index % self._slots(ring) * layout.DESCRIPTOR.itemsize
        descriptor = np.frombuffer(self._read(address, layout.DESCRIPTOR.itemsize), layout.DESCRIPTOR, 1)[0]
        if descriptor["status"] != 0:
            raise PeerError(f"{ring} descriptor {index} still has status {descriptor['status']}")
        return address, descriptor

    def _mark_done(self, descriptor: int) -> None:
        status = layout.DESCRIPTOR.fields["status"][1]  # type: ignore[index]
        self._write(descriptor + status, bytes([layout.DESCRIPTOR_DONE]))

    def _put_message(self, lines: list[bytearray]) -> None:
        """The lines of one message, what publishes them last."""
        descriptors = []
        lines[0][60:64] = self._publish_word(self._lines).to_bytes(4, "little")
        for i, line in enumerate(lines, self._lines):
            if self._in_mode("RX_DESCRIPTOR"):
                at, descriptor = self._descriptor("RX", i)
                descriptors.append(at)
                line[60:64] = bytes(4)  # the DD bit alone says that it is there
                self._write(int(descriptor["address"]), line)
            else:
                self._write(self._wide("RX_BASE") + i % self._slots("RX") * layout.LINE_BYTES, line)
        for at in reversed(descriptors):
            self._mark_done(at)
        self._lines += len(lines)

    def _put_raw(self) -> None:
        """All raw frames, as long as the kernel keeps the ring empty."""
        size = layout.CONTINUATION_BYTES
        for frame in self.raw[self._raw_fed :]:
            head = np.zeros(1, layout.RAW_FRAME)
            pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
            head["length"], head["status"], head["continuations"] = len(frame), layout.STATUS_FRAME, len(pieces)
            head["publish"] = self._publish_word(self._raw_lines)
            for i, line in enumerate([head.tobytes(), *pieces], self._raw_lines):
                address = self._wide("RAW_BASE") + i % self._slots("RAW") * layout.LINE_BYTES
                self._write(address, line.ljust(layout.LINE_BYTES, b"\0"))
            self._raw_lines += 1 + len(pieces)
        self._raw_fed = len(self.raw)

    def _feed(self) -> bool:
        """Put up to ``burst`` records into the ring; False if none is left and all are consumed."""
        if self._consumed != self._fed + self._raw_fed:
            raise PeerError(f"the kernel waits after {self._consumed} of {self._fed + self._raw_fed} records")
        end = min(self._fed + self.burst, len(self.records))
        first = self._fed
        if self._raw_fed < len(self.raw):
            self._put_raw()
            return True
        while self._fed < end:
            lines = self.records[self._fed]
            held = self._lines - self._registers.get(REGISTER["RX_TAIL"], 0)
            if len(lines) > self._slots("RX") - held:
                if self._fed == first:
                    raise PeerError(f"the kernel waits but holds {held} of {self._slots('RX')} lines")
                break
            self._put_message(lines)
            self._fed += 1
        return self._fed > first

    def _take_orders(self, tail: int) -> None:
        if not self.take_orders:
            return
        for index in range(self._registers.get(REGISTER["TX_HEAD"], 0), tail):
            if self._in_mode("TX_DESCRIPTOR"):
                at, descriptor = self._descriptor("TX", index)
                address = int(descriptor["address"])
            else:
                address = self._wide("TX_BASE") + index % self._slots("TX") * layout.LINE_BYTES
            slot = np.frombuffer(self._read(address, layout.LINE_BYTES), layout.TX_SLOT, 1)[0]
            if slot["publish"] != self._publish_word(index):
                raise PeerError(f"TX slot {index} is not published")
            if slot["kind"] == layout.TxKind.FRAME:
                frame = np.frombuffer(slot.tobytes(), layout.TX_FRAME, 1)[0]
                self.run.frames.append(self._read(int(frame["address"]), int(frame["length"])))
                self._sent_frame(self.run.frames[-1])
            elif slot["kind"] == layout.TxKind.ORDER:
                self.run.orders.append(slot["message"].tobytes()[: slot["length"]])
                self._sent_slot(slot)
            else:
                raise PeerError(f"TX slot {index} has kind {slot['kind']}")
            if self._in_mode("TX_DESCRIPTOR"):
                self._mark_done(at)
        self._registers[REGISTER["TX_HEAD"]] = tail

    def _sent_frame(self, frame: bytes) -> None:
        """A frame of the kernel's has left."""

    def _sent_slot(self, slot: np.void) -> None:
        """So has a packet of the order-entry session."""

    def _collect_trace(self, index: int) -> None:
        if index == self._traced:
            return
        base, log2 = self._trace
        if index - self._traced > 1 << log2:
            raise PeerError("trace entries were overwritten before the bridge could read them")
        size = layout.TRACE_ENTRY.itemsize
        for at in range(self._traced, index):
            start = base + (at & ((1 << log2) - 1)) * size
            self.run.trace.append(np.frombuffer(self._ram[start : start + size], layout.TRACE_ENTRY, 1)[0])
        self._traced = index


@contextlib.contextmanager
def _shared(name: str, size: int) -> Iterator[tuple[int, mmap.mmap]]:
    fd = os.memfd_create(name)
    try:
        os.ftruncate(fd, size)
        with mmap.mmap(fd, size) as memory:
            yield fd, memory
    finally:
        os.close(fd)
