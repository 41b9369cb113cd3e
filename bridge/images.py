# SPDX-License-Identifier: MIT
"""Images that boot the kernel by themselves: an ISO with GRUB, and a BIOS disk with the loader of firmware/loader.

The kernel is the same file in both. The disk: boot sector and loader, the plan (what lies where, where it goes, and its
CRC-32), then the kernel's segments and the modules, each from a sector's start.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.build import ROOT, TOOL_MISSING, build_kernel
from bridge.interface import BridgeError

LOADER_SOURCE = ROOT / "firmware/loader/loader.asm"
SECTOR = 512
PLAN_SECTORS = 2
DISK_UNIT = 1 << 20  # BIOSes invent a geometry, and a disk without a whole cylinder has none to boot from
PLAN_MAGIC = b"TICKPLAN"
PLAN_HEAD = struct.Struct("<III256s")  # pieces, entry, reserved, command line
PIECE = struct.Struct("<QIIIIII")
COMMAND_LINE_BYTES = 256
LOADER_CRC_AT = 506
PAGE = 4096
LOAD_SEGMENT = 1
COMMAND_LINE = "run=console"


@dataclass(frozen=True)
class Segment:
    """What of a file goes where in memory."""

    data: bytes
    address: int
    memory: int
    is_module: bool = False


def _tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BridgeError(TOOL_MISSING, f"{name} is missing; install {package}, or run make iso or make os-image")
    return path


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise BridgeError(TOOL_MISSING, f"building {what} failed: {lines[-1] if lines else 'no reason told'}")


def elf_segments(image: bytes) -> tuple[int, list[Segment]]:
    """Entry and loadable segments of a 64-bit little-endian ELF file (System V ABI, chapters 4 and 5).

    Raises:
        ValueError: it is none.
    """
    if image[:6] != b"\x7fELF\x02\x01" or len(image) < 64:
        raise ValueError("no 64-bit little-endian ELF file")
    entry, table = struct.unpack_from("<QQ", image, 24)
    size, count = struct.unpack_from("<HH", image, 54)
    segments = []
    for at in range(table, table + size * count, size):
        kind, _, offset, _, address, in_file, memory, _ = struct.unpack_from("<IIQQQQQQ", image, at)
        if kind == LOAD_SEGMENT and memory:
            segments.append(Segment(image[offset : offset + in_file], address, memory))
    return entry, segments


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % SECTOR)


def disk(loader: bytes, kernel: bytes, command_line: str = COMMAND_LINE, modules: Sequence[bytes] = ()) -> bytes:
    """The whole disk, from the assembled loader, a kernel's ELF file and modules, which lie behind it in memory.

    Raises:
        ValueError: something does not fit.
    """
    text = command_line.encode()
    if len(text) >= COMMAND_LINE_BYTES:
        raise ValueError(f"the command line is longer than {COMMAND_LINE_BYTES - 1} bytes")
    entry, pieces = elf_segments(kernel)
    at = max(piece.address + piece.memory for piece in pieces)
    for data in modules:
        at += -at % PAGE
        pieces.append(Segment(data, at, len(data), is_module=True))
        at += len(data)
    lba = len(loader) // SECTOR + PLAN_SECTORS
    table, payload = b"", b""
    for piece in pieces:
        table += PIECE.pack(lba + len(payload) // SECTOR, piece.address, len(piece.data), piece.memory,
                            zlib.crc32(piece.data), piece.is_module, 0)
        payload += _padded(piece.data)
    body = PLAN_HEAD.pack(len(pieces), entry, 0, text) + table
    room = PLAN_SECTORS * SECTOR - len(PLAN_MAGIC) - 4
    if len(body) > room:
        raise ValueError("there are too many modules")
    body = body.ljust(room, b"\0")
    plan = PLAN_MAGIC + struct.pack("<I", zlib.crc32(body)) + body
    checked = bytearray(loader)
    struct.pack_into("<I", checked, LOADER_CRC_AT, zlib.crc32(loader[SECTOR:]))
    whole = bytes(checked) + plan + payload
    return whole + bytes(-len(whole) % DISK_UNIT)


def build_os_image(output: Path, command_line: str = COMMAND_LINE, modules: Sequence[Path] = (),
                   kernel: Path | None = None) -> Path:
    """A disk that a BIOS boots by itself.

    Raises:
        BridgeError: status 3, nasm is missing or the build failed.
    """
    image = (kernel or build_kernel()).read_bytes()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        loader = Path(directory) / "loader"
        _run([_tool("nasm", "nasm"), "-f", "bin", "-o", str(loader), str(LOADER_SOURCE)], "the loader")
        output.write_bytes(disk(loader.read_bytes(), image, command_line, [path.read_bytes() for path in modules]))
    return output


def build_iso(output: Path, command_line: str = COMMAND_LINE, modules: Sequence[Path] = (),
              kernel: Path | None = None) -> Path:
    """A CD with GRUB, which loads the kernel by multiboot2.

    Raises:
        BridgeError: status 3, GRUB's tools are missing or the build failed.
    """
    image = kernel or build_kernel()
    tool = _tool("grub-mkrescue", "grub-common")
    for needed, package in (("xorriso", "xorriso"), ("mformat", "mtools")):
        _tool(needed, package)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        boot = Path(directory) / "boot"
        (boot / "grub").mkdir(parents=True)
        shutil.copy(image, boot / "tickloop.elf")
        lines = ["set timeout=0", 'menuentry "tickloop" {', f"  multiboot2 /boot/tickloop.elf {command_line}"]
        for index, module in enumerate(modules):
            shutil.copy(module, boot / f"module{index}")
            lines.append(f"  module2 /boot/module{index}")
        (boot / "grub/grub.cfg").write_text("\n".join([*lines, "}", ""]))
        options = ["--compress=no", "--fonts=", "--locales=", "--themes=", "--install-modules=multiboot2 iso9660"]
        _run([tool, *options, "-d", "/usr/lib/grub/i386-pc", "-o", str(output), directory], "the ISO image")
    return output
