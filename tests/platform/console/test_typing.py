# SPDX-License-Identifier: MIT
"""What is typed at the console, on a serial line or a keyboard: the line it makes and what of it is seen, against an
editor of a few lines in Python, whose display knows nothing but backspace."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.layout import COMMAND_BYTES
from tests.sanitized import FIRMWARE, Runner, build

LONGEST = COMMAND_BYTES - 1
HISTORY = 16
COLUMNS, ROWS = 80, 25
NEW_EDITOR, TYPE_SERIAL, TYPE_KEYBOARD, NEW_SCREEN, PUT_ON_SCREEN = range(1, 6)

Event = tuple[str, object]


class Typing(Runner):
    """The kernel's code; ``shown`` is what a display shows of the line."""

    def new(self) -> None:
        self._call(NEW_EDITOR)
        self.shown, self.cursor = "", 0

    def _events(self, answer: bytes) -> list[Event]:
        events: list[Event] = []
        at = 0
        while at < len(answer):
            kind, at = chr(answer[at]), at + 1
            if kind == "e":
                self._show(chr(answer[at]))
                at += 1
            elif kind == "l":
                events.append(("line", answer[at:at + COMMAND_BYTES].split(b"\0")[0].decode()))
                at += COMMAND_BYTES
            elif kind == "g":
                events.append(("garbage", struct.unpack_from("<I", answer, at)[0]))
                at += 4
            else:
                events.append(({"c": "canceled", "t": "too long"}[kind], None))
        return events

    def _show(self, character: str) -> None:
        if character == "\n":
            self.shown, self.cursor = "", 0
        elif character == "\b":
            assert self.cursor > 0, "the cursor moves into the prompt"
            self.cursor -= 1
        else:
            self.shown = self.shown[:self.cursor] + character + self.shown[self.cursor + 1:]
            self.cursor += 1

    def serial(self, data: bytes) -> list[Event]:
        return self._events(self._call(TYPE_SERIAL, data))

    def keyboard(self, data: bytes) -> list[Event]:
        return self._events(self._call(TYPE_KEYBOARD, data))

    def clear_screen(self) -> None:
        self._call(NEW_SCREEN)

    def screen(self, data: bytes) -> tuple[list[str], tuple[int, int], set[int]]:
        """Rows, the cursor's row and column, and the rows that changed."""
        answer = self._call(PUT_ON_SCREEN, data)
        row, column, changed = struct.unpack_from("<III", answer, ROWS * COLUMNS)
        rows = [answer[at:at + COLUMNS].decode() for at in range(0, ROWS * COLUMNS, COLUMNS)]
        return rows, (row, column), {row for row in range(ROWS) if changed >> row & 1}


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    sources = [Path(__file__).with_name("typing_runner.c"),
               *(FIRMWARE / "console" / name for name in ("keys.c", "editor.c", "screen.c"))]
    runner = Typing(build(tmp_path_factory.mktemp("typing") / "typing_runner", sources))
    yield runner
    runner.close()


@dataclass
class Model:
    """A line editor on lists."""

    text: str = ""
    cursor: int = 0
    garbage: int = 0
    too_long: bool = False
    lines: list[str] = field(default_factory=list)
    back: int = 0
    draft: str = ""

    def press(self, key: str) -> list[Event]:
        match key:
            case "left":
                self.cursor = max(0, self.cursor - 1)
            case "right":
                self.cursor = min(len(self.text), self.cursor + 1)
            case "home":
                self.cursor = 0
            case "end":
                self.cursor = len(self.text)
            case "backspace":
                if self.cursor:
                    self.text = self.text[:self.cursor - 1] + self.text[self.cursor:]
                    self.cursor -= 1
            case "delete":
                self.text = self.text[:self.cursor] + self.text[self.cursor + 1:]
            case "up":
                self._recall(self.back + 1)
            case "down":
                self._recall(self.back - 1)
            case "clear":
                self._begin()
            case "interrupt":
                self._begin()
                return [("canceled", None)]
            case "enter":
                return [self._enter()]
            case "garbage":
                self.garbage += 1
            case _ if len(self.text) == LONGEST:
                self.too_long = True
            case _:
                self.text = self.text[:self.cursor] + key + self.text[self.cursor:]
                self.cursor += 1
        return []

    def _begin(self) -> None:
        self.text, self.cursor, self.garbage, self.too_long, self.back = "", 0, 0, False, 0

    def _recall(self, back: int) -> None:
        if not 0 <= back <= min(HISTORY, len(self.lines)) or back == self.back:
            return
        if self.back == 0:
            self.draft = self.text
        self.back = back
        self.text = self.lines[-back] if back else self.draft
        self.cursor = len(self.text)

    def _enter(self) -> Event:
        event: Event = ("line", self.text)
        if self.garbage:
            event = ("garbage", self.garbage)
        elif self.too_long:
            event = ("too long", None)
        elif self.text and (not self.lines or self.lines[-1] != self.text):
            self.lines.append(self.text)
        self._begin()
        return event


SERIAL = {
    "left": b"\x1b[D", "right": b"\x1b[C", "up": b"\x1b[A", "down": b"\x1b[B", "home": b"\x1b[H", "end": b"\x1b[F",
    "delete": b"\x1b[3~", "backspace": b"\x7f", "enter": b"\r", "clear": b"\x15", "interrupt": b"\x03",
    "garbage": b"\xfe",
}
PLAIN = "1234567890-=qwertyuiop[]asdfghjkl;'`\\zxcvbnm,./ "
SHIFTED = '!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"~|ZXCVBNM<>? '
CODES = [*range(0x02, 0x0E), *range(0x10, 0x1C), *range(0x1E, 0x2A), 0x2B, *range(0x2C, 0x36), 0x39]
KEYBOARD = {
    "left": b"\xe0\x4b\xe0\xcb", "right": b"\xe0\x4d\xe0\xcd", "up": b"\xe0\x48\xe0\xc8", "down": b"\xe0\x50\xe0\xd0",
    "home": b"\xe0\x2a\xe0\x47\xe0\xc7\xe0\xaa", "end": b"\x4f\xcf", "delete": b"\xe0\x53\xe0\xd3",
    "backspace": b"\x0e\x8e", "enter": b"\x1c\x9c", "clear": b"\x1d\x16\x96\x9d",
    "interrupt": b"\xe0\x1d\x2e\xae\xe0\x9d", "garbage": b"\xff",
}
KEYBOARD |= {key: bytes((code, code | 0x80)) for key, code in zip(PLAIN, CODES, strict=True)}
KEYBOARD |= {key: bytes((0x2A, code, code | 0x80, 0xAA))
             for key, code in zip(SHIFTED, CODES, strict=True) if key != " "}

KEYS = st.lists(st.one_of(st.sampled_from("abk L1!"), st.sampled_from(sorted(SERIAL)),
                          st.sampled_from(["left", "backspace", "enter", "up"])), max_size=200)


def serial_bytes(key: str) -> bytes:
    return SERIAL.get(key) or key.encode()


@pytest.mark.parametrize("source", ["serial", "keyboard"])
@given(keys=KEYS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_keys_make_the_line_of_the_model_and_show_it(typing: Typing, source: str, keys: list[str]) -> None:
    typing.new()
    model, expected = Model(), []
    data = b"".join(serial_bytes(key) if source == "serial" else KEYBOARD[key] for key in keys)
    for key in keys:
        expected += model.press(key)
    assert (typing.serial if source == "serial" else typing.keyboard)(data) == expected
    assert (typing.shown.rstrip(" "), typing.cursor) == (model.text.rstrip(" "), model.cursor)
    assert len(typing.shown) <= LONGEST + 1  # a blank over the last one, and the row has room for the prompt


def test_every_key_of_the_us_layout(typing: Typing) -> None:
    typing.new()
    for text in (PLAIN, SHIFTED):
        typed = typing.keyboard(b"".join(KEYBOARD[key] for key in text) + KEYBOARD["enter"])
        assert typed == [("line", text)]


def test_capitals_lock_concerns_letters_alone(typing: Typing) -> None:
    typing.new()
    lock = b"\x3a\xba"
    keys = [lock, KEYBOARD["a"], KEYBOARD["1"], KEYBOARD["A"], KEYBOARD["!"], lock, KEYBOARD["b"], KEYBOARD["enter"]]
    assert typing.keyboard(b"".join(keys)) == [("line", "A1a!b")]


def test_keys_without_a_character_do_nothing(typing: Typing) -> None:
    typing.new()
    escape, f1, pause, windows = b"\x01\x81", b"\x3b\xbb", b"\xe1\x1d\x45\xe1\x9d\xc5", b"\xe0\x5b\xe0\xdb"
    keys = [KEYBOARD["a"], escape, f1, pause, windows, KEYBOARD["b"], b"\xe0\x1c\xe0\x9c"]
    assert typing.keyboard(b"".join(keys)) == [("line", "ab")]


@pytest.mark.parametrize(("data", "lines"), [
    (b"a\r\nb\nc\r", ["a", "b", "c"]),  # one newline, whichever a terminal sends
    (b"c\x1b[Da\x1b[1~x\x1b[4~z\x1bOHy\r", ["yxacz"]),
    (b"ab\x01c\x05d\r", ["cabd"]),
], ids=["newlines", "sequences", "control keys"])
def test_what_terminals_send(typing: Typing, data: bytes, lines: list[str]) -> None:
    typing.new()
    assert typing.serial(data) == [("line", line) for line in lines]


@pytest.mark.parametrize("data", [b"\x1b[99~", b"\x1b[5;5~", b"\x1bx", b"\x1b[\xff", b"\x00", b"\x80", b"\x1b\x1b[D",
                                  b"\x1b[" + b"9" * 300 + b"~"])
def test_garbage_is_counted_once_and_the_line_is_not_taken(typing: Typing, data: bytes) -> None:
    typing.new()
    assert typing.serial(b"kill" + data + b"\r") == [("garbage", 1)]
    assert typing.serial(b"kill\r") == [("line", "kill")]


def test_ctrl_c_ends_whatever_stood_there(typing: Typing) -> None:
    typing.new()
    assert typing.serial(b"x" * 100 + b"\xff\x1b[\x03resume\r") == [("canceled", None), ("line", "resume")]


@given(data=st.binary(max_size=2000))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_leave_a_console_that_works(typing: Typing, data: bytes) -> None:
    """The sanitizers look on; lines that come out are text that was sent."""
    typing.new()
    for source in (typing.serial, typing.keyboard):
        for kind, value in source(data):
            assert kind != "line" or (isinstance(value, str) and value.isprintable() and len(value) <= LONGEST)
    typing.keyboard(b"\x9d\xe0\x9d\xaa\xb6")  # control and shift may be held down
    typing.serial(b"x\x03")
    assert typing.serial(b"top\r") == [("line", "top")]


@given(data=st.lists(st.sampled_from([b"a", b"word ", b"\n", b"\r", b"\b", b"\t", b"\x07", b"x" * 79, b"y" * 81]),
                     max_size=120).map(b"".join))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_screen_scrolls_and_wraps(typing: Typing, data: bytes) -> None:
    typing.clear_screen()
    rows, row, column = [[" "] * COLUMNS for _ in range(ROWS)], 0, 0
    before = [list(each) for each in rows]

    def put(character: str) -> None:
        nonlocal row, column
        if character != "\n":
            rows[row][column] = character
            column += 1
        if character == "\n" or column == COLUMNS:
            row, column = row + 1, 0
        if row == ROWS:
            row = ROWS - 1
            rows.append([" "] * COLUMNS)
            del rows[0]

    for byte in data:
        character = chr(byte)
        if character == "\r":
            column = 0
        elif character == "\b":
            column = max(0, column - 1)
        elif character == "\t":
            put(" ")
            while column % 8:
                put(" ")
        else:
            put(character if character == "\n" or character.isprintable() else "?")
    shown, cursor, changed = typing.screen(data)
    assert shown == ["".join(each) for each in rows]
    assert cursor == (row, column)
    assert changed >= {number for number in range(ROWS) if rows[number] != before[number]}
