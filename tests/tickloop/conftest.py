# SPDX-License-Identifier: MIT
"""Runs of the command line whose loop is played by the faultless run of synthetic.py, in this process."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge import build, loop, qemu
from bridge.interface import LoopRequest, LoopResult
from bridge.layout import STIMULUS_BAD_FCS, STIMULUS_FRAME, STIMULUS_LINE_B
from tests.tickloop.synthetic import loop_result
from tickloop import cli
from tickloop.config import NicConfig, load_config
from tickloop.inputs import LineFrame

Change = Callable[[LoopResult], LoopResult]


@dataclass
class Finished:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    def error_line(self) -> str:
        """The one line on standard error."""
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        assert "Traceback" not in self.stderr
        return lines[0]


def read_stimulus(path: Path) -> list[LineFrame]:
    """The entries of a stimulus file."""
    data, at, frames = path.read_bytes(), 0, []
    while at < len(data):
        time_ps, length, flags = struct.unpack_from("<QII", data, at)
        at += STIMULUS_FRAME.itemsize
        line = "B" if flags & STIMULUS_LINE_B else "A"
        frames.append(LineFrame(line, time_ps // 1000, data[at:at + length], bool(flags & STIMULUS_BAD_FCS)))
        at += length + -length % 8
    return frames


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """``command("sim", ...)``: the command line in this process."""

    def run(*arguments: str | Path) -> Finished:
        capsys.readouterr()
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as exit_of_argparse:  # --help and --version
            status = int(exit_of_argparse.code or 0)
        output = capsys.readouterr()
        return Finished(status, output.out, output.err)

    return run


@pytest.fixture
def faultless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Change], None]:
    """The loop and its builds are played; ``faultless(change)`` changes what the run leaves."""
    kernel = tmp_path / "kernel.elf"
    kernel.write_bytes(b"kernel")
    changes: list[Change] = []

    def play(request: LoopRequest) -> LoopResult:
        (request.out / "console.log").write_text("console\n")
        config = load_config(None).kernel
        assert (request.group_address, request.group_port) == (config.group_address, config.group_port)
        nic = NicConfig(delivery=request.delivery, hold_ns=request.hold_ns, packet_format=request.packet_format)
        result = loop_result(read_stimulus(request.stimulus), config, request.kernel is not None, nic)
        for change in changes:
            result = change(result)
        return result

    monkeypatch.setattr(loop, "run", play)
    monkeypatch.setattr(loop, "run_many", lambda requests: map(play, requests))
    monkeypatch.setattr(qemu, "executable", lambda: "qemu")
    monkeypatch.setattr(build, "build_kernel", lambda: kernel)
    monkeypatch.setattr(build, "build_simulator", lambda simulator, waves, clock_ps, parser: [])
    return changes.append
