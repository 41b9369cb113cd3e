# SPDX-License-Identifier: MIT
"""``tickloop doctor`` on machines that are directories: each finding with what to do, nothing changed, and the exit
status that says whether anything can run; and here, with a KVM that is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tickloop.doctor import Finding, Host, doctor, examine
from tickloop.exits import ExitStatus
from tickloop.kvm import ENDED, PATIENCE_S, Timing, boot_sector, time_loop

TUNED = {
    "proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable:    8388608 kB\nHugePages_Total:      64\n",
    "proc/loadavg": "0.10 0.20 0.30 1/100 1000",
    "proc/sys/kernel/perf_event_paranoid": "1",
    "dev/shm/.here": "",
    "dev/kvm": "",
    "sys/devices/system/cpu/isolated": "3",
    "sys/devices/system/cpu/smt/active": "0",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance",
    "sys/devices/system/cpu/intel_pstate/no_turbo": "1",
    "sys/bus/event_source/devices/cpu/type": "4",
}
SECONDS = {"tcg": Timing(0.5), "kvm": Timing(0.1)}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine without a fault."""
    for name, text in TUNED.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Host(tmp_path, which=lambda _: "/usr/bin/it", time_loop=SECONDS.__getitem__, files=1024, processors=4)


def finding(host: Host, name: str) -> Finding:
    (found,) = (each for each in examine(host) if each.name == name)
    return found


def write(host: Host, name: str, text: str | None) -> None:
    path = host.root / name
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_tuned_machine_has_nothing_to_do(host: Host) -> None:
    assert [each for each in examine(host) if each.level != "ok" or each.remedy] == []


@pytest.mark.parametrize(("name", "path", "text", "told", "remedy"), [
    ("isolated processors", "sys/devices/system/cpu/isolated", "", "none", "isolcpus="),
    ("SMT", "sys/devices/system/cpu/smt/active", "1", "on", "smt/control"),
    ("frequency", "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave", "performance, powersave",
     "cpupower"),
    ("turbo", "sys/devices/system/cpu/intel_pstate/no_turbo", "0", "on", "no_turbo"),
    ("huge pages", "proc/meminfo", "MemAvailable: 8388608 kB\n", "none reserved", "transparent_hugepage"),
    ("memory", "proc/meminfo", "MemAvailable: 100000 kB\n", "97 MiB", "--messages"),
    ("load", "proc/loadavg", "9.5 1 1 1/1 1", "9.5 on 4", "idle"),
    ("hardware counters", "proc/sys/kernel/perf_event_paranoid", "4", "is 4", "sysctl"),
    ("KVM", "dev/kvm", None, "no /dev/kvm", "TCG"),
], ids=lambda value: value if isinstance(value, str) and "/" not in value else "")
def test_what_hinders_is_noted_with_what_to_do(
    host: Host, name: str, path: str, text: str | None, told: str, remedy: str
) -> None:
    write(host, path, text)
    found = finding(host, name)
    assert found.level == "note"
    assert told in found.told
    assert remedy in found.remedy


def test_amd_boost_and_always_transparent_pages(host: Host) -> None:
    write(host, "sys/devices/system/cpu/intel_pstate/no_turbo", None)
    write(host, "sys/devices/system/cpu/cpufreq/boost", "1")
    write(host, "proc/meminfo", "MemAvailable: 8388608 kB\nHugePages_Total: 0\n")
    write(host, "sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never")
    assert "cpufreq/boost" in finding(host, "turbo").remedy
    assert finding(host, "huge pages") == Finding("huge pages", "ok", "transparent ones, always")


@pytest.mark.parametrize(("change", "name", "told"), [
    ({"files": 64}, "open files", "at most 64"),
    ({"processors": 1}, "processors", "a single one"),
], ids=["files", "processors"])
def test_too_few(host: Host, change: dict[str, int], name: str, told: str) -> None:
    found = finding(replace(host, **change), name)  # type: ignore[arg-type]
    assert (found.level, told in found.told, bool(found.remedy)) == ("note", True, True)


@pytest.mark.parametrize(("kvm", "level", "told"), [
    (Timing(2.0), "note", "an emulation, slower than TCG: the same loop took 2.00 s, under TCG 0.50 s"),
    (Timing(None, f"no end within {PATIENCE_S:.0f} s"), "note", "of no use (no end within 6 s; TCG took 0.50 s)"),
    (Timing(0.4), "ok", "hardware virtualization"),
], ids=["emulated", "hangs", "real"])
def test_kvm_is_judged_by_what_it_does(host: Host, kvm: Timing, level: str, told: str) -> None:
    found = finding(replace(host, time_loop={**SECONDS, "kvm": kvm}.__getitem__), "KVM")
    assert found.level == level
    assert told in found.told


def test_a_machine_that_tells_nothing(tmp_path: Path, host: Host) -> None:
    """An empty root: every line is still there, and none of it fails."""
    empty = replace(host, root=tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    assert [each.name for each in examine(empty)] == [each.name for each in examine(host)]
    assert doctor(True, empty) == ExitStatus.OK


def test_a_missing_tool_is_a_problem_and_one_of_the_tests_is_a_note(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    without = replace(host, which=lambda name: None if name in ("qemu-system-x86_64", "tshark") else name)
    assert doctor(False, without) == ExitStatus.TOOL_MISSING
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["problem", "tools"]
    assert "missing: qemu-system-x86_64; make sim installs it: qemu-system-x86" in lines[0]
    assert "note" in lines[1]
    assert "tshark" in lines[1]
    assert len(lines) == len(list(examine(host)))


def test_packages_of_another_version_are_noted_and_absent_ones_a_problem(host: Host) -> None:
    def other(package: str) -> str:
        return "0.0.1" if package == "numpy" else version(package)

    def absent(package: str) -> str:
        if package == "numpy":
            raise PackageNotFoundError(package)
        return version(package)

    assert "numpy 0.0.1 (pinned: " in finding(replace(host, installed=other), "Python packages").told
    assert finding(replace(host, installed=absent), "Python packages").level == "problem"


def test_the_sector_runs_in_stock_qemu_and_ends_the_machine() -> None:
    assert len(boot_sector()) == 512
    assert ENDED == 2 * 1 + 1
    timing = time_loop("tcg")
    assert timing.seconds is not None, timing.why
    assert time_loop("no such accelerator").why != ""


def test_the_command_as_json_here() -> None:
    result = subprocess.run([sys.executable, "-m", "tickloop", "doctor", "--json"], capture_output=True, text=True,
                            timeout=120, check=False)
    document = json.loads(result.stdout)
    assert result.returncode == (0 if document["usable"] else 3)
    assert {each["name"] for each in document["findings"]} >= {"tools", "KVM", "huge pages", "SMT"}
    assert all(each["level"] in ("ok", "note", "problem") and each["told"] for each in document["findings"])
