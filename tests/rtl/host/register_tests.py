# SPDX-License-Identifier: MIT
"""The register map against its SystemRDL source: every address, reset value, access right and refusal."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from bridge import layout
from bridge.layouts import generate
from tb.host.registers import ALL_BYTES, OKAY, SLVERR, Answer
from tests.rtl.host.bench import (
    CONTROL,
    ERROR,
    RAW_BASE,
    REG,
    RX_BASE,
    TX_BASE,
    WINDOW_BASE,
    WINDOW_SIZE,
    Bench,
    message,
)

MAP = {register.name: register for register in generate.load().registers}
MAP_BYTES = 0x1000
RESETS_ELSEWHERE = {"LAYOUT_HASH": layout.LAYOUT_HASH}  # a constant of the generated header
TIME = {"TIME_LO", "TIME_HI"}

# Registers whose value decides whether it is accepted: tested one by one below.
RINGS = ("RX", "TX", "RAW")
CHECKED_VALUES = {"CONTROL", "ERRORS", *(f"{ring}_{part}" for ring in RINGS for part in ("LOG2", "BASE_LO", "TAIL"))}
SET_UP = ("BASE_LO", "BASE_HI", "LOG2", "EPOCH")
ENABLES = {ring: CONTROL[f"{ring}_ENABLE"] for ring in RINGS}
BASES = {"RX": RX_BASE, "TX": TX_BASE, "RAW": RAW_BASE}


def mask(name: str, access: str) -> int:
    return sum(((2 << f.high) - (1 << f.low)) for f in MAP[name].fields if f.access == access)


def reset_value(name: str) -> int:
    return RESETS_ELSEWHERE.get(name, sum(f.reset << f.low for f in MAP[name].fields))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_address_reads_its_reset_value_or_an_error(dut: Any) -> None:
    bench = await Bench.start(dut)
    assert len(MAP) == len(REG) > 60
    names = {address: name for name, address in REG.items()}
    for address in range(0, MAP_BYTES, 4):
        answer = await bench.registers.read(address)
        if address not in names:
            assert answer == Answer(0, SLVERR), f"{address:#05x}"
        elif names[address] not in TIME:
            assert answer == Answer(reset_value(names[address]), OKAY), names[address]
    for address in (0x001, 0x002, 0x003, 0x011, 0x203, 0x26A):
        assert await bench.registers.read(address) == Answer(0, SLVERR), f"{address:#05x}"
    assert await bench.read("ERRORS") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_register_keeps_its_fields_alone(dut: Any) -> None:
    bench = await Bench.start(dut)
    written: dict[str, int] = {}
    for name in MAP:
        if mask(name, "rw") and name not in CHECKED_VALUES:
            value = bench.random.randrange(1 << 32)
            await bench.write(name, value)
            written[name] = value & mask(name, "rw")
    assert len(written) == 30
    assert {name: await bench.read(name) for name in written} == written
    for name in written:
        await bench.write(name, 0xFFFF_FFFF)
        assert await bench.read(name) == mask(name, "rw"), name
        await bench.write(name, 0)
        assert await bench.read(name) == 0, name


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def read_only_and_unknown_addresses_refuse_writes(dut: Any) -> None:
    bench = await Bench.start(dut)
    writable = {REG[name] for name in MAP if mask(name, "rw") or mask(name, "w1c")}
    refused = [address for address in range(0, MAP_BYTES, 4) if address not in writable]
    assert len(refused) + len(writable) == MAP_BYTES // 4
    for address in [*refused, REG["GROUP_ADDRESS"] + 1, REG["GROUP_ADDRESS"] + 2]:
        assert await bench.registers.write(address, 0xFFFF_FFFF) == SLVERR, f"{address:#05x}"
        assert await bench.read("ERRORS") == ERROR["WRITE_REFUSED"], f"{address:#05x}"
        await bench.write("ERRORS", ERROR["WRITE_REFUSED"])
    for name in MAP:
        if name not in TIME:
            assert await bench.read(name) == reset_value(name), name


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def partial_strobes_are_refused(dut: Any) -> None:
    bench = await Bench.start(dut)
    for strobes in range(ALL_BYTES):
        assert await bench.registers.write(REG["GROUP_ADDRESS"], 0x1234_5678, strobes) == SLVERR, f"{strobes:#x}"
    assert await bench.read("GROUP_ADDRESS") == 0
    assert await bench.read("ERRORS") == ERROR["WRITE_REFUSED"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def address_and_data_in_any_order(dut: Any) -> None:
    bench = await Bench.start(dut)
    for skew in (-7, -2, -1, 0, 1, 2, 7):
        for wait in (0, 1, 5):
            value = bench.random.randrange(1 << 32)
            assert await bench.registers.write(REG["GROUP_ADDRESS"], value, skew=skew, wait=wait) == OKAY
            assert await bench.registers.read(REG["GROUP_ADDRESS"], wait=wait) == Answer(value, OKAY)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def accesses_queue_behind_an_answer_not_taken(dut: Any) -> None:
    """Accesses offered without a pause to a master that takes answers rarely: each has its own answer, in order."""
    bench = await Bench.start(dut)
    rng = bench.random
    accesses = [(REG["GROUP_ADDRESS"], OKAY), (REG["ID"], SLVERR), (REG["SESSION_PORTS"], OKAY), (0xFFC, SLVERR)] * 6
    rng.shuffle(accesses)
    responses: list[int] = []
    values: list[int] = []

    async def offer(channel: str, signal: Any, payload: list[int]) -> None:
        valid, ready = getattr(dut, f"s_axil_{channel}valid"), getattr(dut, f"s_axil_{channel}ready")
        for item in payload:
            signal.value, valid.value = item, 1
            await RisingEdge(dut.clk)
            while not ready.value:
                await RisingEdge(dut.clk)
        valid.value = 0

    async def take(channel: str, signal: Any, into: list[int], count: int) -> None:
        valid, ready = getattr(dut, f"s_axil_{channel}valid"), getattr(dut, f"s_axil_{channel}ready")
        willing = False
        while len(into) < count:
            await RisingEdge(dut.clk)
            if willing and valid.value:
                into.append(int(signal.value))
            willing = rng.random() < 0.2
            ready.value = int(willing)
        ready.value = 0

    dut.s_axil_wstrb.value = ALL_BYTES
    addresses = [address for address, _ in accesses]
    data = list(range(1, len(accesses) + 1))
    writes = [cocotb.start_soon(offer("aw", dut.s_axil_awaddr, addresses)),
              cocotb.start_soon(offer("w", dut.s_axil_wdata, data)),
              cocotb.start_soon(take("b", dut.s_axil_bresp, responses, len(accesses)))]
    for task in writes:
        await task
    assert responses == [response for _, response in accesses]
    kept = dict(zip(addresses, data, strict=True))  # the last write to an address stays
    reads = [REG["GROUP_ADDRESS"], REG["ID"], REG["SESSION_PORTS"], 0xFFC] * 4
    reading = cocotb.start_soon(offer("ar", dut.s_axil_araddr, reads))
    await take("r", dut.s_axil_rdata, values, len(reads))
    await reading
    assert values == [kept[reads[0]], reset_value("ID"), kept[reads[2]], 0] * 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def ring_set_up_has_its_limits(dut: Any) -> None:
    bench = await Bench.start(dut)
    for ring in RINGS:
        for log2 in (0, 3, 17, 32 + 10, 0xFFFF_FFFF):
            await bench.refuse(f"{ring}_LOG2", log2)
        for log2 in (4, 16):
            await bench.write(f"{ring}_LOG2", log2)
            assert await bench.read(f"{ring}_LOG2") == log2
        for base in (1, 32, 0x1000_0020):
            await bench.refuse(f"{ring}_BASE_LO", base)
        await bench.write(f"{ring}_BASE_LO", 0xFFFF_FFC0)
        await bench.refuse(f"{ring}_TAIL", 1)
        await bench.write(f"{ring}_TAIL", 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def running_ring_refuses_set_up(dut: Any) -> None:
    bench = await Bench.start(dut)
    await bench.set_window()
    for ring, base in BASES.items():
        await bench.start_ring(ring, base, 5, 0x55)
        for part in SET_UP:
            await bench.refuse(f"{ring}_{part}", 0x40 if part == "BASE_LO" else 6)
        assert [await bench.read(f"{ring}_{part}") for part in SET_UP] == [base, 0, 5, 0x55]
    assert await bench.read("CONTROL") == sum(ENABLES.values())
    for ring in RINGS:
        await bench.stop_ring(ring)
        await bench.write(f"{ring}_LOG2", 6)
    assert await bench.read("CONTROL") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def ring_must_lie_in_the_window(dut: Any) -> None:
    bench = await Bench.start(dut)
    size = 16 * layout.LINE_BYTES
    for ring in RINGS:
        enable = CONTROL[f"{ring}_ENABLE"]
        await bench.set_window(0, 0)
        await bench.write64(f"{ring}_BASE", WINDOW_BASE)
        await bench.write(f"{ring}_LOG2", 4)
        await bench.refuse("CONTROL", enable)
        for base, length in ((WINDOW_BASE, size - 1), (WINDOW_BASE + 1, size), (WINDOW_BASE - 64, size),
                             (WINDOW_BASE + (1 << 32), 1 << 40)):
            await bench.set_window(base, length)
            await bench.refuse("CONTROL", enable)
        for second in (False, True):
            await bench.set_window(0, 0, not second)
            await bench.set_window(WINDOW_BASE, size, second)
            await bench.write("CONTROL", enable)
            await bench.stop_ring(ring)
        await bench.set_window(WINDOW_BASE, size // 2)  # half in one window and half in the other is in neither
        await bench.set_window(WINDOW_BASE + size // 2, size // 2, second=True)
        await bench.refuse("CONTROL", enable)
        await bench.set_window(0, 0, second=True)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def descriptor_rings_take_a_quarter(dut: Any) -> None:
    """The prototype's 16 descriptors at 0x00100000: 256 bytes, in the second window; a ring of lines does not fit."""
    bench = await Bench.start(dut)
    size = 16 * layout.DESCRIPTOR_BYTES
    await bench.set_window(layout.RESERVED_BASE, size, second=True)
    for ring in ("RX", "TX"):
        enable, mode = CONTROL[f"{ring}_ENABLE"], CONTROL[f"{ring}_DESCRIPTOR"]
        await bench.write64(f"{ring}_BASE", layout.RESERVED_BASE)
        await bench.write(f"{ring}_LOG2", 4)
        await bench.refuse("CONTROL", enable)
        await bench.write("CONTROL", enable | mode)
        await bench.write("CONTROL", 0)
        await bench.write(f"{ring}_LOG2", 5)
        await bench.refuse("CONTROL", enable | mode)
        await bench.write(f"{ring}_LOG2", 4)
        await bench.set_window(layout.RESERVED_BASE, size - 1, second=True)
        await bench.refuse("CONTROL", enable | mode)
        await bench.set_window(layout.RESERVED_BASE, size, second=True)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def modes_change_only_while_their_ring_is_off(dut: Any) -> None:
    bench = await Bench.start(dut)
    await bench.set_window()
    for ring in ("RX", "TX"):
        await bench.write64(f"{ring}_BASE", BASES[ring])
    rx_modes = [CONTROL[name] for name in ("VERIFIED", "PROTOTYPE", "RX_DESCRIPTOR")]
    for mode in (*rx_modes, CONTROL["TX_DESCRIPTOR"]):
        enable = ENABLES["RX" if mode in rx_modes else "TX"]
        await bench.write("CONTROL", mode)  # off: by itself
        await bench.write("CONTROL", enable | mode)  # and with the start
        await bench.refuse("CONTROL", enable)
        assert await bench.read("CONTROL") == enable | mode
        await bench.write("CONTROL", mode)
        await bench.write("CONTROL", enable)  # changed with the start
        await bench.refuse("CONTROL", enable | mode)
        await bench.write("CONTROL", 0)  # with the stop
        await bench.write("CONTROL", enable)
        other = enable ^ ENABLES["RX"] ^ ENABLES["TX"]
        await bench.write("CONTROL", enable | other)  # what runs does not mind the other ring
        await bench.write("CONTROL", other)
        await bench.write("CONTROL", mode | other)
        await bench.write("CONTROL", 0)
    for always in ("FILTER_ENABLE",):
        await bench.write("CONTROL", ENABLES["RX"] | CONTROL[always])
        await bench.write("CONTROL", ENABLES["RX"])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def filter_commands_wait_for_the_last_one(dut: Any) -> None:
    """A command is a pulse with its operands; another one while it is under way is refused and leaves no trace."""
    bench = await Bench.start(dut)
    seen: list[tuple[str, int]] = []

    async def watch() -> None:
        while True:
            await RisingEdge(dut.clk)
            if dut.filter_fill.value:
                seen.append(("fill", int(dut.filter_fill_value.value)))
            if dut.filter_update.value:
                seen.append(("update", int(dut.filter_update_locate.value) | int(dut.filter_update_pass.value) << 16))

    watching = cocotb.start_soon(watch())
    await bench.write("FILTER_FILL", 1)
    await bench.write("FILTER_UPDATE", 0x1_8001)
    assert await bench.read("FILTER_STATUS") == 0
    dut.filter_busy.value = 1
    await bench.clocks(2)
    assert await bench.read("FILTER_STATUS") == 1
    await bench.refuse("FILTER_FILL", 0)
    await bench.refuse("FILTER_UPDATE", 5)
    assert (await bench.read("FILTER_FILL"), await bench.read("FILTER_UPDATE")) == (1, 0x1_8001)
    dut.filter_busy.value = 0
    await bench.write("FILTER_UPDATE", 0x0_FFFF)
    await bench.write("FILTER_FILL", 0)
    await bench.clocks(2)
    watching.cancel()
    assert seen == [("fill", 1), ("update", 0x1_8001), ("update", 0x0_FFFF), ("fill", 0)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def refused_control_starts_neither_ring(dut: Any) -> None:
    bench = await Bench.start(dut)
    await bench.set_window(WINDOW_BASE, WINDOW_SIZE // 4)
    await bench.write64("RX_BASE", RX_BASE)
    await bench.write64("TX_BASE", TX_BASE)  # beyond this window
    await bench.refuse("CONTROL", sum(CONTROL.values()))
    assert await bench.read("CONTROL") == 0
    await bench.write("CONTROL", CONTROL["RX_ENABLE"])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def errors_clear_bit_by_bit(dut: Any) -> None:
    bench = await Bench.start(dut)
    dut.overflow.value = 1
    await RisingEdge(dut.clk)
    dut.overflow.value = 0
    await bench.registers.write(0xFFC, 0)
    both = ERROR["RX_OVERFLOW"] | ERROR["WRITE_REFUSED"]
    assert await bench.read("ERRORS") == both
    await bench.write("ERRORS", 0)
    assert await bench.read("ERRORS") == both
    await bench.write("ERRORS", ERROR["RX_OVERFLOW"])
    assert await bench.read("ERRORS") == ERROR["WRITE_REFUSED"]
    clearing = cocotb.start_soon(bench.write("ERRORS", 0xFFFF_FFFF))
    await RisingEdge(dut.u_csr.store)
    dut.overflow.value = 1  # occurs in the very clock the bits are cleared: stays
    await RisingEdge(dut.clk)
    dut.overflow.value = 0
    await clearing
    assert await bench.read("ERRORS") == ERROR["RX_OVERFLOW"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def statistics_stand_at_their_addresses(dut: Any) -> None:
    bench = await Bench.start(dut)
    first = REG["FRAMES"]
    names = [name for name in REG if REG[name] >= first]
    values = {name: bench.random.randrange(1 << 32) for name in names}
    assert len(values) == len(dut.statistics) // 32 > 20
    dut.statistics.value = sum(values[name] << 8 * (REG[name] - first) for name in names)
    assert await bench.counters(*names) == values


async def run_time(dut: Any, time_ns: int) -> None:
    """Time goes on by 6 ns a clock."""
    while True:
        dut.time_ns.value = time_ns
        await RisingEdge(dut.clk)
        time_ns += 6


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wide_values_do_not_tear(dut: Any) -> None:
    """The upper half is that of the moment the lower one was read, whatever happens in between."""
    bench = await Bench.start(dut)
    crossed = 0
    for margin in range(0, 300, 3):  # ns before the next multiple of 2^32 at which the reads begin
        begun = ((int(dut.time_ns.value) >> 32) + 1 << 32) - margin
        clock = cocotb.start_soon(run_time(dut, begun))
        low = await bench.read("TIME_LO")
        value = await bench.read("TIME_HI") << 32 | low
        ended = int(dut.time_ns.value)
        clock.cancel()
        assert begun <= value <= ended, f"{begun:#x} .. {ended:#x}: {value:#x}"
        crossed += ended >> 32 != value >> 32
    assert crossed, "the boundary of 2^32 was never between the two halves"

    for value in (0x1_FFFF_FFFF, 0xFEDC_BA98_7654_3210):
        dut.next_expected.value = value
        dut.next_expected_valid.value = 1
        low = await bench.read("NEXT_EXPECTED_LO")
        dut.next_expected.value = 5
        assert (await bench.read("NEXT_EXPECTED_HI") << 32 | low) == value
    assert await bench.read("STREAM_STATUS") == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def receive_side_gets_its_set_up(dut: Any) -> None:
    bench = await Bench.start(dut)
    await bench.write("GROUP_ADDRESS", 0xE936_0C6F)
    await bench.write("GROUP_PORT", 26477)
    await bench.write("HOLD", 123_456)
    await bench.write("EVENT_ENABLE", 0b1010)
    assert (int(dut.group_address.value), int(dut.group_port.value)) == (0xE936_0C6F, 26477)
    assert (int(dut.hold.value), int(dut.event_enable.value)) == (123_456, 0b1010)
    flags = ("verified", "prototype", "filter_enable")
    assert [int(getattr(dut, name).value) for name in ("rx_enable", *flags)] == [0, 0, 0, 0]
    await bench.set_window()
    await bench.write64("RX_BASE", RX_BASE)
    for name in flags:
        await bench.write("CONTROL", ENABLES["RX"] | CONTROL[name.upper()])
        assert [int(getattr(dut, flag).value) for flag in ("rx_enable", *flags)] == [1, *(f == name for f in flags)]
        await bench.write("CONTROL", 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counters_add_up(dut: Any) -> None:
    """RX_LINES counts lines on the bus, and reads and DMA do not disturb each other."""
    bench = await Bench.start(dut)
    await bench.set_window()
    await bench.start_ring("RX", RX_BASE, 8, 1)
    sending = cocotb.start_soon(bench.send(*(message(n, n % 2) for n in range(100))))
    while not sending.done():
        lines = await bench.read("RX_LINES")
        assert len(bench.memory.writes) - 12 <= lines <= len(bench.memory.writes) + 2
    await bench.settle()
    assert await bench.read("RX_LINES") == len(bench.memory.writes) == 150
