# SPDX-License-Identifier: MIT
"""One kernel, three ways to boot it: the same facts on the console, the same trades, and any size from the disk."""

from __future__ import annotations

import re
import resource
import zlib
from pathlib import Path

import pytest

from bridge import layout
from bridge.images import build_iso, build_os_image
from generators.profiles import generate
from tests.firmware.peer import Peer
from tests.firmware.records import config_module, parse_export, record_lines
from tests.firmware.streams import predict
from tests.platform.boot.conftest import COMMAND_LINE, MODULE
from tests.platform.cases import Cases
from tests.platform.machine import DONE, Setup, run


def facts(console: str) -> list[str]:
    """What the kernel says of memory, and of the module but for its place."""
    return [re.sub(r"^module 0: 0x[0-9a-f]+,", "module 0:", line) for line in console.splitlines()
            if line.startswith(("memory: 0x", "module "))]


def setups(kernel: Path, module: Path, iso: Path, os_image: Path, **machine: object) -> list[Setup]:
    return [Setup(kernel, "pvh", COMMAND_LINE, [module], **machine), Setup(iso, "cdrom", **machine),
            Setup(os_image, "disk", **machine)]


@pytest.mark.parametrize("machine", [{"memory_mib": 64}, {"memory_mib": 96, "chipset": "pc,max-ram-below-4g=64M"}],
                         ids=str)
def test_three_ways_tell_the_same(kernel: Path, module: Path, iso: Path, os_image: Path,
                                  machine: dict[str, object]) -> None:
    told = {}
    loaders = ("PVH", "multiboot2", "the disk's own loader")
    for setup, loader in zip(setups(kernel, module, iso, os_image, **machine), loaders, strict=True):
        status, console = run(setup)
        assert status == DONE, console
        assert f"boot: by {loader}, 1 modules, command line: {COMMAND_LINE}" in console
        told[setup.way] = facts(console)
    assert told["pvh"] == told["cdrom"] == told["disk"]
    assert f"module 0:, {len(MODULE)} bytes".replace(":,", ":") in " ".join(told["pvh"])
    regions = [re.fullmatch(r"memory: 0x([0-9a-f]+) to 0x([0-9a-f]+), type (\d+)", line) for line in told["pvh"]]
    ram = sum(int(found[2], 16) - int(found[1], 16) for found in regions if found and found[3] == "1")
    assert 0 <= (int(machine["memory_mib"]) << 20) - ram < 1 << 20


def test_all_boot_on_q35(kernel: Path, module: Path, iso: Path, os_image: Path) -> None:
    """AHCI in place of IDE; the firmware keeps a page for it, so the maps are not the same."""
    for setup in setups(kernel, module, iso, os_image, memory_mib=300, chipset="q35"):
        status, console = run(setup)
        assert status == DONE, console


def test_the_disk_trades(kernel: Path, tmp_path: Path) -> None:
    """The configuration comes with the image, and what is traded is what the model predicts."""
    config = tmp_path / "config.bin"
    config.write_bytes(config_module())
    image = build_os_image(tmp_path / "image", "run=trade", [config], kernel)
    messages = [message for _, message in generate("opening", seed=3, messages=300)]
    peer = Peer([record_lines(message, sequence) for sequence, message in enumerate(messages, 1)], burst=40)
    done = peer.boot(kernel, None, tmp_path / "console.log", boot=Setup(image, "disk").boot_words())
    assert done.exit_code == DONE, done.console
    model = predict(messages)
    export = parse_export(done.export)
    assert export.statistics["records"] == len(messages)
    assert export.books == model.books.levels()
    assert done.orders == [order.message for order in model.orders]


@pytest.mark.parametrize("way", ["cdrom", "disk"])
def test_modules_arrive_whole(cases: Cases, tmp_path: Path, way: str) -> None:
    """Eight, of sizes around what a read, a segment and a page hold; the kernel's own CRC-32 of each is zlib's."""
    sizes = [1, 511, 512, 513, 32 * 1024, 32 * 1024 + 1, 3_000_000]
    modules = [tmp_path / "modules"]
    modules[0].write_text("modules")
    for index, size in enumerate(sizes):
        path = tmp_path / f"module{index}"
        path.write_bytes(bytes((at * 7 + index) & 255 for at in range(251)) * (size // 251 + 1))
        path.write_bytes(path.read_bytes()[:size])
        modules.append(path)
    build = build_iso if way == "cdrom" else build_os_image
    image = build(tmp_path / "image", "", modules, cases.image)
    status, console = run(Setup(image, "cdrom" if way == "cdrom" else "disk"))
    assert status == DONE, console
    found = re.findall(r"checksum: (\d+) bytes, 0x([0-9a-f]+)", console)
    assert [(int(size), int(crc, 16)) for size, crc in found] == [
        (len(path.read_bytes()), zlib.crc32(path.read_bytes())) for path in modules]


def processor_time(setup: Setup, status: int) -> float:
    """Seconds of a processor that QEMU took, its own start and the firmware included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run(setup)[0] == status
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_kernel_adds_less_than_100_ms_to_a_boot(kernel: Path, tmp_path: Path) -> None:
    """Beside a boot sector that ends the machine at once (out 0xf4, al), in turns: what both take is the emulator's and
    the firmware's. How long a whole boot takes is measured by bench/boot_and_memory.py, on a machine that is free."""
    sector = tmp_path / "sector"
    sector.write_bytes((bytes([0xB0, layout.EXIT_STATUS_DONE, 0xE6, 0xF4]).ljust(510, b"\0") + b"\x55\xaa")
                       .ljust(1 << 20, b"\0"))
    taken = [(processor_time(Setup(sector, "disk"), DONE),
              processor_time(Setup(kernel, command_line=COMMAND_LINE), DONE)) for _ in range(3)]
    least, ours = min(empty for empty, _ in taken), min(whole for _, whole in taken)
    assert 0 < ours < least + 0.1, taken


def test_the_documents_map_is_the_layouts() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/platform.md").read_text()
    places = {found[2]: int(found[1], 16) for found in re.finditer(r"^ 0x(\w+) .*\((\w+)\)", text, re.MULTILINE)}
    assert places == {"RESERVED_BASE": layout.RESERVED_BASE, "KERNEL_BASE": layout.KERNEL_BASE}
    assert layout.RESERVED_SIZE == 64 << 10


def test_the_statuses_agree() -> None:
    """What loader and boot.S write to the exit device is the layout's."""
    firmware = Path(__file__).resolve().parents[3] / "firmware"
    assert re.search(r"%define EXIT_PANIC +0x(\w+)", (firmware / "loader/loader.asm").read_text())[1] == (
        f"{layout.EXIT_STATUS_PANIC:x}")
    assert re.search(r"\.set EXIT_PANIC, 0x(\w+)", (firmware / "arch/boot.S").read_text())[1] == (
        f"{layout.EXIT_STATUS_PANIC:x}")
