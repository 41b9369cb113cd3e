# SPDX-License-Identifier: MIT
"""What a Dask worker does, and a thread of this process: it starts a job's process and waits for its result.

Nothing but the standard library is imported: workers get this module's functions by value and need Dask alone.
"""

from __future__ import annotations

import os
import subprocess


def run_order(python: str, root: str, order: str) -> str:
    """The result of an order, in JSON; empty if the run was stopped meanwhile.

    Raises:
        RuntimeError: the job's process came to no result; the message says why.
    """
    try:
        # A session of its own: Ctrl-C at the terminal is not for the job.
        process = subprocess.Popen([python, "-m", "scripts.regress.run"], cwd=root, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    except OSError as error:
        raise RuntimeError(f"a job cannot be started in {root}: {error.strerror}") from None
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        try:
            process.stdin.write(order + "\n")
            process.stdin.flush()  # and stays open: its end would end the job
            result = process.stdout.read()
            said = process.stderr.read().strip()
        except BrokenPipeError:
            result, said = "", process.stderr.read().strip()
        process.stdin.close()
        status = process.wait()
    if status not in (0, 130) or (status == 0 and not result):
        last = said.splitlines()[-1] if said else f"status {status}"
        raise RuntimeError(f"a job's process came to no result: {last}")
    return result.strip() if status == 0 else ""


def sees(path: str, content: str) -> str:
    """What keeps this worker from working in the run's directory; empty if nothing does."""
    try:
        with open(path, encoding="utf-8") as file:
            found = file.read()
    except OSError as error:
        return f"{path}: {error.strerror}"
    if found != content:
        return f"{path} is another file there"
    folder = os.path.dirname(path)
    return "" if os.access(folder, os.W_OK) else f"{folder} cannot be written there"
