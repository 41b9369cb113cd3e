# SPDX-License-Identifier: MIT
"""Host memory behind the AXI4 port: keeps every channel waiting as it likes, in order, and grants what it granted.

One look a clock at the falling edge, one write at most (`host_ready`), the wide buses only when something is on them.
The NIC's outputs come from registers (AXI4 section A3.2.1), so what stands at the falling edge is what the next rising
edge samples. cocotb-bus' AXI4 slave knows neither byte strobes nor pauses of single channels, hence an own one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port

from bridge import layout
from tb.agents.items import DmaWrite
from tb.signals import reader

LINE_BYTES = layout.LINE_BYTES
OKAY, SLVERR = 0, 2                        # AXI4 section A3.4.4
WHOLE_LINE = 6 << 72 | 1 << 75             # len 0, size 64 bytes, burst INCR
ALL_STROBES = (1 << LINE_BYTES) - 1
_ADDRESS = (1 << 64) - 1
ANY_VALID = 0b111
CHANNELS = ("aw", "w", "ar")               # in the order of `host_ready` and of the valids in `events`
READY_B, READY_R = 1 << 3, 1 << 4            # in `events`


@dataclass
class Pace:
    """How slow the host is: the chance that a channel waits, and the most clocks it then does; 0 is a ready host."""

    chance: float = 0.0
    most: int = 0

    def draw(self, random: Random) -> int:
        return random.randint(1, self.most) if self.chance and random.random() < self.chance else 0


FAST = Pace()
SLOW = Pace(0.4, 12)


class HostMemory(uvm_agent):  # type: ignore[misc]
    """``lines`` is the memory, ``windows`` what the NIC was granted, ``fail`` the addresses answered SLVERR."""

    def build_phase(self) -> None:
        super().build_phase()
        self.ap = uvm_analysis_port("ap", self)          # DmaWrite, in order
        self.waits = uvm_analysis_port("waits", self)    # (channel, clocks)
        self._bench: Any = ConfigDB().get(self, "", "BENCH")
        self._random = Random(f"{ConfigDB().get(self, '', 'SEED')} host memory")
        self.pace = FAST
        self._payload = {channel: reader(getattr(self._bench, f"host_{channel}")) for channel in CHANNELS}
        for name in ("host_ready", "host_b", "host_r"):
            getattr(self._bench, name).value = 0
        self._driven_ready = 0
        self.restart()

    def restart(self) -> None:
        """Forgets everything, as after a reset of the NIC."""
        self.lines: dict[int, bytes] = {}
        self.windows: list[tuple[int, int]] = []
        self.fail: set[int] = set()
        self.reads: list[int] = []
        self.answering = True
        self._addresses: deque[int] = deque()
        self._data: deque[tuple[int, bytes]] = deque()
        self._b: deque[tuple[int, int, int]] = deque()   # due clock, clocks it waits, response
        self._r: deque[tuple[int, int, int]] = deque()   # due clock, clocks it waits, address
        self._waiting: dict[str, tuple[int, int, int]] = {}   # channel -> clocks drawn, clocks so far, payload
        self._idle_ready = 0                             # what `host_ready` says where nothing is offered
        self._b_offered = self._r_offered = self._b_taken = self._r_taken = False

    @property
    def busy(self) -> bool:
        """Something of the NIC is not answered."""
        return bool(self._addresses or self._data or self._b or self._r)

    def look(self, events: int, clock: int) -> None:
        """One clock: what is offered is taken or waits; what is due is answered."""
        ready = self._idle_ready
        if events & ANY_VALID or self._waiting:
            for bit, channel in enumerate(CHANNELS):
                mask = 1 << bit
                if not events & mask:
                    assert channel not in self._waiting, f"{channel}valid was withdrawn"
                elif self._wait(channel):
                    ready &= ~mask
                else:
                    ready |= mask
                    self._take(channel, clock)
        if ready != self._driven_ready:
            self._bench.host_ready.value = self._driven_ready = ready
        if self._b or self._r:
            self._answers(events, clock)

    def _wait(self, channel: str) -> bool:
        """Whether the host keeps the channel waiting in this clock; what is offered must stay as it is."""
        drawn, so_far, held = self._waiting.get(channel) or (self.pace.draw(self._random), 0, None)
        if so_far == drawn and self.answering:
            if held is not None:
                assert self._payload[channel]() == held, f"{channel} changed while it waited"
                del self._waiting[channel]
            self._idle_ready = self._random.getrandbits(3)
            self.waits.write((channel, so_far))
            return False
        offered = self._payload[channel]()
        assert held is None or offered == held, f"{channel} changed while it waited"
        self._waiting[channel] = max(drawn, so_far + 1) if not self.answering else drawn, so_far + 1, offered
        return True

    def _answers(self, events: int, clock: int) -> None:
        """First takes away what the rising edge just passed has taken; the ready read here belongs to the next one."""
        if self._b_taken:
            self._b.popleft()
            self._bench.host_b.value = 0
            self._b_offered = False
        if self._r_taken:
            self._r.popleft()
            self._bench.host_r.value = 0
            self._r_offered = False
        if not self._b_offered and self._b and self._b[0][0] <= clock and self.answering:
            self.waits.write(("b", self._b[0][1]))
            self._bench.host_b.value = self._b[0][2] << 1 | 1
            self._b_offered = True
        if not self._r_offered and self._r and self._r[0][0] <= clock and self.answering:
            self.waits.write(("r", self._r[0][1]))
            self._bench.host_r.value = self._answer(self._r[0][2])
            self._r_offered = True
        self._b_taken = self._b_offered and bool(events & READY_B)
        self._r_taken = self._r_offered and bool(events & READY_R)

    def _take(self, channel: str, clock: int) -> None:
        offered = self._payload[channel]()
        if channel == "w":
            assert offered >> (8 * LINE_BYTES + LINE_BYTES), "wlast is missing: a line is one beat"
            line = (offered & ((1 << 8 * LINE_BYTES) - 1)).to_bytes(LINE_BYTES, "little")
            self._data.append((offered >> 8 * LINE_BYTES & ALL_STROBES, line))
        else:
            assert offered & ~_ADDRESS == WHOLE_LINE, f"{channel}: len, size, burst are {offered >> 64:#x}"
            address = offered & _ADDRESS
            assert address % LINE_BYTES == 0, f"{channel}addr {address:#x} is not the address of a line"
            assert any(base <= address and address + LINE_BYTES <= base + size for base, size in self.windows), \
                f"{channel}addr {address:#x} lies outside of the granted windows"
            if channel == "aw":
                self._addresses.append(address)
            else:
                self.reads.append(address)
                wait = self.pace.draw(self._random)
                self._r.append((clock + 1 + wait, wait, address))
        while self._addresses and self._data:
            self._commit(clock)

    def _commit(self, clock: int) -> None:
        """A write is done when address and data have come; writes stay in order, as PCIe keeps posted ones."""
        address, (strobes, data) = self._addresses.popleft(), self._data.popleft()
        if strobes == ALL_STROBES:
            line = data
        else:
            before = self.lines.get(address, bytes(LINE_BYTES))
            line = bytes(data[k] if strobes >> k & 1 else before[k] for k in range(LINE_BYTES))
        response = OKAY
        if address in self.fail:
            response = SLVERR
        else:
            self.lines[address] = line
        wait = self.pace.draw(self._random)
        self._b.append((clock + 1 + wait, wait, response))
        if response == OKAY:
            self.ap.write(DmaWrite(clock, address, strobes, data))

    def _answer(self, address: int) -> int:
        """`host_r` of the bench: data, last, resp, valid."""
        failed = address in self.fail
        data = 0 if failed else int.from_bytes(self.lines.get(address, bytes(LINE_BYTES)), "little")
        return data << 4 | 1 << 3 | (SLVERR if failed else OKAY) << 1 | 1
