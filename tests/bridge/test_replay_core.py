# SPDX-License-Identifier: MIT
"""The native core in place of one half: the recorded host keeps to its clocks, the recorded NIC to its kernel."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import layout
from bridge.layout import REGISTERS, AcknowledgeStatus, MailboxOp
from tests.bridge.core_harness import Core, Kernel, Run, line, run_with_kernel

ALL = ("frames", "dma", "reads", "registers", "sent", "guest", "trace", "export")
RING_LOG2 = 4
RING_BYTES = 64 << RING_LOG2
FRAMES = [(20_000 * i, bytes([i]) * 64, False) for i in range(4)]


@dataclass
class Script:
    """A kernel: grants a window, takes ``records`` records, orders at the second one, gives the ring back as told."""

    window: int = 0x4000
    records: int = 6
    boot_work: int = 1000
    order_work: int = 100
    record_work: int = 50
    give_back_every: int = 1
    version_reads: int = 2
    versions: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def __call__(self, kernel: Kernel) -> None:
        kernel.attach()
        enable = layout.REGISTER_FIELDS["CONTROL"]["RX_ENABLE"]
        for name, value in {"WINDOW_BASE_LO": self.window, "WINDOW_SIZE_LO": 0x1000, "RX_BASE_LO": self.window,
                            "RX_LOG2": RING_LOG2, "CONTROL": enable}.items():  # fmt: skip
            self._write(kernel, name, value, self.boot_work)
        for _ in range(self.version_reads):
            self.versions.append(kernel.request(MailboxOp.REGISTER_READ, address=REGISTERS["VERSION"])[1])
        for taken in range(self.records):
            assert kernel.request(MailboxOp.POLL, taken, work=5)[0] == AcknowledgeStatus.OK
            at = self.window + 64 * (taken % (1 << RING_LOG2))
            self.seen.append(int.from_bytes(kernel.ram[at : at + 4], "little"))
            kernel.work += self.record_work
            if taken == 1:
                self._order(kernel)
            if (taken + 1) % self.give_back_every == 0:
                self._write(kernel, "RX_TAIL", taken + 1)
        assert kernel.request(MailboxOp.POLL, self.records)[0] == AcknowledgeStatus.STOP
        kernel.request(MailboxOp.EXIT, 0)

    def _write(self, kernel: Kernel, name: str, value: int, work: int = 0) -> None:
        kernel.request(MailboxOp.REGISTER_WRITE, value, REGISTERS[name], work=work)

    def _order(self, kernel: Kernel) -> None:
        kernel.work += self.order_work
        slot = self.window + RING_BYTES
        kernel.ram[slot : slot + 4] = b"BUY!"
        self._write(kernel, "TX_TAIL", 1)


class RecordedNic:
    """Writes a line per record, ``gap`` clocks apart from ``first`` on; reads the order when its doorbell has come."""

    def __init__(self, core: Core, base: int, records: int, first: int, gap: int) -> None:
        self.core, self.base, self.records, self.first, self.gap = core, base, records, first, gap
        self.written, self.version, self.doorbell = 0, 0, False

    def on_clock(self, clock: int) -> None:
        if self.written < self.records and clock >= self.first + self.gap * self.written:
            at = self.base + 64 * (self.written % (1 << RING_LOG2))
            record = line(layout.PUBLISH_VALID | (7 + self.written))
            self.core.write(clock, at, (self.written + 1).to_bytes(4, "little") + record[4:])
            self.written += 1
        if self.doorbell:
            self.doorbell = False
            self.core.read(clock, self.base + RING_BYTES)

    def on_access(self, address: int) -> int:
        self.doorbell |= address == REGISTERS["TX_TAIL"]
        self.version += address == REGISTERS["VERSION"]
        return 100 + self.version


def record(directory: Path, script: Script, first: int = 2000, gap: int = 400) -> Run:
    """A run of ``script``, with Python as the NIC."""
    directory.mkdir()
    core = Core(directory, FRAMES, kernel=True)
    core.native.tl_add_final_read(REGISTERS["CONTROL"])
    nic = RecordedNic(core, script.window, script.records, first, gap)
    run, _ = run_with_kernel(core, script, on_clock=nic.on_clock, on_access=nic.on_access, every_clock=True)
    assert (run.status, run.message) == (0, "")
    return run


def replay(recorded: Path, directory: Path, script: Script) -> tuple[Core, Kernel]:
    """``script`` against the NIC recorded."""
    directory.mkdir()
    core = Core(directory, FRAMES, kernel=True)
    core.native.tl_add_final_read(REGISTERS["CONTROL"])
    assert core.child
    kernel = Kernel(core, script)
    kernel.start()
    assert core.native.tl_wait_attach(core.child.pid) == 0
    core.native.tl_replay_nic(os.fsencode(recorded))
    core.native.tl_close()
    kernel.over = True
    kernel.join(6)
    core.close()
    return core, kernel


def message(core: Core) -> str:
    text: bytes = core.native.tl_message()
    return text.decode()


def log(directory: Path, name: str) -> Any:
    types = {"dma": layout.DMA_LOG, "reads": layout.READ_LOG, "frames": layout.FRAME_LOG,
             "registers": layout.REGISTER_LOG}  # fmt: skip
    return np.fromfile(directory / f"{name}.bin", types[name])


def test_the_same_kernel_has_the_same_run(tmp_path: Path) -> None:
    record(tmp_path / "a", Script())
    script = Script()
    core, _ = replay(tmp_path / "a", tmp_path / "b", script)
    assert message(core) == ""
    for name in ALL:
        assert (tmp_path / f"b/{name}.bin").read_bytes() == (tmp_path / f"a/{name}.bin").read_bytes(), name
    assert len(log(tmp_path / "b", "reads")) == 1
    assert script.seen == list(range(1, 7))


def test_a_kernel_that_polls_later_gets_its_records_as_much_later(tmp_path: Path) -> None:
    record(tmp_path / "a", Script())
    core, _ = replay(tmp_path / "a", tmp_path / "b", Script(boot_work=20_000))
    assert message(core) == ""
    later = log(tmp_path / "b", "frames")["first_clock"] - log(tmp_path / "a", "frames")["first_clock"]
    assert len(set(later.tolist())) == 1
    assert later[0] > 1000
    assert (log(tmp_path / "b", "dma")["clock"] - log(tmp_path / "a", "dma")["clock"]).tolist() == [later[0]] * 6


def test_addresses_go_along_with_the_window(tmp_path: Path) -> None:
    record(tmp_path / "a", Script())
    script = Script(window=0xC000)
    core, _ = replay(tmp_path / "a", tmp_path / "b", script)
    assert message(core) == ""
    assert script.seen == list(range(1, 7))
    (read,) = log(tmp_path / "b", "reads")
    assert (int(read["address"]), read["data"].tobytes()[:4]) == (0xC000 + RING_BYTES, b"BUY!")


def test_an_order_is_not_read_before_its_doorbell(tmp_path: Path) -> None:
    record(tmp_path / "a", Script())
    core, _ = replay(tmp_path / "a", tmp_path / "b", Script(order_work=30_000))
    assert message(core) == ""
    (read,) = log(tmp_path / "b", "reads")
    accesses = log(tmp_path / "b", "registers")
    (doorbell,) = accesses[accesses["address"] == REGISTERS["TX_TAIL"]]
    assert read["issued_clock"] > log(tmp_path / "a", "reads")["issued_clock"][0]
    assert read["issued_clock"] > doorbell["started_clock"]
    assert read["data"].tobytes()[:4] == b"BUY!"


def test_a_kernel_without_the_order_is_not_waited_for(tmp_path: Path) -> None:
    class NoOrder(Script):
        def _order(self, kernel: Kernel) -> None:
            pass

    record(tmp_path / "a", Script())
    core, _ = replay(tmp_path / "a", tmp_path / "b", NoOrder())
    assert message(core) == ""
    assert len(log(tmp_path / "b", "reads")) == 0


def test_a_slow_kernel_finds_no_line_overwritten(tmp_path: Path) -> None:
    """40 records through a ring of 16: the recorded kernel keeps up, the other one takes longer than the NIC."""
    record(tmp_path / "a", Script(records=40), gap=100)
    script = Script(records=40, record_work=200_000, give_back_every=8)
    core, _ = replay(tmp_path / "a", tmp_path / "b", script)
    assert message(core) == ""
    assert script.seen == list(range(1, 41))


def test_a_register_is_answered_by_the_number_of_its_access(tmp_path: Path) -> None:
    first, same, more = Script(), Script(), Script(version_reads=4)
    record(tmp_path / "a", first)
    assert first.versions == [101, 102]
    replay(tmp_path / "a", tmp_path / "b", same)
    assert same.versions == [101, 102]
    core, _ = replay(tmp_path / "a", tmp_path / "c", more)
    assert message(core) == ""
    assert more.versions == [101, 102, 102, 102]


def test_a_register_that_was_not_used_ends_the_replay(tmp_path: Path) -> None:
    record(tmp_path / "a", Script(version_reads=0))
    core, _ = replay(tmp_path / "a", tmp_path / "b", Script(version_reads=1))
    assert message(core) == f"the kernel reads register 0x{REGISTERS['VERSION']:03x}, which the recorded one did not"


def run_host(recorded: Path, directory: Path, reads: dict[int, int]) -> Run:
    """The recorded host against a NIC that reads the lines ``reads`` (clock: address)."""
    directory.mkdir()
    core = Core(directory, FRAMES, replay=os.fsencode(recorded))
    core.native.tl_add_final_read(REGISTERS["CONTROL"])

    def on_clock(clock: int) -> None:
        if clock in reads:
            core.read(clock, reads[clock])

    return core.run(on_clock=on_clock, every_clock=True)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    record(tmp_path / "a", Script())
    return tmp_path / "a"


def reads_of(directory: Path) -> dict[int, int]:
    return {int(read["issued_clock"]): int(read["address"]) for read in log(directory, "reads")}


def test_the_recorded_host_keeps_to_its_clocks(recorded: Path, tmp_path: Path) -> None:
    run = run_host(recorded, tmp_path / "b", reads_of(recorded))
    assert (run.status, run.message) == (0, "")
    assert (tmp_path / "b/registers.bin").read_bytes()[:8] == (recorded / "registers.bin").read_bytes()[:8]
    for field_name in ("started_clock", "done_clock", "address", "write", "purpose"):
        ours, theirs = (log(path, "registers")[field_name].tolist() for path in (tmp_path / "b", recorded))
        assert ours == theirs, field_name
    assert (tmp_path / "b/reads.bin").read_bytes() == (recorded / "reads.bin").read_bytes()
    assert log(tmp_path / "b", "frames")["first_clock"].tolist() == log(recorded, "frames")["first_clock"].tolist()


def cut(name: str, bytes_off: int) -> Callable[[Path], None]:
    def spoil(directory: Path) -> None:
        path = directory / name
        path.write_bytes(path.read_bytes()[:-bytes_off])

    return spoil


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: (path / "reads.bin").write_bytes(b""), "behind the last read of the recorded run"),
        (cut("reads.bin", 1), "reads.bin ends inside an entry"),
        (cut("registers.bin", layout.REGISTER_LOG.itemsize), "the recorded run did not come to its end"),
        (lambda path: (path / "frames.bin").unlink(), "cannot read"),
    ],
    ids=["read too many", "cut inside", "cut between", "missing"],
)
def test_a_record_that_does_not_fit_ends_the_replay(
    spoil: Callable[[Path], None], text: str, recorded: Path, tmp_path: Path
) -> None:
    reads = reads_of(recorded)
    spoil(recorded)
    run = run_host(recorded, tmp_path / "b", reads)
    assert run.status == 1
    assert text in run.message


def test_a_nic_that_reads_another_line_ends_the_replay(recorded: Path, tmp_path: Path) -> None:
    ((clock, address),) = reads_of(recorded).items()
    run = run_host(recorded, tmp_path / "b", {clock + 5: address + 64})
    assert run.status == 1
    assert run.message == (
        f"at clock {clock + 5} the NIC reads line 0x{address + 64:x}, in the recorded run line 0x{address:x} "
        f"at clock {clock}"
    )
