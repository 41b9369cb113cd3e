# SPDX-License-Identifier: MIT
"""A scripted TCP client made with scapy, which builds and reads every byte: the other reading of the exchange's end."""

from __future__ import annotations

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from generators.exchange.soup import SoupServer
from generators.exchange.tcp import TcpServer

SERVER_MAC, CLIENT_MAC = "02:00:00:00:e0:01", "02:00:00:00:00:01"
SERVER, CLIENT = "192.0.2.1", "192.0.2.2"
SERVER_PORT, CLIENT_PORT = 26400, 40000
MASK = 0xFFFFFFFF


def segment(flags: str, sequence: int, acknowledge: int = 0, payload: bytes = b"", **fields: object) -> bytes:
    """A frame from the client; further fields are those of scapy's TCP layer."""
    tcp = TCP(**{"sport": CLIENT_PORT, "dport": SERVER_PORT, "flags": flags, "seq": sequence & MASK,
                 "ack": acknowledge & MASK, "window": 0xFFFF, **fields})
    return bytes(Ether(src=CLIENT_MAC, dst=SERVER_MAC) / IP(src=CLIENT, dst=SERVER, flags="DF") / tcp / payload)


def dissect(frame: bytes) -> Packet:
    """The TCP layer of a frame from the server, all lengths and checksums found good."""
    packet = Ether(frame)
    rebuilt = packet.copy()
    del rebuilt[IP].chksum, rebuilt[TCP].chksum, rebuilt[IP].len, rebuilt[TCP].dataofs
    assert bytes(rebuilt) == frame, "scapy would send other bytes"
    assert len(frame) >= 60
    assert (packet.src, packet.dst) == (SERVER_MAC, CLIENT_MAC)
    assert (packet[IP].src, packet[IP].dst) == (SERVER, CLIENT)
    assert (packet[TCP].sport, packet[TCP].dport) == (SERVER_PORT, CLIENT_PORT)
    tcp: Packet = packet[TCP]
    return tcp


def payload(tcp: Packet) -> bytes:
    """Its data, without Ethernet padding."""
    return bytes(tcp.payload)[:tcp.underlayer.len - 4 * tcp.underlayer.ihl - 4 * tcp.dataofs]


class Client:
    """Keeps sequence numbers and nothing else: every segment is the test's own decision."""

    def __init__(self, endpoint: TcpServer | SoupServer, sequence: int = 0xFFFFFFF0) -> None:
        self.endpoint = endpoint
        self.sequence = sequence
        self.acknowledge = 0
        self.now_ps = 0

    def put(self, flags: str, data: bytes = b"", **fields: object) -> list[Packet]:
        """Send a segment at our sequence number; what the server answers at once."""
        self.endpoint.receive(segment(flags, self.sequence, self.acknowledge, data, **fields), self.now_ps)
        self.sequence = (self.sequence + len(data) + ("S" in flags) + ("F" in flags)) & MASK
        return self.poll()

    def poll(self, at_ps: int | None = None) -> list[Packet]:
        """Time passes; the server's segments."""
        self.now_ps = self.now_ps if at_ps is None else at_ps
        return [dissect(frame) for frame in self.endpoint.poll(self.now_ps)]

    def open(self, **fields: object) -> Packet:
        """The handshake; returns the SYN with the ACK."""
        (answer,) = self.put("S", **fields)
        assert answer.flags == "SA"
        assert answer.ack == self.sequence
        self.acknowledge = (answer.seq + 1) & MASK
        assert self.put("A") == []
        return answer

    def take(self, packets: list[Packet]) -> bytes:
        """Data of segments in order, acknowledged by our next segment."""
        data = b""
        for packet in packets:
            if payload(packet):
                assert packet.seq == self.acknowledge, "out of order"
                data += payload(packet)
                self.acknowledge = (self.acknowledge + len(payload(packet))) & MASK
        return data
