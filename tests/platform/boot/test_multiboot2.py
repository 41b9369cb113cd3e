# SPDX-License-Identifier: MIT
"""The multiboot2 information, well made and hostile: understood whole or refused, and never read beyond its end."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.sanitized import FIRMWARE, Runner, build

END, COMMAND_LINE, MODULE, MEMORY_MAP = 0, 1, 3, 6


class Parser(Runner):
    def parse(self, information: bytes) -> list[str]:
        return self._call(1, information).decode("latin-1").splitlines()


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parser]:
    here = Path(__file__).resolve().parent
    program = tmp_path_factory.mktemp("boot") / "boot_runner"
    runner = Parser(build(program, [here / "boot_runner.c", FIRMWARE / "arch/multiboot2.c"]))
    yield runner
    runner.close()


def tag(kind: int, body: bytes = b"") -> bytes:
    whole = struct.pack("<II", kind, 8 + len(body)) + body
    return whole + bytes(-len(whole) % 8)


def memory_map(*regions: tuple[int, int, int], entry_size: int = 24) -> bytes:
    entries = b"".join(struct.pack("<QQII", *region, 0).ljust(entry_size, b"\xee") for region in regions)
    return tag(MEMORY_MAP, struct.pack("<II", entry_size, 0) + entries)


def information(*tags: bytes, end: bytes | None = None) -> bytes:
    body = b"".join(tags) + (tag(END) if end is None else end)
    return struct.pack("<II", 8 + len(body), 0) + body


def test_all_of_it_is_understood(parser: Parser) -> None:
    """Unknown tags are passed over, longer entries of a later version read by their known part."""
    told = parser.parse(information(
        tag(21, b"\1\2\3\4"), tag(COMMAND_LINE, b"run=console\0"),
        tag(MODULE, struct.pack("<II", 0x2000, 0x2345) + b"x\0"),
        memory_map((0, 0x9FC00, 1), (0x100000, 0x3EE0000, 1), (0xFFFC0000, 0x40000, 2), entry_size=32),
        tag(MODULE, struct.pack("<II", 0x3000, 0x3000))))
    assert told == ["command line run=console", "region 0 9fc00 1", "region 100000 3fe0000 1",
                    "region fffc0000 100000000 2", "module 2000 2345", "module 3000 3000"]


GOOD_MAP = memory_map((0, 1 << 20, 1))


@pytest.mark.parametrize(("made", "told"), [
    (b"", "it is out of reach"),
    (struct.pack("<II", 4096, 0), "it is out of reach"),
    (information(), "it has no memory map"),
    (information(GOOD_MAP, end=b""), "it has no last tag"),
    (information(GOOD_MAP, struct.pack("<II", 21, 7)), "a tag leaves it"),
    (information(GOOD_MAP, struct.pack("<II", 21, 0xFFFFFFFF)), "a tag leaves it"),
    (information(GOOD_MAP, tag(COMMAND_LINE, b"no end..")), "its command line has no end"),
    (information(GOOD_MAP, tag(COMMAND_LINE, b"x" * 256 + b"\0")), "the command line is too long"),
    (information(GOOD_MAP, tag(MODULE, b"\0" * 4)), "a module's tag is too short"),
    (information(GOOD_MAP, tag(MODULE, struct.pack("<II", 2, 1))), "a module ends before it starts"),
    (information(GOOD_MAP, *[tag(MODULE, bytes(8))] * 9), "there are too many modules"),
    (information(tag(MEMORY_MAP, b"\0" * 4)), "the memory map's tag is too short"),
    (information(tag(MEMORY_MAP, bytes(32))), "the memory map's entries are too short"),
    (information(memory_map(*[(0, 1, 1)] * 33)), "the memory map has too many entries"),
    (information(memory_map((1 << 63, 1 << 63, 1))), "the memory map wraps around"),
])
def test_what_is_wrong_is_told(parser: Parser, made: bytes, told: str) -> None:
    assert parser.parse(made) == [told]


def test_mutated_information(parser: Parser) -> None:
    """20,000 structures with flipped, cut and doubled bytes: the sanitizers see any read beyond the block."""
    random = Random(6)
    module = tag(MODULE, struct.pack("<II", 1, 2))
    good = information(tag(COMMAND_LINE, b"run=trade\0"), module, GOOD_MAP, tag(9, bytes(40)))
    outcomes = set()
    for _ in range(20_000):
        made = bytearray(good)
        for _ in range(random.randrange(1, 4)):
            made[random.randrange(len(made))] = random.choice([0, 1, 7, 8, 0x7F, 0x80, 0xFF, random.randrange(256)])
        if random.random() < 0.3:
            del made[random.randrange(len(made)) :]
        outcomes.add(parser.parse(bytes(made))[0][:12])
    assert len(outcomes) > 5
