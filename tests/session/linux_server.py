# SPDX-License-Identifier: MIT
"""Linux's own TCP as the exchange's: run as `unshare -rn python -m tests.session.linux_server RUNNER SEED`.

In a network namespace of its own a Linux socket listens behind a TAP device and speaks SoupBinTCP; the kernel's session
(the host build RUNNER) connects to it over a line that loses, doubles and reorders frames, sends orders and logs out.
What each side got is compared here, and the result is printed as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import threading
import time
from pathlib import Path
from random import Random

from generators.exchange.soup import packet, split
from generators.tables import OUCH42_OUTBOUND
from tests.session.linux_tcp import LINUX_MAC, MAC, OURS, THEIRS, Line, open_tap
from tests.session.session_harness import CONNECTION, FRAME, SLOT, Session, make_config, make_slot
from tests.session.world import Nic

PORT = 26400
ORDERS = 400
RATE = 0.03
TIMEOUT_S = 60.0


def serve(listener: socket.socket, received: list[bytes]) -> None:
    """The exchange: accepts the login, answers each order with a Canceled of its number, closes after the logout."""
    connection, _ = listener.accept()
    stream = bytearray()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(4096):
            stream += data
            for whole in split(stream):
                if whole[:1] == b"L":
                    connection.sendall(packet("A", session="TICKLOOP01", sequence_number="1"))
                elif whole[:1] == b"U":
                    received.append(whole[1:])
                    connection.sendall(packet("S", message=OUCH42_OUTBOUND["C"].encode(
                        {"timestamp": 1, "order_token": whole[2:16].decode(), "decrement_shares": 1, "reason": "U"})))
                elif whole[:1] == b"O":
                    connection.shutdown(socket.SHUT_WR)


class Kernel:
    """The session with a NIC of its own on one end of the line."""

    def __init__(self, runner: Path) -> None:
        self._session = Session(runner)
        self._nic = Nic(MAC, LINUX_MAC, address(OURS), address(THEIRS))
        assert self._session.configure(make_config(
            source_mac=MAC, destination_mac=LINUX_MAC, source_address=address(OURS),
            destination_address=address(THEIRS), server_timeout_ns=60 * 10**9)) == ""
        self.links: list[str] = []
        self.answers: list[int] = []
        self.state = ""

    def service(self, now_ns: int, frames: list[bytes], slots: list[bytes], logout: bool) -> list[bytes]:
        sent = [self._nic.segment(slot) for slot in slots]
        step = self._session.service(now_ns, frames, slots, logout)
        for kind, data in step.items:
            if kind == CONNECTION:
                self._nic.sequence = int.from_bytes(data[:4], "little")
            self._nic.acknowledge = step.report.acknowledge
            if kind == SLOT:
                sent.append(self._nic.segment(data))
            elif kind == FRAME:
                sent.append(data)
        self.links += [reason for _, reason in step.links]
        self.answers += [answer.number for answer in step.answers]
        self.state = step.state
        self.report = step.report
        return sent

    def close(self) -> None:
        self._session.close()


def address(text: str) -> int:
    return int.from_bytes(socket.inet_aton(text), "big")


def main() -> None:
    """Until the session is over."""
    random = Random(int(sys.argv[2]))
    tap = open_tap()
    received: list[bytes] = []
    listener = socket.create_server((THEIRS, PORT))
    threading.Thread(target=serve, args=(listener, received), daemon=True).start()
    kernel = Kernel(Path(sys.argv[1]))
    there, back = Line(random, RATE), Line(random, RATE)
    orders = [b"X" + b"TKLP%010d" % number + bytes(random.randrange(42)) for number in range(1, ORDERS + 1)]
    waiting = list(orders)
    start = time.monotonic_ns()
    while kernel.state != "over" and time.monotonic_ns() - start < TIMEOUT_S * 1e9:
        select.select([tap], [], [], 0.0005)
        frames = []
        with contextlib.suppress(BlockingIOError):
            frames = back(os.read(tap, 2048))
        ready = kernel.state == "ready" and kernel.report.room > 0
        slots = [make_slot(waiting.pop(0))] if waiting and ready else []
        logout = not waiting and len(kernel.answers) == ORDERS and kernel.state == "ready"
        for frame in kernel.service(time.monotonic_ns() - start, frames, slots, logout):
            for copy in there(frame):
                os.write(tap, copy)
    kernel.close()
    print(json.dumps({"received": received == orders, "answers": kernel.answers == list(range(1, ORDERS + 1)),
                      "links": kernel.links, "retransmissions": kernel.report.retransmissions}))


if __name__ == "__main__":
    main()
