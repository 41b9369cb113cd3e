# SPDX-License-Identifier: MIT
"""What else ends a run early: a kernel or mailbox of another layout, a panic, a triple fault, a disk that is full. Each
has its exit status, one line, and the files of what there was."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import build, layout, record
from bridge.interface import RunMode
from tests.loop.peers import STOP_AT_THE_END, PeerRun, assert_one_line, at_exit

OTHER_KERNEL = """for argument; do
  [ "$previous" = -kernel ] && argument={kernel}
  set -- "$@" "$argument"; shift; previous=$argument
done
exec "$REAL" "$@"
"""
NO_MODULE = """for argument; do
  [ "$previous" = -initrd ] || [ "$argument" = -initrd ] || set -- "$@" "$argument"
  shift; previous=$argument
done
exec "$REAL" "$@"
"""
OTHER_VERSION = """for argument; do
  case $argument in *id=nic,*) path=${{argument#*mem-path=}}; path=${{path%%,*}} ;; esac
done
printf '\\{version:03o}' | dd of="$path" bs=1 seek={offset} conv=notrunc 2>/dev/null || exit 1
exec "$REAL" "$@"
"""
# A module that asks for a session to be opened, which the kernel refuses in a free run behind its first requests.
SESSION_TO_OPEN = """for argument; do
  if [ "$previous" = -initrd ]; then
    printf '\\{connect:03o}' | dd of="$argument" bs=1 seek={offset} conv=notrunc 2>/dev/null
    truncate -s -8 "$argument" # the seal
  fi
  previous=$argument
done
exec "$REAL" "$@"
"""
# A PVH image whose only instruction faults, with no table of handlers: the machine resets.
TRIPLE_FAULT = """
  .section .note.pvh, "a", @note
  .long 4, 4, 18
  .asciz "Xen"
  .long start
  .text
  .code32
  .globl start
start:
  lidt none
  ud2
none: .word 0
  .long 0
"""
Start = Callable[..., PeerRun]


@pytest.fixture
def start(tmp_path: Path, built: None) -> Iterator[Start]:
    """``start(qemu_stand_in)``: a short run."""
    runs: list[PeerRun] = []

    def begin(qemu: str | None, out: str = "run", messages: int = 300, mode: RunMode = "lockstep") -> PeerRun:
        arguments = ("--scenario", "quiet", "--messages", str(messages), "--mode", mode)
        runs.append(PeerRun(tmp_path / out, *arguments, qemu=qemu))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()


def _ends(run: PeerRun, status: int, text: str) -> dict[str, Any]:
    """The run ends so, and its run.json says the same."""
    _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == status, errors
    line = assert_one_line(errors, text)
    document: dict[str, Any] = json.loads((run.out / "run.json").read_text())
    assert (document["passed"], document["exit_status"]) == (False, status)
    assert line == f"tickloop: {document['error']}"
    return document


def test_a_kernel_of_another_layout(start: Start, tmp_path: Path) -> None:
    """The kernel as built, but for its layout hash."""
    image = build.build_kernel().read_bytes()
    ours, other = (value.to_bytes(4, "little") for value in (layout.LAYOUT_HASH, layout.LAYOUT_HASH ^ 1))
    assert ours in image
    (tmp_path / "other.elf").write_bytes(image.replace(ours, other))
    run = start(OTHER_KERNEL.format(kernel=tmp_path / "other.elf"))
    _ends(run, 7, "another layout")
    assert f"hash is 0x{layout.LAYOUT_HASH:x}" in (run.out / "console.log").read_text()


def test_a_mailbox_of_another_version(start: Start) -> None:
    offset = layout.MAILBOX.fields["version"][1]
    run = start(OTHER_VERSION.format(version=layout.LAYOUT_VERSION + 1, offset=offset))
    _ends(run, 7, "another layout")
    assert f"mailbox version is {layout.LAYOUT_VERSION + 1}" in (run.out / "console.log").read_text()


def test_a_kernel_panic(start: Start) -> None:
    _ends(start(NO_MODULE), 9, "kernel panic: no configuration module")


def test_a_kernel_panic_before_a_free_run_has_begun(start: Start) -> None:
    """The RTL has nothing to do yet, and must not go round for it."""
    offset, connect = layout.CONFIG_HEADER.fields["session_mode"][1], layout.SessionMode.CONNECT
    _ends(start(SESSION_TO_OPEN.format(offset=offset, connect=connect), mode="free"), 9, "needs lockstep time")


def test_a_triple_fault_is_no_success(start: Start, tmp_path: Path) -> None:
    """QEMU ends with 0 after it."""
    source, image = tmp_path / "fault.S", tmp_path / "fault.elf"
    source.write_text(TRIPLE_FAULT)
    subprocess.run(
        ["gcc", "-m32", "-nostdlib", "-static", "-Wl,-Ttext=0x1000000,-estart,--build-id=none", "-o", image, source],
        check=True,
    )
    run = start(OTHER_KERNEL.format(kernel=image))
    _ends(run, 4, "triple-faulted")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """``small_disk(bytes)``: an empty file system of that size."""
    mounted: list[Path] = []

    def mount(size: int) -> Path:
        where = tmp_path / f"disk{len(mounted)}"
        where.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a small file system needs root; test_no_room_for_the_logs runs out of room without")
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", str(where)], check=True)


def test_a_disk_that_fills_while_messages_flow(small_disk: Callable[[int], Path], start: Start) -> None:
    """What fitted is kept, whole entries of it."""
    disk = small_disk(4 << 20)
    run = start(None, str(disk / "run"), 10_000)
    _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 8, errors
    assert_one_line(errors, "cannot record")
    assert "No space left" in errors
    assert not record.incomplete(run.out / "record")
    assert len(run.dma()) > 1000


def test_a_disk_that_is_full_before_the_loop(small_disk: Callable[[int], Path], start: Start) -> None:
    run = start(None, str(small_disk(64 << 10) / "run"), 1000)
    _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 8, errors
    assert_one_line(errors, "out of space")


def test_a_disk_that_is_full_after_the_loop(small_disk: Callable[[int], Path], start: Start) -> None:
    disk = small_disk(4 << 20)
    run = start(STOP_AT_THE_END, str(disk / "run"))
    at_exit(run)
    with (disk / "fill").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    os.kill(run.qemu, signal.SIGCONT)
    _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 8, errors
    assert_one_line(errors, "out of space")


def test_a_full_device_does_not_hide_what_happened(start: Start) -> None:
    """The fault that ended the run is told, not that run.json could not be written."""
    run = start("kill -STOP $$", "device")
    assert run.qemu
    (run.out / "run.json").symlink_to("/dev/full")
    run.fault()
    os.kill(run.qemu, signal.SIGKILL)
    status, errors = run.ended()
    assert status == 4, errors
    assert_one_line(errors, "SIGKILL")
    assert "warning" in errors
