# SPDX-License-Identifier: MIT
"""The frames of a finished run once more, with a NIC that only hands them over: what the SmartNIC saved the kernel.

The kernel's run=e1000 parses the run's frames itself, in C and in assembly; its executed instructions a message stand
beside those of the run, whose records came from the RTL. Line A's frames are taken: there is one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np

from bridge import build
from bridge.frame_kernel import FrameRun, run
from bridge.interface import BridgeError
from bridge.layout import CONFIG_HEADER, STIMULUS_BAD_FCS, STIMULUS_FRAME, STIMULUS_LINE_B, SessionMode
from generators.captures import read_capture
from generators.framing import FrameEncoder, Group, end_of_session
from tb.model.receive import ReceiveModel
from tickloop.exits import UsageError
from tickloop.progress import Progress
from tickloop.recorded import check_layout
from tickloop.report.html import SOFTWARE, write_report
from tickloop.run import no_space
from tickloop.rundir.books import parse_export
from tickloop.rundir.files import RECORD, STIMULUS, write_json

PARSERS = {"c": "C", "asm": "assembly"}


def parse_in_software(directory: Path) -> dict[str, Any]:
    """Runs the frames of ``directory``, leaves software.json there and builds the report anew; returns the document.

    Raises:
        TickloopError: it holds no closed loop of which this can be told, or cannot be written.
        BridgeError: the kernel did not come to its end.
    """
    try:
        check_layout(directory)
        document = json.loads((directory / "run.json").read_text())
        stage = json.loads((directory / "latency.json").read_text())["stages"]["dequeue_to_done"]
        module = directory / RECORD / "config.bin"
        header = np.frombuffer(module.read_bytes(), CONFIG_HEADER, 1)[0]
        stimulus = (directory / RECORD / STIMULUS).read_bytes()
        books = json.loads((directory / "books.json").read_text())
    except OSError as error:
        raise UsageError(f"{directory}: no finished run here ({Path(error.filename).name}: {error.strerror})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{directory}: no finished run of the closed loop here ({error})") from None
    if document["mode"] != "lockstep" or header["session_mode"] != SessionMode.ESTABLISHED:
        raise UsageError(f"{directory}: a free run, or one with an exchange, cannot be parsed in software")
    group = Group(str(IPv4Address(int(header["group_address"]))), int(header["group_port"]))
    frames = list(_feed(stimulus, group))
    orders = [frame.data for frame in read_capture(directory / "orders.pcap")]
    kernel = build.build_kernel()
    result: dict[str, Any] = {"frames": len(frames) - 1, "smartnic": stage["mean"], "parsers": {}}
    for word, name in PARSERS.items():
        whole, parsing = (_run(kernel, module, frames, (f"parser={word}", f"books={books_too}"))
                          for books_too in ("on", "off"))
        for each in (whole, parsing):
            if each.statistics["frames"] != len(frames):
                raise BridgeError(6, f"{each.statistics['frames']} of {len(frames)} frames reached the kernel")
        result["parsers"][name] = _cost(whole, parsing)
        result["messages"] = whole.statistics["messages"]
        result["same_orders"] = result.get("same_orders", True) and whole.orders == orders
        result["same_books"] = result.get("same_books", True) and parse_export(whole.export).books == books
    try:
        write_json(directory / SOFTWARE, result)
    except OSError as error:
        if no_space(error):
            raise
        raise UsageError(f"{directory / SOFTWARE}: cannot be written: {error.strerror}") from None
    write_report(directory)
    return result


def _run(kernel: Path, module: Path, frames: list[bytes], words: tuple[str, ...]) -> FrameRun:
    progress = Progress(f"frames, {' '.join(words)}")
    try:
        return run(kernel, module, progress.over(frames, len(frames)), words)
    finally:
        progress.close()


def _cost(whole: FrameRun, parsing: FrameRun) -> dict[str, float]:
    """Mean instructions a message."""
    messages = max(1, whole.statistics["messages"])
    in_all, alone = whole.statistics["work"] / messages, parsing.statistics["work"] / messages
    return {"parsing": round(alone, 3), "trading": round(in_all - alone, 3), "whole": round(in_all, 3)}


def _feed(stimulus: bytes, group: Group) -> Iterator[bytes]:
    """Line A's good frames; an end of session ends the run, so there is one, behind the last frame."""
    model = ReceiveModel(group.address, group.port, delivery="verified")
    session = None
    for frame in _line_a(stimulus):
        result = model.frame(frame)
        session = result.session or session
        if result.kind != "end_of_session":
            yield frame
    if session is None:
        raise UsageError("no frame of the run was accepted")
    yield FrameEncoder(group).encode(end_of_session(model.counters["next_expected"], session))


def _line_a(stimulus: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(stimulus):
        head = np.frombuffer(stimulus, STIMULUS_FRAME, 1, at)[0]
        at += STIMULUS_FRAME.itemsize
        length, flags = int(head["length"]), int(head["flags"])
        if not flags & (STIMULUS_BAD_FCS | STIMULUS_LINE_B):
            yield stimulus[at:at + length]
        at += length + -length % 8
