# SPDX-License-Identifier: MIT
"""What a network does to the order session's frames: some get lost, come twice, or come late and so out of order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class WireConfig:
    """Frames in a million, each way; a frame suffers one of these at most."""

    loss_ppm: int = 0
    duplicate_ppm: int = 0
    late_ppm: int = 0
    late_ps: int = 20_000_000              # behind its time, of a late frame and of a second copy

    def __post_init__(self) -> None:
        if min(self.loss_ppm, self.duplicate_ppm, self.late_ppm) < 0 or self.total > MILLION:
            raise ValueError("loss, duplicates and late frames are parts of a million frames")

    @property
    def total(self) -> int:
        return self.loss_ppm + self.duplicate_ppm + self.late_ppm


class Wire:
    """One direction."""

    def __init__(self, config: WireConfig, seed: int) -> None:
        self.config = config
        self.cut = False                       # nothing passes
        self.lost = self.duplicated = self.late = 0
        self._random = Random(seed).random

    def delays(self) -> tuple[int, ...]:
        """How late each copy of the next frame comes; none if it is lost."""
        config = self.config
        draw = int(self._random() * MILLION) if config.total else MILLION
        if self.cut or draw < config.loss_ppm:
            self.lost += 1
            return ()
        if draw < config.loss_ppm + config.duplicate_ppm:
            self.duplicated += 1
            return (0, config.late_ps)
        if draw < config.total:
            self.late += 1
            return (config.late_ps,)
        return (0,)
