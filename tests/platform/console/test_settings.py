# SPDX-License-Identifier: MIT
"""Files that set the strategies of more symbols than there are different settings: equal settings share a place, so
what counts is how many differ."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bridge import layout
from generators.tables import encode
from tests.firmware.peer import Peer, exit_code
from tests.firmware.records import config_module, record_lines
from tests.platform.console.test_files import archive_of

SYMBOLS = [f"SYM{number}" for number in range(300)]
ROOM = 255 - 1  # the configuration's has one
IN_TURN = ["best_bid", "market_maker half_spread=300 requote=100", "market_maker tick=500", "best_bid shares=7"]
TOO_MANY = "there is no room for so many settings"


def setting(number: int, text: str) -> str:
    return f"strategy {SYMBOLS[number]} {text}"


def imbalance(differing: int) -> list[str]:
    return [setting(number, f"imbalance threshold={500 + number % differing}") for number in range(len(SYMBOLS))]


# 16 by 16: all lines by themselves make 32 settings, the symbols then have 256.
PAIRS = [setting(16 * i + j, f"market_maker {key}") for i in range(16) for j in range(16)
         for key in (f"half_spread={300 + 100 * i}", f"inventory={2000 + 1000 * j}")]


class CommandingPeer(Peer):
    """Lockstep; tells the kernel to run a file as soon as every symbol has a book."""

    def _poll(self, deadline_ns: int) -> bool:
        box = self._mailbox
        if self._fed == len(SYMBOLS):
            box["command"][:] = np.frombuffer(b"run file".ljust(len(box["command"]), b"\0"), np.uint8)
            box["command_sequence"] += 1
        return super()._poll(deadline_ns)


@pytest.mark.parametrize(("lines", "refused"), [
    ([setting(number, text) for text in IN_TURN for number in range(len(SYMBOLS))], None),
    ([setting(0, "best_bid")] * 300 + [setting(0, "imbalance")] * 300, None),
    (imbalance(ROOM), None),
    (imbalance(len(SYMBOLS)), ROOM + 1),
    (PAIRS, 2 * 240),
], ids=["equal", "one symbol", "as many as fit", "all differ", "pairs that differ"])
def test_a_file_is_refused_for_settings_that_differ_alone(
        lines: list[str], refused: int | None, kernel: Path, tmp_path: Path) -> None:
    """In one line, at the first for which there is no room, and nothing of it is done; otherwise it is begun."""
    orders = [encode("A", {
        "stock_locate": number, "tracking_number": 0, "timestamp": number, "order_reference_number": number,
        "buy_sell_indicator": "B", "shares": 100, "stock": symbol, "price": 10_000}) for number, symbol in
        enumerate(SYMBOLS, 1)]
    later = encode("S", {"stock_locate": 0, "tracking_number": 0, "timestamp": 0, "event_code": "Q"})
    (tmp_path / "files.tar").write_bytes(archive_of({"config.bin": config_module(), "file": "\n".join(lines).encode()}))
    run = CommandingPeer([record_lines(message, number) for number, message in enumerate([*orders, *[later] * 60], 1)],
                         burst=20).boot(kernel, tmp_path / "files.tar", tmp_path / "console.log")
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    told = [line for line in run.console.splitlines() if line.startswith(("command: ", "run: "))]
    if refused is not None:
        assert told == ["command: run file", f"run: file, line {refused}: {lines[refused - 1]}: {TOO_MANY}",
                        "command: kill"]
        return
    assert told[1:-1] == [f"command: {line}" for line in lines[:len(told) - 2]]
    assert len(told) > 3
    assert re.match(r"run: file, line \d+: the run is over; what comes behind it is not done$", told[-1])
