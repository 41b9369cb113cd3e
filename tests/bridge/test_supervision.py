# SPDX-License-Identifier: MIT
"""The run and its processes, with a stand-in for QEMU: what it finds when it starts, and how a run may end."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import build, layout, loop, qemu
from bridge.interface import BridgeError, LoopRequest
from bridge.stimulus import write_stimulus
from generators.framing import DEFAULT_GROUP, FrameEncoder, mold_packet

# Writes down its arguments and the mailbox's first line, then does what FAKE_QEMU says.
FAKE_QEMU = """#!/bin/sh
if [ "$1" = --version ]; then echo "QEMU 0.0.0"; exit; fi
echo $$ > "$FAKE_QEMU_LOG/pid"
printf '%s\\n' "$@" > "$FAKE_QEMU_LOG/arguments"
for argument; do
  case $argument in *id=nic,*) path=${argument#*mem-path=}; head -c 64 "${path%%,*}" > "$FAKE_QEMU_LOG/mailbox" ;; esac
done
eval "$FAKE_QEMU"
"""


@pytest.fixture
def request_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LoopRequest]:
    """A request of a run with the stand-in: ``request_with(shell_command)``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "qemu-system-x86_64").write_text(FAKE_QEMU)
    (tools / "qemu-system-x86_64").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_QEMU_LOG", str(tmp_path))
    write_stimulus(tmp_path / "stimulus.bin", [(0, bytes(64), False)])
    (tmp_path / "kernel").touch()
    (tmp_path / "config").touch()

    def make(behaviour: str, out: str = "out", **changes: object) -> LoopRequest:
        monkeypatch.setenv("FAKE_QEMU", behaviour)
        values = {"stimulus": tmp_path / "stimulus.bin", **changes}
        return LoopRequest(
            out=tmp_path / out, simulator="icarus", kernel=tmp_path / "kernel", config_module=tmp_path / "config",
            **values,  # type: ignore[arg-type]
        )  # fmt: skip

    return make


def _fails(request: LoopRequest) -> BridgeError:
    with pytest.raises(BridgeError) as raised:
        loop.run(request)
    assert "\n" not in str(raised.value)
    return raised.value


def test_the_mailbox_is_ready_before_the_machine_starts(
    request_with: Callable[..., LoopRequest], tmp_path: Path
) -> None:
    """However long the core takes to open its files: a kernel that looks early must not take it for another layout."""
    slow = tmp_path / "slow.bin"
    os.mkfifo(slow)

    def release() -> None:
        while not (tmp_path / "out/record/frames.bin").exists():
            time.sleep(0.05)
        time.sleep(0.3)
        slow.open("wb").close()

    thread = threading.Thread(target=release, daemon=True)
    thread.start()
    _fails(request_with("exit 35", stimulus=slow))
    thread.join()
    mailbox = (tmp_path / "mailbox").read_bytes()
    assert int.from_bytes(mailbox[:8], "little") == layout.MAILBOX_MAGIC
    assert int.from_bytes(mailbox[12:16], "little") == layout.LAYOUT_HASH


def test_shared_memory_keeps_its_size() -> None:
    """Memory that was cut off under a process that reads it would kill it."""
    memory = qemu.allocate()
    for fd in (memory.ram_fd, memory.mailbox_fd):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 0)
        os.close(fd)


@pytest.mark.parametrize(
    ("behaviour", "status", "text"),
    [
        ("exit 35", 9, "kernel panic; see console.log"),
        ("echo 'panic: no room' > $FAKE_QEMU_LOG/out/console.log; exit 35", 9, "kernel panic: no room;"),
        ("exit 39", 9, "exception"),
        ("exit 37", 7, "another layout"),
        ("exit 0", 4, "triple-faulted"),
        ("exit 1", 4, "status 1"),
        ("kill -9 $$", 4, "SIGKILL"),
    ],
)
def test_a_machine_that_ends_before_it_attaches(
    request_with: Callable[..., LoopRequest], behaviour: str, status: int, text: str
) -> None:
    error = _fails(request_with(behaviour))
    assert error.exit_status == status
    assert text in str(error)


def _gone(pid: int) -> bool:
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_frozen_simulator_is_noticed(
    request_with: Callable[..., LoopRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SILENCE_S", 1.0)
    error = _fails(request_with("kill -STOP $PPID; sleep 60"))
    assert error.exit_status == 6
    assert "simulator has been silent" in str(error)
    assert _gone(int((tmp_path / "pid").read_text()))


def test_a_child_dies_with_a_parent_that_is_already_dead(tmp_path: Path) -> None:
    """The parent may die between fork and the request to die with it."""
    script = f"""
import os, pathlib, sys, time
sys.path.insert(0, {str(build.ROOT)!r})
from bridge import qemu
hook, parent = qemu.dies_with(os.getpid()), os.getpid()
if os.fork() == 0:
    while os.getppid() == parent:
        time.sleep(0.01)
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
    hook()
    time.sleep(60)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    for _ in range(50):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.1)
    assert _gone(int((tmp_path / "pid").read_text()))


def _rtl_alone(tmp_path: Path, out: str = "out", **changes: object) -> LoopRequest:
    write_stimulus(tmp_path / "stimulus.bin", [(0, bytes(64), False)])
    return LoopRequest(stimulus=tmp_path / "stimulus.bin", out=tmp_path / out, simulator="icarus", **changes)  # type: ignore[arg-type]


def test_no_room_for_the_logs(tmp_path: Path) -> None:
    """By the limit of a file's size, which needs no file system of its own; the simulator cannot write either."""
    record = tmp_path / "out/record"
    record.mkdir(parents=True)
    (record / "results.xml").symlink_to("/dev/full")
    request = _rtl_alone(tmp_path)
    build.build_simulator("icarus", False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 15, hard))
    try:
        error = _fails(request)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.exit_status == 8
    assert "cannot record" in str(error)


def test_a_full_disk_does_not_hide_what_happened(request_with: Callable[..., LoopRequest], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(out)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system needs root; test_no_room_for_the_logs runs out of room without")
    try:
        error = _fails(request_with(f"dd if=/dev/zero of={out}/fill bs=4k; exit 35"))
    finally:
        subprocess.run(["umount", str(out)], check=True)
    assert error.exit_status == 9


def test_a_simulator_that_dies_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build_simulator", lambda *_: [shutil.which("false")])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type(usage)(usage.total, usage.total, 0))
    assert _fails(_rtl_alone(tmp_path)).exit_status == 8


def test_an_earlier_run_is_never_taken_for_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = _rtl_alone(tmp_path)
    assert len(loop.run(request).frames) == 1
    monkeypatch.setattr(build, "build_simulator", lambda *_: [shutil.which("true")])
    assert _fails(request).exit_status == 5


def test_any_path_of_the_run_directory(tmp_path: Path) -> None:
    """Longer than the Verilog register for the name of the wave file, and with what separates options elsewhere."""
    out = "/".join(["a b", "c,d=e", "f:g;h", "ü%d$x", os.fsdecode(b"\xff"), *["l" * 200] * 3])
    result = loop.run(_rtl_alone(tmp_path, out, waves=True))
    assert len(result.frames) == 1
    assert result.waves == tmp_path / out / "waves.vcd"
    assert result.waves.stat().st_size > 0


def test_the_users_environment_does_not_steer_the_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COCOTB_TEST_FILTER": "nothing", "GPI_EXTRA": "nothing", "COCOTB_ATTACH": "60"}.items():
        monkeypatch.setenv(name, value)
    assert len(loop.run(_rtl_alone(tmp_path)).frames) == 1


@pytest.mark.parametrize(("driven", "what"), [("report_session", "a frame report"), ("axi_wdata", "a line")])
def test_unknown_bits_of_the_nic_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driven: str, what: str
) -> None:
    """Verilator has no X and would take them for zeros; so would the logs."""
    program, injector = tmp_path / "unknown.vvp", tmp_path / "injector.v"
    injector.write_text(f"module injector; initial force testbench.{driven}[3] = 1'bx; endmodule\n")
    hdl = [*(build.BRIDGE / "hdl").glob("*.v"), *build.rtl_sources(), injector]
    tops = ["-s", "testbench", "-s", "injector"]
    subprocess.run(["iverilog", "-g2012", *tops, f"-I{build.ROOT / 'rtl'}", "-o", program, *hdl], check=True)
    command = [*build.build_icarus()[:-1], str(program)]
    monkeypatch.setattr(build, "build_simulator", lambda *_: command)
    frame = FrameEncoder(DEFAULT_GROUP).encode(mold_packet([b"Z" * 20], 1))
    write_stimulus(tmp_path / "stimulus.bin", [(0, frame, False)])
    error = _fails(LoopRequest(stimulus=tmp_path / "stimulus.bin", out=tmp_path / "out", simulator="icarus"))
    assert error.exit_status == 1
    assert f"unknown bits in {what}" in str(error)
