# SPDX-License-Identifier: MIT
"""Ring, timers, ready lists and the reader of ACPI tables on the host, under the sanitizers, against plain Python."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.sanitized import FIRMWARE, Runner, build

HERE = Path(__file__).resolve().parent
TIMER_SET, TIMER_CLEAR, TIMER_TAKE, READY_APPEND, READY_PUSH, READY_TAKE, RING_SEND, RING_TAKE, ACPI = range(1, 10)
THINGS, NONE, NEVER, SLOTS = 16, 16, (1 << 64) - 1, 1024
FOUND, ABSENT, DAMAGED = range(3)


class Parts(Runner):
    """The running program; a sanitizer's finding ends it and fails the next call."""

    def ask(self, command: int, *words: int) -> tuple[int, int]:
        first, second = struct.unpack("<QQ", self._call(command, struct.pack(f"<{len(words)}Q", *words)))
        return first, second

    def acpi(self, memory: bytes, first: int) -> tuple[int, Tables]:
        answer = self._call(ACPI, struct.pack("<Q", first) + memory)
        return int.from_bytes(answer[:8], "little"), Tables(answer[8:])


class Tables:
    """struct acpi."""

    def __init__(self, data: bytes) -> None:
        ids = struct.unpack_from("<32I", data)
        self.processors = list(ids[: struct.unpack_from("<I", data, 128)[0]])
        self.local_apic, self.io_apic, self.io_apic_first = struct.unpack_from("<QQI", data, 136)
        self.isa = [struct.unpack_from("<IH", data, 156 + 8 * irq) for irq in range(16)]
        (self.hpet,) = struct.unpack_from("<Q", data, 288)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ["tasks/timers.c", "tasks/ready.c", "arch/acpi.c"]
    return build(tmp_path_factory.mktemp("tasks") / "tasks",
                 [HERE / "tasks_runner.c", *(FIRMWARE / source for source in sources)])


@pytest.fixture
def parts(program: Path) -> Iterator[Parts]:
    parts = Parts(program)
    yield parts
    parts.close()


def test_timers_come_in_the_order_in_which_they_are_due(parts: Parts) -> None:
    """Equal ones in the order in which they were set; set anew they move, and what is cleared does not come."""
    random, waiting, turn = Random(1), {}, 0
    for _ in range(4000):
        number, due, kind = random.randrange(THINGS), random.randrange(50), random.random()
        first = min(waiting, key=lambda n: waiting[n], default=NONE)
        if kind < 0.5:
            turn += 1
            waiting[number] = (due, turn)
            assert parts.ask(TIMER_SET, number, due)[0] == (min(waiting, key=lambda n: waiting[n]) == number)
        elif kind < 0.6:
            waiting.pop(number, None)
            parts.ask(TIMER_CLEAR, number)
        else:
            if first != NONE and waiting[first][0] <= due:
                del waiting[first]
            else:
                first = NONE
            assert parts.ask(TIMER_TAKE, due) == (first, min((d for d, _ in waiting.values()), default=NEVER))


def test_the_next_task_is_the_first_of_the_highest_priority(parts: Parts) -> None:
    random = Random(2)
    queues: list[deque[int]] = [deque() for _ in range(8)]
    free = set(range(THINGS))
    for _ in range(4000):
        if free and random.random() < 0.5:
            number, priority = random.choice(sorted(free)), random.randrange(8)
            free.remove(number)
            if random.random() < 0.7:
                queues[priority].append(number)
                parts.ask(READY_APPEND, number, priority)
            else:
                queues[priority].appendleft(number)
                parts.ask(READY_PUSH, number, priority)
        else:
            priority = random.randrange(8)
            highest = next((queue for queue in reversed(queues) if queue), None)
            above = any(queues[priority + 1 :])
            expected = highest.popleft() if highest else NONE
            assert parts.ask(READY_TAKE, priority) == (above, expected)
            free.add(expected)
            free.discard(NONE)


def test_the_ring_keeps_order_and_refuses_when_it_is_full(parts: Parts) -> None:
    """Every index modulo the ring's size, empty and full; what is refused is counted and nothing is overwritten."""
    random, waiting, value, refused = Random(3), deque[int](), 0, 0
    assert parts.ask(RING_TAKE) == (0, 0)
    for bias in (0.9, 0.1, 0.8, 0.2):
        for _ in range(2500):
            if random.random() < bias:
                value += 1
                fits = len(waiting) < SLOTS
                if fits:
                    waiting.append(value)
                refused += not fits
                assert parts.ask(RING_SEND, value) == (fits, refused)
            else:
                assert parts.ask(RING_TAKE) == ((1, waiting.popleft()) if waiting else (0, 0))
    assert refused > 0


def table(name: bytes, body: bytes) -> bytes:
    """With its header of 36 bytes, whose ninth makes the sum of all bytes zero."""
    data = bytearray(name + struct.pack("<IBB", 36 + len(body), 1, 0) + bytes(26) + body)
    data[9] = -sum(data) & 0xFF
    return bytes(data)


FIRST = 0xE0000
AT = 0x21000  # the tables, from FIRST on


def memory(*tables: bytes, root: bytes | None = None) -> bytes:
    """The firmware's area with a root pointer in it, behind it the root table and the others."""
    area, addresses, behind = bytearray(AT), [], bytearray()
    root_bytes = 36 + 4 * len(tables)
    for item in tables:
        addresses.append(FIRST + AT + root_bytes + len(behind))
        behind += item
    pointer = bytearray(b"RSD PTR \0" + bytes(6) + b"\0" + struct.pack("<I", FIRST + AT))
    pointer[8] = -sum(pointer) & 0xFF
    area[0x15340 : 0x15340 + 20] = pointer
    return bytes(area) + (root or table(b"RSDT", struct.pack(f"<{len(tables)}I", *addresses))) + bytes(behind)


def madt(*entries: bytes) -> bytes:
    return table(b"APIC", struct.pack("<II", 0xFEE00000, 1) + b"".join(entries))


ENTRIES = (
    struct.pack("<BBBBI", 0, 8, 0, 0, 1),  # processors 0 and 2; 1 is disabled
    struct.pack("<BBBBI", 0, 8, 1, 1, 0),
    struct.pack("<BBBBI", 0, 8, 2, 2, 1),
    struct.pack("<BBBBII", 1, 12, 0, 0, 0xFEC00000, 0),
    struct.pack("<BBBBII", 1, 12, 1, 0, 0xFEC10000, 24),
    struct.pack("<BBBBIH", 2, 10, 0, 0, 2, 0),
    struct.pack("<BBBBIH", 2, 10, 0, 9, 9, 0xF),
    struct.pack("<BBBBH", 4, 6, 0xFF, 0, 1),  # of a kind that is not looked at
)
HPET = table(b"HPET", struct.pack("<IBBBBQBHB", 0x8086A201, 0, 64, 0, 0, 0xFED00000, 0, 0, 0))


def test_acpi_tables(parts: Parts) -> None:
    result, tables = parts.acpi(memory(table(b"FACP", bytes(80)), madt(*ENTRIES), HPET), FIRST)
    assert result == FOUND
    assert tables.processors == [0, 2]
    assert (tables.local_apic, tables.io_apic, tables.io_apic_first) == (0xFEE00000, 0xFEC00000, 0)
    assert tables.isa == [(2, 0), *((n, 0) for n in range(1, 9)), (9, 0xF), *((n, 0) for n in range(10, 16))]
    assert tables.hpet == 0xFED00000


@pytest.mark.parametrize(("data", "expected"), [
    (bytes(0x22000), ABSENT),
    (b"", ABSENT),
    (memory(HPET), ABSENT),
    (memory(madt(*ENTRIES))[:-1], DAMAGED),
    (memory(madt(*ENTRIES)[:-1] + b"\1"), DAMAGED),
    (memory(madt(struct.pack("<BB", 0, 0))), DAMAGED),
    (memory(madt(struct.pack("<BB", 0, 8))), DAMAGED),
    (memory(madt(b"\0")), DAMAGED),
    (memory(root=table(b"RSDT", b"")[:-1]), DAMAGED),
    (memory(madt(*ENTRIES), table(b"HPET", bytes(4))), DAMAGED),
], ids=["none", "nothing", "no MADT", "cut", "checksum", "entry of no length", "entry too long", "half an entry",
        "root cut", "short HPET"])
def test_damaged_acpi_tables_are_not_used(parts: Parts, data: bytes, expected: int) -> None:
    result, tables = parts.acpi(data, FIRST)
    assert result == expected
    assert (tables.processors, tables.local_apic, tables.io_apic) == ([], 0, 0)
    assert [gsi for gsi, _ in tables.isa] == list(range(16))


def test_no_byte_beyond_the_memory_is_read_whatever_the_tables_say(parts: Parts) -> None:
    """Bits flipped and tables cut, checksums set right again: the sanitizer would tell."""
    random = Random(4)
    for _ in range(300):
        tables = []
        for item in (madt(*ENTRIES), HPET):
            data = bytearray(item)
            for _ in range(random.randrange(4)):
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            if random.random() < 0.7:
                data[9] = (data[9] - sum(data)) & 0xFF
            tables.append(bytes(data))
        whole = memory(*tables)
        parts.acpi(whole[: random.randrange(AT, len(whole) + 1)], FIRST)
