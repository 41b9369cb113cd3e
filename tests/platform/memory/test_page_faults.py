# SPDX-License-Identifier: MIT
"""Forbidden accesses in real boots: each is told with address, access, reason and the function that made it."""

from __future__ import annotations

import re

import pytest

from tests.platform.cases import Cases
from tests.platform.machine import DONE, FAULT

PAGE_FAULT = 14


@pytest.mark.parametrize(("case", "told"), [
    ("read null", "read of 0x10, not mapped: the guard page of null"),
    ("write null", "write of 0x8, not mapped: the guard page of null"),
    ("write text", "write of 0x{kernel_text:x}, not writable"),
    ("write constant", "write of 0x{constant:x}, not writable"),
    ("execute data", "execution of 0x{bytes_of_data:x}, not executable"),
    ("write guard", "write of 0x{guard:x}, not mapped: the guard page of the boot stack"),
    ("read hole", "read of 0x10000000000, not mapped"),
])
def test_a_forbidden_access_is_told(cases: Cases, case: str, told: str) -> None:
    console = cases.run(case, FAULT)
    found = re.search(r"fault: vector (\d+) .*\nfault: rip 0x([0-9a-f]+),", console)
    assert found, console
    assert int(found[1]) == PAGE_FAULT
    execution = case == "execute data"
    culprit = "bytes_of_data" if execution else f"culprit_{case.replace(' ', '_')}"
    assert int(found[2], 16) == cases.symbol(culprit)
    addresses = {name: cases.symbol(name) for name in ("kernel_text", "constant", "bytes_of_data")}
    lines = console.splitlines()
    assert f"fault: {told.format(**addresses, guard=cases.symbol('stack_guard') + 100)}" in lines
    assert lines[-1] == ("fault: outside of the kernel's code" if execution else f"fault: in {culprit}+0x0")


def test_a_stack_that_overflows_meets_its_guard_page(cases: Cases) -> None:
    console = cases.run("overflow stack", FAULT)
    found = re.search(r"fault: write of 0x([0-9a-f]+), not mapped: the guard page of the boot stack\n"
                      r"fault: in recurse\+0x([0-9a-f]+)$", console.rstrip())
    assert found, console
    assert 0 <= int(found[1], 16) - cases.symbol("stack_guard") < 4096


def test_nothing_is_writable_and_executable(cases: Cases) -> None:
    console = cases.run("rights", DONE)
    rights = dict(line.removeprefix("rights: ").rsplit(" ", 1) for line in console.splitlines() if "rights: " in line)
    assert rights == {
        "null": "none", "low memory": "RW", "code": "RX", "last of code": "RX", "constants": "R",
        "last of constants": "R", "data": "RW", "guard": "none", "stack": "RW", "behind the image": "RW",
        "local APIC": "RW", "above 4 GiB": "none", "nothing": "none"}


@pytest.mark.parametrize(("chipset", "high"), [("pc", False), ("pc,max-ram-below-4g=32M", True), ("q35", False)])
def test_every_page_can_be_taken_and_written(cases: Cases, chipset: str, high: bool) -> None:
    """All the machine's memory down to 1 MiB, above 4 GiB too; each page holds the address of the one before it."""
    console = cases.run("walk", DONE, memory_mib=64, chipset=chipset)
    free = {zone: int(size) for size, zone in re.findall(r"memory: (\d+) KiB free (.*)", console)}
    assert set(free) == {"below 1 MiB", "below 16 MiB", "below 4 GiB", "above"}
    assert (free["above"] == 32 << 10) == high
    walked = re.search(r"walked: (\d+) pages", console)
    assert walked
    assert int(walked[1]) * 4 == sum(free.values()) - free["below 1 MiB"] > 48 << 10


@pytest.mark.parametrize(("case", "limit"), [("page cost", 600), ("heap cost", 900)])
def test_costs_in_instructions(cases: Cases, case: str, limit: int) -> None:
    """Every single one of the operations, exactly: an instruction is far below 1 ns, the promise is 500 ns."""
    console = cases.run(case, DONE, lockstep=True)
    costs = [int(most) for most in re.findall(r"cost: .* most (\d+)", console)]
    assert len(costs) == 4
    assert 0 < max(costs) < limit, console
