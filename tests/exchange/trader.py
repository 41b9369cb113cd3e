# SPDX-License-Identifier: MIT
"""A trading client on simulated time, made with scapy: TCP, SoupBinTCP and OUCH as somebody else reads and writes them.

It logs in, acknowledges, answers ARP, and does what its test tells it; `run` drives it and an exchange to the end. What
it believes about its orders comes from the answers alone, so that it can be compared with the exchange's own account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from generators.exchange.config import ExchangeConfig
from generators.exchange.exchange import Exchange, Sent
from generators.exchange.publisher import Injected
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND, OUCH50_INBOUND, OUCH50_OUTBOUND, SOUPBINTCP, decode

MAC = "02:00:00:00:00:01"
PORT = 40_000
REQUEST_PORT = 40_001
REACTION_PS = 1_000_000
RESEND_PS = 1_000_000_000
UDP_PAYLOAD = 42
MASK = 0xFFFFFFFF
TABLES = {"4.2": (OUCH42_INBOUND, OUCH42_OUTBOUND), "5.0": (OUCH50_INBOUND, OUCH50_OUTBOUND)}
PRICE = 1_000_000                      # where a test's own orders are far from everybody else's


class Trader:
    """`take` gives it a frame; what it sends is in `sent`, with times; `answers`: the sequenced messages, decoded."""

    def __init__(self, config: ExchangeConfig, port: int = PORT, resends: bool = False) -> None:
        self.config = config
        self.inbound, self.outbound = TABLES[config.ouch]
        self.sent: list[Sent] = []
        self.answers: list[dict[str, Any]] = []
        self.raw_answers: list[bytes] = []
        self.soup_kinds: list[str] = []
        self.segments: list[Packet] = []
        self.market: dict[int, bytes] = {}           # feed messages by sequence number
        self.lines: list[tuple[int, int, bytes]] = []
        self.unicast: list[bytes] = []
        self.arp_requests = self.arp_replies = 0
        self.next_soup = 1
        self.established = self.closed = self.logged_in = False
        self.on_answer: Callable[[Trader, dict[str, Any]], None] = lambda trader, answer: None
        self.now_ps = 0
        self._port = port
        self._resends = resends                      # what is not acknowledged, after a while
        self._waiting: list[tuple[int, str, bytes]] = []   # sequence number, flags, payload
        self._resend_ps = 0
        self._reset(1_000)

    def _reset(self, sequence: int) -> None:
        self._sequence, self._acknowledge = sequence, 0
        self._stream = b""
        self._waiting = []
        self.established = self.closed = self.logged_in = False

    # What it sends

    def emit(self, frame: bytes | Packet, at_ps: int | None = None) -> None:
        self.sent.append(Sent(self.now_ps + REACTION_PS if at_ps is None else at_ps, bytes(frame)))

    def connect(self, at_ps: int | None = None) -> None:
        self._sequence = (self._sequence + 10_000) & MASK
        self._tcp("S", at_ps=at_ps, waits=True)
        self._sequence = (self._sequence + 1) & MASK

    def reconnect(self, at_ps: int | None = None) -> None:
        """From another port; the first connection, if it still is one, is reset."""
        if self.established and not self.closed:
            self._tcp("R", at_ps=at_ps)
        self._port += 1
        self._reset(self._sequence)
        self.connect(at_ps)

    def _tcp(self, flags: str, payload: bytes = b"", at_ps: int | None = None, waits: bool = False,
             sequence: int | None = None) -> None:
        if waits and self._resends:
            self._resend_ps = self._resend_ps or self.now_ps + RESEND_PS
            self._waiting.append((self._sequence, flags, payload))
        tcp = TCP(sport=self._port, dport=self.config.port, flags=flags, ack=self._acknowledge, window=0xFFFF,
                  seq=self._sequence if sequence is None else sequence)
        self.emit(Ether(src=MAC, dst=self.config.mac) / IP(src=self.config.client_address, dst=self.config.address)
                  / tcp / payload, at_ps)

    def send(self, data: bytes, at_ps: int | None = None) -> None:
        """Bytes of the stream."""
        self._tcp("PA", data, at_ps, waits=True)
        self._sequence = (self._sequence + len(data)) & MASK

    def soup(self, kind: str, at_ps: int | None = None, **fields: Any) -> None:
        self.send(SOUPBINTCP[kind].encode(fields), at_ps)

    def login(self, at_ps: int | None = None, **fields: str) -> None:
        self.soup("L", at_ps, **({"username": self.config.username, "password": self.config.password,
                                  "requested_session": "", "requested_sequence_number": str(self.next_soup)} | fields))

    def order(self, kind: str, at_ps: int | None = None, **fields: Any) -> None:
        """An OUCH message in a packet of its own."""
        self.soup("U", at_ps, message=self.message(kind, **fields))

    def message(self, kind: str, **fields: Any) -> bytes:
        return self.inbound[kind].encode(fields)

    def request(self, sequence: int, count: int, at_ps: int | None = None, session: str | None = None) -> None:
        """A MoldUDP64 request packet."""
        self.emit(Ether(src=MAC, dst=self.config.mac) / IP(src=self.config.client_address, dst=self.config.address)
                  / UDP(sport=REQUEST_PORT, dport=self.config.request_port)
                  / Raw((self.config.feed_session if session is None else session).ljust(10).encode()
                        + sequence.to_bytes(8, "big") + count.to_bytes(2, "big")), at_ps)

    def close(self, at_ps: int | None = None) -> None:
        self._tcp("FA", at_ps=at_ps, waits=True)
        self._sequence = (self._sequence + 1) & MASK

    @property
    def timer_ps(self) -> int | None:
        return self._resend_ps if self._waiting else None

    def resend(self, now_ps: int) -> None:
        """All that is not acknowledged, once more."""
        self.now_ps = now_ps
        self._resend_ps = now_ps + RESEND_PS
        for sequence, flags, payload in self._waiting:
            self._tcp(flags, payload, sequence=sequence)

    # What it receives

    def take(self, injected: Injected) -> None:
        self.now_ps = injected.time_ps
        if injected.frame[:3] == b"\x01\x00\x5e":
            payload = injected.frame[UDP_PAYLOAD:]
            self.lines.append((injected.time_ps, injected.line, payload))
            self._take_feed(payload)
            return
        packet = Ether(injected.frame)
        if ARP in packet:
            self._take_arp(packet[ARP])
        elif TCP in packet:
            _check(packet, injected.frame)
            self._take_segment(packet[TCP])
        elif UDP in packet:
            self.take_answer(packet, injected.frame)
        else:
            raise AssertionError(f"what is this: {packet!r}")

    def _take_arp(self, arp: Packet) -> None:
        if arp.op == 1:
            self.arp_requests += 1
            assert arp.pdst == self.config.client_address
            self.emit(Ether(src=MAC, dst=arp.hwsrc) / ARP(op=2, hwsrc=MAC, psrc=arp.pdst, hwdst=arp.hwsrc,
                                                          pdst=arp.psrc))
        else:
            assert (arp.hwsrc, arp.psrc, arp.hwdst) == (self.config.mac, self.config.address, MAC)
            self.arp_replies += 1

    def take_answer(self, packet: Packet, frame: bytes) -> None:
        """Of the re-request server."""
        assert (packet[IP].dst, packet.dst) == (self.config.client_address, MAC)
        assert (packet[UDP].sport, packet[UDP].dport) == (self.config.request_port, REQUEST_PORT)
        payload = frame[UDP_PAYLOAD:UDP_PAYLOAD + packet[UDP].len - 8]
        self.unicast.append(payload)
        self._take_feed(payload)

    def _take_feed(self, payload: bytes) -> None:
        assert len(payload) <= 1_472
        sequence, count, at = int.from_bytes(payload[10:18], "big"), int.from_bytes(payload[18:20], "big"), 20
        for number in range(sequence, sequence + (0 if count == 0xFFFF else count)):
            end = at + 2 + int.from_bytes(payload[at:at + 2], "big")
            assert self.market.setdefault(number, payload[at + 2:end]) == payload[at + 2:end]
            at = end
        assert at == len(payload)

    def _take_segment(self, tcp: Packet) -> None:
        if tcp.dport != self._port:
            return                                   # of a connection that we have given up
        self.segments.append(tcp)
        data = _payload(tcp)
        if "R" in tcp.flags:
            self.closed = True
            return
        if "A" in tcp.flags:
            self._waiting = [item for item in self._waiting if _after(item[0] + max(len(item[2]), 1), tcp.ack) > 0]
            self._resend_ps = self.now_ps + RESEND_PS
        if tcp.flags == "SA":
            if self.established:
                self._tcp("A")                       # our acknowledgement was lost
                return
            self._acknowledge = (tcp.seq + 1) & MASK
            self.established = True
            self._tcp("A")
            self.login()
            return
        if tcp.seq == self._acknowledge and (data or "F" in tcp.flags):
            self._acknowledge = (self._acknowledge + len(data) + ("F" in tcp.flags)) & MASK
            self._stream += data
            self._tcp("A")
            if "F" in tcp.flags:
                self.closed = True
                self.close()
            self._take_stream()
        elif data or "F" in tcp.flags:
            self._tcp("A")                           # a repetition, or one before it is missing

    def _take_stream(self) -> None:
        while len(self._stream) >= 2 and len(self._stream) >= 2 + int.from_bytes(self._stream[:2], "big"):
            end = 2 + int.from_bytes(self._stream[:2], "big")
            packet, self._stream = self._stream[:end], self._stream[end:]
            fields = decode(packet, SOUPBINTCP)
            self.soup_kinds.append(fields["packet_type"])
            if fields["packet_type"] == "A":
                self.logged_in = True
                self.next_soup = int(fields["sequence_number"])
            elif fields["packet_type"] == "S":
                self.next_soup += 1
                self.raw_answers.append(fields["message"])
                self.answers.append(decode(fields["message"], self.outbound))
                self.on_answer(self, self.answers[-1])


def _payload(tcp: Packet) -> bytes:
    """Its data, without Ethernet padding."""
    return bytes(tcp.payload)[:tcp.underlayer.len - 4 * tcp.underlayer.ihl - 4 * tcp.dataofs]


def _after(a: int, b: int) -> int:
    """How far sequence number a is past b, modulo 2^32."""
    return ((a - b + 0x8000_0000) & MASK) - 0x8000_0000


def _check(packet: Packet, frame: bytes) -> None:
    """All lengths and checksums are those that scapy would send."""
    rebuilt = packet.copy()
    del rebuilt[IP].chksum, rebuilt[TCP].chksum, rebuilt[IP].len, rebuilt[TCP].dataofs
    assert bytes(rebuilt) == frame


def run(exchange: Exchange, trader: Trader, script: Iterable[tuple[int, Callable[[Trader], None]]] = (),
        limit: int = 200_000) -> Exchange:
    """To the end, handing frames over as the bridge does: with a lookahead of the latency. `script` is what the trader
    does at which time."""
    actions = sorted(script, key=lambda item: item[0])
    latency = exchange.config.latency_ps
    step = exchange.start()
    for _ in range(limit):
        if step.finished:
            return exchange
        moments = (step.next_ps, min((item.time_ps for item in trader.sent), default=None), trader.timer_ps)
        moment = min(time for time in moments if time is not None)
        if trader.timer_ps is not None and trader.timer_ps <= moment:
            trader.resend(moment)
        while actions and actions[0][0] <= moment:
            trader.now_ps, action = actions.pop(0)
            action(trader)
        trader.sent.sort(key=lambda item: item.time_ps)
        handed = [item for item in trader.sent if item.time_ps <= moment]
        trader.sent = trader.sent[len(handed):]
        step = exchange.advance(moment + latency, handed)
        for frame in step.frames:
            trader.take(frame)
    raise AssertionError("the exchange does not come to an end")
