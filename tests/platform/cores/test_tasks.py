# SPDX-License-Identifier: MIT
"""The scheduler in real boots: priorities, preemption, events, faults, and the waits of a loop without interrupts."""

from __future__ import annotations

import re

from tests.platform.cases import Cases
from tests.platform.machine import DONE


def test_the_highest_priority_goes_first_and_equals_take_turns(cases: Cases) -> None:
    assert "trail: cccabababddd\n" in cases.run("priorities", DONE)


def test_an_interrupt_that_wakes_a_higher_priority_preempts(cases: Cases) -> None:
    """An event that is signalled before anybody waits is kept; a wait gives up at its time."""
    assert "trail: wsijWSeEt\n" in cases.run("preemption", DONE)


def test_places_are_used_again_and_an_overflowing_stack_harms_no_other(cases: Cases) -> None:
    console = cases.run("places", DONE)
    assert "the guard page of overflows\n" in console
    assert "task overflows: ended by the fault" in console
    assert "many: 0 refused, 18 faults, 33 done\n" in console
    assert "many: 1 refused\n" in console, "one place is the asking task's own"
    assert console.count("place: ") == 12


def test_without_interrupts_tasks_run_in_the_waits_at_the_times_given(cases: Cases) -> None:
    """Twice the same, to the letter; a task that faults is ended there too."""
    consoles = [cases.run("cooperative", DONE, lockstep=True) for _ in range(2)]
    assert consoles[0] == consoles[1]
    assert "trail: qp  p  p q p  p  !qp  p  p q p  p  qp \n" in consoles[0]
    assert "steps: 1 faults, 0 interrupts, time 2000\n" in consoles[0]
    assert "task faulty: ended by the fault" in consoles[0]


def test_cost_of_a_change_of_tasks(cases: Cases) -> None:
    """Instructions, exact: 20 for the stacks alone, and less than 100 for a yield to another task."""
    console = cases.run("switching", DONE, lockstep=True)
    bare = re.search(r"switch: (\d+) tsc for (\d+)", console)
    full = re.search(r"yield: (\d+) tsc for (\d+)", console)
    assert bare
    assert full
    assert 18 <= int(bare[1]) / int(bare[2]) <= 22
    assert 40 <= int(full[1]) / int(full[2]) <= 120
