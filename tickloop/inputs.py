# SPDX-License-Identifier: MIT
"""Where a run's frames come from: a capture, or a scenario that the generators make on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from generators.captures import Capture, CapturedFrame, CaptureError, read_capture
from generators.framing import Group
from generators.profiles import DEFAULT_SCENARIO, PROFILES, frames, generate
from tickloop.exits import UsageError, not_available

LATER_SCENARIOS = ("faults", "exchange")


@dataclass(frozen=True)
class Input:
    """Frames in capture order; ``frames`` makes them anew each time, so no run holds them all."""

    name: str
    frames: Callable[[], Iterable[CapturedFrame]]
    is_capture: bool
    capture: Capture | None = None

    @property
    def warnings(self) -> list[str]:
        """What the reader has to say; complete once the frames were read to the end."""
        return self.capture.warnings if self.capture else []


def from_capture(path: Path, group: Group) -> Input:
    """A capture file.

    Raises:
        UsageError: it cannot be read, or is no capture.
    """
    try:
        capture = read_capture(path, group)
    except CaptureError as error:
        raise UsageError(str(error)) from None
    return Input(str(path), lambda: capture, True, capture)


def from_scenario(name: str | None, seed: int, messages: int | None, group: Group) -> Input:
    """A generator profile; None is the embedded scenario."""
    name = DEFAULT_SCENARIO.profile.name if name is None else name
    if name in LATER_SCENARIOS:
        raise not_available(f"--scenario {name}")
    if name not in PROFILES:
        raise UsageError(f"--scenario {name}: no such scenario (there are {', '.join([*PROFILES, *LATER_SCENARIOS])})")
    return Input(name, lambda: frames(generate(name, seed, messages), seed, group=group), False)
