# SPDX-License-Identifier: MIT
"""What a run of the loop takes and gives back; the one interface between the command line and the bridge.

Times inside the logs are clocks of the NIC (``clock_ps`` each) or picoseconds, both from the start of the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bridge.commands import Command
from bridge.layout import VALID_LOG
from generators.framing import DEFAULT_GROUP

if TYPE_CHECKING:
    from bridge.own_parser import OwnParser

CLOCK_PS = 6400  # 10GbE: 64 bits at 156.25 MHz
CLOCK_PS_25G = 2560  # 25GbE: 64 bits at 390.625 MHz


Simulator = Literal["verilator", "icarus"]
Delivery = Literal["verified", "cut-through"]
PacketFormat = Literal["mold", "prototype"]
RingMode = Literal["lines", "descriptors"]
RunMode = Literal["lockstep", "free"]


class BridgeError(Exception):
    """A run that could not be carried out: one line for the user and the exit status that goes with it."""

    def __init__(self, exit_status: int, message: str) -> None:
        super().__init__(message)
        self.exit_status = exit_status


@dataclass(frozen=True)
class Exchange:
    """An exchange that answers what the NIC sends, made in the simulator's process: ``factory``, "module:callable", is
    called with ``arguments``, plain values (see ``bridge.exchange``)."""

    factory: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def order(self) -> dict[str, Any]:
        return {"factory": self.factory, "arguments": self.arguments}


@dataclass(frozen=True)
class LoopRequest:
    """One run.

    ``kernel`` None runs the RTL alone: the native core plays the host, sets the NIC up as the fields below say, gives
    ring lines back at once and sends nothing. With a kernel, the kernel sets the NIC up and these fields are not used.
    ``replay`` is the record of an earlier run with the same stimulus: without a kernel its host acts again; with one
    its NIC does, and there is no simulator.
    ``stimulus`` is a file of ``stimulus_frame`` entries of both lines (see ``bridge.stimulus``).
    """

    stimulus: Path
    out: Path
    simulator: Simulator = "verilator"
    kernel: Path | None = None
    config_module: Path | None = None
    group_address: str = DEFAULT_GROUP.address
    group_port: int = DEFAULT_GROUP.port
    seed: int = 1
    mode: RunMode = "lockstep"  # with a kernel
    waves: bool = False
    ps_per_instruction: int = 250
    posted_write_ns: int = 250
    read_ns: int = 400
    doorbell_ns: int = 200
    skip_idle: bool = True
    gdb: str | None = None  # QEMU waits for gdb there, and nobody minds how long: a localhost port, or a socket's path
    live_console: str | None = None  # a socket's path: somebody types to the kernel, which is held there at first
    host_delay: int = 0  # us: up to so long the bridge waits, at random, before it lets the kernel go on
    guest_delay: int = 0  # us: up to so long QEMU is stopped, at random, while the kernel runs
    delay_seed: int = 1
    commands: tuple[Command, ...] = ()  # for a kernel in lockstep
    exchange: Exchange | None = None  # likewise; the run makes its stimulus, at record/stimulus.bin
    progress: Callable[[int, int], None] | None = None
    clock_ps: int = CLOCK_PS  # of the NIC; the lines carry eight bytes a clock
    replay: Path | None = None
    parser: OwnParser | None = None  # in the place of the NIC's
    # without a kernel
    delivery: Delivery = "cut-through"
    hold_ns: int = 0
    packet_format: PacketFormat = "mold"
    events: tuple[str, ...] = ()  # fields of EVENT_ENABLE: the event lines that the RX ring gets
    rx_mode: RingMode = "lines"
    rx_log2: int = 12  # slots of the RX ring
    raw_ring: bool = False  # frames for host_mac that are not market data go to the raw ring
    host_mac: str = "02:00:00:00:00:01"
    registers: tuple[tuple[str, int], ...] = ()  # more set-up, written in this order before the NIC is enabled


@dataclass(frozen=True)
class SentFrame:
    """A frame that left the transmit port, without FCS."""

    first_clock: int
    last_clock: int
    data: bytes


@dataclass(frozen=True)
class RawFrame:
    """A frame that the NIC put into the raw ring, without FCS."""

    line: int  # 0 A, 1 B
    hw_timestamp_ns: int
    reason: int  # why it is not market data: DropReason
    data: bytes


@dataclass(frozen=True)
class TraceNote:
    """What the kernel did beside messages: a trace_kind with its value, after so many records."""

    records: int
    kind: int
    value: int
    time_ps: int


@dataclass(frozen=True)
class LoopResult:
    """What was recorded: numpy arrays of the layout's log records, in time order."""

    frames: npt.NDArray[Any]  # FRAME_LOG, one a received frame, in wire order: first clock, then A before B
    dma: npt.NDArray[Any]  # DMA_LOG, every line the NIC wrote
    reads: npt.NDArray[Any]  # READ_LOG, every line the NIC read
    register_accesses: npt.NDArray[Any]  # REGISTER_LOG, the host's on AXI4-Lite
    sent: list[SentFrame]
    guest: npt.NDArray[Any]  # GUEST_LOG, empty without a kernel
    trace: npt.NDArray[Any]  # TRACE_LOG, one a record the kernel finished
    registers: dict[str, int]  # every readable register at the end
    export: bytes  # the kernel's export_header and what follows; empty without a kernel
    clocks: int  # simulated
    clocks_skipped: int
    wall: dict[str, float]  # setup_s, boot_s, loop_s
    versions: dict[str, str] = field(default_factory=dict)
    waves: Path | None = None
    raw: list[RawFrame] = field(default_factory=list)  # in ring order
    clock_ps: int = CLOCK_PS
    mode: RunMode = "lockstep"
    valid: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, VALID_LOG))  # messages that left the filter
    posted_write_clocks: int = 0  # from a DMA write until the kernel can see it
    stimulus: Path | None = None
    held_up: int = 0  # delays injected (host_delay, guest_delay)
    notes: list[TraceNote] = field(default_factory=list)
    commands: tuple[Command, ...] = ()  # of the host, in the order in which they were given
    rx_base: int = 0  # host address of the RX ring
    rx_log2: int = 0
    epoch: int = 0
    exchange: dict[str, Any] | None = None  # its state at the end, in its own words
