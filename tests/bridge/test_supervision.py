# SPDX-License-Identifier: MIT
"""The run and its processes, with a stand-in for QEMU: what it finds when it starts, and how a run may end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import layout, loop
from bridge.interface import BridgeError, LoopRequest
from bridge.stimulus import write_stimulus

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


@pytest.mark.parametrize(
    ("behaviour", "status", "text"),
    [
        ("exit 35", 9, "panic"),
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
