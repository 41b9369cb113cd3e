# SPDX-License-Identifier: MIT
"""Profiling in the kernel: taps that are not there unless asked for, the processor's counters where it has some, and
latencies gathered from the trace ring."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bridge.layout import TRACE_ENTRY
from generators.framing import FrameEncoder, end_of_session, mold_packet
from generators.profiles import generate
from tb.model.config import KernelConfig
from tests.platform.e1000.line import Line, Outcome
from tests.sanitized import FIRMWARE, build
from tickloop.config import compile_module

TAPPED = ("trading/loop.c", "trading/orders.c", "parser/software.c")
MESSAGES = 400


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("profile") / "profile_runner", [
        Path(__file__).parent / "profile_runner.c",
        *(FIRMWARE / "profile" / f"{name}.c" for name in ("counters", "latency", "histogram"))])


@pytest.fixture(scope="module")
def tapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel with taps, on a processor that seems to have counters."""
    directory = tmp_path_factory.mktemp("tapped")
    subprocess.run(["make", "--silent", "-j2", "-C", str(FIRMWARE), f"BUILD={directory}", "PROFILE=1", "LTO=",
                    f"EXTRA_SOURCES={Path(__file__).parent / 'fake_counters.c'}",
                    "EXTRA_LDFLAGS=-Wl,--wrap=counters_describe"], check=True)
    return directory / "firmware/tickloop.elf"


def boot(kernel: Path, directory: Path) -> Outcome:
    config = directory / "config.bin"
    config.write_bytes(compile_module(KernelConfig(max_books=1000, max_orders=1 << 16, max_levels=1 << 15)))
    encoder = FrameEncoder()
    messages = [raw for _, raw in generate("opening", seed=1, messages=MESSAGES)]
    with Line(kernel, config) as line:
        line.send(encoder.encode(mold_packet(messages[at:at + 10], at + 1)) for at in range(0, MESSAGES, 10))
        line.send([encoder.encode(end_of_session(MESSAGES + 1))])
        return line.finish()


def compiled(source: str, directory: Path, *flags: str) -> str:
    """The machine code of one file, compiled as the kernel's but for link-time optimization."""
    out = directory / "object.o"
    subprocess.run(["make", "--silent", "-C", str(FIRMWARE), f"BUILD={directory}", "LTO=", *flags,
                    f"{directory}/firmware/{source}.o"], check=True)
    (directory / f"firmware/{source}.o").rename(out)
    return subprocess.run(["objdump", "-d", "--no-show-raw-insn", out.name], cwd=directory, check=True,
                          capture_output=True, text=True).stdout


def test_a_build_without_taps_is_the_build_without_their_lines(tmp_path: Path) -> None:
    """Byte for byte: the machine code of each file with taps in it, and of the file with those lines taken out."""
    for source in TAPPED:
        path = FIRMWARE / source
        text = path.read_text()
        without = re.sub(r"^ *TAPS?_?\w*\([^\n]*\);\n", "", text, flags=re.MULTILINE)
        assert without.count("\n") < text.count("\n") - 1, f"{source} has no taps"
        stripped = tmp_path / "stripped.c"
        stripped.write_text(without)
        ours = compiled(source, tmp_path)
        target = f"{tmp_path}/n/firmware/{source}.o"
        plan = subprocess.run(["make", "--no-print-directory", "-C", str(FIRMWARE), f"BUILD={tmp_path}/n", "LTO=", "-n",
                               target], check=True, capture_output=True, text=True).stdout
        command = next(line for line in plan.splitlines() if line.startswith("gcc"))
        theirs = command.replace(f" -c {source} ", f" -c {stripped} ").replace(target, f"{tmp_path}/object.o")
        subprocess.run(theirs, shell=True, check=True, cwd=FIRMWARE)
        expected = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "object.o"], cwd=tmp_path, check=True,
                                  capture_output=True, text=True).stdout
        assert "rdtscp" not in ours
        assert ours == expected, source
        assert ours.count("\n") > 50
        assert compiled(source, tmp_path, "PROFILE=1").count("rdtscp") > 1, source


def test_the_products_image_has_no_tap(kernel: Path) -> None:
    assert "rdtscp" not in subprocess.run(["objdump", "-d", kernel], check=True, capture_output=True, text=True).stdout
    names = subprocess.run(["nm", kernel.with_suffix(".debug")], check=True, capture_output=True, text=True).stdout
    assert "software_run" in names
    assert "tap_histograms" not in names


def test_taps_count_every_stage_and_counters_are_told(tapped: Path, tmp_path: Path) -> None:
    """In executed instructions: the taps' own cost is told, and is exact; the same run has the same histograms."""
    outcome = boot(tapped, tmp_path)
    found = re.findall(r"^tap: (\w+) count (\d+) mean (\d+) p50 (\d+) p99 (\d+) p99.9 (\d+) max (\d+)$",
                       outcome.console, re.MULTILINE)
    taps = {name: [int(value) for value in values] for name, *values in found}
    assert list(taps) == ["nothing", "headers", "unpack", "book", "decision", "order", "doorbell"]
    count, mean, *percentiles, most = taps.pop("nothing")
    assert {mean, *percentiles, most} == {mean}
    assert count == 1000
    assert taps["headers"][0] == MESSAGES // 10 + 1
    assert taps["unpack"][0] == taps["book"][0] + 1  # an event line, of the end of the session
    assert taps["book"][0] == MESSAGES
    assert taps["order"][0] == taps["doorbell"][0] == outcome.statistics["orders"] > 0
    for count, mean, median, p99, p999, most in taps.values():
        assert count > 0
        assert 0 < median <= p99 <= p999 <= most
        assert mean <= most
    assert re.findall("^counters: (.*)$", outcome.console, re.MULTILINE) == [
        "version 4, 48 bits", "instructions 0", "cycles 0", "cache misses 0", "branch misses 0"]
    again = boot(tapped, tmp_path).console
    assert re.findall("^tap: .*$", again, re.MULTILINE) == re.findall("^tap: .*$", outcome.console, re.MULTILINE)


def test_without_counters_the_kernel_says_so_and_goes_on(kernel: Path, tmp_path: Path) -> None:
    """TCG has none: one line, and no register is touched that would fault."""
    outcome = boot(kernel, tmp_path)
    assert [line for line in outcome.console.splitlines() if line.startswith("counters: ")] == [
        "counters: none of the processor's own: CPUID leaf 0xa says version 0"]


@pytest.mark.parametrize(("leaf", "expected"), [
    ((0, 0, 0), "0 0 none none none none"),
    ((0x07280401, 0, 0), "1 0 none none none none"),  # version 1 has no global control
    ((0x07300404, 0, 0x603), "4 48 fixed0 fixed1 pmc0 pmc1"),  # Skylake
    ((0x07300402, 0x10, 0x603), "2 48 fixed0 fixed1 none pmc0"),  # no event for cache misses
    ((0x07280402, 0, 0x600), "2 40 pmc0 pmc1 pmc2 pmc3"),  # no fixed counters
    ((0x07280102, 0, 0x600), "2 40 pmc0 none none none"),  # one register
    ((0x03280402, 0, 0x601), "2 40 fixed0 pmc0 none none"),  # three events at all
])
def test_counters_as_cpuid_tells_of_them(program: Path, leaf: tuple[int, int, int], expected: str) -> None:
    words = [hex(value) for value in leaf]
    found = subprocess.run([program, "describe", *words], check=True, capture_output=True, text=True).stdout
    assert found.strip() == expected


def test_latencies_of_the_trace_ring(program: Path) -> None:
    """Gathered in steps, notes left out; entries overwritten before that are counted as missed."""
    random, entries, written = Random(3), 64, 0
    trace = np.zeros(64 * 40, TRACE_ENTRY)
    for entry in trace:
        dequeue = random.randrange(1 << 32)
        steps = [random.randrange(1, 9000) for _ in range(3)]
        entry["type"] = random.choice([1, 5, ord("A"), ord("D")])
        reached, entry["orders"] = random.randrange(3), 0
        taps = [dequeue, dequeue, dequeue]
        for stage in range(reached + 1):
            taps[stage:] = [(dequeue + sum(steps[:stage + 1])) % (1 << 32)]
            taps += [dequeue] * (3 - len(taps))
        if random.random() < 0.2:
            taps = [dequeue] * 3
        entry["orders"] = taps[2] != dequeue
        entry["dequeue"], entry["applied"], entry["decision"], entry["doorbell"] = dequeue, *taps
        entry["done"] = (dequeue + sum(steps) + 10) % (1 << 32)
    rings, totals, kept, missed = [], [], [], 0
    for _ in range(20):
        step = random.choice([0, 1, 30, 64, 64, 65, 100])
        written += step
        ring = np.zeros(entries, TRACE_ENTRY)
        for index in range(max(0, written - entries), written):
            ring[index % entries] = trace[index]
        rings.append(ring.tobytes())
        totals.append(str(written))
        missed += max(0, step - entries)
        kept += list(range(written - min(step, entries), written))
    lines = subprocess.run([program, "gather", str(entries), *totals], input=b"".join(rings), check=True,
                           capture_output=True).stdout.decode().splitlines()
    assert lines[0] == f"{written} {missed}"
    messages = trace[kept]
    messages = messages[messages["type"] >= ord("A")]

    def between(begin: str, end: str, where: np.ndarray) -> list[int]:
        return [int(value) for value in (messages[end] - messages[begin])[where]]

    samples = {
        "book": between("dequeue", "applied", messages["applied"] != messages["dequeue"]),
        "decision": between("applied", "decision", messages["decision"] != messages["dequeue"]),
        "doorbell": between("dequeue", "doorbell", messages["orders"] > 0),
        "message": between("dequeue", "done", np.ones(len(messages), bool)),
    }
    assert min(len(values) for values in samples.values()) > 50
    assert missed > 0
    for line, (name, values) in zip(lines[1:], samples.items(), strict=True):
        told, count, total, p99 = line.split()
        assert (told, int(count), int(total)) == (name, len(values), sum(values))
        assert int(p99) == sorted(values)[-(-len(values) * 99 // 100) - 1]
