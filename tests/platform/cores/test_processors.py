# SPDX-License-Identifier: MIT
"""Several processors in real boots: all come up, the second is left alone, messages cross, faults stay in place."""

from __future__ import annotations

import re

import pytest

from tests.platform.cases import Cases
from tests.platform.machine import DONE, FAULT


@pytest.mark.parametrize("processors", [1, 2, 4, 6])
def test_all_processors_come_up(cases: Cases, processors: int) -> None:
    """Each once, with tables of its own and interrupts off; more than four are left alone, less are no failure."""
    console = cases.run("all", DONE, processors=processors)
    used = min(processors, 4)
    assert [f"start {n}: {'came' if n < used else 'refused'}" for n in range(1, 4)] == re.findall("start .*", console)
    assert re.findall(r"processor (\d): index (\d), APIC (\d), interrupts off", console) == [
        (str(n), str(n), str(n)) for n in range(1, used)]
    assert "again: refused\n" in console
    assert f"processors: {used}\n" in console


def test_the_second_processor_is_never_interrupted(cases: Cases) -> None:
    """Timer, a board's interrupt and messages keep the first one busy; the second goes on and has taken none."""
    console = cases.run("isolated", DONE, processors=2)
    found = re.search(r"processor 0: (\d+) interrupts, (\d+) of the timer, (\d+) of the PIT, (\d+) messages", console)
    assert found
    total, timer, pit, messages = map(int, found.groups())
    assert total == timer + pit + messages
    assert min(timer, pit, messages) >= 10
    assert messages == 400
    assert "processor 1: 0 interrupts, went on\n" in console


def test_a_faulty_task_does_not_stop_the_second_processor(cases: Cases) -> None:
    console = cases.run("faults", DONE, processors=2)
    assert console.count("task faulty: ended by the fault, all else goes on\n") == 5
    assert console.count("processor 1: went on\n") == 5
    assert "faults: 5\n" in console


def test_a_fault_of_the_second_processor_ends_the_machine(cases: Cases) -> None:
    assert "fault: vector 6 (invalid opcode)" in cases.run("fault-of-other", FAULT, processors=2)


def test_messages_cross_intact(cases: Cases) -> None:
    assert "crossing: 50000 messages, 0 words wrong\n" in cases.run("crossing", DONE, processors=2)


def test_no_bell_is_missed_by_who_falls_asleep(cases: Cases) -> None:
    """Rung from the other processor while the first one listens, sleeps, or is about to."""
    found = re.search(r"bells: 1000 heard, (\d+) by interrupts\n", cases.run("bells", DONE, processors=2))
    assert found
    assert 0 < int(found[1]) < 1000, "some by either way"
