# SPDX-License-Identifier: MIT
"""Starts the kernel in a stock QEMU. Its memory and the mailbox are memfds that it inherits: they have no name, so
nothing can be left behind, and QEMU dies with the process that started it. They exist before QEMU does, because the
kernel reads the mailbox as soon as it is up."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge import build, layout
from bridge.interface import RunMode

RAM_BYTES = 256 << 20
PR_SET_PDEATHSIG = 1
# While gdb stops the guest, -icount with sleep=off moves its time on to the next timer, if there is one.
NO_TIMERS = ",pit=off,hpet=off"
FEW_PROCESSORS = 4

_libc = ctypes.CDLL(None, use_errno=True)


def dies_with(parent: int) -> Callable[[], None]:
    """For ``preexec_fn`` in the process ``parent``: the child is killed when its parent dies, however that happens."""

    def hook() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return hook


@dataclass
class Memory:
    """File descriptors of the guest's RAM and of the mailbox."""

    ram_fd: int
    mailbox_fd: int


def _memfd(name: str, size: int) -> int:
    """Of that size for good: whoever shares it cannot take memory away under the other side."""
    fd = os.memfd_create(name, os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def allocate() -> Memory:
    """Zeroed memory for a guest."""
    return Memory(_memfd("tickloop-ram", RAM_BYTES), _memfd("tickloop-mailbox", layout.MAILBOX_BYTES))


def executable() -> str:
    """The path of QEMU.

    Raises:
        BridgeError: status 3, it is not installed.
    """
    path = shutil.which("qemu-system-x86_64")
    if path is None:
        raise build.missing("qemu-system-x86_64", "qemu-system-x86")
    return path


def separate_processors() -> set[int]:
    """Keep this process off one processor and return that one, for QEMU; with a single one, or many, all stay free.

    A parked kernel spins. On the simulator's own processor it would hold up every hand-over until the end of a time
    slice, some milliseconds; on a machine of few busy processors the scheduler puts it there now and then.
    """
    allowed = os.sched_getaffinity(0)
    if not 1 < len(allowed) <= FEW_PROCESSORS:
        return allowed
    chosen = sorted(allowed)[os.getpid() % len(allowed)]
    os.sched_setaffinity(0, allowed - {chosen})
    return {chosen}


def _wait_for_gdb(where: str) -> tuple[str, ...]:
    """The guest stands still until gdb, at a localhost port or a socket's path, lets it go on."""
    if where.isdigit():
        return "-S", "-gdb", f"tcp:127.0.0.1:{where}"
    path = where.replace(",", ",,")  # QEMU's quoting
    return "-S", "-chardev", f"socket,id=gdb,server=on,wait=off,path={path}", "-gdb", "chardev:gdb"


def _serial_line(console: Path, live: int | None) -> tuple[str, ...]:
    """The kernel's serial line: into a file, or at a socket, where somebody types; it is held there at first."""
    if live is None:
        return "-serial", f"file:{console}"
    return "-chardev", f"socket,id=console,fd={live}", "-serial", "chardev:console", "-append", "console=held"


def start(
    memory: Memory,
    kernel: Path,
    config_module: Path,
    console: Path,
    log: Path,
    mode: RunMode,
    gdb: str | None = None,
    live: int | None = None,
) -> subprocess.Popen[bytes]:
    """Boot ``kernel`` with its configuration module in ``memory``.

    ``console`` takes what the kernel prints, ``log`` QEMU's own messages; ``live`` is a socket in
    its place, at which somebody types to the kernel. In lockstep, time in the guest is the
    number of executed instructions (``-icount shift=0``): rdtsc counts them exactly. In a free run it is the host's,
    and a second processor is the trading loop's own.

    Raises:
        BridgeError: status 3, QEMU is not installed.
    """
    ram, mailbox = memory.ram_fd, memory.mailbox_fd
    command = [
        executable(),
        "-nodefaults",
        "-display",
        "none",
        "-no-reboot",
        "-machine",
        "pc,accel=tcg,memory-backend=ram" + (NO_TIMERS if gdb else ""),
        "-cpu",
        "max",
        "-m",
        f"{RAM_BYTES >> 20}M",
        "-object",
        f"memory-backend-file,id=ram,size={RAM_BYTES},mem-path=/proc/self/fd/{ram},share=on",
        "-object",
        f"memory-backend-file,id=nic,size={layout.MAILBOX_BYTES},mem-path=/proc/self/fd/{mailbox},share=on",
        "-device",
        "ivshmem-plain,memdev=nic",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
        *_serial_line(console, live),
        *(("-icount", "shift=0,sleep=off") if mode == "lockstep" else ("-smp", "2")),
        *(_wait_for_gdb(gdb) if gdb else ()),
        "-kernel",
        str(kernel),
        "-initrd",
        str(config_module),
    ]
    processors, die_with_parent = separate_processors(), dies_with(os.getpid())

    def prepare() -> None:
        die_with_parent()
        os.sched_setaffinity(0, processors)

    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=(ram, mailbox, *([live] if live is not None else [])),
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  the simulator has no other Python thread
        )


def _panic(console: Path) -> str:
    """The kernel's own words, as its console's last line has them."""
    lines = console.read_text(errors="replace").splitlines() if console.exists() else []
    return lines[-1] if lines and lines[-1].startswith("panic: ") else "panic"


def explain(status: int, console: Path, log: Path) -> tuple[int, str]:
    """What QEMU's exit status means: the run's exit status and one line.

    isa-debug-exit makes QEMU exit with 2 v + 1; a triple fault under ``-no-reboot`` exits with 0.
    """
    meanings = {
        2 * layout.EXIT_STATUS_DONE + 1: (0, "the kernel finished"),
        2 * layout.EXIT_STATUS_PANIC + 1: (9, f"kernel {_panic(console)}; see console.log"),
        2 * layout.EXIT_STATUS_FAULT + 1: (9, "the kernel took a processor exception; see console.log"),
        2 * layout.EXIT_STATUS_LAYOUT + 1: (7, "the kernel was built for another layout; rebuild it"),
        0: (4, "the guest triple-faulted or reset"),
    }
    if status == 0 and log.exists() and b"GDBstub" in log.read_bytes():
        return 4, "the kernel was ended from gdb (quit or kill; detach lets it go on)"
    if status < 0:
        return 4, f"QEMU was killed by {signal.Signals(-status).name}"
    return meanings.get(status, (4, f"QEMU ended with status {status}; see record/qemu.log"))
