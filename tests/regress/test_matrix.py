# SPDX-License-Identifier: MIT
"""Which jobs a regression has, in which order, and what each does; what names no job is refused."""

from __future__ import annotations

import shlex
from collections import Counter

import pytest

from scripts.regress.__main__ import _command, _options, _plan, main
from scripts.regress.jobs import HOST, Job, Order
from scripts.regress.matrix import SelectionError, jobs, select
from scripts.regress.scenarios import ROOT, SIMULATORS, Options, scenarios, shell_line, steps_with_waves
from tickloop.commands import command_parser

CLOSED_LOOPS = ["quiet", "opening", "mass_quote", "faults", "exchange"]


def test_every_scenario_on_every_simulator_with_every_seed() -> None:
    planned = jobs(scenarios().values(), SIMULATORS, range(40, 43))
    names = [job.name for job in planned]
    assert len(set(names)) == len(names)
    for scenario in (*CLOSED_LOOPS, "parse", "rtl-env", "rtl-receive", "rtl-host"):
        for simulator in SIMULATORS:
            own = [job.seed for job in planned if (job.scenario, job.simulator) == (scenario, simulator)]
            assert own == [40, 41, 42]
    once = [job for job in planned if job.simulator == HOST]
    assert {job.scenario for job in once} == {"properties-core", "properties-model", "properties-ring"}
    assert all(job.seed == 40 for job in once)
    assert len(once) == 3


def test_the_order_is_the_same_every_time_and_loops_come_first() -> None:
    planned = jobs(scenarios().values(), SIMULATORS, range(2))
    assert planned == jobs(scenarios().values(), SIMULATORS, range(2))
    slots = [scenarios()[job.scenario].slots for job in planned]
    assert slots == sorted(slots, reverse=True)
    first = [job for job in planned if job.scenario in CLOSED_LOOPS]
    assert [job.seed for job in first] == sorted(job.seed for job in first)


def test_patterns_and_simulators_select() -> None:
    chosen = select(scenarios(), ["rtl-*", "faults"])
    planned = jobs(chosen, ["icarus"], [7])
    assert {job.simulator for job in planned} == {"icarus"}
    assert Counter(job.scenario.partition("-")[0] for job in planned)["faults"] == 1
    assert {job.scenario for job in planned} >= {"faults", "rtl-env", "rtl-top"}
    with pytest.raises(SelectionError, match="rtx"):
        select(scenarios(), ["rtl-*", "rtx-*"])
    with pytest.raises(SelectionError, match="no scenario that was chosen"):
        jobs(select(scenarios(), ["faults"]), [], [1])


def test_a_jobs_lines_are_commands_of_tickloop() -> None:
    """Each is read by the command line's own parser, with the job's seed and simulator."""
    known = scenarios()
    for job in jobs([each for each in known.values() if not each.tests], SIMULATORS, [3, 4]):
        for line in shell_line(known[job.scenario], job, Options()).split(" && "):
            program, *arguments = shlex.split(line)
            assert program.endswith("tickloop") or arguments[:2] == ["-m", "tickloop"]
            given = command_parser().parse_args(arguments if program.endswith("tickloop") else arguments[2:])
            assert given.seed == job.seed
            assert getattr(given, "sim", job.simulator) == job.simulator


def test_the_seed_decides_what_goes_wrong_with_a_capture() -> None:
    parse = scenarios()["parse"]
    one, again, other = (parse.steps(Job("parse", "icarus", seed), Options(), "") for seed in (5, 5, 6))
    assert one == again
    assert one[0].argv != other[0].argv
    assert one[0].argv == parse.steps(Job("parse", "verilator", 5), Options(), "")[0].argv


def test_options_reach_the_commands() -> None:
    known = scenarios()
    job = Job("opening", "verilator", 1)
    (step,) = known["opening"].steps(job, Options(coverage=True, sim_options=("--ouch", "5.0")), "")
    assert step.argv[step.argv.index("--ouch"):][:2] == ("--ouch", "5.0")
    assert step.environment == {"TICKLOOP_COVERAGE": "{job}/coverage.dat"}
    assert "--ouch 5.0" in shell_line(known["opening"], job, Options(sim_options=("--ouch", "5.0")))
    (icarus,) = known["opening"].steps(Job("opening", "icarus", 1), Options(coverage=True), "")
    assert icarus.environment == {}
    (suite,) = known["rtl-env"].steps(Job("rtl-env", "verilator", 9), Options(coverage=True), "")
    assert suite.environment["COCOTB_RANDOM_SEED"] == "9"
    assert "--coverage-toggle" in suite.environment["VERILATOR_COVERAGE"]


def test_files_that_options_name_are_found_from_a_jobs_directory(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    selection = ("--list", "--seeds", "1", "--scenarios", "quiet", "--sims", "icarus")
    assert main((*selection, "--options", "--ouch 5.0 --config examples/two_symbols.toml")) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "--ouch 5.0 --config examples/two_symbols.toml --out" in line  # as it is typed in the checkout
    planned = _plan(_options((*selection, "--options", "--config examples/two_symbols.toml")), "")
    (step,) = planned.order(planned.jobs[0], ROOT).steps
    assert step.argv[step.argv.index("--config") + 1] == str(ROOT / "examples/two_symbols.toml")
    planned = _plan(_options((*selection, "--options=--config=examples/two_symbols.toml")), "")
    (step,) = planned.order(planned.jobs[0], ROOT).steps
    assert f"--config={ROOT / 'examples/two_symbols.toml'}" in step.argv
    assert "--config=examples/two_symbols.toml --out" in planned.reproduce(planned.jobs[0], "")


def test_with_waves_a_suite_is_its_failed_tests() -> None:
    known = scenarios()
    (step,) = steps_with_waves(known["rtl-top"].steps(Job("rtl-top", "icarus", 9), Options(), ""), ["tests/a.py::b"])
    assert step.argv[-1] == "tests/a.py::b"
    assert "tests/rtl/top" not in step.argv
    assert "TEST_WAVES" not in step.environment
    assert step.environment["COCOTB_RANDOM_SEED"] == "9"
    steps = steps_with_waves(known["parse"].steps(Job("parse", "icarus", 9), Options(), ""), [])
    assert steps[0].argv[1] == "generate"
    assert steps[1].argv[-1] == "--waves"


def test_orders_survive_the_way_to_another_machine() -> None:
    known = scenarios()
    for name in ("opening", "parse", "rtl-env"):
        job = Job(name, "verilator", 3)
        order = Order(job.name, known[name].steps(job, Options(), ""), 300.0, 2, "/jobs")
        assert Order.from_json(order.to_json()) == order


@pytest.mark.parametrize(("arguments", "told"), [
    (("--scenarios", "openning"), "no scenario is like openning"),
    (("--sims", "modelsim"), "SIMS modelsim"),
    (("--seeds", "0"), "SEEDS is from 1"),
    (("--first", "4294967290", "--seeds", "10"), "SEED is from 0"),
    (("--jobs", "0"), "JOBS is at least 1"),
    (("--timeout", "-1"), "TIMEOUT above 0"),
    (("--name", "../x"), "NAME '../x'"),
    (("--seeds", "many"), "--seeds"),
    (("--tests", "tests/nope.py"), "TESTS=tests/nope.py: file or directory not found: tests/nope.py"),
    (("--tests", "tests/test_seeds.py -k nix"), "TESTS=tests/test_seeds.py -k nix: no test is called so"),
    (("--tests", "'"), "TESTS=': No closing quotation"),
    (("--options", "'"), "OPTIONS=': No closing quotation"),
])
def test_what_names_no_job_is_one_line(arguments: tuple[str, ...], told: str,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("regress: ")
    assert told in line


def test_the_line_that_repeats_a_run() -> None:
    given = _options(("--seeds", "2", "--timeout", "200", "--waves", "9", "--options=--ouch 5.0"))
    assert _command(given) == "make regress SEEDS=2 TIMEOUT=200 OPTIONS='--ouch 5.0' WAVES=9"


def test_the_jobs_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("--list", "--seeds", "2", "--first", "5", "--scenarios", "quiet", "--sims", "icarus")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["quiet.icarus.5", "quiet.icarus.6"]
