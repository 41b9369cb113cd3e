# SPDX-License-Identifier: MIT
"""The fast frame encoder against scapy (byte-equal) and tshark (fields and checksums), and the packing rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from generators.captures import write_pcap
from generators.framing import (
    DEFAULT_GROUP,
    DEFAULT_SOURCE,
    ETHERTYPE_SERVICE_VLAN,
    MAX_DATAGRAM,
    MAX_MESSAGE,
    MAX_PAYLOAD,
    SOURCE_MAC,
    FrameEncoder,
    Group,
    VlanTag,
    end_of_session,
    heartbeat,
    mold_packet,
    pack_messages,
)
from generators.layers import MoldUDP64
from generators.tables import MOLD_HEADER, WireError

Tshark = Callable[..., list[list[str]]]


def scapy_frame(payload: bytes, group: Group, ethernet: Ether) -> bytes:
    return bytes(ethernet / IP(src=DEFAULT_SOURCE, dst=group.address, ttl=21, flags="DF", id=0)
                 / UDP(sport=group.port, dport=group.port) / Raw(payload))


def ethernet(group: Group) -> Ether:
    return Ether(dst=group.mac, src=SOURCE_MAC)


@pytest.mark.parametrize("group", [DEFAULT_GROUP, Group("239.255.255.255", 65535), Group("10.1.2.3", 1)], ids=str)
def test_equal_to_scapy(group: Group, random: Random) -> None:
    encode = FrameEncoder(group).encode
    for length in [*range(70), *(random.randrange(MAX_PAYLOAD + 1) for _ in range(100)), MAX_PAYLOAD, MAX_DATAGRAM]:
        payload = random.choice([random.randbytes(length), bytes(length), b"\xff" * length])
        assert encode(payload) == scapy_frame(payload, group, ethernet(group)), f"{length} bytes"


def test_vlan_tags_equal_to_scapy(random: Random) -> None:
    payload = random.randbytes(99)
    one = FrameEncoder(vlan_tags=[VlanTag(141)]).encode(payload)
    assert one == scapy_frame(payload, DEFAULT_GROUP, ethernet(DEFAULT_GROUP) / Dot1Q(vlan=141))
    two = FrameEncoder(vlan_tags=[VlanTag(7, 5, ETHERTYPE_SERVICE_VLAN), VlanTag(4095)]).encode(payload)
    assert two == scapy_frame(payload, DEFAULT_GROUP, ethernet(DEFAULT_GROUP) / Dot1AD(vlan=7, prio=5)
                              / Dot1Q(vlan=4095))


def test_defaults_are_those_of_a_real_feed() -> None:
    frame = Ether(FrameEncoder().encode(mold_packet([b""], 1)))
    assert (frame.dst, frame[IP].src, frame[IP].dst) == ("01:00:5e:36:0c:6f", "206.200.127.138", "233.54.12.111")
    assert (frame[IP].ttl, str(frame[IP].flags), frame[UDP].dport) == (21, "DF", 26477)
    assert frame[MoldUDP64].session == "TICKLOOP01"


def test_computed_zero_udp_checksum_is_sent_as_ffff() -> None:
    base = FrameEncoder().encode(b"\x00\x00")
    checksum = base[40:42]
    # Ones' complement: adding the checksum itself as data makes the sum 0xFFFF, whose complement is zero.
    frame = FrameEncoder().encode(checksum)
    assert frame[40:42] == b"\xff\xff"
    assert frame == scapy_frame(checksum, DEFAULT_GROUP, ethernet(DEFAULT_GROUP))


def test_datagram_too_large() -> None:
    with pytest.raises(WireError, match="at most 65507 bytes"):
        FrameEncoder().encode(bytes(MAX_DATAGRAM + 1))


@pytest.mark.parametrize("text", ["", "1.2.3.4", "1.2.3.4:", "1.2.3:5", "1.2.3.4:0", "1.2.3.4:65536", "::1:5",
                                  "1.2.3.4:+5", "1.2.3.4:\u0665", "host:5"])
def test_bad_group(text: str) -> None:
    with pytest.raises(ValueError, match="a group is ADDRESS:PORT"):
        Group.parse(text)


def test_group() -> None:
    assert Group.parse("233.54.12.111:26477") == DEFAULT_GROUP
    assert str(DEFAULT_GROUP) == "233.54.12.111:26477"


def unpack(packet: bytes) -> tuple[int, list[bytes]]:
    """Sequence and messages of a packet, by hand."""
    count, position, messages = int.from_bytes(packet[18:20], "big"), 20, []
    for _ in range(count):
        length = int.from_bytes(packet[position:position + 2], "big")
        messages.append(packet[position + 2:position + 2 + length])
        position += 2 + length
    assert position == len(packet)
    return int.from_bytes(packet[10:18], "big"), messages


def test_packing_rule(random: Random) -> None:
    messages = []
    now = 0
    for _ in range(3_000):
        now += random.choice([0] * 30 + [1, 1000])
        messages.append((now, random.randbytes(random.choice([0, 12, 19, 36, 50, 1450]))))
    expected_sequence, delivered, previous = 1, [], None
    for time_ns, packet in pack_messages(messages):
        sequence, inside = unpack(packet)
        assert packet[:10] == b"TICKLOOP01"
        assert sequence == expected_sequence
        assert inside
        assert len(packet) <= MAX_PAYLOAD
        if previous is not None and previous[0] == time_ns:
            # Only a full packet may end before the timestamp changes.
            assert previous[1] + 2 + len(inside[0]) > MAX_PAYLOAD
        previous = (time_ns, len(packet))
        expected_sequence += len(inside)
        delivered += [(time_ns, message) for message in inside]
    assert delivered == messages


def test_a_full_packet_is_exactly_the_limit() -> None:
    exact = [(5, bytes(36))] * 38 + [(5, bytes(MAX_PAYLOAD - 20 - 38 * 38 - 2))]
    assert [len(packet) for _, packet in pack_messages(exact)] == [MAX_PAYLOAD]
    over = [*exact[:-1], (5, exact[-1][1] + b"\0")]
    assert [len(unpack(packet)[1]) for _, packet in pack_messages(over)] == [38, 1]


def test_a_message_beyond_the_limit_travels_alone() -> None:
    sizes = [10, MAX_PAYLOAD, MAX_MESSAGE, 10]
    packed = [unpack(packet) for _, packet in pack_messages((0, bytes(size)) for size in sizes)]
    assert [(sequence, [len(message) for message in inside]) for sequence, inside in packed] == \
        [(n, [size]) for n, size in enumerate(sizes, 1)]
    with pytest.raises(WireError, match="does not fit a UDP datagram"):
        list(pack_messages([(0, bytes(MAX_MESSAGE + 1))]))


def test_sequence_wraps() -> None:
    assert unpack(mold_packet([b"a"], 1 << 64))[0] == 0
    top = (1 << 64) - 1
    assert [unpack(packet)[0] for _, packet in pack_messages([(0, b"a"), (1, b"b")], sequence=top)] == [top, 0]


def test_control_packets() -> None:
    assert MOLD_HEADER.decode(heartbeat(9)) == {"session": "TICKLOOP01", "sequence_number": 9, "message_count": 0}
    assert MOLD_HEADER.decode(end_of_session(9, "S"))["session"] == "S         "


def test_tshark_reads_every_frame(tmp_path: Path, tshark: Tshark, random: Random) -> None:
    groups = []
    now = 0
    for _ in range(60):
        now += 10
        groups.append((now, [random.randbytes(random.randint(1, 50)) for _ in range(random.randint(1, 20))]))
    flat = [(time_ns, message) for time_ns, messages in groups for message in messages]
    encode = FrameEncoder(vlan_tags=[VlanTag(141)]).encode
    packets = [*pack_messages(flat), (now + 1, heartbeat(len(flat) + 1)), (now + 2, end_of_session(len(flat) + 1))]
    path = tmp_path / "frames.pcap"
    write_pcap(path, ((time_ns, encode(packet)) for time_ns, packet in packets))
    rows = tshark(path, "frame.time_epoch", "ip.checksum.status", "udp.checksum.status", "moldudp64.session",
                  "moldudp64.sequence", "moldudp64.count", "moldudp64.msgdata", "_ws.expert")
    assert len(rows) == len(packets) == 62
    sequence = 1
    for (time_ns, messages), row in zip(groups, rows, strict=False):
        assert row == [f"0.{time_ns:09}", "1", "1", "TICKLOOP01", str(sequence), str(len(messages)),
                       ",".join(message.hex() for message in messages), ""]
        sequence += len(messages)
    assert [row[1:6] for row in rows[60:]] == [["1", "1", "TICKLOOP01", str(sequence), count] for count in
                                               ("0", "65535")]
