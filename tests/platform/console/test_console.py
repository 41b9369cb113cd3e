# SPDX-License-Identifier: MIT
"""The console of a booted kernel, without a NIC: typed to through the serial line and through QEMU's keyboard, read on
the serial line and from the memory of the VGA screen."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.console.test_files import archive_of
from tests.platform.machine import DONE, PANIC, TIMEOUT_S, Machine, Setup, run

COLUMNS, ROWS = 80, 25
TEXT_BUFFER, TEXT_BYTES = 0xB8000, 2 * COLUMNS * ROWS
QCODES = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", "|": "shift-backslash", "_": "shift-minus"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for the kernel."""
    path = tmp_path_factory.mktemp("files") / "files.tar"
    path.write_bytes(archive_of({"notes": b"buy low\r\nsell high", "days": None, "days/good": b"uptime\n# no more\n",
                                 "days/bad": b"uptime\nkill\n"}))
    return path


@pytest.fixture(scope="module")
def machine(kernel: Path, archive: Path) -> Iterator[Machine]:
    """One boot for all tests here."""
    with Machine(Setup(kernel, command_line="run=console", devices=("VGA",), modules=(archive,))) as machine:
        machine.expect(r"^files: 4 entries from module 0, \d+ bytes free$")
        machine.expect("^console: ready$")
        machine.expect("^> ")
        yield machine
        machine.send("exit\n")
        assert machine.wait() == DONE


def screen(machine: Machine, path: Path) -> tuple[list[str], int]:
    """Rows of the screen, and where its cursor is."""
    machine.qmp("pmemsave", val=TEXT_BUFFER, size=TEXT_BYTES, filename=str(path))
    cells = path.read_bytes()
    text = cells[::2].decode("latin-1")
    assert set(cells[1::2]) == {0x07}
    cursor = struct.unpack(">H", bytes(crtc(machine, index) for index in (0x0E, 0x0F)))[0]
    return [text[at:at + COLUMNS].rstrip() for at in range(0, COLUMNS * ROWS, COLUMNS)], cursor


def crtc(machine: Machine, index: int) -> int:
    return int(machine.monitor(f"i /b 0x3d4.{index}").split("=")[1], 16)


def press(machine: Machine, key: str) -> None:
    """Press a key and wait for what it shows: the kernel of a busy machine may be slower, and a keyboard forgets."""
    before, deadline = len(machine.console), time.monotonic() + TIMEOUT_S
    machine.press(key)
    while len(machine.console) == before:
        assert time.monotonic() < deadline, f"{key} shows nothing: {machine.console}"
        time.sleep(0.002)


def press_text(machine: Machine, text: str) -> None:
    for key in text:
        press(machine, QCODES.get(key) or (f"shift-{key.lower()}" if key.isupper() else key))


def test_help_lists_what_there_is_without_trading(machine: Machine) -> None:
    start = len(machine.console)
    machine.ask("help", "^  exit +end the kernel$")
    listed = re.findall(r"^  (\w+) ", machine.console[start:], re.MULTILINE)
    assert listed == ["help", "mem", "ps", "uptime", "ls", "cat", "mkdir", "rm", "cp", "mv", "add", "run", "exit"]
    machine.ask("kill", "^kill: nothing trades here$")
    machine.ask("book AAPL", "^book: nothing trades here$")


def test_memory_tasks_and_time(machine: Machine) -> None:
    start = len(machine.console)
    machine.ask("mem", "^  heap: every live block is whole$")
    text = machine.console[start:]
    zones = {name: (int(pages), int(free)) for name, pages, free in re.findall(r"^  (\w+) +(\d+) +(\d+)$", text, re.M)}
    assert zones.keys() >= {"low", "normal"}
    assert all(0 <= free <= pages for pages, free in zones.values())
    assert 10_000 < sum(pages for pages, _ in zones.values()) <= 64 * 256  # a machine of 64 MiB
    row = machine.ask("ps", r"^  console +1  running +(\d+) ")
    assert int(row[1]) > 0
    times = [machine.ask("uptime", r"^uptime: (\d+) s and (\d+) us$") for _ in range(2)]
    first, second = (int(time[1]) * 1_000_000 + int(time[2]) for time in times)
    assert 0 < first < second


def test_editing_history_and_garbage_through_the_serial_line(machine: Machine) -> None:
    machine.send("uptim\x1b[D\x1b[D\x1b[Dxx\x7f\x7f\x1b[F")
    machine.send("e\r")
    machine.expect(r"^uptime: \d+ s", start=machine.console.rindex("uptim"))
    start = len(machine.console)
    machine.send("\x1b[A\x1b[H#\r")  # the line before, and a character in front of it
    machine.expect("^command: #uptime: not known$", start=start)
    machine.ask("a\xff\x00b", r"^console: 2 byte\(s\) of this line were no text; it is not taken$")
    machine.ask("y" * 300, "^console: a line has at most 63 characters; this one is not taken$")
    machine.ask("half a line\x03uptime", r"^uptime: \d+ s")


def test_bytes_at_random_do_not_stop_it(machine: Machine) -> None:
    machine.send(bytes(range(256)) * 4)
    machine.send(b"\x03")
    machine.ask("uptime", r"^uptime: \d+ s")


def test_files(machine: Machine) -> None:
    machine.ask("ls", r"^      18  notes\n +days/\nls: \d+ bytes free$")
    machine.ask("cat notes", r"^buy low\nsell high\n> ")
    for line in ("mkdir old", "cp notes old", "mv old/notes old/more", "mkdir old/deep", "mv days/good old/deep/good"):
        machine.ask(line, "> ")
    machine.ask("ls old", r"^      18  more\n +deep/$")
    machine.ask("run old/deep/good", r"^uptime: \d+ s")
    machine.ask("run days/bad", "^run: days/bad, line 2: kill: not a command of this run$")
    machine.ask("rm old", "^rm: old: it is not empty$")
    machine.ask("cp notes", '^cp: the command is "cp FROM TO"$')
    machine.ask("mv old old/deep", "^mv: old old/deep: a directory cannot go into itself$")
    machine.ask("cat days", "^cat: days: that is a directory$")
    machine.ask("add notes at  noon", "> ")  # behind a last line without an end
    machine.ask("cat notes", r"^buy low\nsell high\nat noon\n> ")
    for line in ("add new uptime", "add new # no more"):
        machine.ask(line, "> ")
    machine.ask("cat new", r"^uptime\n# no more\n> ")
    machine.ask("run new", r"^uptime: \d+ s")
    machine.ask("add new", '^add: the command is "add FILE LINE"$')
    machine.ask("add days here", "^add: days: that is a directory$")
    machine.ask("rm notes", "> ")
    machine.ask("cat notes", "^cat: notes: there is no such file$")


def test_a_damaged_archive_is_one_line(kernel: Path, archive: Path, tmp_path: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[600 + 512] ^= 1
    path = tmp_path / "damaged.tar"
    path.write_bytes(data)
    status, console = run(Setup(kernel, command_line="run=console", modules=(path,)))
    assert status == PANIC
    assert console.splitlines()[-1] == "panic: module 0, entry 2 of the archive: its checksum is wrong"


def test_the_keyboard_types_and_the_screen_shows(machine: Machine, tmp_path: Path) -> None:
    start = len(machine.console)
    press_text(machine, "Mem it")
    for key in ("home", "delete", "m", "end", "backspace", "backspace", "backspace", "x", "ctrl-u"):
        press(machine, key)
    press_text(machine, "uptime\n")
    machine.expect(r"^uptime: \d+ s and \d+ us\n> ", start=start)
    press_text(machine, "help")
    machine.expect("> help", start=start)
    typed = machine.console[start:]
    assert "not known" not in typed
    # Both show the same: the last rows of the screen are the last lines of the serial line.
    rows, cursor = screen(machine, tmp_path / "cells")
    lines = [line.rstrip() for line in machine.console.splitlines()]
    assert [row for row in rows if row][-2:] == [line for line in lines if line][-2:]
    assert rows[cursor // COLUMNS] == "> help"
    assert cursor % COLUMNS == len("> help")
    press(machine, "ctrl-u")
    # Scrolled: more lines than rows have been printed since, and the newest stand at the bottom.
    press_text(machine, "mem\n")
    machine.expect("^  heap: every live block is whole\n> ", start=start)
    rows, cursor = screen(machine, tmp_path / "cells")
    assert rows[ROWS - 1] == ">"
    assert rows[ROWS - 2] == "  heap: every live block is whole"
    assert cursor == (ROWS - 1) * COLUMNS + 2


def test_the_display_shows_the_characters_of_the_memory(machine: Machine, tmp_path: Path) -> None:
    """The picture: light where there is text, dark where there is none, in each of 80 x 25 places."""
    machine.ask("help", "^  exit .*\n> ")
    for _ in range(20):  # the kernel shows what it has printed within a millisecond of its own time
        rows, _ = screen(machine, tmp_path / "cells")
        picture = machine.screenshot(tmp_path / "screen.ppm").read_bytes()
        if rows == screen(machine, tmp_path / "cells")[0] and rows[ROWS - 1] == ">":
            break
    header, pixels = picture.split(b"\n255\n", 1)
    width, height = map(int, header.split()[1:3])
    assert (width, height) == (720, 400)
    for row, text in enumerate(rows[:-1]):  # the last has the cursor, which blinks
        for column, character in enumerate(text.ljust(COLUMNS)):
            lit = any(any(pixels[3 * (y * width + column * 9):3 * (y * width + column * 9 + 8)])
                      for y in range(row * 16, row * 16 + 16))
            assert lit == (character != " "), (row, column, character)
