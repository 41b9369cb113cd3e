# SPDX-License-Identifier: MIT
"""The lines of a run directory's file, made from the logs whenever they are read: as dictionaries, those of a million
messages would fill gigabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

Line = dict[str, Any]
CHUNK = 4096  # lines made at once, so that the making can go by columns


class JsonLines(Sequence[Line]):
    """``make`` gives the lines of some rows of ``count``, new ones each time."""

    def __init__(self, count: int, make: Callable[[range], list[Line]]) -> None:
        self._rows = range(count)
        self._make = make

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Line]:
        for start in self._rows[::CHUNK]:
            yield from self._make(self._rows[start:start + CHUNK])

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...

    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return self._make(self._rows[index])
        row = self._rows[index]
        return self._make(range(row, row + 1))[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(Line.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]
