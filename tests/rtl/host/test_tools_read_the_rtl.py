# SPDX-License-Identifier: MIT
"""The same sources pass Icarus 11, Verilator with -Wall and Yosys: no warning, no latch, no parameter out of range."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.build import verilator_path
from bridge.interface import BridgeError

ROOT = Path(__file__).resolve().parents[3]
SOURCES = (ROOT / "rtl" / "smartnic.f").read_text(encoding="utf-8").split()


def verilator() -> str:
    try:
        return verilator_path()
    except BridgeError as error:
        pytest.skip(str(error))


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_icarus(tmp_path: Path) -> None:
    finished = run(tool("iverilog"), "-g2005", "-Wall", "-Wno-timescale", "-Irtl", "-s", "smartnic",
                   "-o", str(tmp_path / "smartnic"), *SOURCES)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""


def test_verilator() -> None:
    finished = run(verilator(), "--lint-only", "-Wall", "--top-module", "smartnic", "-Irtl", *SOURCES)
    assert finished.returncode == 0, finished.stderr
    assert "%Warning" not in finished.stderr


def test_yosys() -> None:
    """`check -assert` refuses undriven and doubly driven nets. A latch that drives something is a $dlatch cell; those of
    loop variables drive nothing and go with opt_clean."""
    script = f"read_verilog -Irtl {' '.join(SOURCES)}; hierarchy -check -top smartnic; proc; opt_clean; check -assert; " \
             "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"
    finished = run(tool("yosys"), "-q", "-p", script)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("parameters", [{"PERIOD_NUM": 5}, {"PERIOD_NUM": 1, "PERIOD_DEN": 129}])
def test_parameters_out_of_range_do_not_elaborate(parameters: dict[str, int], tmp_path: Path) -> None:
    settings = [f"-Psmartnic.{name}={value}" for name, value in parameters.items()]
    finished = run(tool("iverilog"), "-g2005", "-Irtl", "-s", "smartnic", *settings,
                   "-o", str(tmp_path / "smartnic"), *SOURCES)
    assert finished.returncode != 0
    assert "timestamp_fraction_out_of_range" in finished.stderr
