# SPDX-License-Identifier: MIT
"""Half of the loop against a record: the same bit for bit on either side; every way in which it may not be is told."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import layout
from tests.loop.conftest import ROOT, SIMULATORS, RunDirectory
from tickloop.recorded import load
from tickloop.rundir.digest import digest

Completed = Callable[..., RunDirectory]
Command = Callable[..., subprocess.CompletedProcess[str]]
OPENING = ("sim", "--scenario", "opening", "--messages", "600")
DESCRIPTORS = (*OPENING, "--config", "examples/descriptors.toml")
NIC = ("frames", "valid", "dma", "reads", "registers", "sent", "raw")
KERNEL = (*NIC, "guest", "trace", "export")


def _assert_same_bytes(recorded: Path, replayed: Path, names: tuple[str, ...]) -> None:
    for name in names:
        assert (replayed / f"record/{name}.bin").read_bytes() == (recorded / f"record/{name}.bin").read_bytes(), name
    assert all((replayed / f"record/{name}.bin").stat().st_size for name in names if name != "raw")


def _verdict(directory: Path) -> Any:
    return json.loads((directory / "replay.json").read_text())


@pytest.mark.parametrize("run", [OPENING, DESCRIPTORS], ids=["lines", "descriptors"])
def test_the_kernel_does_the_same_without_a_simulator(
    run: tuple[str, ...], completed: Completed, tickloop: Command, tmp_path: Path
) -> None:
    recorded = completed(*run).path
    result = tickloop("replay", recorded, "--kernel", "--out", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    _assert_same_bytes(recorded, tmp_path, KERNEL)
    verdict = _verdict(tmp_path)
    assert verdict["same"]
    assert verdict["wall"]["loop_s"] > 0
    assert not {"verilator", "icarus"} & set(verdict["versions"])
    assert verdict["clocks"] == json.loads((recorded / "run.json").read_text())["clocks"]
    assert tickloop("diff", recorded, tmp_path).stdout.startswith("equal: ")
    again = tickloop("replay", tmp_path, "--kernel", "--out", tmp_path / "again")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "it is a replay itself" in again.stderr


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_the_rtl_does_the_same_without_qemu(
    simulator: str, completed: Completed, tickloop: Command, tmp_path: Path
) -> None:
    """Idle clocks are skipped as in the run; waves show the recorded kernel, too."""
    recorded = completed(*OPENING).path
    waves = ("--waves",) if simulator == "verilator" else ()
    result = tickloop("replay", recorded, "--rtl", "--sim", simulator, *waves, "--out", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    _assert_same_bytes(recorded, tmp_path, NIC)
    verdict = _verdict(tmp_path)
    assert verdict["clocks_skipped"] > verdict["clocks"] // 2
    assert "qemu" not in verdict["versions"]
    if waves:
        assert "$scope module kernel $end" in (tmp_path / "waves.vcd").read_text()


def test_a_run_of_the_rtl_alone(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    """Two lines, a packet on hold and descriptors of the native core as host; a kernel it has none."""
    capture = tmp_path / "capture.pcap"
    assert tickloop("generate", "opening", "--messages", "500", "--out", capture).returncode == 0
    recorded = completed("parse", capture, "--line-b", capture, "--hold", "20000").path
    result = tickloop("replay", recorded, "--rtl", "--out", tmp_path / "rtl")
    assert result.returncode == 0, result.stdout + result.stderr
    for name in ("frames", "dma", "registers"):
        assert (tmp_path / f"rtl/record/{name}.bin").read_bytes() == (recorded / f"record/{name}.bin").read_bytes()
    result = tickloop("replay", recorded, "--kernel", "--out", tmp_path / "kernel")
    assert result.returncode == 2
    assert "made without a kernel; --rtl does it" in result.stderr


def _forge(recorded: Path, copy: Path, log: str, dtype: np.dtype[Any], change: Callable[[Any], None]) -> int:
    """A copy of a run with a changed log whose digest fits; returns the entry that ``change`` was given."""
    shutil.copytree(recorded, copy)
    path = copy / f"record/{log}.bin"
    entries = np.fromfile(path, dtype)
    change(entries)
    path.write_bytes(entries.tobytes())
    run = json.loads((copy / "run.json").read_text())
    run["digest"] = digest(load(copy).logs)
    (copy / "run.json").write_text(json.dumps(run))
    return int(entries["clock"][len(entries) // 2]) if log == "dma" else 0


def test_the_kernel_is_not_given_what_was_recorded(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    """One bit of one message's shares: the kernel's next step shows it."""

    def more_shares(writes: Any) -> None:
        adds = np.flatnonzero((writes["data"][:, 26] == ord("A")) & (writes["data"][:, 63] != 0))
        writes["data"][adds[len(adds) // 2], 50] ^= 1

    forged = tmp_path / "forged"
    _forge(completed(*OPENING).path, forged, "dma", layout.DMA_LOG, more_shares)
    result = tickloop("replay", forged, "--kernel", "--out", tmp_path / "out")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "DIFFERS" in result.stdout
    assert not _verdict(tmp_path / "out")["same"]
    assert "statistics" in result.stderr or "books" in result.stderr or "first difference at" in result.stderr


def test_the_rtl_is_not_given_what_was_recorded(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    """Another number of shares in an order that the NIC reads: the frame it sends differs, from its first clock on."""

    def other_shares(reads: Any) -> None:
        orders = np.flatnonzero(reads["data"][:, 56] == layout.TxKind.ORDER)
        reads["data"][orders[1], 19] ^= 1

    forged = tmp_path / "forged"
    _forge(completed(*OPENING).path, forged, "reads", layout.READ_LOG, other_shares)
    result = tickloop("replay", forged, "--rtl", "--out", tmp_path / "out")
    sent = load(forged).logs.sent[1]
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"(clock {sent.last_clock:,}): sent frames, number 1" in result.stderr
    assert _verdict(tmp_path / "out")["logs"]["sent frames"]["differing"] == 1


def test_an_access_at_another_clock_is_seen(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    moved: list[int] = []

    def later(accesses: Any) -> None:
        doorbells = np.flatnonzero(accesses["address"] == layout.REGISTERS["TX_TAIL"])
        at = int(doorbells[0])
        accesses["started_clock"][at] += 3
        accesses["done_clock"][at] += 3
        moved.append(int(accesses["started_clock"][at]))

    forged = tmp_path / "forged"
    _forge(completed(*OPENING).path, forged, "registers", layout.REGISTER_LOG, later)
    result = tickloop("replay", forged, "--rtl", "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "DMA reads, number 0" in result.stderr
    issued = int(load(forged).logs.reads["issued_clock"][0])
    assert f"(clock {issued:,})" in result.stderr
    assert 0 < issued - moved[0] + 3 < 40


def test_a_run_in_free_mode_is_refused(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    run = completed("sim", "--messages", "300", "--mode", "free").path
    for half in ("--kernel", "--rtl"):
        result = tickloop("replay", run, half, "--out", tmp_path)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert "in mode free times are those of the machine" in result.stderr


@pytest.mark.parametrize(
    ("spoil", "status", "text"),
    [
        (lambda run: (run / "record/reads.bin").unlink(), 2, "reads.bin"),
        (lambda run: (run / "record/loop.json").unlink(), 2, "no record of a run here"),
        (lambda run: (run / "record/loop.json").write_text("{"), 2, "the record is damaged"),
        (lambda run: (run / "record/stimulus.bin").unlink(), 2, "record/stimulus.bin is missing"),
        (lambda run: (run / "record/dma.bin").write_bytes((run / "record/dma.bin").read_bytes()[:-88]), 2, "damaged"),
        (lambda run: (run / "run.json").unlink(), 2, "did not come to its end"),
        (
            lambda run: (run / "record/loop.json").write_text(
                (run / "record/loop.json").read_text().replace(f"{layout.LAYOUT_HASH:08x}", "00000000")
            ),
            7,
            "recorded with layout 1/00000000",
        ),
    ],
    ids=["a log missing", "no record", "no JSON", "no stimulus", "cut", "unfinished", "another layout"],
)  # fmt: skip
def test_a_record_that_cannot_be_replayed_is_one_line(
    spoil: Callable[[Path], None], status: int, text: str, completed: Completed, tickloop: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(completed(*OPENING).path, run)
    spoil(run)
    result = tickloop("replay", run, "--kernel", "--out", tmp_path / "out")
    assert result.returncode == status, result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert text in result.stderr


@pytest.fixture(scope="session")
def slower_kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same kernel without link-time optimization: another image, with its rings at other addresses."""
    build = tmp_path_factory.mktemp("slower")
    subprocess.run(["make", "--silent", "-C", str(ROOT / "firmware"), f"BUILD={build}", "LTO="], check=True)
    return build / "firmware/tickloop.elf"


@pytest.mark.parametrize("run", [OPENING, DESCRIPTORS], ids=["lines", "descriptors"])
def test_another_kernel_runs_and_its_decisions_are_compared(
    run: tuple[str, ...], slower_kernel: Path, completed: Completed, tickloop: Command, tmp_path: Path
) -> None:
    result = tickloop("replay", completed(*run).path, "--kernel", "--kernel-image", slower_kernel, "--out", tmp_path)
    assert result.returncode == 1
    assert "the kernel is not the recorded one" in result.stderr
    assert "first difference at" in result.stderr
    rows = {line[:25].strip(): line[25:].strip() for line in result.stdout.splitlines()}
    orders = rows["orders"].split()
    assert int(orders[0]) == int(orders[2]) > 0
    assert rows["orders"].endswith("the same contents")
    assert rows["decisions"] == "the same for all 600 records"
    assert rows["books at the end"].endswith("the same")
    was, now = (float(word) for word in rows["a message in the kernel"].split() if word[0].isdigit())
    assert now > was


def test_an_image_that_is_no_kernel(completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    run = completed(*OPENING).path
    result = tickloop("replay", run, "--kernel", "--kernel-image", tmp_path / "none.elf", "--out", tmp_path / "out")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "no such kernel image" in result.stderr
    other = tmp_path / "other.elf"
    other.write_bytes(b"not a kernel")
    result = tickloop("replay", run, "--kernel", "--kernel-image", other, "--out", tmp_path / "out")
    assert result.returncode == 4, result.stdout + result.stderr
    assert "ended early" in result.stdout
    assert "QEMU ended with status 1" in result.stderr
    assert "replayed  nothing more of this kind" in result.stderr


def test_a_replay_does_not_write_over_the_run(completed: Completed, tickloop: Command) -> None:
    run = completed(*OPENING).path
    result = tickloop("replay", run, "--kernel", "--out", run)
    assert result.returncode == 2
    assert "would write over" in result.stderr
    assert (run / "run.json").exists()
