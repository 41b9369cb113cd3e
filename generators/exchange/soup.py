# SPDX-License-Identifier: MIT
"""SoupBinTCP, server side, over tcp.py: every sequenced message is kept, so that a client may log in again at any.

A connection counts from its TCP handshake: a client that is silent for 15 s, logs in late, or sends what no client may,
is cut off. Heartbeats go out after a second without anything else. Packet layouts come from the protocol table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from generators.exchange.tcp import PS_PER_MS, TcpServer
from generators.tables import SOUPBINTCP

LENGTH_BYTES = 2
NOT_AUTHORIZED, NO_SESSION = "A", "S"


@dataclass(frozen=True)
class SoupConfig:
    """The session, who may log in, and the times of the protocol."""

    session: str = "TICKLOOP01"
    accounts: Mapping[str, str] = field(default_factory=lambda: {"TICKLP": "PASSWORD"})
    heartbeat_ps: int = 1_000 * PS_PER_MS
    silence_ps: int = 15_000 * PS_PER_MS
    login_ps: int = 30_000 * PS_PER_MS


@dataclass
class SoupStatistics:
    """What happened, for tests and reports."""

    logins: int = 0
    rejected: int = 0
    logouts: int = 0
    heartbeats_sent: int = 0
    heartbeats_received: int = 0
    cut_off: list[str] = field(default_factory=list)  # why, one for each connection that the server broke


def packet(kind: str, **values: int | str | bytes) -> bytes:
    """One SoupBinTCP packet with its length."""
    return SOUPBINTCP[kind].encode(values)


def split(stream: bytearray) -> list[bytes]:
    """Take the complete packets off the stream, each without its length."""
    packets = []
    while len(stream) >= LENGTH_BYTES:
        end = LENGTH_BYTES + int.from_bytes(stream[:LENGTH_BYTES], "big")
        if len(stream) < end:
            break
        packets.append(bytes(stream[LENGTH_BYTES:end]))
        del stream[:end]
    return packets


class SoupServer:
    """One order port. `on_login` is called with the sequence number that a client starts at, before it is replayed."""

    def __init__(self, config: SoupConfig, tcp: TcpServer, on_login: Callable[[int], None] | None = None) -> None:
        self.config = config
        self.tcp = tcp
        self.statistics = SoupStatistics()
        self.sequenced: list[bytes] = []      # message n of the session is sequenced[n - 1]
        self.logged_in = False
        self.ended = False
        self._on_login = on_login
        self._connection = 0
        self._stream = bytearray()
        self._unsequenced: list[bytes] = []
        self._up = False                      # a connection is established, and was not closed by us
        self._sent = False                    # something since the last poll
        self._heard_ps = self._said_ps = self._since_ps = 0

    # ---- The exchange's side

    @property
    def next_sequence(self) -> int:
        """The number of the next sequenced message."""
        return len(self.sequenced) + 1

    def unsequenced(self) -> list[bytes]:
        """The client's messages since the last call."""
        messages, self._unsequenced = self._unsequenced, []
        return messages

    def send_sequenced(self, message: bytes) -> None:
        """Append to the session; a client that is logged in gets it with the next poll."""
        if self.ended:
            raise ValueError("the session has ended")
        self.sequenced.append(message)
        if self.logged_in and self.tcp.established:
            self._send("S", message=message)

    def end_of_session(self) -> None:
        """Z, and close. Later logins find no session."""
        self.ended = True
        if self.logged_in and self.tcp.established:
            self._send("Z")
        self._down()
        self.tcp.close()

    # ---- The wire's side

    def receive(self, frame: bytes, now_ps: int) -> None:
        """A frame from the client's side of the network."""
        self.tcp.receive(frame, now_ps)
        self._follow(now_ps)
        data = self.tcp.received()
        if data and self._up:
            self._heard_ps = now_ps
            self._stream += data
            for whole in split(self._stream):
                self._take(whole)
        if self._up and self.tcp.peer_closed:
            self._down()
            self.tcp.close()

    def poll(self, now_ps: int) -> list[bytes]:
        """The frames that leave now."""
        self._follow(now_ps)
        if self._up:
            if now_ps >= self._heard_ps + self.config.silence_ps:
                self._cut_off("silent")
            elif not self.logged_in and now_ps >= self._since_ps + self.config.login_ps:
                self._cut_off("no login")
            elif self.logged_in and now_ps >= self._said_ps + self.config.heartbeat_ps:
                self.statistics.heartbeats_sent += 1
                self._send("H")
        frames = self.tcp.poll(now_ps)
        self._follow(now_ps)
        if self._sent:
            self._said_ps = now_ps
            self._sent = False
        return frames

    @property
    def next_timer_ps(self) -> int | None:
        """When poll is due if nothing arrives before."""
        times = [self.tcp.next_timer_ps] if self.tcp.next_timer_ps is not None else []
        if self._up:
            times.append(self._heard_ps + self.config.silence_ps)
            times.append(self._said_ps + self.config.heartbeat_ps if self.logged_in
                         else self._since_ps + self.config.login_ps)
        return min(times, default=None)

    def _follow(self, now_ps: int) -> None:
        """Notice a new connection, and the end of one."""
        if self._up and not (self.tcp.established or self.tcp.peer_closed):
            self._down()
        if self.tcp.established and self.tcp.connection != self._connection:
            self._connection = self.tcp.connection
            self._down()
            self._up = True
            self._heard_ps = self._said_ps = self._since_ps = now_ps

    def _down(self) -> None:
        self._up = self.logged_in = False
        self._stream.clear()

    def _cut_off(self, why: str) -> None:
        self.statistics.cut_off.append(why)
        self._down()
        self.tcp.abort()

    def _send(self, kind: str, **values: int | str | bytes) -> None:
        self.tcp.send(packet(kind, **values))
        self._sent = True

    def _take(self, whole: bytes) -> None:
        if not self._up:
            return  # cut off by a packet before it
        kind = whole[:1].decode("latin-1")
        known = SOUPBINTCP.get(kind)
        fixed = known is not None and known.fields[-1].length is not None
        if known is None or (fixed and len(whole) + LENGTH_BYTES != known.length):
            self._cut_off(f"packet {whole[:1]!r} of {len(whole)} bytes")
        elif kind == "L" and not self.logged_in:
            self._login(whole)
        elif kind == "U" and self.logged_in:
            self._unsequenced.append(whole[1:])
        elif kind == "R":
            self.statistics.heartbeats_received += 1
        elif kind == "O":
            self.statistics.logouts += 1
            self._down()
            self.tcp.close()
        elif kind != "+":
            self._cut_off(f"packet {kind} {'after' if self.logged_in else 'before'} login")

    def _login(self, whole: bytes) -> None:
        request = SOUPBINTCP["L"].decode(len(whole).to_bytes(LENGTH_BYTES, "big") + whole)
        username, password = request["username"].rstrip(), request["password"].rstrip()
        session = request["requested_session"].strip()
        number = request["requested_sequence_number"].strip()
        if self.config.accounts.get(username) != password:
            self._reject(NOT_AUTHORIZED)
            return
        # A client that asks for more than there has been speaks of another session.
        first = int(number) if number.isascii() and number.isdigit() else -1
        if self.ended or session not in ("", self.config.session) or not 0 <= first <= self.next_sequence:
            self._reject(NO_SESSION)
            return
        first = first or self.next_sequence
        self.statistics.logins += 1
        self.logged_in = True
        if self._on_login is not None:
            self._on_login(first)
        self._send("A", session=self.config.session, sequence_number=str(first))
        for message in self.sequenced[first - 1:]:
            self._send("S", message=message)

    def _reject(self, reason: str) -> None:
        self.statistics.rejected += 1
        self._send("J", reject_reason_code=reason)
        self._down()
        self.tcp.close()
