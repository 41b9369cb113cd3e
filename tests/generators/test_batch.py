# SPDX-License-Identifier: MIT
"""The vectorised encoder writes the bytes that framing.py and scapy write, and each mutation does what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP, IPOption_NOP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from generators.batch import Blocks, encode, mold_payloads, random_blocks
from generators.framing import DEFAULT_GROUP, DEFAULT_SOURCE, SOURCE_MAC, TTL, FrameEncoder, mold_packet
from generators.layers import MoldBlock, MoldUDP64, itch_message

SESSION = b"BATCH00001"


@pytest.fixture
def packets(random):
    """Packets of 0 to 20 messages of every type and of odd ones: the batch's payloads, and the same as plain lists."""
    numbers = np.random.default_rng(random.randrange(1 << 32))
    count = np.array([random.randrange(20) for _ in range(300)])
    blocks = random_blocks(numbers, int(count.sum()), odd=0.2)
    sequence = numbers.integers(0, 1 << 64, 300, np.uint64)
    messages = [blocks.data[i, :blocks.length[i]].tobytes() for i in range(len(blocks.length))]
    assert len({message[:1] for message in messages}) > 23
    starts = np.concatenate([[0], np.cumsum(count)])
    lists = [(int(sequence[i]), messages[starts[i]:starts[i + 1]]) for i in range(300)]
    return mold_payloads(blocks, count, np.frombuffer(SESSION, np.uint8), sequence), lists


def test_packets_are_those_of_framing(packets):
    payload, lists = packets
    for i, (sequence, messages) in enumerate(lists):
        assert payload.data[i, :payload.length[i]].tobytes() == mold_packet(messages, sequence, SESSION.decode())
        assert not payload.data[i, payload.length[i]:].any()


def test_frames_are_those_of_framing(packets):
    payload, lists = packets
    frames = encode(payload)
    encoder = FrameEncoder()
    for i, (sequence, messages) in enumerate(lists):
        assert frames.frame(i) == encoder.encode(mold_packet(messages, sequence, SESSION.decode()))


@pytest.mark.parametrize("tags", [0, 1, 2, 3])
def test_frames_are_those_of_scapy(packets, random, tags):
    """With VLAN tags and IP options; lengths and checksums are scapy's own."""
    payload, lists = packets
    chosen = [random.randrange(300) for _ in range(25)]
    options = np.array([random.randrange(11) for _ in chosen])
    frames = encode(Blocks(payload.data[chosen], payload.length[chosen]), np.full(25, tags), options)
    for row, i in enumerate(chosen):
        sequence, messages = lists[i]
        ethernet = Ether(src=SOURCE_MAC, dst=DEFAULT_GROUP.mac)
        for left in range(tags, 0, -1):
            ethernet /= Dot1AD(vlan=141) if left > 1 else Dot1Q(vlan=141)
        blocks = [MoldBlock(message_data=itch_message(message)) for message in messages]
        address = IP(src=DEFAULT_SOURCE, dst=DEFAULT_GROUP.address, id=0, ttl=TTL, flags="DF",
                     options=[IPOption_NOP() for _ in range(4 * int(options[row]))])
        expected = ethernet / address / UDP(sport=DEFAULT_GROUP.port, dport=DEFAULT_GROUP.port) / MoldUDP64(
            session=SESSION.decode(), sequence_number=sequence, blocks=blocks)
        assert frames.frame(row) == bytes(expected)
