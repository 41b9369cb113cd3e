# SPDX-License-Identifier: MIT
"""The re-request server of a MoldUDP64 session: a request packet in, one packet of old messages back, by unicast UDP.

The answer carries as many of the messages asked for as fit 1,472 bytes, and goes from the address and port that were
asked back to where the request came from. What cannot be answered is counted, and gets no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from generators.exchange.datagram import Datagram
from generators.framing import FIRST_SEQUENCE, MAX_PAYLOAD, mold_packet
from generators.tables import MOLD_BLOCK, MOLD_HEADER

MILLION = 1_000_000


class RerequestServer:
    """Serves the messages of `kept`, which grows as the session goes on. `loss_ppm` answers in a million get lost."""

    def __init__(self, session: str, kept: Sequence[bytes], loss_ppm: int = 0, seed: int = 0) -> None:
        self._session = session.ljust(10).encode("latin-1")
        self._kept = kept
        self._loss_ppm = loss_ppm
        self._chance = Random(seed)
        self.counts: Counter[str] = Counter()

    def answer(self, request: Datagram) -> Datagram | None:
        """The answer to a request packet, which has the layout of a downstream packet's header."""
        why, messages, sequence = self._look_up(request.payload)
        self.counts[why] += 1
        if not messages:
            return None
        self.counts["messages"] += len(messages)
        if int(self._chance.random() * MILLION) < self._loss_ppm:
            self.counts["lost"] += 1
            return None
        return request.answer(mold_packet(messages, sequence, self._session.decode("latin-1")))

    def _look_up(self, payload: bytes) -> tuple[str, list[bytes], int]:
        if len(payload) != MOLD_HEADER.length:
            return "malformed", [], 0
        session, sequence, count = MOLD_HEADER.struct.unpack(payload)
        if session != self._session:
            return "other_session", [], 0
        first = sequence - FIRST_SEQUENCE
        if count == 0 or not 0 <= first < len(self._kept):
            return "nothing_there", [], 0
        messages: list[bytes] = []
        size = MOLD_HEADER.length
        for message in self._kept[first:first + count]:
            size += MOLD_BLOCK.length + len(message)
            if size > MAX_PAYLOAD:
                break
            messages.append(message)
        return "answered", messages, sequence
