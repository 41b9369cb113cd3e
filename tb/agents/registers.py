# SPDX-License-Identifier: MIT
"""Register agent: accesses of the AXI4-Lite port one after the other, whoever asks for them."""

from __future__ import annotations

from typing import Any

from cocotb.triggers import RisingEdge
from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port, uvm_driver, uvm_sequence, uvm_sequencer

from bridge import layout
from tb.agents.items import RegisterItem
from tb.host.registers import OKAY, RegisterMaster


class RegisterDriver(uvm_driver):  # type: ignore[misc]
    """Performs the sequencer's items; every finished one goes to ``ap``."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        bench: Any = ConfigDB().get(self, "", "BENCH")
        self._edge = RisingEdge(bench.clk)
        self._master = RegisterMaster(bench, bench.clk)

    async def run_phase(self) -> None:
        while True:
            item: RegisterItem = await self.seq_item_port.get_next_item()
            # The master takes it that a clock edge has just passed; who asks may be anywhere between two.
            await self._edge
            if item.value is None:
                answer = await self._master.read(item.address, item.wait)
                item.data, item.response = answer.data, answer.response
            else:
                item.response = await self._master.write(item.address, item.value, item.strobes, item.skew, item.wait)
            self.ap.write(item)
            self.seq_item_port.item_done()


class RegisterAgent(uvm_agent):  # type: ignore[misc]
    """Sequencer and driver, and the register map's names over them."""

    def build_phase(self) -> None:
        super().build_phase()
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = RegisterDriver("driver", self)

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)

    async def access(self, item: RegisterItem) -> RegisterItem:
        await _One(item).start(self.sequencer)
        return item

    async def write(self, name: str, value: int) -> None:
        """Writes a register that must accept the value."""
        item = await self.access(RegisterItem(layout.REGISTERS[name], value))
        assert item.response == OKAY, f"{name} <- {value:#x} refused"

    async def write64(self, name: str, value: int) -> None:
        await self.write(f"{name}_LO", value & 0xFFFF_FFFF)
        await self.write(f"{name}_HI", value >> 32)

    async def refuse(self, name: str, value: int) -> None:
        """Writes a register that must refuse the value, and clears the error bit that this must leave."""
        refused = layout.REGISTER_FIELDS["ERRORS"]["WRITE_REFUSED"]
        item = await self.access(RegisterItem(layout.REGISTERS[name], value))
        assert item.response != OKAY, f"{name} <- {value:#x} accepted"
        assert await self.read("ERRORS") & refused, f"{name} <- {value:#x}: no error bit"
        await self.write("ERRORS", refused)

    async def read(self, name: str) -> int:
        item = await self.access(RegisterItem(layout.REGISTERS[name]))
        assert item.response == OKAY, f"{name} cannot be read"
        return item.data

    async def read64(self, name: str) -> int:
        return await self.read(f"{name}_LO") | await self.read(f"{name}_HI") << 32


class _One(uvm_sequence):  # type: ignore[misc]
    """A sequence of one item."""

    def __init__(self, item: RegisterItem) -> None:
        super().__init__("register_access")
        self._item = item

    async def body(self) -> None:
        await self.start_item(self._item)
        await self.finish_item(self._item)
