# SPDX-License-Identifier: MIT
"""The kernel's clock and timers beside the HPET and the host's clock, in real boots."""

from __future__ import annotations

import re
import time

import pytest

from tests.platform.cases import Cases
from tests.platform.machine import DONE, Machine

NO_HPET = ("-machine", "hpet=off")
NO_PIT = ("-machine", "pit=off")
SHOTS = 12


def test_the_clock_is_that_of_the_hpet_and_of_the_host(cases: Cases) -> None:
    """Over 200 ms: within 0.5 % of the HPET (5 ms of it were measured). What passed by the HPET is no less than between
    two times of the host that lie within, nor more than between two around it, however late this process runs."""
    with Machine(cases.setup("rate")) as machine:
        machine.expect("clock: ready")
        before = time.monotonic_ns()
        machine.send("x")
        machine.expect("clock: start")
        start = time.monotonic_ns()
        time.sleep(0.2)
        end = time.monotonic_ns()
        machine.send("x")
        found = machine.expect(r"clock: (\d+) ns by the kernel, (\d+) ns by the HPET")
        after = time.monotonic_ns()
        assert machine.wait() == DONE
    own, hpet = int(found[1]), int(found[2])
    assert own == pytest.approx(hpet, rel=0.005)
    assert 0.999 * (end - start) <= hpet <= 1.001 * (after - before)


def test_timers_are_never_early_and_there_is_no_tick(cases: Cases) -> None:
    shots = re.findall(r"shot: wanted (\d+) ns, was (\d+) ns", console := cases.run("accuracy", DONE))
    assert len(shots) == SHOTS
    late = [int(was) - int(wanted) for wanted, was in shots]
    assert all(ns > -0.005 * int(wanted) for ns, (wanted, _) in zip(late, shots, strict=True))
    assert sorted(late)[SHOTS // 2] < 50_000_000, "half of them; how late exactly is known where time is instructions"
    assert f"shots: {SHOTS} interrupts\n" in console

    console = cases.run("tickless", DONE)
    assert "tickless: 0 interrupts in 50 ms\n" in console
    assert re.search(r"tickless: order 2 3 1, [123] interrupts\n", console)


def test_timers_are_exact_where_time_is_the_number_of_instructions(cases: Cases) -> None:
    console = cases.run("accuracy", DONE, lockstep=True)
    shots = re.findall(r"shot: wanted (\d+) ns, was (\d+) ns", console)
    assert len(shots) == SHOTS
    assert all(-20 <= int(was) - int(wanted) < 2_000 + 2e-5 * int(wanted) for wanted, was in shots), shots
    assert re.search(r"time: TSC (999999|1000000|99999\d|100000\d) kHz", console)


@pytest.mark.parametrize(("extra", "told"), [
    ((), "by the HPET"), (NO_HPET, "by the PIT"), ((*NO_HPET, *NO_PIT), "assumed, there is neither HPET nor PIT"),
], ids=["HPET", "PIT", "neither"])
def test_what_the_clocks_are_measured_against(cases: Cases, extra: tuple[str, ...], told: str) -> None:
    """The APIC timer of QEMU runs at 1 GHz, so its measured rate shows how good the measurement is."""
    console = cases.run("registers", DONE, extra=extra)
    found = re.search(rf"time: TSC (\d+) kHz, APIC timer (\d+) kHz, {told}\n", console)
    assert found
    assert int(found[2]) == pytest.approx(1_000_000, rel=0.01)
    assert int(found[1]) > 500_000


def test_an_hpet_that_stands_still_is_not_waited_for(cases: Cases) -> None:
    """The PIT takes its place, as if it were not there."""
    found = re.search(r"dead HPET: APIC timer (\d+) kHz by the PIT, after (\d+) us\n", cases.run("dead-hpet", DONE))
    assert found
    assert int(found[1]) == pytest.approx(1_000_000, rel=0.01)


def test_a_boards_interrupt_arrives_at_its_vector(cases: Cases) -> None:
    """The PIT's, programmed for 1 kHz, is not where ISA would have it: the tables say so. An input that is not there is
    refused."""
    found = re.search(r"isa: (\d+) interrupts in 50 ms; input 999 is not\n", cases.run("isa", DONE, lockstep=True))
    assert found
    assert 49 <= int(found[1]) <= 51


def test_sleeping_tasks_sleep_as_long_as_they_said(cases: Cases) -> None:
    console = cases.run("sleeping", DONE, lockstep=True)
    slept = re.findall(r"sleep: wanted (\d+) ns, was (\d+) ns\n", console)
    assert len(slept) == 9
    assert all(-200 <= int(was) - int(wanted) < 30_000 for wanted, was in slept), slept
    found = re.search(r"sleep: uptime (\d+) ns, (\d+) interrupts", console)
    assert found
    assert 21_000_000 <= int(found[1]) < 30_000_000
    assert int(found[2]) <= 9 + 22 + 3, "one for each that was due, none beside"
