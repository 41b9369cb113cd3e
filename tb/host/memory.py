# SPDX-License-Identifier: MIT
"""Host memory behind an AXI4 port: takes single-beat bursts of one line or parts of it, as slowly as it is told to.

AW and W are taken independently, reads and writes are answered in order. A write is done, and logged, when both have
come; the protocol rules that the NIC must keep (AXI4 sections A3.2 and A3.4) are checked in passing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from tb.signals import reader

LINE_BYTES = 64
ALL_BYTES = (1 << LINE_BYTES) - 1
OKAY, SLVERR = 0, 2
SIZE_64_BYTES, BURST_INCR = 6, 1


@dataclass(frozen=True)
class Write:
    """A line written; times in ps, of the clock edges that took address and data. ``line`` is the line as it stands
    in memory afterwards: bytes without their bit in ``strobe`` are as they were."""

    address_ps: int
    data_ps: int
    address: int
    line: bytes
    strobe: int


@dataclass
class Pace:
    """How the host answers: the chance of a ready a clock, the most clocks a response takes, whether any comes."""

    ready: float = 1.0
    response_clocks: int = 0
    responds: bool = True


class HostMemory:
    """The slave. ``lines`` is what the NIC reads; ``writes`` what it wrote; ``fail`` holds addresses answered SLVERR;
    ``reads`` are the addresses read and ``answers_ps`` when their data were taken."""

    def __init__(self, dut: Any, clk: Any, random: Random, prefix: str = "m_axi") -> None:
        self.lines: dict[int, bytes] = {}
        self.writes: list[Write] = []
        self.reads: list[int] = []
        self.answers_ps: list[int] = []
        self.fail: set[int] = set()
        self.pace = Pace()
        self._clk = clk
        self._random = random
        outputs = ("awaddr", "awlen", "awsize", "awburst", "awvalid", "wdata", "wstrb", "wlast", "wvalid", "bready",
                   "araddr", "arlen", "arsize", "arburst", "arvalid", "rready")
        inputs = ("awready", "wready", "bresp", "bvalid", "arready", "rdata", "rresp", "rlast", "rvalid")
        self._read = {name: reader(getattr(dut, f"{prefix}_{name}")) for name in outputs}
        self._inputs = {name: getattr(dut, f"{prefix}_{name}") for name in inputs}
        self._driven: dict[str, int] = {}
        for name in inputs:
            self._drive(name, 0)
        self._addresses: deque[tuple[int, int]] = deque()
        self._data: deque[tuple[int, bytes, int]] = deque()
        self._b_due: deque[tuple[int, int]] = deque()  # clock, response
        self._r_due: deque[tuple[int, int]] = deque()  # clock, address
        self._held: dict[str, int] = {}  # channel -> payload offered and not taken

    @property
    def busy(self) -> bool:
        """Something of the NIC is not answered yet."""
        return bool(self._addresses or self._data or self._b_due or self._r_due)

    async def run(self) -> None:
        """Serves for ever: one pass a clock, reading the wide buses only when something is on them."""
        read, clk = self._read, self._clk
        clock = 0
        ready = dict.fromkeys(("aw", "w", "ar"), False)
        b_offered = r_offered = False
        while True:
            await RisingEdge(clk)
            clock += 1
            now = int(get_sim_time("ps"))
            if self._offered("aw", "awaddr", ready["aw"]):
                self._single_beat("aw")
                self._addresses.append((now, read["awaddr"]()))
            if self._offered("w", "wdata", ready["w"]):
                assert read["wlast"](), "a line is one beat"
                strobe = read["wstrb"]()
                assert strobe, "a write of nothing"
                self._data.append((now, read["wdata"]().to_bytes(LINE_BYTES, "little"), strobe))
            if self._offered("ar", "araddr", ready["ar"]):
                self._single_beat("ar")
                address = read["araddr"]()
                self.reads.append(address)
                self._r_due.append((self._due(clock), address))
            if b_offered and read["bready"]():
                self._b_due.popleft()
                b_offered = False
            if r_offered and read["rready"]():
                self._r_due.popleft()
                self.answers_ps.append(now)
                r_offered = False
            while self._addresses and self._data:
                self._commit(clock)

            if not b_offered and self._b_due and self.pace.responds and self._b_due[0][0] <= clock:
                self._drive("bresp", self._b_due[0][1])
                b_offered = True
            if not r_offered and self._r_due and self.pace.responds and self._r_due[0][0] <= clock:
                address = self._r_due[0][1]
                self._drive("rdata", int.from_bytes(self.lines.get(address, bytes(LINE_BYTES)), "little"))
                self._drive("rresp", SLVERR if address in self.fail else OKAY)
                r_offered = True
            self._drive("bvalid", int(b_offered))
            self._drive("rvalid", int(r_offered))
            self._drive("rlast", int(r_offered))
            for channel in ready:
                ready[channel] = self.pace.ready >= 1.0 or self._random.random() < self.pace.ready
                self._drive(f"{channel}ready", int(ready[channel]))

    def _drive(self, name: str, value: int) -> None:
        """Writes what changes."""
        if self._driven.get(name) != value:
            self._driven[name] = value
            self._inputs[name].value = value

    def _offered(self, channel: str, payload: str, ready: bool) -> bool:
        """Whether the channel transfers at this edge; what is offered must stay as it is until it is taken."""
        valid = bool(self._read[f"{channel}valid"]())
        held = self._held.pop(channel, None)
        if held is not None:
            assert valid, f"{channel}valid was withdrawn"
            assert self._read[payload]() == held, f"{payload} changed while it waited"
        if valid and not ready:
            self._held[channel] = self._read[payload]()
        return valid and ready

    def _single_beat(self, channel: str) -> None:
        read = self._read
        shape = tuple(read[f"{channel}{part}"]() for part in ("len", "size", "burst"))
        assert shape == (0, SIZE_64_BYTES, BURST_INCR), f"{channel}: len, size, burst are {shape}"
        assert read[f"{channel}addr"]() % LINE_BYTES == 0, f"{channel}addr is not the address of a line"

    def _commit(self, clock: int) -> None:
        (address_ps, address), (data_ps, data, strobe) = self._addresses.popleft(), self._data.popleft()
        if strobe == ALL_BYTES:
            line = data
        else:
            before = self.lines.get(address, bytes(LINE_BYTES))
            line = bytes(data[i] if strobe >> i & 1 else before[i] for i in range(LINE_BYTES))
        self.lines[address] = line
        self.writes.append(Write(address_ps, data_ps, address, line, strobe))
        self._b_due.append((self._due(clock), SLVERR if address in self.fail else OKAY))

    def _due(self, clock: int) -> int:
        return clock + (self._random.randint(0, self.pace.response_clocks) if self.pace.response_clocks else 0)
