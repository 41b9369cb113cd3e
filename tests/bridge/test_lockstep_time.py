# SPDX-License-Identifier: MIT
"""Simulated time at the mailbox: what each kind of request costs, and when the kernel sees what the NIC wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge import layout
from bridge.interface import CLOCK_PS
from bridge.layout import MailboxOp
from tests.bridge.core_harness import REGISTER_CLOCKS, Core, Kernel, line, run_with_kernel

START_PS = 8 * CLOCK_PS  # the first tick: simulated time of the kernel's attach
POLL_PS = 20 * 250


def _end(kernel: Kernel) -> None:
    kernel.request(MailboxOp.EXIT, 0)


def test_a_posted_write_costs_the_kernel_nothing_and_the_nic_the_doorbell_latency(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.REGISTER_WRITE, 5, layout.REGISTERS["RX_LOG2"], work=1000)
        kernel.request(MailboxOp.POLL, 0)
        _end(kernel)

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, kernel = run_with_kernel(core, script)
    assert (run.status, run.message) == (0, "")
    assert kernel.answers[1][2] == START_PS + 1000 * 250
    at = -(-(START_PS + 1000 * 250) // CLOCK_PS) + 30
    assert run.accesses[0] == (at, True, layout.REGISTERS["RX_LOG2"], 5)


def test_a_register_read_costs_a_round_trip(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.REGISTER_READ, address=layout.REGISTERS["VERSION"], work=64)
        kernel.request(MailboxOp.POLL, 0)
        _end(kernel)

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, kernel = run_with_kernel(core, script, on_access=lambda address: 0xABCD)
    assert run.status == 0, run.message
    status, value, now = kernel.answers[1]
    assert (status, value) == (0, 0xABCD)
    clock = -(-(START_PS + 64 * 250) // CLOCK_PS)
    assert now == (clock + 30 + REGISTER_CLOCKS + 30) * CLOCK_PS


def test_a_poll_ends_on_the_poll_grid_once_a_record_is_visible(tmp_path: Path) -> None:
    written = 4000

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, 0, work=77)
        seen.append(kernel.ram[0x4000 + 60 : 0x4000 + 64])
        kernel.request(MailboxOp.POLL, 1, work=10)
        _end(kernel)

    def on_clock(clock: int) -> None:
        if clock >= written and not writes:
            writes.append(clock)
            core.write(clock, 0x4000, line(layout.PUBLISH_VALID | 7))

    seen: list[bytes] = []
    writes: list[int] = []
    frames = [(10_000 * i, bytes(64), False) for i in range(8)]
    core = Core(tmp_path, frames, kernel=True)
    run, kernel = run_with_kernel(core, script, on_clock=on_clock)
    assert run.status == 0, run.message
    polled = START_PS + 77 * 250
    visible = (writes[0] + 40) * CLOCK_PS
    assert kernel.answers[1] == (0, 0, polled + -(-(visible - polled) // POLL_PS) * POLL_PS)
    assert seen == [(layout.PUBLISH_VALID | 7).to_bytes(4, "little")]
    assert kernel.answers[2][0] == layout.AcknowledgeStatus.STOP


def test_a_continuation_line_is_not_a_record(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, 0)
        _end(kernel)

    def on_clock(clock: int) -> None:
        if clock >= 1000 and not writes:
            writes.append(clock)
            core.write(clock, 0x4000, line(0))

    writes: list[int] = []
    core = Core(tmp_path, [(10_000 * i, bytes(64), False) for i in range(3)], kernel=True)
    run, kernel = run_with_kernel(core, script, on_clock=on_clock)
    assert run.status == 0, run.message
    assert kernel.answers[1][0] == layout.AcknowledgeStatus.STOP


def test_trace_taps_lie_on_simulated_time(tmp_path: Path) -> None:
    """Taps before and after a request inside one record's processing are mapped each with its own running period."""

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.REGISTER_READ, address=layout.REGISTERS["VERSION"], work=100)
        entry = np.zeros(1, layout.TRACE_ENTRY)
        for name, value in {"sequence": 42, "dequeue": 40, "applied": 50, "decision": 60, "doorbell": 90, "done": 130,
                            "orders": 1}.items():  # fmt: skip
            entry[name] = value
        kernel.ram[0x1000 : 0x1000 + entry.itemsize] = entry.tobytes()
        kernel.request(MailboxOp.POLL, 0, work=50, trace_index=1)
        _end(kernel)

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, kernel = run_with_kernel(core, script)
    assert run.status == 0, run.message
    (entry,) = core.log("trace")
    after_read = kernel.answers[1][2]
    assert int(entry["dequeue_ps"]) == START_PS + 40 * 250
    assert int(entry["doorbell_ps"]) == START_PS + 90 * 250
    assert int(entry["done_ps"]) == after_read + 30 * 250
    assert (int(entry["sequence"]), int(entry["done_work"]), int(entry["orders"])) == (42, 90, 1)


def test_a_write_that_waits_for_credit_sees_what_arrived_meanwhile(tmp_path: Path) -> None:
    """The kernel goes on when its first write has arrived at the NIC, with memory as it is then, not at its request."""
    credits, publish = 32, layout.PUBLISH_VALID | 7

    def script(kernel: Kernel) -> None:
        kernel.attach()
        for i in range(credits):
            kernel.request(MailboxOp.REGISTER_WRITE, 0, layout.REGISTERS["RX_TAIL"], work=100 if i == 10 else 0)
        seen.append(int.from_bytes(kernel.ram[0x4000 + 60 : 0x4000 + 64], "little"))
        kernel.request(MailboxOp.POLL, 1)
        _end(kernel)

    def on_clock(clock: int) -> None:
        if clock > 8 and not writes:
            writes.append(clock)
            core.write(clock, 0x4000, line(publish))

    seen: list[int] = []
    writes: list[int] = []
    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True, posted_write_clocks=20, doorbell_clocks=30)
    run, kernel = run_with_kernel(core, script, on_clock=on_clock)
    assert run.status == 0, run.message
    assert {now for _, _, now in kernel.answers[1:credits]} == {START_PS, START_PS + 100 * 250}
    assert kernel.answers[credits][2] == START_PS + (30 + REGISTER_CLOCKS) * CLOCK_PS
    assert seen == [publish]


def test_the_log_holds_what_a_register_read_answered(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.REGISTER_READ, address=layout.REGISTERS["VERSION"])
        kernel.request(MailboxOp.POLL, 0)
        _end(kernel)

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, kernel = run_with_kernel(core, script, on_access=lambda address: 0xABCD)
    assert run.status == 0, run.message
    log = core.log("guest")
    operations = [MailboxOp.ATTACH, MailboxOp.REGISTER_READ, MailboxOp.POLL, MailboxOp.EXIT]
    assert log["op"].tolist() == operations
    assert log["answer"].tolist() == [0, 0xABCD, 0, 0]
    status = layout.AcknowledgeStatus
    assert log["status"].tolist() == [status.OK, status.OK, status.STOP, status.OK]
    assert log["answered_ps"].tolist() == [now for _, _, now in kernel.answers]


def test_the_record_has_every_register_access_and_every_dma_read(tmp_path: Path) -> None:
    version, tail = layout.REGISTERS["VERSION"], layout.REGISTERS["RX_TAIL"]

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.ram[0x4000:0x4040] = bytes(range(64))
        kernel.request(MailboxOp.REGISTER_READ, address=version)
        kernel.request(MailboxOp.REGISTER_WRITE, 5, tail)
        kernel.request(MailboxOp.POLL, 0)
        _end(kernel)

    def on_clock(clock: int) -> None:
        if clock > 100 and not issued:
            issued.append(clock)
            core.read(clock, 0x4000)

    issued: list[int] = []
    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    core.native.tl_add_final_read(version)
    run, _ = run_with_kernel(core, script, on_access=lambda address: 0xABCD, on_clock=on_clock)
    assert run.status == 0, run.message
    accesses, purpose = core.log("registers"), layout.RegisterPurpose
    assert [(at, bool(write), address) for at, write, address, _ in run.accesses] == [
        (int(a["started_clock"]), bool(a["write"]), int(a["address"])) for a in accesses
    ]
    assert (accesses["done_clock"] - accesses["started_clock"]).tolist() == [REGISTER_CLOCKS] * 3
    assert accesses["value"].tolist() == [0xABCD, 5, 0xABCD]
    assert accesses["purpose"].tolist() == [purpose.KERNEL_READ, purpose.KERNEL_WRITE, purpose.FINAL_READ]
    (read,) = core.log("reads")
    assert (int(read["issued_clock"]), int(read["answered_clock"])) == (issued[0], run.reads[0][0])
    assert (int(read["address"]), read["data"].tobytes()) == (0x4000, bytes(range(64)))


FAULTS = {
    "layout": (7, "built for layout 12345678", lambda k: k.request(MailboxOp.ATTACH, 0x12345678)),
    "trace ring outside": (7, "trace ring", lambda k: k.attach(trace_address=1 << 40)),
    "trace ring too long": (7, "trace ring", lambda k: k.attach(trace_log2=31)),
    "unknown request": (7, "unknown request (99)", lambda k: (k.attach(), k.request(99))),
    "export outside": (
        7,
        "export",
        lambda k: (k.attach(), k.request(MailboxOp.EXPORT, export_address=0xFFFF_FFFF_FFFF_FFF0, export_bytes=64)),
    ),
    "trace overrun": (1, "trace entries", lambda k: (k.attach(), k.request(MailboxOp.POLL, 0, trace_index=17))),
    "bad end": (1, "ended with status 3", lambda k: (k.attach(), k.request(MailboxOp.EXIT, 3))),
    "no register": (1, "0x1000, where the NIC", lambda k: (k.attach(), k.request(MailboxOp.REGISTER_WRITE, 0, 0x1000))),
    "between registers": (1, "0x2, where the NIC", lambda k: (k.attach(), k.request(MailboxOp.REGISTER_READ, 0, 2))),
    "two exports": (
        1,
        "exported twice",
        lambda k: (
            k.attach(),
            *(k.request(MailboxOp.EXPORT, export_address=0, export_bytes=8) for _ in range(2)),
        ),
    ),
    "work without end": (
        1,
        "beyond the NIC's time",
        lambda k: (k.attach(), k.request(MailboxOp.POLL, work=1 << 60)),
    ),
    "silence": (6, "silent for 2 s", lambda k: k.attach()),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_kernel_that_breaks_the_protocol_ends_the_run(tmp_path: Path, fault: str) -> None:
    status, text, script = FAULTS[fault]
    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, _ = run_with_kernel(core, script)
    assert run.status == status
    assert text in run.message


def test_work_that_goes_back_ends_the_run(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.work = 1000
        kernel.attach()
        kernel.work = 10
        kernel.request(MailboxOp.POLL, 0)

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, _ = run_with_kernel(core, script)
    assert (run.status, run.message) == (1, "the kernel's work count went back")


def test_a_dead_machine_is_noticed(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        core.child.kill()  # type: ignore[union-attr]

    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True)
    run, _ = run_with_kernel(core, script)
    assert run.status == 4
    assert "QEMU died" in run.message


def test_a_dma_write_outside_host_memory_ends_the_run(tmp_path: Path) -> None:
    def on_clock(clock: int) -> None:
        if clock >= 100:
            core.write(clock, (1 << 20) - 32, line(0))

    core = Core(tmp_path, [(0, bytes(64), False)])
    run = core.run(on_clock=on_clock)
    assert run.status == 1
    assert "outside host memory" in run.message
