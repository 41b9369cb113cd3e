# SPDX-License-Identifier: MIT
"""Python passes ruff and mypy; Verilator and Icarus read the RTL without a warning, Yosys as sound logic."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from bridge.build import rtl_sources


def run(root, *command):
    return subprocess.run([str(part) for part in command], cwd=root, capture_output=True, text=True, check=False)


def test_make_lint_finds_nothing(root):
    """The command that developers run: ruff, mypy, verilator --lint-only -Wall."""
    finished = run(root, "make", "lint")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "%Warning" not in finished.stdout + finished.stderr


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_icarus_reads_the_rtl_as_verilog_2005(root):
    finished = run(root, "iverilog", "-g2005", "-Wall", f"-I{root / 'rtl'}", "-t", "null", "-s", "smartnic",
                   *rtl_sources())
    assert (finished.returncode, finished.stdout + finished.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("yosys") is None, reason="Yosys is not installed")
def test_yosys_reads_the_rtl_as_sound_logic(root):
    """No latch that anything reads, no wire without a driver or with two, no combinational loop."""
    sources = " ".join(map(str, rtl_sources()))
    script = (f"read_verilog -I{root / 'rtl'} {sources}; hierarchy -check -top smartnic; proc; opt_clean; "
              "select -assert-none t:$dlatch; check -assert")
    finished = run(root, "yosys", "-q", "-p", script)
    assert (finished.returncode, finished.stderr) == (0, "")
