# SPDX-License-Identifier: MIT
"""Histograms with exact percentiles: against numpy over the same samples, and honest where a sample was not kept."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sanitized import FIRMWARE, Runner, build

OPEN, ADD, PERCENTILE, SUMS = range(1, 5)
PARTS = 10_000
LARGEST = (1 << 64) - 1


class Histogram(Runner):
    """A running histogram; a sanitizer's finding ends it and fails the next call."""

    def open(self, bound: int, room: int) -> None:
        self._call(OPEN, struct.pack("<II", bound, room))

    def add(self, samples: Sequence[int]) -> None:
        self._call(ADD, struct.pack(f"<{len(samples)}Q", *samples))

    def percentile(self, parts: int) -> tuple[int, bool]:
        value, exact = struct.unpack("<QQ", self._call(PERCENTILE, struct.pack("<I", parts)))
        return value, bool(exact)

    def sums(self) -> tuple[int, ...]:
        """Count, sum, least, most, mean."""
        return struct.unpack("<5Q", self._call(SUMS))


@pytest.fixture(scope="module")
def histogram(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Histogram]:
    program = build(tmp_path_factory.mktemp("histogram") / "histogram_runner",
                    [Path(__file__).parent / "histogram_runner.c", FIRMWARE / "profile/histogram.c"])
    histogram = Histogram(program)
    yield histogram
    histogram.close()


def nearest_rank(samples: Sequence[int], parts: int) -> int:
    ordered = sorted(samples)
    return ordered[max(1, -(-len(ordered) * parts // PARTS)) - 1]


def kept(samples: Sequence[int], bound: int, room: int, parts: int) -> bool:
    """Whether the sample of that rank is one that the histogram keeps."""
    rank = max(1, -(-len(samples) * parts // PARTS))
    below = sum(sample < bound for sample in samples)
    return rank <= below or len(samples) - rank < room


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.lists(st.one_of(st.integers(0, 40), st.integers(0, LARGEST)), max_size=120),
       bound=st.integers(1, 64), room=st.integers(1, 40), parts=st.integers(0, PARTS))
def test_percentiles_are_samples_of_that_rank_or_say_that_they_are_bounds(
        histogram: Histogram, samples: list[int], bound: int, room: int, parts: int):
    histogram.open(bound, room)
    histogram.add(samples)
    value, exact = histogram.percentile(parts)
    if not samples:
        assert (value, exact) == (0, True)
        assert histogram.sums() == (0, 0, LARGEST, 0, 0)
        return
    total = sum(samples) % (LARGEST + 1)
    assert histogram.sums() == (len(samples), total, min(samples), max(samples), total // len(samples))
    assert exact == kept(samples, bound, room, parts)
    if exact:
        assert value == nearest_rank(samples, parts)
    else:
        assert value == bound <= nearest_rank(samples, parts)


def test_a_long_tailed_distribution_as_numpy_has_it(histogram: Histogram):
    """As cycles between two taps are: nearly all below the bound, a few thousand times larger ones behind it."""
    random = Random(20)
    samples = [int(random.lognormvariate(5, 0.4)) for _ in range(50_000)]
    samples += [random.randrange(1 << 14, 1 << 34) for _ in range(200)]
    random.shuffle(samples)
    histogram.open(1 << 14, 256)
    for at in range(0, len(samples), 10_000):
        histogram.add(samples[at:at + 10_000])
    for parts in (0, 1, 100, 5000, 9000, 9900, 9960, 9990, 9999, PARTS):
        expected = np.percentile(np.array(samples, np.uint64), parts / 100, method="inverted_cdf")
        assert histogram.percentile(parts) == (int(expected), True), parts
