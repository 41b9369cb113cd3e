# SPDX-License-Identifier: MIT
"""What a run of the loop takes and gives back; the one interface between the command line and the bridge.

Times inside the logs are clocks of the NIC (``CLOCK_PS`` each) or picoseconds, both from the start of the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from generators.framing import DEFAULT_GROUP

CLOCK_PS = 6400

Simulator = Literal["verilator", "icarus"]


class BridgeError(Exception):
    """A run that could not be carried out: one line for the user and the exit status that goes with it."""

    def __init__(self, exit_status: int, message: str) -> None:
        super().__init__(message)
        self.exit_status = exit_status


@dataclass(frozen=True)
class LoopRequest:
    """One run.

    ``kernel`` None runs the RTL alone: the native core plays the host, gives ring lines back at once and sends nothing.
    ``stimulus`` is a file of ``stimulus_frame`` entries (see ``bridge.stimulus``).
    """

    stimulus: Path
    out: Path
    simulator: Simulator = "verilator"
    kernel: Path | None = None
    config_module: Path | None = None
    group_address: str = DEFAULT_GROUP.address
    group_port: int = DEFAULT_GROUP.port
    seed: int = 1
    waves: bool = False
    ps_per_instruction: int = 250
    posted_write_ns: int = 250
    read_ns: int = 400
    doorbell_ns: int = 200
    skip_idle: bool = True
    host_delay: int = 0
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True)
class SentFrame:
    """A frame that left the transmit port, without FCS."""

    first_clock: int
    last_clock: int
    data: bytes


@dataclass(frozen=True)
class LoopResult:
    """What was recorded: numpy arrays of the layout's log records, in time order."""

    frames: npt.NDArray[Any]  # FRAME_LOG, one a received frame
    dma: npt.NDArray[Any]  # DMA_LOG, every line the NIC wrote
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
    rx_base: int = 0  # host address of the RX ring
    rx_log2: int = 0
    epoch: int = 0
