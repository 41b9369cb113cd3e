# SPDX-License-Identifier: MIT
"""The exchange's end of a TCP connection (RFC 9293): one client at a time, deterministic, driven by calls alone.

`receive` takes a frame, `poll` gives the frames that are due, `next_timer_ps` says when to poll again if nothing
happens before. There is no congestion window, and a fixed first time-out with exponential back-off in place of a
measured one: the path is one switch. When a connection is over the endpoint listens again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from generators.exchange.segment import ACK, FIN, PSH, RST, SYN, Segment, build, parse

PS_PER_MS = 10**9
MASK = 0xFFFFFFFF
DEFAULT_MSS = 536             # of a peer that announces none (RFC 9293, 3.7.1)
DUPLICATES = 3                # acknowledgements of the same octet that mean a loss (RFC 5681, 3.2)
ISS_STEP_PS = 4_000_000       # the initial sequence number advances each 4 us (RFC 9293, 3.4.1)


@dataclass(frozen=True)
class TcpConfig:
    """Our address and port, and the constants of the connection."""

    mac: bytes
    address: int
    port: int
    initial_sequence: int = 0x1000_0000
    window: int = 0xFFFF
    mss: int = 1460
    rto_ps: int = 200 * PS_PER_MS         # first time-out; doubles with each one in a row
    max_rto_ps: int = 3_200 * PS_PER_MS
    retries: int = 8                      # time-outs in a row after which the peer is given up
    time_wait_ps: int = 1_000 * PS_PER_MS


class State(Enum):
    """RFC 9293, 3.3.2, seen from the side that never opens actively. CLOSED does not last: it listens again."""

    LISTEN = auto()
    SYN_RECEIVED = auto()
    ESTABLISHED = auto()
    FIN_WAIT_1 = auto()
    FIN_WAIT_2 = auto()
    CLOSE_WAIT = auto()
    CLOSING = auto()
    LAST_ACK = auto()
    TIME_WAIT = auto()


_SENDING = (State.ESTABLISHED, State.CLOSE_WAIT)
_RECEIVING = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)
_FIN_SENT = (State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK)


def after(a: int, b: int) -> int:
    """How far sequence number a is past b, modulo 2^32: negative if it is before."""
    return ((a - b + 0x8000_0000) & MASK) - 0x8000_0000


@dataclass
class Statistics:
    """What happened, for tests and reports."""

    ignored: int = 0          # frames that are no valid segment for us
    unacceptable: int = 0     # segments outside the window
    retransmissions: int = 0
    connections: int = 0
    resets: int = 0           # received and acted on
    given_up: int = 0


class TcpServer:
    """Listens on one port and serves one connection; `connection` counts them, so that users see a new one."""

    def __init__(self, config: TcpConfig) -> None:
        self.config = config
        self.statistics = Statistics()
        self._identification = 0
        self._out: list[Segment] = []
        self._listen()

    def _listen(self) -> None:
        self.state = State.LISTEN
        self._peer: Segment | None = None
        self._unacknowledged = self._next = self._iss = 0
        self._expected = 0
        self._window = 0
        self._mss = DEFAULT_MSS
        self._buffer = bytearray()                # from _unacknowledged on, SYN and FIN apart
        self._early: dict[int, bytes] = {}        # segments ahead of _expected, by sequence number
        self._fin_at: int | None = None           # the peer's
        self._received = bytearray()
        self._closing = False
        self._acknowledge = False
        self._duplicates = 0
        self._timer_ps: int | None = None
        self._timeouts = 0

    # ---- The user's side

    @property
    def connection(self) -> int:
        """Connections accepted so far."""
        return self.statistics.connections

    @property
    def established(self) -> bool:
        """Whether data can be sent."""
        return self.state in _SENDING and not self._closing

    @property
    def peer_closed(self) -> bool:
        """The client has sent its FIN, and everything before it has arrived."""
        return self.state is State.CLOSE_WAIT

    def received(self) -> bytes:
        """The client's data since the last call, in order."""
        data = bytes(self._received)
        self._received.clear()
        return data

    def send(self, data: bytes) -> None:
        """Data for the client; leaves with the next polls as window and segment size allow."""
        if not self.established:
            raise ValueError(f"no connection to send on: {self.state.name}")
        self._buffer += data

    def close(self) -> None:
        """FIN behind what has been sent."""
        self._closing = self._peer is not None

    def abort(self) -> None:
        """RST, and listen again."""
        if self._peer is not None:
            self._emit(RST | ACK, self._next)
        self._listen()

    # ---- Segments in

    def receive(self, frame: bytes, now_ps: int) -> None:
        """Take a frame; whatever it asks for leaves with the next poll."""
        segment = parse(frame)
        config = self.config
        if (segment is None or segment.destination_mac != config.mac or segment.destination != config.address
                or segment.destination_port != config.port):
            self.statistics.ignored += 1
            return
        if self._peer is not None and ((segment.source, segment.source_port)
                                       != (self._peer.source, self._peer.source_port)):
            self._refuse(segment)
        elif self.state is State.LISTEN:
            self._open(segment, now_ps)
        else:
            self._arrived(segment, now_ps)

    def _refuse(self, segment: Segment) -> None:
        """RST to a segment of no connection (RFC 9293, 3.5.2, group 1)."""
        if segment.flags & RST:
            return
        reset = Segment(
            self.config.mac, segment.source_mac, self.config.address, segment.source, self.config.port,
            segment.source_port, segment.acknowledge if segment.flags & ACK else 0,
            0 if segment.flags & ACK else (segment.sequence + segment.span) & MASK,
            RST if segment.flags & ACK else RST | ACK, 0,
        )
        self._out.append(reset)

    def _open(self, segment: Segment, now_ps: int) -> None:
        if segment.flags & RST:
            return
        if segment.flags & (SYN | ACK | FIN) != SYN:
            self._refuse(segment)
            return
        self.statistics.connections += 1
        self._peer = segment
        self._mss = min(segment.mss or DEFAULT_MSS, self.config.mss)
        self._expected = (segment.sequence + 1) & MASK
        self._iss = (self.config.initial_sequence + now_ps // ISS_STEP_PS) & MASK
        self._unacknowledged = self._iss
        self._next = (self._iss + 1) & MASK
        self._window = segment.window
        self.state = State.SYN_RECEIVED
        self._emit(SYN | ACK, self._iss)
        self._start_timer(now_ps)

    def _acceptable(self, segment: Segment) -> bool:
        """RFC 9293, 3.4: some of it lies in the window, which is never zero here."""
        begin = after(segment.sequence, self._expected)
        if segment.span == 0:
            return 0 <= begin < self.config.window
        return begin < self.config.window and begin + segment.span > 0

    def _arrived(self, segment: Segment, now_ps: int) -> None:
        """RFC 9293, 3.10.7.4, in its order: sequence, RST, SYN, ACK, data, FIN."""
        if not self._acceptable(segment):
            self.statistics.unacceptable += 1
            if segment.flags & SYN and self.state is State.TIME_WAIT:
                if after(segment.sequence, self._expected) >= 0:
                    self._listen()
                    self._open(segment, now_ps)
            elif segment.flags & SYN and self.state is State.SYN_RECEIVED:
                self._emit(SYN | ACK, self._iss)  # ours was lost
            elif not segment.flags & RST:
                self._acknowledge = True
            return
        if segment.flags & RST:
            if segment.sequence == self._expected:
                self.statistics.resets += 1
                self._listen()
            else:
                self._acknowledge = True  # RFC 5961, 3.2: a blind reset must guess exactly
            return
        if segment.flags & SYN:
            if self.state is State.TIME_WAIT:
                self._listen()
                self._open(segment, now_ps)
            else:
                self._acknowledge = True  # RFC 5961, 4.2
            return
        if not segment.flags & ACK or not self._acknowledged(segment, now_ps):
            return
        self._take(segment)
        self._take_fin(now_ps)

    def _acknowledged(self, segment: Segment, now_ps: int) -> bool:
        """The ACK field; False if the segment goes no further."""
        new = after(segment.acknowledge, self._unacknowledged)
        if after(segment.acknowledge, self._next) > 0 or (self.state is State.SYN_RECEIVED and new != 1):
            if self.state is State.SYN_RECEIVED:
                self._refuse(segment)
            self._acknowledge = self.state is not State.SYN_RECEIVED
            return False
        if new < 0:
            return True  # old; its data may be new
        if self.state is State.SYN_RECEIVED:
            self.state = State.ESTABLISHED
            self._unacknowledged = segment.acknowledge
            new = 0
            self._stop_timer()
        before, self._window = self._window, segment.window
        if self._window == 0:
            self._timeouts = 0  # alive, if full
        if new > 0:
            fin = self.state in _FIN_SENT and segment.acknowledge == self._next
            del self._buffer[:new - fin]
            self._unacknowledged = segment.acknowledge
            self._duplicates = 0
            self._stop_timer()
            if after(self._next, self._unacknowledged) > 0:
                self._start_timer(now_ps)
            if fin:
                self._fin_acknowledged(now_ps)
        elif segment.span == 0 and after(self._next, self._unacknowledged) > 0:
            self._duplicates = self._duplicates + 1 if 0 < before == self._window else 0
            if self._duplicates == DUPLICATES or before == 0 < self._window:
                self._retransmit()
        return True

    def _fin_acknowledged(self, now_ps: int) -> None:
        if self.state is State.FIN_WAIT_1:
            self.state = State.FIN_WAIT_2
            self._timer_ps = now_ps + self.config.time_wait_ps  # the peer may never close
        elif self.state is State.CLOSING:
            self._wait(now_ps)
        else:
            self._listen()

    def _take(self, segment: Segment) -> None:
        """Data in order go to the user; data ahead wait for what is missing."""
        if segment.span and self.state is not State.LISTEN:
            self._acknowledge = True
        if self.state not in _RECEIVING:
            return
        if segment.flags & FIN:
            self._fin_at = (segment.sequence + len(segment.payload)) & MASK
        if segment.payload:
            known = self._early.get(segment.sequence, b"")
            if len(segment.payload) > len(known):
                self._early[segment.sequence] = segment.payload
        progress = True
        while progress:
            progress = False
            for sequence in sorted(self._early, key=lambda at: after(at, self._expected)):
                skip = -after(sequence, self._expected)
                if skip < 0:
                    break
                data = self._early.pop(sequence)[skip:]
                self._received += data
                self._expected = (self._expected + len(data)) & MASK
                progress = True

    def _take_fin(self, now_ps: int) -> None:
        if self._fin_at is None or self._fin_at != self._expected or self.state not in _RECEIVING:
            if self.state is State.TIME_WAIT:
                self._wait(now_ps)
            return
        self._expected = (self._expected + 1) & MASK
        self._fin_at = None
        if self.state is State.ESTABLISHED:
            self.state = State.CLOSE_WAIT
        elif self.state is State.FIN_WAIT_1:
            self.state = State.CLOSING
        else:
            self._wait(now_ps)

    def _wait(self, now_ps: int) -> None:
        self.state = State.TIME_WAIT
        self._timer_ps = now_ps + self.config.time_wait_ps

    # ---- Timer

    @property
    def next_timer_ps(self) -> int | None:
        """When poll is due if nothing arrives before."""
        return self._timer_ps

    def _start_timer(self, now_ps: int) -> None:
        self._timer_ps = now_ps + min(self.config.rto_ps << self._timeouts, self.config.max_rto_ps)

    def _stop_timer(self) -> None:
        self._timer_ps = None
        self._timeouts = 0

    def _timed_out(self, now_ps: int) -> None:
        if self.state in (State.TIME_WAIT, State.FIN_WAIT_2):
            self._listen()
            return
        self._timeouts += 1
        if self._timeouts > self.config.retries:
            self.statistics.given_up += 1
            self.abort()
            return
        if after(self._next, self._unacknowledged) > 0:
            self._retransmit()
        else:
            self._send_new(probe=True)
        self._start_timer(now_ps)

    # ---- Segments out

    def _emit(self, flags: int, sequence: int, payload: bytes = b"") -> None:
        assert self._peer is not None
        config, peer = self.config, self._peer
        self._out.append(Segment(
            config.mac, peer.source_mac, config.address, peer.source, config.port, peer.source_port, sequence & MASK,
            self._expected if flags & ACK else 0, flags, config.window, payload, config.mss if flags & SYN else None,
        ))
        self._acknowledge = False

    def _retransmit(self) -> None:
        """The first segment that is not acknowledged, once more."""
        self.statistics.retransmissions += 1
        if self.state is State.SYN_RECEIVED:
            self._emit(SYN | ACK, self._iss)
            return
        fin_sent = self.state in _FIN_SENT
        sent = after(self._next, self._unacknowledged) - fin_sent
        data = bytes(self._buffer[:min(sent, self._mss)])
        fin = fin_sent and len(data) == sent
        self._emit(ACK | (PSH if data else 0) | (FIN if fin else 0), self._unacknowledged, data)

    def _send_new(self, probe: bool = False) -> None:
        """What the window has room for; a probe puts one octet into a window of none (RFC 9293, 3.8.6.1)."""
        window = max(self._window, 1) if probe else self._window
        while (sent := after(self._next, self._unacknowledged)) < min(len(self._buffer), window):
            data = bytes(self._buffer[sent:min(sent + self._mss, window)])
            self._emit(ACK | PSH, self._next, data)
            self._next = (self._next + len(data)) & MASK
        if self._closing and sent == len(self._buffer) and self.state in _SENDING:
            self._emit(ACK | FIN, self._next)
            self._next = (self._next + 1) & MASK
            self.state = State.FIN_WAIT_1 if self.state is State.ESTABLISHED else State.LAST_ACK

    def poll(self, now_ps: int) -> list[bytes]:
        """The frames that leave now."""
        if self._timer_ps is not None and now_ps >= self._timer_ps:
            self._timed_out(now_ps)
        if self.state in _SENDING:
            self._send_new()
        if self._acknowledge and self._peer is not None:
            self._emit(ACK, self._next)
        waiting = after(self._next, self._unacknowledged) > 0 or (self.state in _SENDING and len(self._buffer) > 0)
        if self._timer_ps is None and waiting:
            self._start_timer(now_ps)
        frames = []
        for segment in self._out:
            frames.append(build(segment, self._identification))
            self._identification += 1
        self._out.clear()
        return frames
