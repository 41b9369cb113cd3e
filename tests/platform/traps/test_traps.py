# SPDX-License-Identifier: MIT
"""Exceptions and interrupts in real boots: each class is provoked, named with its registers, and ends what it must."""

from __future__ import annotations

import re

import pytest

from tests.platform.cases import Cases
from tests.platform.machine import DONE, FAULT, Machine

PAGE = 0x123456789000

# Of each culprit: vector, name, error code, CR2
EXPECTED = {
    "divide": (0, "divide error", 0, 0),
    "debug": (1, "debug", 0, 0),
    "breakpoint": (3, "breakpoint", 0, 0),
    "overflow": (4, "overflow", 0, 0),
    "bound": (5, "bound range", 0, 0),
    "opcode": (6, "invalid opcode", 0, 0),
    "no_device": (7, "device not available", 0, 0),
    "double_fault": (8, "double fault", 0, 0),
    "not_present": (11, "segment not present", 0x10, 0),
    "stack_segment": (12, "stack fault", 0x10, 0),
    "general": (13, "general protection", 0x1238, 0),
    "page_read": (14, "page fault", 0, PAGE + 8),
    "page_null": (14, "page fault", 2, 8),
    "page_execute": (14, "page fault", 0, PAGE),
    "page_stack": (14, "page fault", 2, 0x12345677FFF8),
    "x87": (16, "x87 error", 0, 0),
}
REGISTERS = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16))]
INSTRUCTION_FETCH = 0x10  # of a page fault's error code, where pages can be marked not executable


def test_every_exception_ends_the_task_that_caused_it(cases: Cases) -> None:
    """And is reported: vector, name, error code, RIP of the culprit, CR2, all registers; the other tasks go on."""
    console = cases.run("traps-in-tasks", DONE)
    reports = console.split("case: ")[1:]
    assert {report.splitlines()[0] for report in reports} == set(EXPECTED)
    for report in reports:
        lines = report.splitlines()
        name = lines[0]
        vector, text, error, cr2 = EXPECTED[name]
        found = re.match(r"fault: vector (\d+) \((.*)\), error 0x([0-9a-f]+)$", lines[1])
        assert found, report
        where = re.match(r"fault: rip 0x([0-9a-f]+), cr2 0x([0-9a-f]+), rsp 0x[0-9a-f]+, rflags 0x[0-9a-f]+", lines[2])
        assert where, report
        mask = ~INSTRUCTION_FETCH if name == "page_execute" else ~0
        assert (int(found[1]), found[2], int(found[3], 16) & mask) == (vector, text, error), report
        assert int(where[1], 16) == (PAGE if name == "page_execute" else cases.symbol(f"culprit_{name}")), report
        assert int(where[2], 16) == cr2, report
        assert re.findall(r"(r\w+) 0x[0-9a-f]+", " ".join(lines[3:5])) == REGISTERS
        assert f"task {name}: ended by the fault, all else goes on" in report
        assert "survived" not in report
    assert f"faults: {len(EXPECTED)}\n" in console


@pytest.mark.parametrize(("command", "vector"), [("nmi", "2 (NMI)"), ("mce 0 0 0xb200000000000000 0 0 0", "")])
def test_what_no_instruction_causes_is_no_tasks_fault(cases: Cases, command: str, vector: str) -> None:
    """A non-maskable interrupt while a task runs ends the machine; a machine check that nobody enabled resets it."""
    with Machine(cases.setup("from-outside")) as machine:
        machine.expect("case: waiting")
        machine.monitor(command)
        assert machine.wait() == (FAULT if vector else 0)
        assert (f"fault: vector {vector}" in machine.console) == bool(vector)
        assert "ended by the fault" not in machine.console


def test_a_fault_of_the_report_ends_the_machine(cases: Cases) -> None:
    """The first is told, and one line says that telling it went wrong; nothing recurs."""
    console = cases.run("fault-in-report", FAULT)
    assert console.count("fault: vector") == 1
    assert console.splitlines()[-1] == "fault: its report has faulted too; the machine ends"


def test_a_report_that_overflows_its_stack_ends_there(cases: Cases) -> None:
    console = cases.run("overflow-of-report", FAULT)
    assert re.findall("fault: vector .*", console) == ["fault: vector 8 (double fault), error 0x0"]
    assert console.splitlines()[-1] == "fault: its report has faulted too; the machine ends"


def test_a_guard_page_lies_below_each_stack_for_traps(cases: Cases) -> None:
    console = cases.run("trap-stacks", DONE, processors=2)
    assert re.findall("the guard page of a stack for (.*)", console) == [
        what for what in ("double faults", "NMIs", "memory faults") for _ in range(2)]
    assert "faults: 6\n" in console


def test_a_fault_of_a_handler_is_not_the_interrupted_tasks(cases: Cases) -> None:
    console = cases.run("fault-in-handler", FAULT)
    assert "fault: vector 0 (divide error)" in console
    assert "ended by the fault" not in console


def test_all_interrupt_vectors(cases: Cases) -> None:
    """Each of 32 to 255 reaches its own handler once; one that is nobody's is counted and harms nothing."""
    assert "vectors: 225 taken, 0 wrong, unexpected 1, the last 0x99\n" in cases.run("vectors", DONE)


def test_an_interrupt_changes_no_register(cases: Cases) -> None:
    assert "registers: kept by 1000 interrupts\n" in cases.run("registers", DONE)
