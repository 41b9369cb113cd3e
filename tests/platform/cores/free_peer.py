# SPDX-License-Identifier: MIT
"""Bridge and NIC of a free run: nobody is parked, records are published while the kernel polls its rings in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bridge.layout import REGISTER_FIELDS, RunMode
from tests.firmware.peer import REGISTER, Peer


class FreePeer(Peer):
    """Puts the next records into the ring once the last ones are consumed, but not more often than every ``pace_s``;
    tells the kernel to stop behind them."""

    mode = RunMode.FREE

    def __init__(self, records: Sequence[list[bytearray]] = (), *, processors: int = 2, pace_s: float = 0.0,
                 **peer: Any) -> None:
        super().__init__(records, **peer)
        self._processors, self._pace_s, self._fed_at = processors, pace_s, 0.0


    def _time(self) -> Sequence[str]:
        return "-smp", str(self._processors)

    def _meanwhile(self) -> None:
        enabled = self._registers.get(REGISTER["CONTROL"], 0) & REGISTER_FIELDS["CONTROL"]["RX_ENABLE"]
        if not enabled or self._mailbox["consumed"] != self._fed or time.monotonic() < self._fed_at + self._pace_s:
            return
        self._fed_at = time.monotonic()
        self._consumed = self._fed
        if not self._feed():
            self._mailbox["stop"] = 1
