# SPDX-License-Identifier: MIT
"""Messages that the host missed because its ring had no room: which they were, by what the ring itself tells.

The NIC drops whole messages and, as soon as a line fits again, tells with one rx_lost line how many and the sequence
number of the first; so that line stands exactly where they are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """Anything with a sequence number."""

    @property
    def sequence(self) -> int: ...


T = TypeVar("T", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Lost:
    """An rx_lost line."""

    sequence: int
    count: int


@dataclass
class Account(Generic[T]):
    """``kept``: those of the due messages that must be in the ring, one by one against the messages found there.

    ``untold``: how many of the last ones are neither there nor told; they can only be lost if the counters say so.
    """

    kept: list[T] = field(default_factory=list)
    untold: int = 0
    problems: list[str] = field(default_factory=list)


def account(due: Sequence[T], ring: Sequence[object]) -> Account[T]:
    """Walks the ring's messages, of any type, and its Lost lines along the messages ``due``, all in ring order."""
    result: Account[T] = Account()
    at = 0
    for index, line in enumerate(ring):
        if not isinstance(line, Lost):
            result.kept += due[at:at + 1]
            at += 1
            continue
        first = due[at].sequence if at < len(due) else None
        if line.count == 0 or line.sequence != first:
            result.problems.append(f"line {index}: {line.count} lost from {line.sequence} on, but {first} is next")
        at += line.count
    if at > len(due):
        result.problems.append(f"{at - len(due)} more messages are there or told as lost than were due")
    result.untold = max(0, len(due) - at)
    return result
