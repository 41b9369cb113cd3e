# SPDX-License-Identifier: MIT
"""The feed: ITCH messages into MoldUDP64 packets on two redundant lines, each of which loses packets by itself.

Messages of one moment share packets of up to 1,472 bytes, as on a real feed. Every message is kept, for re-requests.
A line that has been silent for a while gets a heartbeat; the end of the session is told several times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from generators.framing import (
    FIRST_SEQUENCE,
    MAX_PAYLOAD,
    FrameEncoder,
    Group,
    end_of_session,
    heartbeat,
    mold_packet,
)
from generators.tables import MOLD_BLOCK, MOLD_HEADER

MILLION = 1_000_000
LINES = (0, 1)


@dataclass(frozen=True, slots=True)
class Injected:
    """A frame, without FCS, that reaches one of the NIC's ports at a time."""

    time_ps: int
    line: int
    frame: bytes


@dataclass(frozen=True)
class FeedConfig:
    """Addresses, and what goes wrong on the way."""

    group: Group
    source: str
    session: str
    loss_ppm: tuple[int, int] = (0, 0)     # packets in a million, lines A and B
    line_b_delay_ps: int = 250_000
    heartbeat_ps: int = 1_000_000_000_000
    end_packets: int = 3
    end_gap_ps: int = 100_000_000


class Publisher:
    """`publish` and `tick` return the frames of both lines; a frame on line B has a later time than on line A."""

    def __init__(self, config: FeedConfig, seed: int) -> None:
        if not all(0 <= loss <= MILLION for loss in config.loss_ppm):
            raise ValueError(f"loss is in packets of a million, got {config.loss_ppm}")
        self.config = config
        self.messages: list[bytes] = []        # message n of the session is messages[n - 1]
        self.lost: Counter[int] = Counter()    # packets by line
        self.packets = 0
        self._encode = FrameEncoder(config.group, config.source).encode
        self._chance = [Random(2 * seed + line) for line in LINES]
        self._last_ps = 0
        self._end_left = 0
        self.ended = False                     # and it has been told for the last time

    @property
    def next_sequence(self) -> int:
        return FIRST_SEQUENCE + len(self.messages)

    def publish(self, now_ps: int, messages: Sequence[bytes]) -> list[Injected]:
        """All messages of one moment."""
        frames: list[Injected] = []
        batch: list[bytes] = []
        size = MOLD_HEADER.length
        for message in messages:
            needed = MOLD_BLOCK.length + len(message)
            if size + needed > MAX_PAYLOAD:
                frames += self._data(now_ps, batch)
                batch, size = [], MOLD_HEADER.length
            batch.append(message)
            size += needed
        return frames + self._data(now_ps, batch) if batch else frames

    def end(self, now_ps: int) -> None:
        """From now on the session is over: `tick` tells it, at once and a few times more."""
        self._end_left = self.config.end_packets
        self._last_ps = now_ps - self.config.end_gap_ps

    @property
    def next_tick_ps(self) -> int | None:
        """When something is due that is not a message; None once all is told."""
        if self._end_left:
            return self._last_ps + self.config.end_gap_ps
        return None if self.ended else self._last_ps + self.config.heartbeat_ps

    def tick(self, now_ps: int) -> list[Injected]:
        """The heartbeat or end of session that is due, if any."""
        due = self.next_tick_ps
        if due is None or now_ps < due:
            return []
        if not self._end_left:
            return self._both(now_ps, heartbeat(self.next_sequence, self.config.session))
        self._end_left -= 1
        self.ended = not self._end_left
        return self._both(now_ps, end_of_session(self.next_sequence, self.config.session))

    def _data(self, now_ps: int, batch: list[bytes]) -> list[Injected]:
        packet = mold_packet(batch, self.next_sequence, self.config.session)
        self.messages += batch
        self.packets += 1
        return self._both(now_ps, packet)

    def _both(self, now_ps: int, packet: bytes) -> list[Injected]:
        self._last_ps = now_ps
        frame = self._encode(packet)
        frames = []
        for line in LINES:
            if int(self._chance[line].random() * MILLION) < self.config.loss_ppm[line]:
                self.lost[line] += 1
            else:
                frames.append(Injected(now_ps + line * self.config.line_b_delay_ps, line, frame))
        return frames
