# SPDX-License-Identifier: MIT
"""A parser of the user's own in the NIC: the example passes every check, each of its mistakes is found and told by the
check that its README names, and sources or ports that do not fit are refused with one line."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bridge import own_parser
from bridge.interface import BridgeError
from scripts import verify_parser
from tests.examples.bugs import EXAMPLE, Bug, bugs
from tests.loop.conftest import processes_of
from tests.rtl.effort import EFFORT
from tests.rtl.simulation import ROOT, Bench, Run, listed
from tests.tickloop.terminal import CTRL_C, Terminal
from tickloop.commands import run

BUGS = bugs()
RULES = [bug for bug in BUGS if bug.rule]


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = verify_parser.main([str(EXAMPLE), *arguments])
    return status, capsys.readouterr().out


@pytest.fixture(autouse=True)
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One for the module: the benches are built in it once."""
    monkeypatch.setattr(verify_parser, "DIRECTORY", tmp_path_factory.getbasetemp() / "verify_parser")


# ---- The example: a part of what make verify-parser does


@pytest.mark.parametrize(("simulator", "checks"), [
    # The first messages have no bytes: on Icarus what nobody has written yet is x.
    ("icarus", ["line/stream_tests.OldBlocksLeaveNothing", "line/verdict_tests.FramesCutAnywhere", "nic/damage_tests"]),
    ("verilator", ["line/bug_tests", "line/verified_tests", "line/traffic_tests"]),
])
def test_the_example_passes(simulator: str, checks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    only = [word for check in checks for word in ("--only", check)]
    status, table = verified(capsys, "--sim", simulator, "--effort", "3", *only)
    assert status == 0, table
    passed = re.findall(rf"^  (?:line|nic)/\w+ +{simulator} +(\d+) of +\1$", table, re.MULTILINE)
    assert len(passed) == len(checks), table
    assert table.endswith("PASS\n")


def test_every_tool_reads_the_example() -> None:
    """As the NIC's own sources (tests/tickloop/test_lint.py); Verilator does in make lint."""
    sources = own_parser.find([EXAMPLE]).sources(listed("receive_line"))
    for command in (["iverilog", "-g2005", "-Wall", f"-I{ROOT / 'rtl'}", "-t", "null", "-s", "receive_line", *sources],
                    ["yosys", "-q", "-p", f"read_verilog -I{ROOT / 'rtl'} {' '.join(map(str, sources))}"]):
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (finished.returncode, finished.stdout + finished.stderr) == (0, "")


def test_every_mistake_is_in_the_source_once() -> None:
    source = "".join(path.read_text() for path in EXAMPLE.glob("*.v"))
    assert [bug.number for bug in BUGS] == list(range(1, len(BUGS) + 1))
    assert len(BUGS) >= 20
    assert {int(number) for number in re.findall(r"bug [!=]= 8'd(\d+)", source)} == {bug.number for bug in BUGS}
    assert sorted(int(number) for number in re.findall(r"// ([1-9]\d*): ", source)) == [bug.number for bug in BUGS]


def test_each_mistake_is_found_and_told(tmp_path: Path) -> None:
    """All of them in one simulation, but for those that end theirs."""
    parser = own_parser.find([EXAMPLE])
    bench = Bench("receive_bench", [ROOT / "tb/receive/receive_bench.v", *parser.sources(listed("receive"))],
                  "tests.examples", includes=parser.includes, arguments=verify_parser.ARGUMENTS)
    order = Run("icarus", ["tests.examples.parser_bugs"], 1, {EFFORT: "100", "OWN_PARSER": "1"}, {})
    bench.make(order, tmp_path)
    said = {outcome.test: outcome.reason for outcome in verify_parser.play(bench, order, tmp_path)}
    assert said.keys() == {bug.name for bug in BUGS if not bug.rule}
    unlike = {bug.name: said[bug.name] for bug in BUGS if not bug.rule and bug.says not in said[bug.name]}
    assert not unlike


@pytest.mark.parametrize("bug", RULES, ids=[bug.name for bug in RULES])
def test_a_broken_rule_is_told(bug: Bug, capsys: pytest.CaptureFixture[str]) -> None:
    status, table = verified(capsys, "--sim", "icarus", "--only", f"line/{bug.module}.{bug.test}", "--plusarg",
                             f"BUG={bug.number}")
    assert status == 1
    (failure,) = re.findall(r"FAILED (.*)", table)
    assert failure.startswith(f"line/{bug.module}.{bug.test} (icarus): own_parser, line A, ")
    assert bug.says in failure


@pytest.mark.parametrize(("arguments", "told"), [
    ("--only line/bugs", "--only line/bugs: choose of line, line/bug_tests, "),
    ("--only line/bug_tests.NoSuch", "--only line/bug_tests.NoSuch: its tests are LastMessageFillsTheLastBeat, "),
    ("--only loop/opening.any", "--only loop/opening.any: it has no tests of its own"),
    ("--only loop --plusarg BUG=1", "--only loop: --plusarg is for the benches"),
    ("--effort abc", "argument --effort: invalid int value: 'abc'"),
    ("--effort 0", "--effort 0: it is from 1 to 100"),
    ("--sim vcs", "argument --sim: invalid choice: 'vcs'"),
])
def test_what_there_is_not_is_refused_before_anything_is_built(arguments: str, told: str,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_parser.main([str(EXAMPLE), *arguments.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"verify_parser: {told}")


def test_ctrl_c_leaves_the_rows_of_what_was_done(tmp_path: Path) -> None:
    """In the second of two checks, of a simulator that is not left behind."""
    code = ("import sys; from pathlib import Path; from scripts import verify_parser; "
            "verify_parser.DIRECTORY = Path(sys.argv[1]); sys.exit(verify_parser.main(sys.argv[2:]))")
    started = Terminal([sys.executable, "-c", code, str(tmp_path), str(EXAMPLE), "--sim", "icarus", "--effort", "100",
                        "--only", "line/bug_tests.LastMessageFillsTheLastBeat", "--only", "line/storm_tests"])
    started.wait_for(rb"(?s)line/bug_tests +icarus +1 of +1.*2 of 2: line/storm_tests, icarus")
    end = time.monotonic() + 60
    while not any("vvp" in command for command in processes_of(tmp_path)):
        assert time.monotonic() < end
        time.sleep(0.05)
    started.press(CTRL_C)
    assert started.finish() == 130
    assert b"verify_parser: interrupted, 1 of 2 checks were not made" in started.text
    assert not processes_of(tmp_path)


# ---- Sources and ports that do not fit

PORTS = ",\n  ".join(f"{port.direction} wire [{port.width - 1}:0] {port.name}" for port in own_parser.contract()[1])
GOOD = f"module own_parser (\n  {PORTS}\n);\nendmodule\n"


@pytest.mark.parametrize(("old", "new", "told"), [
    ("", "", None),
    ("input wire [15:0] group_port,\n  ", "", "port group_port is missing: input, 16 bit"),
    ("output wire [6:0] m_bytes", "output wire [7:0] m_bytes", "port m_bytes has 8 bit, not 7"),
    ("output wire [0:0] m_drop", "input wire [0:0] m_drop", "port m_drop is an input, not an output"),
    (");", ",\n  input wire scan_enable\n);", "port scan_enable is not one of the contract's"),
    ("module own_parser", "module my_parser", "no module own_parser in own.v (modules there: my_parser)"),
    ("endmodule", "endmodule\nmodule checksum;\nendmodule", "module checksum: the NIC has one of this name"),
    (");", ")", "own.v:28: syntax error"),
])
def test_ports_are_compared_with_the_contract(old: str, new: str, told: str | None, tmp_path: Path) -> None:
    source = tmp_path / "own.v"
    assert old in GOOD
    source.write_text(GOOD.replace(old, new, 1) if old else GOOD)

    def check() -> None:
        own_parser.check_ports(own_parser.find([source]), must_read=True)

    if told is None:
        check()
        return
    with pytest.raises(BridgeError) as error:
        check()
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_status == 2


@pytest.mark.parametrize(("name", "text", "told"), [
    ("gone.v", None, "gone.v: No such file or directory"),
    ("gone.f", None, "gone.f: No such file or directory"),
    ("list.f", "gone.v\n", "gone.v: No such file or directory"),
    ("list.f", "-y lib\n", "list.f: -y is not understood in a file list"),
])
def test_a_missing_file_is_one_line_before_anything_is_touched(name: str, text: str | None, told: str, tmp_path: Path,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    out = tmp_path / "out"
    assert run(("sim", "--parser", str(path), "--out", str(out))) == 2
    assert verify_parser.main([str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(told in line for line in lines)
    assert not out.exists()


def test_wrong_ports_are_one_line_before_anything_is_touched(tmp_path: Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "own.v", tmp_path / "out"
    source.write_text(GOOD.replace("[79:0]", "[63:0]"))
    assert run(("sim", "--parser", str(source), "--out", str(out))) == 2
    assert capsys.readouterr().err \
        == "tickloop: --parser: module own_parser: port m_session has 64 bit, not 80 (docs/own-parser.md)\n"
    assert not out.exists()


def test_a_file_list_names_sources_and_folders(tmp_path: Path) -> None:
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl/own.v").write_text(f'`include "own.vh"\n{GOOD}')
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc/own.vh").write_text("`define HERE\n")
    (tmp_path / "parser.f").write_text("// mine\n+incdir+inc\nrtl/own.v  // the top\n")
    parser = own_parser.find([tmp_path / "parser.f"])
    assert parser.files == (tmp_path / "rtl/own.v",)
    assert tmp_path / "inc/own.vh" in parser.inputs
    own_parser.check_ports(parser, must_read=True)


def test_a_replay_refuses_a_parser_that_has_changed(tmp_path: Path) -> None:
    source = tmp_path / "own.v"
    source.write_text(GOOD)
    document: dict[str, Any] = own_parser.find([source]).document()
    assert own_parser.OwnParser.of_document(document).document() == document
    source.write_text(GOOD + "\n")
    with pytest.raises(BridgeError, match="is not the parser's file of that run any more"):
        own_parser.OwnParser.of_document(document)
