# SPDX-License-Identifier: MIT
"""Work beside the block: done at its end, its error is the caller's, and it outlives nobody."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tickloop.beside import beside

LONG_S = 60


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether the process ends in time; one that nobody waited for counts as ended."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def wait_and_tell(path: Path) -> None:
    path.write_text(str(os.getpid()))
    time.sleep(LONG_S)


def started(path: Path) -> int:
    """The process of ``wait_and_tell``."""
    while not path.exists() or not path.read_text():
        time.sleep(0.01)
    return int(path.read_text())


def test_both_are_done_at_the_end(tmp_path):
    def work():
        (tmp_path / "file").write_text("done")
        return [os.getpid()] * 100_000  # more than a pipe holds

    with beside(work) as done:
        pass
    assert (tmp_path / "file").read_text() == "done"
    assert len(done.result()) == 100_000
    assert done.result()[0] != os.getpid()


def test_its_error_is_raised_with_all_that_it_tells(tmp_path):
    def fill():
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    with pytest.raises(OSError, match="No space") as raised, beside(fill):
        pass
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(tmp_path))


def test_one_that_is_killed_is_told():
    with pytest.raises(RuntimeError, match="-9"), beside(lambda: os.kill(os.getpid(), signal.SIGKILL)):
        pass


def test_an_error_of_the_block_ends_it(tmp_path):
    def interrupted():
        with beside(lambda: wait_and_tell(tmp_path / "pid")):
            started(tmp_path / "pid")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert gone(started(tmp_path / "pid"))


def test_it_dies_with_its_parent(tmp_path):
    program = ("import sys, time; from pathlib import Path; from tickloop.beside import beside; "
               "from tests.tickloop.test_beside import wait_and_tell\n"
               "with beside(lambda: wait_and_tell(Path(sys.argv[1]))): time.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "pid")])
    pid = started(tmp_path / "pid")
    parent.kill()
    parent.wait()
    assert gone(pid)
