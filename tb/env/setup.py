# SPDX-License-Identifier: MIT
"""How a test sets the NIC up, as one value: the registers, the rings' places, and what the model must assume."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge import layout
from generators.framing import DEFAULT_GROUP
from tb.agents.rings import RingSetup
from tb.model.config import KernelConfig
from tb.model.receive import Blocked, Delivery, PacketFormat

WINDOW = (0x4000_0000, 0x0100_0000)
WINDOW2 = (layout.RESERVED_BASE, layout.RESERVED_SIZE)   # for descriptors
RX_LINES = WINDOW[0] + 0x40                              # lines, or the buffers of descriptors
TX_LINES = WINDOW[0] + 0x80_0000
RAW_LINES = WINDOW[0] + 0xA0_0000
TX_FRAMES = WINDOW[0] + 0xC0_0000
RX_DESCRIPTORS = WINDOW2[0]
TX_DESCRIPTORS = WINDOW2[0] + 0x8000


@dataclass(frozen=True)
class NicSetup:
    """One configuration of the NIC, in force from a reset to the next.

    ``events`` are the bits of EVENT_ENABLE. ``blocked`` is what the filter keeps back, for the model; the test writes
    the filter itself. The ``may_...`` say which losses the test provokes; otherwise there must be none.
    """

    delivery: Delivery = "cut-through"
    hold_ns: int = 0
    packet_format: PacketFormat = "mold"
    events: tuple[str, ...] = ("STREAM", "BAD", "DROP", "LOST")
    descriptors: bool = False
    rx_log2: int = 10
    tx_log2: int = 4
    raw_log2: int = 8
    epoch: int = 0x1234_5678
    filter_enable: bool = False
    blocked: Blocked = field(default=())
    filter_set_by: str = "fill"           # or "update": how the test writes it
    raw: bool = False
    transmit: bool = False
    may_overflow: bool = False
    may_lose: bool = False
    # What every bit of addresses and times is tried with: all memory lies so much higher, and time begins there.
    above: int = 0
    time_ns: int = 0
    session: KernelConfig = field(default_factory=KernelConfig)
    group_address: str = DEFAULT_GROUP.address
    group_port: int = DEFAULT_GROUP.port

    @property
    def own_mac(self) -> bytes:
        """The NIC's own address: frames to it are for this host."""
        return bytes.fromhex(self.session.source_mac.replace(":", ""))

    @property
    def windows(self) -> list[tuple[int, int]]:
        """The host memory that the NIC is granted."""
        return [(base + self.above, size) for base, size in (WINDOW, WINDOW2)]

    @property
    def tx_frames(self) -> int:
        """Where frames of the host to send may lie."""
        return TX_FRAMES + self.above

    @property
    def rx(self) -> RingSetup:
        return self._ring(self.rx_log2, RX_LINES, RX_DESCRIPTORS)

    @property
    def tx(self) -> RingSetup:
        return self._ring(self.tx_log2, TX_LINES, TX_DESCRIPTORS)

    @property
    def raw_ring(self) -> RingSetup:
        return RingSetup(RAW_LINES + self.above, self.raw_log2, self.epoch)

    def _ring(self, log2: int, lines: int, descriptors: int) -> RingSetup:
        if self.descriptors:
            return RingSetup(descriptors + self.above, log2, self.epoch, lines + self.above)
        return RingSetup(lines + self.above, log2, self.epoch)

    @property
    def control(self) -> int:
        """CONTROL with everything that the test uses enabled."""
        bits = {
            "RX_ENABLE": True, "TX_ENABLE": self.transmit, "FILTER_ENABLE": self.filter_enable,
            "VERIFIED": self.delivery == "verified", "PROTOTYPE": self.packet_format == "prototype",
            "RX_DESCRIPTOR": self.descriptors, "TX_DESCRIPTOR": self.descriptors, "RAW_ENABLE": self.raw,
        }
        return sum(layout.REGISTER_FIELDS["CONTROL"][name] for name, on in bits.items() if on)
