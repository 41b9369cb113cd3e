# SPDX-License-Identifier: MIT
"""Linux's own TCP on the other end of a lossy line: run as `unshare -rn python -m tests.session.linux_tcp SEED`.

In a network namespace of its own the program opens a TAP device. A Linux socket connects through it to the exchange's
endpoint, which echoes; the line in between loses, doubles and reorders frames. What came back is compared here, and the
endpoint's counters are printed as JSON.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from random import Random

from generators.exchange.tcp import PS_PER_MS, State, TcpConfig, TcpServer

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
OURS, THEIRS = "10.9.0.2", "10.9.0.1"
MAC = bytes.fromhex("02000000e001")
LINUX_MAC = bytes.fromhex("020000000099")
PORT = 26400
BYTES = 1_000_000
SPARED = 4  # frames of the handshake: Linux's first time-out is a whole second
TIMEOUT_S = 60.0


def open_tap() -> int:
    """A TAP device with our address as a permanent neighbour, and time-outs that suit a test."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", b"tap0", IFF_TAP | IFF_NO_PI))
    for command in (f"link set tap0 address {LINUX_MAC.hex(':')}", f"addr add {THEIRS}/24 dev tap0", "link set tap0 up",
                    f"neigh add {OURS} lladdr {MAC.hex(':')} dev tap0",
                    "route change 10.9.0.0/24 dev tap0 rto_min 5ms"):
        subprocess.run(["ip", *command.split()], check=True)
    return tap


class Line:
    """One direction: loses, doubles and delays frames by seeded chance."""

    def __init__(self, random: Random, rate: float) -> None:
        self._random = random
        self._rate = rate
        self._held: bytes | None = None
        self._seen = 0

    def __call__(self, frame: bytes) -> list[bytes]:
        self._seen += 1
        if self._seen <= SPARED:
            return [frame]
        chance = self._random.random()
        if chance < self._rate:
            return []
        if chance < 2 * self._rate:
            return [frame, frame]
        if chance < 3 * self._rate and self._held is None:
            self._held = frame
            return []
        out = [frame] if self._held is None else [frame, self._held]
        self._held = None
        return out


def write(connection: socket.socket, data: bytes) -> None:
    """All of it, then FIN."""
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def client(sent: bytes, result: dict[str, bytes | str]) -> None:
    """The Linux side: send everything, read until the other end closes."""
    try:
        with socket.create_connection((OURS, PORT), timeout=TIMEOUT_S) as connection:
            writer = threading.Thread(target=write, args=(connection, sent))
            writer.start()
            got = bytearray()
            while data := connection.recv(65536):
                got += data
            writer.join()
            result["got"] = bytes(got)
    except OSError as error:
        result["error"] = str(error)


def main() -> None:
    """Until the client has everything back and the endpoint listens again."""
    random = Random(int(sys.argv[1]))
    tap = open_tap()
    server = TcpServer(TcpConfig(MAC, int.from_bytes(socket.inet_aton(OURS), "big"), PORT, rto_ps=10 * PS_PER_MS,
                                 max_rto_ps=160 * PS_PER_MS, time_wait_ps=20 * PS_PER_MS, retries=20,
                                 initial_sequence=0xFFFF_0000))
    sent = random.randbytes(BYTES)
    result: dict[str, bytes | str] = {}
    thread = threading.Thread(target=client, args=(sent, result), daemon=True)
    there, back = Line(random, 0.03), Line(random, 0.03)
    thread.start()
    start = time.monotonic_ns()
    while time.monotonic_ns() - start < TIMEOUT_S * 1e9:
        now_ps = (time.monotonic_ns() - start) * 1000
        select.select([tap], [], [], 0.001)
        try:
            for frame in there(os.read(tap, 2048)):
                server.receive(frame, now_ps)
        except BlockingIOError:
            pass
        if server.established:
            server.send(server.received())
        if server.peer_closed:
            server.close()
        for frame in server.poll(now_ps):
            for copy in back(frame):
                os.write(tap, copy)
        if not thread.is_alive() and server.state is State.LISTEN:
            break
    print(json.dumps({"same": result.get("got") == sent, "error": result.get("error"), "state": server.state.name,
                      **dataclasses.asdict(server.statistics)}))


if __name__ == "__main__":
    main()
