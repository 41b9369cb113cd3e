# SPDX-License-Identifier: MIT
"""``tickloop doctor``: what of this machine helps or hinders runs and measurements. It looks and changes nothing.

Each finding is one line and says what to do. Only what makes the project unusable, a missing tool, is a failure.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Literal

from bridge import packages
from bridge.build import IS_CHECKOUT, ROOT, default_simulator, verilator_line
from tickloop.exits import ExitStatus
from tickloop.kvm import Timing, time_loop
from tickloop.output import print_json, print_text

OTHER_GROUPS = ("icarus", "waves", "images", "test")  # of scripts/packages: runs are possible without them
MIB = 1 << 20
LEAST_SHARED_MIB = 64
LEAST_MEMORY_MIB = 1024
LEAST_FILES = 256
LEAST_DISK_MIB = 1024

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """``remedy`` is empty where there is nothing to do."""

    name: str
    level: Level
    told: str
    remedy: str = ""

    def line(self, width: int) -> str:
        return f"  {self.level:<7}  {self.name:<{width}}  {self.told}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Host:
    """Where to look; a test has a machine of its own."""

    root: Path = Path("/")
    which: Callable[[str], str | None] = shutil.which
    installed: Callable[[str], str] = version
    time_loop: Callable[[str], Timing] = time_loop
    files: int = field(default_factory=lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    processors: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def read(self, path: str) -> str | None:
        """A file's text, None if there is none that can be read."""
        try:
            return (self.root / path).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None

    def read_each(self, pattern: str) -> list[str]:
        """The different texts of all files of a pattern."""
        found = (self.read(str(path.relative_to(self.root))) for path in sorted(self.root.glob(pattern)))
        return sorted({text for text in found if text})

    def free_mib(self, path: str) -> int | None:
        try:
            status = os.statvfs(self.root / path)
        except OSError:
            return None
        return status.f_bavail * status.f_frsize // MIB


def doctor(as_json: bool, host: Host | None = None) -> ExitStatus:
    """Prints the findings; TOOL_MISSING if one is a problem."""
    findings = list(examine(host or Host()))
    usable = all(finding.level != "problem" for finding in findings)
    if as_json:
        document: dict[str, Any] = {"command": "doctor", "usable": usable,
                                    "findings": [asdict(finding) for finding in findings]}
        print_json(document)
    else:
        width = max(len(finding.name) for finding in findings)
        print_text("\n".join(finding.line(width) for finding in findings))
    return ExitStatus.OK if usable else ExitStatus.TOOL_MISSING


def examine(host: Host) -> Iterator[Finding]:
    """All findings, what is needed first."""
    yield _tools(host, needed=True)
    yield _tools(host, needed=False)
    yield _simulator()
    yield _packages(host)
    yield _memory(host)
    yield _shared_memory(host)
    yield _disk(host)
    yield _files(host)
    yield _processors(host)
    yield _load(host)
    yield _isolation(host)
    yield _threads(host)
    yield _governor(host)
    yield _turbo(host)
    yield _huge_pages(host)
    yield _counters(host)
    yield _kvm(host)


def _tools(host: Host, needed: bool) -> Finding:
    name = "tools" if needed else "tools of tests"
    commands = packages.commands(("sim", default_simulator()) if needed else OTHER_GROUPS)
    missing = [(command, package) for command, package in commands if host.which(command) is None]
    if not missing:
        return Finding(name, "ok", f"{len(commands)} found")
    wanted = sorted({package for _, package in missing})
    by = f"make {'sim' if needed else 'test'} installs it: {' '.join(wanted)}"
    remedy = by if IS_CHECKOUT else f"as root: {packages.install_line(wanted)}"
    return Finding(name, "problem" if needed else "note",
                   f"missing: {', '.join(command for command, _ in missing)}", remedy)


def _simulator() -> Finding:
    """Which one runs where none is named."""
    if default_simulator() == "verilator":
        return Finding("simulator", "ok", "Verilator")
    return Finding("simulator", "note", "Icarus, slower and with the same results; Verilator is not installed",
                   verilator_line())


def _pins() -> list[str]:
    """What a run needs of Python packages, each as name==version."""
    if IS_CHECKOUT:
        return list(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    return [pin for pin in requires("tickloop") or () if ";" not in pin]  # with a condition: of an extra


def _packages(host: Host) -> Finding:
    """The pinned Python packages that a run needs."""
    pins = _pins()
    wrong = []
    for pin in pins:
        package, wanted = pin.split("==")
        try:
            found = host.installed(package)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            wrong.append(f"{package} {found} (pinned: {wanted})")
    if not wrong:
        return Finding("Python packages", "ok", f"{len(pins)} as pinned")
    absent = any(" none " in each for each in wrong)
    return Finding("Python packages", "problem" if absent else "note", ", ".join(wrong),
                   "make sim installs them" if IS_CHECKOUT else "install tickloop again")


def _memory(host: Host) -> Finding:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", host.read("proc/meminfo") or "", re.MULTILINE)
    if not match:
        return Finding("memory", "note", "how much is free is not told")
    free = int(match[1]) // 1024
    if free < LEAST_MEMORY_MIB:
        return Finding("memory", "note", f"{free} MiB available; a run takes some 500 MiB and 1.8 kB a message",
                       "end something else, or run with fewer --messages")
    return Finding("memory", "ok", f"{free} MiB available")


def _shared_memory(host: Host) -> Finding:
    free = host.free_mib("dev/shm")
    if free is None:
        return Finding("/dev/shm", "note", "there is none", "mount -t tmpfs tmpfs /dev/shm; some tests need it")
    if free < LEAST_SHARED_MIB:
        return Finding("/dev/shm", "note", f"{free} MiB free", "delete what is left there; some tests need 64 MiB")
    return Finding("/dev/shm", "ok", f"{free} MiB free")


def _disk(host: Host) -> Finding:
    free = host.free_mib(str(ROOT).lstrip("/")) if host.root == Path("/") else host.free_mib("")
    if free is not None and free < LEAST_DISK_MIB:
        return Finding("disk", "note", f"{free} MiB free; builds and tests take about 1 GiB",
                       "make room, or make clean")
    return Finding("disk", "ok", f"{free} MiB free" if free is not None else "not told")


def _files(host: Host) -> Finding:
    if 0 <= host.files < LEAST_FILES:
        return Finding("open files", "note", f"at most {host.files}", "ulimit -n 1024")
    return Finding("open files", "ok", f"at most {host.files}" if host.files >= 0 else "no limit")


def _processors(host: Host) -> Finding:
    if host.processors < 2:
        return Finding("processors", "note", "a single one: runs are correct but slow",
                       "give the machine a second one for the kernel, which spins while the RTL runs")
    return Finding("processors", "ok", f"{host.processors}, one for the kernel and one for the RTL")


def _load(host: Host) -> Finding:
    try:
        load = float((host.read("proc/loadavg") or "").split()[0])
    except (IndexError, ValueError):
        return Finding("load", "note", "not told")
    if load > host.processors / 2:
        return Finding("load", "note", f"{load:.1f} on {host.processors} processors: results stay the same, speed does "
                       "not", "measure when the machine is idle")
    return Finding("load", "ok", f"{load:.1f}")


def _isolation(host: Host) -> Finding:
    isolated = host.read("sys/devices/system/cpu/isolated")
    if isolated:
        return Finding("isolated processors", "ok", isolated)
    return Finding("isolated processors", "note", "none: other programs are put between the samples of a benchmark",
                   "boot with isolcpus=N nohz_full=N rcu_nocbs=N and pin benchmarks there (taskset -c N)")


def _threads(host: Host) -> Finding:
    active = host.read("sys/devices/system/cpu/smt/active")
    if active == "1":
        return Finding("SMT", "note", "on: two threads share a core, and each other's time",
                       "echo off > /sys/devices/system/cpu/smt/control, or boot with nosmt")
    return Finding("SMT", "ok", "off" if active == "0" else "not there")


def _governor(host: Host) -> Finding:
    governors = host.read_each("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    if not governors:
        return Finding("frequency", "note", "not to be seen from here, as in a virtual machine",
                       "ask the host's owner; until then cycles are no nanoseconds")
    if governors != ["performance"]:
        return Finding("frequency", "note", f"governor {', '.join(governors)}: it changes during a measurement",
                       "cpupower frequency-set -g performance")
    return Finding("frequency", "ok", "governor performance")


def _turbo(host: Host) -> Finding:
    disabled = host.read("sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = host.read("sys/devices/system/cpu/cpufreq/boost")
    if disabled == "0" or boost == "1":
        remedy = ("echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo" if disabled == "0"
                  else "echo 0 > /sys/devices/system/cpu/cpufreq/boost")
        return Finding("turbo", "note", "on: the clock depends on temperature and on the other cores", remedy)
    return Finding("turbo", "ok", "off" if disabled or boost else "not to be seen from here")


def _huge_pages(host: Host) -> Finding:
    match = re.search(r"^HugePages_Total:\s+(\d+)", host.read("proc/meminfo") or "", re.MULTILINE)
    total = int(match[1]) if match else 0
    mode = re.search(r"\[(\w+)\]", host.read("sys/kernel/mm/transparent_hugepage/enabled") or "")
    if total or (mode and mode[1] == "always"):
        return Finding("huge pages", "ok", f"{total} reserved" if total else "transparent ones, always")
    return Finding("huge pages", "note", f"none reserved, transparent ones: {mode[1] if mode else 'not there'}",
                   "echo always > /sys/kernel/mm/transparent_hugepage/enabled: large books miss the TLB less")


def _counters(host: Host) -> Finding:
    if not (host.root / "sys/bus/event_source/devices/cpu").exists():
        return Finding("hardware counters", "note", "none, as in most virtual machines",
                       "lockstep counts instructions exactly (-icount); cycles and cache misses are not to be had")
    paranoid = host.read("proc/sys/kernel/perf_event_paranoid")
    if paranoid is not None and paranoid.lstrip("-").isdigit() and int(paranoid) > 2:
        return Finding("hardware counters", "note", f"perf_event_paranoid is {paranoid}: not for you",
                       "sysctl kernel.perf_event_paranoid=1")
    return Finding("hardware counters", "ok", "there")


def _kvm(host: Host) -> Finding:
    name = "KVM"
    usual = "nothing to do: runs use QEMU's own translation (TCG), which is exact"
    if not (host.root / "dev/kvm").exists():
        return Finding(name, "note", "no /dev/kvm", usual)
    tcg = host.time_loop("tcg")
    if tcg.seconds is None:
        return Finding(name, "note", f"not measured, for TCG itself failed: {tcg.why}")
    kvm = host.time_loop("kvm")
    if kvm.seconds is None:
        return Finding(name, "note", f"/dev/kvm is of no use ({kvm.why}; TCG took {tcg.seconds:.2f} s)", usual)
    both = f"the same loop took {kvm.seconds:.2f} s, under TCG {tcg.seconds:.2f} s"
    if kvm.seconds > tcg.seconds:
        return Finding(name, "note", f"/dev/kvm is an emulation, slower than TCG: {both}", usual)
    return Finding(name, "ok", f"hardware virtualization: {both}")
