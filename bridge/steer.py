# SPDX-License-Identifier: MIT
"""The cocotb test that steers runs inside the simulator: starts QEMU, lets the clock go, waits for the end, collects.

It is awake before and after each loop only. Its orders come as JSON in the file that ``TICKLOOP_ORDER`` names; each
outcome goes as a line into the progress pipe, whatever happens: a full disk cannot keep it back.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from bridge import core_library, exchange, qemu
from bridge.interface import BridgeError

Play = Callable[[dict[str, Any]], Awaitable[None]]

QEMU_LOG = "qemu.log"
EXIT_PATIENCE_S = 3.0  # less than the silence for which a frozen simulator is known


def _open_core(library: Any, order: dict[str, Any], memory: qemu.Memory | None) -> None:
    config = core_library.Config(
        stimulus=os.fsencode(order["stimulus"]) if not order["exchange"] else None,
        record=os.fsencode(order["record"]),
        replay=os.fsencode(order["replay"]) if order["replay"] else None,
        commands=os.fsencode(order["record"]) if order["kernel"] else None,
        ram_bytes=qemu.RAM_BYTES,
        ram_fd=memory.ram_fd if memory else -1,
        mailbox_fd=memory.mailbox_fd if memory else -1,
        **order["config"],
    )
    status = library.tl_open(ctypes.byref(config))
    if status != 0:
        library.tl_close()
        raise BridgeError(status, os.fsdecode(library.tl_message()))
    for address, value in order["setup"]:
        library.tl_add_register_write(address, value)
    if order["descriptors"]:
        library.tl_prepare_descriptors(*order["descriptors"])
    for address in order["final_reads"]:
        library.tl_add_final_read(address)


def _guest_end(guest: subprocess.Popen[bytes], status: int, message: str, order: dict[str, Any]) -> tuple[int, str]:
    """Exit status and line of a run with a kernel: QEMU's own end explains more than its silence."""
    if status in (0, 4):
        try:
            ended = guest.wait(None if order["gdb"] or order["console_fd"] else EXIT_PATIENCE_S)
        except Exception:
            return 6, "the kernel finished but QEMU does not end"
        explained = qemu.explain(ended, Path(order["console"]), Path(order["record"]) / QEMU_LOG)
        return explained if explained[0] != 0 or status == 0 else (status, message)
    return status, message


async def _run(play: Play, library: Any, order: dict[str, Any], outcome: dict[str, Any]) -> None:
    record = Path(order["record"])
    memory = qemu.allocate() if order["kernel"] else None
    _open_core(library, order, memory)
    attached = exchange.attach(library, order["exchange"], record) if order["exchange"] else None
    start = time.monotonic()
    guest = None
    if memory:
        guest = qemu.start(
            memory,
            Path(order["kernel"]),
            Path(order["config_module"]),
            Path(order["console"]),
            record / QEMU_LOG,
            order["mode"],
            order["gdb"],
            order["console_fd"],
        )
    try:
        status = library.tl_wait_attach(guest.pid) if guest else 0
        outcome["boot_s"] = time.monotonic() - start
        if status == 0:
            await play(order)
        totals = core_library.Totals()
        library.tl_get_totals(ctypes.byref(totals))
        outcome["totals"] = core_library.as_dict(totals)
        if attached:
            outcome["exchange"] = attached.state()
        outcome["final"] = [library.tl_final_value(i) for i in range(len(order["final_reads"]))]
        status = library.tl_close()
        message = os.fsdecode(library.tl_message())
        outcome["status"], outcome["message"] = (
            _guest_end(guest, status, message, order) if guest else (status, message)
        )
    finally:
        if guest:
            guest.kill()
            guest.wait()


async def _outcome(play: Play, library: Any, order: dict[str, Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = {"status": 5, "message": "the simulation ended early"}
    try:
        await _run(play, library, order, outcome)
    except BridgeError as error:
        library.tl_close()
        outcome["status"], outcome["message"] = error.exit_status, str(error)
    except OSError as error:
        outcome["status"] = 8 if error.errno in (errno.ENOSPC, errno.EDQUOT) else 5
        outcome["message"] = str(error)
    return outcome


async def carry_out(orders: dict[str, Any], library: Any, play: Play) -> None:
    """Make all runs, each by ``play``, which returns when the core says that its run is over."""
    for order in orders["runs"]:
        outcome: dict[str, Any] = {"status": 5, "message": "the simulation ended early"}
        try:
            outcome = await _outcome(play, library, order)
        finally:
            os.write(orders["progress_fd"], json.dumps(outcome).encode() + b"\n")


def load_orders() -> tuple[dict[str, Any], Any]:
    """The orders and the native core."""
    orders = json.loads(Path(os.environ["TICKLOOP_ORDER"]).read_text())
    return orders, core_library.load(Path(orders["core"]))


@cocotb.test()
async def steer(dut: Any) -> None:
    """Carry out the orders; their outcomes say how they went."""
    orders, library = load_orders()

    async def play(_: dict[str, Any]) -> None:
        dut.go.value = 1
        await RisingEdge(dut.done)
        dut.go.value = 0
        await FallingEdge(dut.done)

    dut.go.value = 0
    await Timer(64_000, unit="ps")
    await carry_out(orders, library, play)
