# SPDX-License-Identifier: MIT
"""The command line: what it accepts, what it refuses, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import loop
from bridge.interface import BridgeError
from tickloop import commands
from tickloop.exits import ExitStatus

PROMISED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130}


def test_help_lists_every_exit_status(command):
    finished = command("--help")
    assert finished.status == 0
    assert {int(status) for status in ExitStatus} == PROMISED
    for status in ExitStatus:
        assert f"{status.value:>3}  {status.meaning}" in finished.stdout


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_has_help(command, name):
    assert command(name, "--help").status == 0


@pytest.mark.parametrize("arguments", [
    [],
    ["simulate"],
    ["sim"],
    ["sim", "--out"],
    ["sim", "--out", ""],
    ["sim", "--out", "x", "--unknown"],
    ["sim", "--out", "x", "--seed", "one"],
    ["sim", "--out", "x", "--seed", "-1"],
    ["sim", "--out", "x", "--sim", "modelsim"],
    ["sim", "--out", "x", "--mode", "fast"],
    ["sim", "--out", "x", "--scenario", "nonsense"],
    ["sim", "--out", "x", "--messages", "0"],
    ["sim", "a.pcap", "b.pcap", "--out", "x"],
    ["sim", "a.pcap", "--scenario", "quiet", "--out", "x"],
    ["sim", "--ouch", "3", "--out", "x"],
    ["sim", "--delivery", "best-effort", "--out", "x"],
    ["sim", "--hold", "-1", "--out", "x"],
    ["sim", "--hold", "4294967296", "--out", "x"],
    ["sim", "--hold", "1.5", "--out", "x"],
    ["sim", "--line-b", "", "--out", "x"],
    ["sim", "--line-b", "absent.pcap", "--out", "x"],
    ["sim", "--line-b", ".", "--out", "x"],
    ["sim", "--format", "prototype", "--out", "x"],
    ["sim", "--format", "soup", "--out", "x"],
    ["sim", "--fcs", "--out", "x"],
    ["parse", "a.pcap", "--delivery", "late", "--out", "x"],
    ["parse", "a.pcap", "--format", "soup", "--out", "x"],
    ["parse", "a.pcap", "--format", "prototype", "--line-b", "b.pcap", "--out", "x"],
    ["parse", "a.pcap", "--format", "prototype", "--hold", "100", "--out", "x"],
    ["parse", "", "--out", "x"],
    ["sim", "", "--out", "x"],
    ["parse", "a.pcap", "b.pcap", "--line-b", "c.pcap", "--out", "x"],
    ["generate", "quiet", "--format", "soup", "--out", "x"],
    ["parse", "--out", "x"],
    ["parse", "a.pcap", "--group", "nowhere", "--out", "x"],
    ["parse", "a/x.pcap", "b/x.pcap", "--out", "x"],
    ["generate", "nonsense", "--out", "x"],
    ["generate", "quiet"],
    ["generate", "quiet", "--symbols", "0", "--out", "x"],
    ["generate", "quiet", "--symbols", "8001", "--out", "x"],
    ["report"],
    ["sim", "--mode", "free", "--hold", "1000", "--out", "x"],
    ["sim", "--mode", "free", "--script", "s.txt", "--out", "x"],
    ["sim", "--script", "none.txt", "--out", "x"],
    ["sim", "--ouch", "4.1", "--out", "x"],
    ["sim", "--faults", "loss", "--out", "x"],
    ["sim", "--faults", "loss=2", "--out", "x"],
    ["sim", "--faults", "rain=0.1", "--out", "x"],
    ["sim", "--scenario", "exchange", "--faults", "loss=0.1", "--out", "x"],
    ["generate", "quiet", "--faults", "loss=0.1,loss=0.2", "--out", "x"],
    ["generate", "quiet", "--faults", "loss=0.1", "--out", "x.itch"],
    ["sim", "--scenario", "exchange", "--mode", "free", "--out", "x"],
    ["sim", "--scenario", "exchange", "--line-b", "x.pcap", "--out", "x"],
])
def test_usage_errors_are_one_line_and_status_2(command, arguments):
    finished = command(*arguments)
    assert finished.status == 2
    assert finished.error_line().startswith("tickloop: ")


@pytest.mark.parametrize("error", [
    BridgeError(4, "QEMU died"), BridgeError(5, "the simulator died"), BridgeError(6, "the kernel is silent"),
    BridgeError(7, "layouts differ"), BridgeError(9, "kernel panic"),
])
def test_faults_of_the_loop_keep_their_status(command, faultless, monkeypatch, tmp_path, error):
    def fail(_request):
        raise error

    monkeypatch.setattr(loop, "run", fail)
    finished = command("sim", "--messages", "20", "--out", tmp_path / "out")
    assert finished.status == error.exit_status
    assert finished.error_line() == f"tickloop: {error}"


def test_ctrl_c_is_status_130(command, faultless, monkeypatch, tmp_path):
    def interrupt(_request):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "run", interrupt)
    finished = command("sim", "--messages", "20", "--out", tmp_path / "out")
    assert finished.status == 130
    assert finished.error_line() == "tickloop: interrupted"


@pytest.mark.parametrize("module", ["numpy", "bridge", "tickloop.run"])
def test_ctrl_c_while_the_commands_are_imported(root, module):
    """By an import that is interrupted, in a process that has imported nothing yet."""
    program = f"""if True:
        import sys

        class Interrupt:
            def find_spec(self, name, path, target=None):
                if name == {module!r}:
                    raise KeyboardInterrupt

        sys.meta_path.insert(0, Interrupt())
        from tickloop.cli import main
        sys.exit(main(["--help"]))
    """
    finished = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (130, "tickloop: interrupted\n")


def test_a_full_disk_is_status_8(command, faultless, monkeypatch, tmp_path):
    def fill(_request):
        raise OSError(28, "No space left on device", "record/dma.bin")

    monkeypatch.setattr(loop, "run", fill)
    finished = command("sim", "--messages", "20", "--out", tmp_path / "out")
    assert finished.status == 8
    assert "out of space" in finished.error_line()


def test_a_fault_of_tickloop_itself_is_one_line_with_its_details_in_a_file(command, monkeypatch, tmp_path):
    def break_down(*_arguments):
        raise RuntimeError("two\nlines")

    monkeypatch.setitem(commands.COMMANDS, "report", break_down)
    finished = command("report", tmp_path)
    assert finished.status == 1
    line = finished.error_line()
    assert "internal error: RuntimeError: two lines" in line
    details = Path(line.split("details: ")[1].rstrip(")"))
    assert "break_down" in details.read_text()
    details.unlink()


def test_module_and_console_script_are_the_same_command(root):
    for start in ([sys.executable, "-m", "tickloop"], [str(Path(sys.executable).with_name("tickloop"))]):
        finished = subprocess.run([*start, "--version"], cwd=root, capture_output=True, text=True, check=True)
        assert finished.stdout.startswith("tickloop ")


def test_generate_writes_the_same_capture_for_the_same_seed(command, tmp_path):
    for name in ("first.pcap", "second.pcap"):
        assert command("generate", "quiet", "--messages", "50", "--seed", "7", "--out", tmp_path / name).status == 0
    first, second = (tmp_path / name for name in ("first.pcap", "second.pcap"))
    assert first.read_bytes() == second.read_bytes()
    assert len(Path(f"{first}.expect.jsonl").read_text().splitlines()) == 50
    assert command("generate", "quiet", "--messages", "50", "--seed", "8", "--out", second).status == 0
    assert first.read_bytes() != second.read_bytes()


@pytest.mark.parametrize("form", ["mold", "prototype"])
def test_generate_serves_8000_symbols(command, tmp_path, form):
    arguments = ["--messages", "20000", "--symbols", "8000", "--format", form, "--out", tmp_path / "all.pcap"]
    assert command("generate", "mass_quote", *arguments).status == 0
    lines = [json.loads(line) for line in Path(f"{tmp_path / 'all.pcap'}.expect.jsonl").read_text().splitlines()]
    assert len(lines) == 20_000
    known = {line["fields"]["stock_locate"] for line in lines if form == "prototype" or line["type"] == "R"}
    assert len(known) == 8_000
