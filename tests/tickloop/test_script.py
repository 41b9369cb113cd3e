# SPDX-License-Identifier: MIT
"""``--script``: times with units, and the line at fault when one is none."""

import pytest

from bridge.commands import Command, read_commands, write_commands
from tickloop.exits import UsageError
from tickloop.script import read_script


def test_lines_of_a_script(tmp_path):
    path = tmp_path / "script"
    path.write_text("# when\n\n1.5ms kill\n  20ns\tcancel all  # at once\n0s resume\n7ps x\n")
    assert read_script(path) == (
        Command(1_500_000_000, "kill"), Command(20_000, "cancel all"), Command(0, "resume"), Command(7, "x"))


@pytest.mark.parametrize(("line", "fault"), [
    ("kill", "not TIME COMMAND"), ("1.5 kill", "not TIME COMMAND"), ("1.5ms", "not TIME COMMAND"),
    ("-1ms kill", "not TIME COMMAND"), ("1e3ns kill", "not TIME COMMAND"), ("0.5ps kill", "no whole number"),
    ("90000s kill", "later than a day"), (f"1ms {'x' * 64}", "at most 63"),
])
def test_a_line_that_is_none_is_named(tmp_path, line, fault):
    path = tmp_path / "script"
    path.write_text(f"1ms kill\n{line}\n")
    with pytest.raises(UsageError, match=f"line 2: .*{fault}"):
        read_script(path)


def test_a_script_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_script(tmp_path / "none")
    (tmp_path / "script").write_text("1ms k\u00efll\n")
    with pytest.raises(UsageError, match="not ASCII"):
        read_script(tmp_path / "script")


def test_commands_are_recorded_by_time(tmp_path):
    commands = [Command(5, "b"), Command(1, "a"), Command(5, "c")]
    write_commands(tmp_path, commands)
    assert read_commands(tmp_path) == (Command(1, "a"), Command(5, "b"), Command(5, "c"))
