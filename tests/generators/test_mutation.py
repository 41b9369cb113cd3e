# SPDX-License-Identifier: MIT
"""The mutations reach every drop reason and message status, and a seed always gives the same frames."""

from __future__ import annotations

import numpy as np
import pytest

from generators import mutation
from generators.batch import encode, get16, mold_payloads, random_blocks, refresh_ip, refresh_udp
from generators.framing import DEFAULT_GROUP, internet_sum
from tb.model.receive import DROP_REASONS, STATUSES, ReceiveModel, on_line


def model_of(made, **options):
    model = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, **options)
    arrivals = []
    for number, line in enumerate("AB"):
        rows = np.flatnonzero(made.line == number)
        arrivals += on_line(line, ((int(made.time_ns[i]), made.frames.frame(i), bool(made.bad_fcs[i])) for i in rows))
    return model, model.run(arrivals)


def test_every_reason_and_status_is_reached():
    made = [mutation.traffic(1, 6000), mutation.traffic(2, 200, jumbo=True)]
    counters = [model_of(each, delivery="verified")[0].counters for each in made]
    for reason in DROP_REASONS:
        assert sum(each["dropped"][reason] for each in counters), reason
    for status in STATUSES:
        assert sum(each["messages"][status] for each in counters), status
    assert all(sum(each[name] for each in counters) for name in ("duplicates", "gaps", "messages_b"))


def test_the_prototype_format_is_reached():
    model, results = model_of(mutation.prototype_traffic(3, 3000), delivery="verified", packet_format="prototype")
    assert model.counters["messages"]["ok"] > 500
    assert {"truncated", "extra_data"} <= {name for result in results for name, flag in
                                           zip(result.flags._fields, result.flags, strict=True) if flag}


def test_a_seed_gives_the_same_frames():
    first, second = (mutation.traffic(5, 500) for _ in range(2))
    assert np.array_equal(first.frames.data, second.frames.data)
    assert np.array_equal(first.time_ns, second.time_ns)
    assert not np.array_equal(first.frames.length, mutation.traffic(6, 500).frames.length)


@pytest.fixture
def frames():
    random = np.random.default_rng(1)
    count = random.integers(1, 5, 200)
    payload = mold_payloads(random_blocks(random, int(count.sum())), count, np.zeros(10, np.uint8),
                            np.zeros(200, np.uint64))
    made = encode(payload, random.integers(0, 3, 200), random.integers(0, 11, 200))
    made.data = np.pad(made.data, ((0, 0), (0, 64)))
    return made


@pytest.mark.parametrize("change", [*mutation.REFRESHED, *mutation.UNREFRESHED], ids=lambda change: change.__name__)
def test_a_mutation_changes_its_rows_only_and_leaves_zeros_behind(frames, change):
    original = frames.take(np.arange(len(frames)))
    rows = np.arange(0, len(frames), 2)
    change(np.random.default_rng(2), frames, rows)
    same = (original.data == frames.data).all(1) & (original.length == frames.length)
    assert same[1::2].all()
    assert not same[0::2].all()
    behind = np.arange(frames.data.shape[1]) >= frames.length[:, None]
    assert not frames.data[behind].any()


def test_refreshed_checksums_are_right(frames):
    refresh_ip(frames, np.arange(len(frames)))
    refresh_udp(frames, np.arange(len(frames)))
    for row in range(len(frames)):
        data, ip, udp = frames.frame(row), int(frames.ip_start[row]), int(frames.udp_start[row])
        assert internet_sum(data[ip:udp]) == 0
        length = int(get16(frames.data, row, frames.udp_start[row] + 4))
        pseudo = data[ip + 12:ip + 20] + bytes([0, 17]) + length.to_bytes(2, "big")
        assert internet_sum(pseudo + data[udp:udp + length]) == 0
