# SPDX-License-Identifier: MIT
"""A capture full of damaged frames: every good one between them comes through whole, every bad one is accounted for."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generators.captures import write_pcap
from generators.framing import Group
from generators.profiles import frames, generate
from tests.loop.conftest import SIMULATORS, RunDirectory

SEED = 20261120
Completed = Callable[..., RunDirectory]


def _damage(data: bytes, rng: random.Random) -> bytes:
    """One of the ways in which frames go wrong. Some are sound all the same: then the next one is a duplicate."""
    kind = rng.choice(["flip", "flip", "cut", "pad", "tag", "tags", "address", "noise", "tiny"])
    if kind == "flip":
        at = rng.randrange(8 * len(data))
        return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]
    if kind == "cut":
        return data[: rng.randrange(14, len(data))]
    if kind == "pad":
        return data + rng.randbytes(rng.randrange(1, 40))
    if kind in ("tag", "tags"):
        return data[:12] + bytes.fromhex("8100008d") * (1 if kind == "tag" else 3) + data[12:]
    if kind == "address":
        return data[:30] + rng.randbytes(4) + data[34:]
    if kind == "noise":
        return data[:42] + rng.randbytes(len(data) - 42)
    return rng.randbytes(14)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Damaged frames before the good ones; returns the capture and the number of messages in the good ones."""
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    path, mixed, messages = tmp_path_factory.mktemp("damaged") / "damaged.pcap.gz", [], 0
    for frame in frames(generate("opening", seed=SEED, messages=400), seed=SEED):
        for _ in range(rng.choice([0, 1, 1, 2])):
            mixed.append(type(frame)(frame.time_ns, _damage(frame.data, rng)))
        mixed.append(frame)
        messages += int.from_bytes(frame.data[60:62], "big")
    write_pcap(path, mixed)
    return path, messages


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("delivery", ["cut-through", "verified"])
@pytest.mark.parametrize("command", ["parse", "sim"])
def test_good_frames_come_through(
    command: str, delivery: str, simulator: str, completed: Completed, capture: tuple[Path, int]
) -> None:
    """The run's own checks compare every frame, message and event with the model; here: nothing good is lost."""
    path, messages = capture
    run = completed(command, path, "--sim", simulator, "--delivery", delivery)
    summary = run.json("summary.json")
    reasons = Counter(f["reason"] for f in run.lines("frames.jsonl") if f["disposition"] == "drop")
    assert len(reasons) >= 6, reasons
    assert sum(reasons.values()) + summary["accepted"] == summary["frames"]
    delivered = run.lines("messages.jsonl")
    assert any(m.get("verdict") == "bad" for m in delivered) is (delivery == "cut-through")
    assert [m["sequence"] for m in delivered if m.get("verdict") != "bad"] == list(range(1, messages + 1))
    assert run.json("summary.json")["duplicates"] > 0


@pytest.mark.parametrize("frames_of", [[], ["other group"]], ids=["no frame at all", "frames of another group"])
@pytest.mark.parametrize(("command", "status"), [("parse", 0), ("sim", 1)])
def test_a_capture_without_a_frame_for_the_group(
    command: str, status: int, frames_of: list[str], tickloop: Callable[..., Any], tmp_path: Path
) -> None:
    """``parse`` has nothing to object to; the loop has compared nothing, and says so in one line."""
    path = tmp_path / "foreign.pcap"
    traffic = generate("quiet", seed=1, messages=20)
    write_pcap(path, frames(traffic, group=Group.parse("239.1.2.3:26477")) if frames_of else [])
    result = tickloop(command, path, "--out", tmp_path / "out")
    assert result.returncode == status, result.stderr
    errors = [line for line in result.stderr.splitlines() if "building" not in line]
    assert len(errors) == status, result.stderr
    assert all("no frame of" in line for line in errors)
