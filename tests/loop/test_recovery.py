# SPDX-License-Identifier: MIT
"""Lost messages in the closed loop: the kernel asks the re-request server, applies its answers and what it has held
back, and ends with the books of a stream that lost nothing; or it declares the loss. The model must predict every step.

The server's answers are part of the capture, at times after the kernel must have asked: what the kernel sends is
compared with the model's requests, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from subprocess import CompletedProcess
from typing import Any

import pytest

from generators.captures import CapturedFrame, write_pcap
from generators.framing import FrameEncoder, Group, heartbeat, pack_messages
from generators.profiles import generate
from tb.model.config import KernelConfig
from tests.loop.conftest import RunDirectory

Tickloop = Callable[..., CompletedProcess[str]]
SERVER = "10.0.0.3:26478"
CONFIG = KernelConfig()
ENCODER = FrameEncoder()
ANSWERS = FrameEncoder(Group(CONFIG.source_address, CONFIG.recovery_local_port), source=SERVER.partition(":")[0],
                       source_port=int(SERVER.partition(":")[2]))


def answer(packet: bytes) -> bytes:
    return bytes.fromhex(CONFIG.source_mac.replace(":", "")) + ANSWERS.encode(packet)[6:]


def packets(seed: int, count: int) -> list[tuple[int, bytes]]:
    """(time, MoldUDP64 packet) of an opening, slow enough to see one after the other."""
    return [(20_000 * number, packet)
            for number, (_, packet) in enumerate(pack_messages(generate("opening", seed, count)))]


def run(tickloop: Tickloop, tmp_path: Path, frames: list[tuple[int, bytes]], recovery: str = "") -> RunDirectory:
    """A run that must pass its checks."""
    capture, config, out = tmp_path / "lossy.pcap", tmp_path / "config.toml", tmp_path / "run"
    write_pcap(capture, (CapturedFrame(*frame) for frame in sorted(frames, key=lambda frame: frame[0])))
    config.write_text(f'[recovery]\nserver = "{SERVER}"\n{recovery}')
    finished = tickloop("sim", capture, "--config", config, "--out", out)
    assert finished.returncode == 0, finished.stderr
    return RunDirectory(out, finished.stdout)


def statistics(run: RunDirectory) -> dict[str, int]:
    found: dict[str, int] = run.json("run.json")["kernel_statistics"]
    return found


def levels(run: RunDirectory) -> list[Any]:
    return [(book["stock"], book["bids"], book["asks"]) for book in run.json("books.json")]


def test_what_was_lost_is_asked_for_and_applied(tickloop: Tickloop, tmp_path: Path) -> None:
    sent = packets(5, 300)
    whole = run(tickloop, tmp_path, [(time, ENCODER.encode(packet)) for time, packet in sent])
    assert statistics(whole)["recovery_gaps"] == 0
    lost = {20, 21, 60, 100}
    frames = [(time, ENCODER.encode(packet)) for number, (time, packet) in enumerate(sent) if number not in lost]
    frames += [(sent[number][0] + 70_000, answer(sent[number][1])) for number in lost]
    (tmp_path / "lossy").mkdir()
    recovered = run(tickloop, tmp_path / "lossy", frames)
    found = statistics(recovered)
    assert found["recovery_gaps"] == 3
    assert found["recovery_requests"] >= 3
    assert found["recovery_answers"] == 4
    assert found["recovery_losses"] == found["stale"] == found["sequence_gaps"] == 0
    assert found["records"] == statistics(whole)["records"] == 300
    assert levels(recovered) == levels(whole)
    console = (recovered.path / "console.log").read_text()
    assert "recovery: messages from sequence " in console
    assert "recovery: complete, " in console


def test_without_an_answer_the_loss_is_declared_and_nothing_is_traded(tickloop: Tickloop, tmp_path: Path) -> None:
    sent = packets(6, 200)
    frames = [(time, ENCODER.encode(packet)) for number, (time, packet) in enumerate(sent) if number != 10]
    lossy = run(tickloop, tmp_path, frames, "timeout_ns = 30000\nretries = 2\n")
    found = statistics(lossy)
    assert (found["recovery_gaps"], found["recovery_requests"], found["recovery_losses"]) == (1, 3, 1)
    assert found["stale"] == 1
    assert "loss declared at sequence " in (lossy.path / "console.log").read_text()
    lost_at = sent[10][0]
    assert all(order["time_ns"] < lost_at + 20_000 for order in lossy.lines("orders.jsonl"))


def test_a_full_buffer_is_a_loss(tickloop: Tickloop, tmp_path: Path) -> None:
    sent = packets(7, 200)
    frames = [(time, ENCODER.encode(packet)) for number, (time, packet) in enumerate(sent) if number != 10]
    found = statistics(run(tickloop, tmp_path, frames, "held = 8\ntimeout_ns = 100000000\n"))
    assert (found["recovery_losses"], found["stale"], found["recovered_messages"]) == (1, 1, 0)


def test_a_gap_at_the_end_is_told_by_a_heartbeat(tickloop: Tickloop, tmp_path: Path) -> None:
    sent = packets(8, 100)
    end = sent[-1][0]
    frames = [(time, ENCODER.encode(packet)) for time, packet in sent[:-2]]
    frames.append((end + 50_000, ENCODER.encode(heartbeat(101))))
    frames += [(end + 90_000, answer(sent[-2][1])), (end + 130_000, answer(sent[-1][1])),
               (end + 200_000, ENCODER.encode(heartbeat(101)))]
    found = statistics(run(tickloop, tmp_path, frames))
    assert found["recovery_gaps"] == 1
    assert found["recovery_losses"] == 0
    assert found["records"] == 100


def trouble(seed: int) -> list[tuple[int, bytes]]:
    """A tenth of the packets lost; answers lost, doubled, late, damaged, or of other messages."""
    random = Random(seed)
    frames: list[tuple[int, bytes]] = []
    for time, packet in packets(seed, 400):
        if random.random() > 0.1 or not frames:
            frames.append((time, ENCODER.encode(packet)))
            continue
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            frame = bytearray(answer(packet))
            if random.random() < 0.15:
                frame[random.randrange(14, len(frame))] ^= 1 << random.randrange(8)
            frames.append((time + random.choice((45_000, 60_000, 150_000, 400_000)), bytes(frame)))
    return frames


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_random_trouble_is_predicted(tickloop: Tickloop, tmp_path: Path, seed: int) -> None:
    found = statistics(run(tickloop, tmp_path, trouble(seed), "timeout_ns = 150000\nretries = 20\n"))
    assert found["recovery_gaps"] > 0
    assert found["recovery_requests"] > 0, f"seed {seed}: {json.dumps(found)}"


@pytest.mark.parametrize("answers_lost", [0, 300_000])
def test_the_exchange_serves_what_its_lines_lost(tickloop: Tickloop, tmp_path: Path, answers_lost: int) -> None:
    """Both ends live: the exchange's feed loses packets, its re-request server answers, now and then in vain."""
    config = tmp_path / "config.toml"
    config.write_text(f"[exchange]\nloss_a_ppm = 20000\nloss_b_ppm = 1000000\nanswer_loss_ppm = {answers_lost}\n")
    finished = tickloop("sim", "--scenario", "exchange", "--messages", "1500", "--config", config, "--out",
                        tmp_path / "run")
    assert finished.returncode == 0, finished.stderr
    found = statistics(RunDirectory(tmp_path / "run", finished.stdout))
    assert found["recovery_gaps"] > 5
    assert found["recovered_messages"] >= found["recovery_gaps"]
    assert found["recovery_losses"] == found["stale"] == 0
    assert (found["recovery_requests"] > found["recovery_answers"]) == bool(answers_lost)
