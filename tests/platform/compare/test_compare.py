# SPDX-License-Identifier: MIT
"""Paths between processors compared: every sample is there, instructions are exact, the report has them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bridge import build
from tests.platform.compare.samples import PATHS, measure
from tests.platform.machine import PANIC, Setup, run


def test_the_script_keeps_every_sample_and_reports_them(root: Path, tmp_path: Path) -> None:
    """2,000 samples a path between two processors; the percentiles are those of the samples."""
    finished = subprocess.run(
        [sys.executable, root / "bench/compare_paths.py", "--samples", "2000", "--out", tmp_path],
        cwd=root, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("between two processors, TCG: 2,000 messages a path")
    table = np.genfromtxt(tmp_path / "compare.csv", delimiter=",", names=True)
    result = json.loads((tmp_path / "compare.json").read_text())
    assert result["two_processors"]
    for path in PATHS:
        samples = np.sort(table[path])
        assert len(samples) == 2000
        assert samples[0] > 0
        assert result["tsc"][path] == {"p50": samples[999], "p99": samples[1979], "p99.9": samples[1997]}
        turns = [np.sort(table[path][at:at + 250])[247] for at in range(0, 2000, 250)]
        assert result["turn_p99_ns"][path] == pytest.approx(np.median(turns) * 1e9 / result["tsc_hz"], abs=1)
        assert result["instructions"][path]["p99"] < 400
    assert result["one_processor"]["samples"] == result["spinning"]["samples"] == 500
    assert np.all(table["interrupt"] < table["blocking"])
    assert result["ratio_to_ring"]["blocking"]["p50"] > 1, "an interrupt and a wake-up are dearer than a line of memory"
    picture = ElementTree.fromstring((tmp_path / "compare.svg").read_text())
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == len(PATHS)


def test_instructions_are_exact_on_one_processor() -> None:
    """Twice the same to the last sample; each path costs the same every time, once code is where it stays."""
    runs = [measure(300, 1, lockstep=True) for _ in range(2)]
    for path in PATHS:
        first, second = (taken[path] for taken, _, two in runs if not two)
        assert np.array_equal(first, second)
        assert np.all(first[1:] == first[1])
    counts = {path: int(runs[0][0][path][-1]) for path in PATHS}
    assert counts["ring"] < 50
    assert counts["switch"] < 150
    assert counts["interrupt"] < 80
    assert counts["interrupt"] < counts["blocking"] < 400
    assert counts["woken"] < 400


@pytest.mark.parametrize("word", ["samples=", "samples=0", "samples=1000001", "samples=12x", "idle=doze", "idle="])
def test_a_wrong_word_is_one_line(word: str) -> None:
    status, console = run(Setup(build.build_kernel(), command_line=f"run=compare {word}"))
    assert status == PANIC
    assert console.splitlines()[-1].startswith(f"panic: command line: {word.partition('=')[0]}=")
