# SPDX-License-Identifier: MIT
"""The host side on the bench: register master, host memory, frame sink; its receive side is the test itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge

from bridge import layout
from bridge.interface import CLOCK_PS
from tb.host.memory import HostMemory
from tb.host.registers import OKAY, RegisterMaster
from tb.host.stream import FrameSink
from tb.signals import reader

LINE_BYTES = layout.LINE_BYTES
PUBLISH_OFFSET = layout.TX_SLOT.fields["publish"][1]
RECEIVE_PORTS = tuple(f"rx_{port}_{name}" for port in "ab" for name in ("tdata", "tkeep", "tvalid", "tlast", "tuser"))
REPORT = ("report_valid", "report_line", "report_reason", "report_timestamp")
INPUTS = (*RECEIVE_PORTS, *REPORT, "line_valid", "line_first", "line_event", "line_data", "line_abort", "filter_busy",
          "time_ns", "next_expected", "next_expected_valid", "statistics", "overflow")
IDLE_CLOCKS = 4000  # without reaching idle for so long, something is stuck

REG = layout.REGISTERS
ERROR = layout.REGISTER_FIELDS["ERRORS"]
CONTROL = layout.REGISTER_FIELDS["CONTROL"]

WINDOW_BASE = 0x4000_0000
WINDOW_SIZE = 0x0100_0000
RX_BASE = WINDOW_BASE + 0x40
TX_BASE = WINDOW_BASE + 0x80_0000
RAW_BASE = WINDOW_BASE + 0x90_0000


@dataclass(frozen=True)
class Message:
    """A message as the receive side hands it over: 60-byte lines, the first line last."""

    continuations: tuple[bytes, ...]
    first: bytes

    @property
    def lines(self) -> int:
        return 1 + len(self.continuations)


def message(number: int, continuations: int = 0) -> Message:
    """Message ``number``: every line says whose it is and which."""
    def line(index: int) -> bytes:
        return number.to_bytes(8, "little") + index.to_bytes(2, "little") + Random(number << 16 | index).randbytes(50)

    return Message(tuple(line(k) for k in range(continuations)), line(0xFFFF))


def publish_word(epoch: int, index: int) -> int:
    """The publish word of absolute line ``index`` in a run with this epoch."""
    return layout.PUBLISH_VALID | (epoch + index) % (1 << 31)


class Bench:
    """One host side out of reset with agents on every port of the host side."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.random = Random(cocotb.RANDOM_SEED)
        self.clk = dut.clk
        self.registers = RegisterMaster(dut, dut.clk)
        self.memory = HostMemory(dut, dut.clk, self.random)
        self.sink = FrameSink(dut, dut.clk, self.random)
        self.epoch = 0
        halves = ("idle",) if hasattr(dut, "idle") else ("receive_idle", "host_idle")  # of the whole NIC
        self._idle = [reader(getattr(dut, name)) for name in halves]

    @classmethod
    async def start(cls, dut: Any, inputs: Sequence[str] = INPUTS) -> Bench:
        """Resets with every input driven before the first edge."""
        dut.rst.value = 1
        for name in inputs:
            getattr(dut, name).value = 0
        bench = cls(dut)
        Clock(dut.clk, CLOCK_PS, "ps", impl="gpi").start()
        await bench.clocks(4)
        dut.rst.value = 0
        cocotb.start_soon(bench.memory.run())
        cocotb.start_soon(bench.sink.run())
        cocotb.start_soon(bench._idle_is_true())
        await bench.clocks(1)
        return bench

    async def clocks(self, count: int) -> None:
        for _ in range(count):
            await RisingEdge(self.clk)

    # ---- Registers

    async def write(self, name: str, value: int) -> None:
        """Writes a register that must accept the value."""
        assert await self.registers.write(REG[name], value) == OKAY, f"{name} <- {value:#x} refused"

    async def refuse(self, name: str, value: int) -> None:
        """Writes a register that must refuse the value, and clears the error this leaves."""
        assert await self.registers.write(REG[name], value) != OKAY, f"{name} <- {value:#x} accepted"
        assert await self.read("ERRORS") & ERROR["WRITE_REFUSED"], f"{name} <- {value:#x}: no error bit"
        await self.write("ERRORS", ERROR["WRITE_REFUSED"])

    async def read(self, name: str) -> int:
        answer = await self.registers.read(REG[name])
        assert answer.response == OKAY, name
        return answer.data

    async def write64(self, name: str, value: int) -> None:
        await self.write(f"{name}_LO", value & 0xFFFF_FFFF)
        await self.write(f"{name}_HI", value >> 32)

    async def set_window(self, base: int = WINDOW_BASE, size: int = WINDOW_SIZE, second: bool = False) -> None:
        name = "WINDOW2" if second else "WINDOW"
        await self.write64(f"{name}_BASE", base)
        await self.write64(f"{name}_SIZE", size)

    async def start_ring(self, ring: str, base: int, log2: int, epoch: int, *modes: str) -> None:
        """Sets up and starts the ring "RX", "TX" or "RAW", with further bits of CONTROL; what runs goes on."""
        await self.write64(f"{ring}_BASE", base)
        await self.write(f"{ring}_LOG2", log2)
        await self.write(f"{ring}_EPOCH", epoch)
        self.epoch = epoch
        bits = sum(CONTROL[name] for name in (f"{ring}_ENABLE", *modes))
        await self.write("CONTROL", await self.read("CONTROL") | bits)

    async def stop_ring(self, ring: str) -> None:
        await self.write("CONTROL", await self.read("CONTROL") & ~CONTROL[f"{ring}_ENABLE"])

    async def counters(self, *names: str) -> dict[str, int]:
        return {name: await self.read(name) for name in names}

    # ---- Lines of the receive side

    async def send_line(self, line: bytes, first: bool, event: bool = False) -> None:
        """One line in one clock; a following line may come in the next."""
        self.dut.line_valid.value = 1
        self.dut.line_first.value = int(first)
        self.dut.line_event.value = int(event)
        self.dut.line_data.value = int.from_bytes(line, "little")
        await RisingEdge(self.clk)
        self.dut.line_valid.value = 0

    async def send(self, *messages: Message) -> None:
        """Messages back to back, a line a clock."""
        for item in messages:
            for line in item.continuations:
                await self.send_line(line, first=False)
            await self.send_line(item.first, first=True)

    async def abort(self) -> None:
        self.dut.line_abort.value = 1
        await RisingEdge(self.clk)
        self.dut.line_abort.value = 0

    # ---- Idle

    async def settle(self) -> None:
        """Waits until nothing is in flight."""
        for _ in range(IDLE_CLOCKS):
            await RisingEdge(self.clk)
            if self.idle and not self.memory.busy:
                return
        raise AssertionError(f"not idle after {IDLE_CLOCKS} clocks")

    @property
    def idle(self) -> bool:
        """What the NIC says in this clock."""
        return all(idle() for idle in self._idle)

    async def _idle_is_true(self) -> None:
        """While the NIC says idle, it neither offers nor awaits anything."""
        names = ("m_axi_awvalid", "m_axi_wvalid", "m_axi_arvalid", "tx_tvalid", "s_axil_bvalid", "s_axil_rvalid")
        offers = [(name, reader(getattr(self.dut, name))) for name in names]
        while True:
            await RisingEdge(self.clk)
            await ReadOnly()
            if self.idle:
                assert not self.memory.busy, "idle while the host owes an answer"
                for name, offered in offers:
                    assert not offered(), f"idle while {name}"


def ring_contents(lines: dict[int, bytes], base: int, slot: int, slots: int) -> tuple[bytes, int]:
    """Record bytes and publish word of a slot; indexes beyond the ring wrap."""
    line = lines.get(base + slot % slots * LINE_BYTES, bytes(LINE_BYTES))
    return line[:PUBLISH_OFFSET], int.from_bytes(line[PUBLISH_OFFSET:], "little")
