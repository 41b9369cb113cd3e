# SPDX-License-Identifier: MIT
"""Counts over time in one pass and bounded memory: windows of a decade's width that widen as the time grows, and the
most that any sliding window held."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MOST_WINDOWS = 10_000
STEPS = (1, 2, 5)


@dataclass(slots=True)
class Window:
    """What came in [from_ns, from_ns + width)."""

    from_ns: int
    frames: int = 0
    messages: int = 0


@dataclass
class Windows:
    """Counts by time since the first frame. Times may go back; no more than MOST_WINDOWS windows are kept."""

    width_ns: int = 1
    _counts: dict[int, Window] = field(default_factory=dict)

    def add(self, time_ns: int, messages: int) -> None:
        """One frame with so many messages."""
        window = self._window(self._counts, time_ns, self.width_ns)
        window.frames += 1
        window.messages += messages
        while len(self._counts) > MOST_WINDOWS:
            self.width_ns *= 10
            self._counts = self._merged(self.width_ns)

    def shown(self, most: int) -> tuple[int, list[Window]]:
        """(width, windows without a hole from time 0 on), at most so many: the width is 1, 2 or 5 of a decade."""
        end = max((window.from_ns for window in self._counts.values()), default=0) + self.width_ns
        decade = self.width_ns
        while True:
            for step in STEPS:
                width = step * decade
                if -(-end // width) <= most:
                    merged = self._merged(width)
                    return width, [merged.get(at, Window(at * width)) for at in range(-(-end // width))]
            decade *= 10

    def _merged(self, width: int) -> dict[int, Window]:
        merged: dict[int, Window] = {}
        for old in self._counts.values():
            new = self._window(merged, old.from_ns, width)
            new.frames += old.frames
            new.messages += old.messages
        return merged

    @staticmethod
    def _window(counts: dict[int, Window], time_ns: int, width: int) -> Window:
        at = time_ns // width
        if at not in counts:
            counts[at] = Window(at * width)
        return counts[at]


class Peak:
    """The most messages that any window of a width held, wherever it begins; times do not go back."""

    def __init__(self, width_ns: int) -> None:
        self.width_ns = width_ns
        self.most = 0
        self._held: deque[tuple[int, int]] = deque()
        self._sum = 0

    def add(self, time_ns: int, messages: int) -> None:
        self._held.append((time_ns, messages))
        self._sum += messages
        while self._held[0][0] <= time_ns - self.width_ns:
            self._sum -= self._held.popleft()[1]
        self.most = max(self.most, self._sum)
