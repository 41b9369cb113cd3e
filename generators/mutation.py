# SPDX-License-Identifier: MIT
"""Frames as a hostile or broken network could bring them: each mutation changes a random share of a batch at once.

Most keep the checksums right for what they changed, so that the fault itself is found and not its checksum; a share
leaves them stale. None needs to know what a receiver makes of the result: a model judges every frame by its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generators import batch, prototype
from generators.batch import (
    IP_DESTINATION,
    IP_FRAGMENT,
    IP_PROTOCOL,
    IP_TOTAL,
    TAG_BYTES,
    UDP_LENGTH,
    UDP_PORT,
    Frames,
    Numbers,
    columns,
    encode,
    get16,
    mold_payloads,
    put16,
    random_blocks,
    refresh_ip,
    refresh_udp,
)
from generators.tables import MOLD_BLOCK, MOLD_END_OF_SESSION, MOLD_HEADER, MOLD_HEARTBEAT

Random = np.random.Generator
STALE = 0.25  # share of the mutated frames whose checksums stay as they were

COUNT_AT = MOLD_HEADER.length - 2
ETHERTYPE_AT = 12
PROTOTYPE_HEADER, PROTOTYPE_BYTES = prototype.HEADER.size, prototype.MESSAGE.size


def _near(random: Random, value: Numbers) -> Numbers:
    """Another 16-bit value: one off, some off, an end of the range, or any."""
    size = len(value)
    choices = np.stack([value + random.choice([-1, 1], size), value + random.integers(-64, 65, size),
                        np.zeros(size, np.int64), np.full(size, 0xFFFF), random.integers(0, 1 << 16, size)])
    kind = random.choice(5, size, p=[0.35, 0.35, 0.08, 0.07, 0.15])
    changed: Numbers = choices[kind, np.arange(size)] & 0xFFFF
    return changed


def bit_flip(random: Random, frames: Frames, rows: Numbers) -> None:
    """One bit anywhere behind the MAC addresses."""
    at = random.integers(ETHERTYPE_AT, frames.length[rows])
    frames.data[rows, at] ^= (1 << random.integers(0, 8, len(rows))).astype(np.uint8)


def header_byte(random: Random, frames: Frames, rows: Numbers) -> None:
    """Another value of one byte from the EtherType to the end of the MoldUDP64 header."""
    at = random.integers(ETHERTYPE_AT, frames.payload_start[rows] + MOLD_HEADER.length)
    frames.data[rows, at] = random.integers(0, 256, len(rows), np.uint8)


def truncation(random: Random, frames: Frames, rows: Numbers) -> None:
    """The frame ends early: anywhere, or inside its headers."""
    anywhere = random.integers(1, frames.length[rows])
    in_headers = random.integers(ETHERTYPE_AT, frames.payload_start[rows] + MOLD_HEADER.length)
    _cut(frames, rows, np.where(random.random(len(rows)) < 0.5, anywhere, in_headers))


def short_datagram(random: Random, frames: Frames, rows: Numbers) -> None:
    """UDP and IP end early, with right lengths, and the frame with them or not: blocks are cut."""
    udp = frames.udp_start[rows]
    length = random.integers(0, get16(frames.data, rows, udp + UDP_LENGTH) + 1)
    put16(frames.data, rows, udp + UDP_LENGTH, length)
    put16(frames.data, rows, frames.ip_start[rows] + IP_TOTAL, udp - frames.ip_start[rows] + length)
    cut = random.random(len(rows)) < 0.5
    _cut(frames, rows[cut], (udp + np.maximum(length, 1))[cut])


def trailer(random: Random, frames: Frames, rows: Numbers) -> None:
    """Bytes behind the datagram, as Ethernet padding; UDP or IP length may take them in."""
    room = frames.data.shape[1] - frames.length[rows]
    added = np.minimum(random.integers(1, 40, len(rows)), room)
    column = columns(frames.data.shape[1])
    start = frames.length[rows]
    new = (column >= start[:, None]) & (column < (start + added)[:, None])
    noise = random.integers(0, 256, new.shape, np.uint8)
    frames.data[rows] = np.where(new, noise, frames.data[rows])
    frames.length[rows] = start + added
    kind = random.integers(0, 3, len(rows))
    ip, udp = frames.ip_start[rows] + IP_TOTAL, frames.udp_start[rows] + UDP_LENGTH
    put16(frames.data, rows, ip, get16(frames.data, rows, ip) + np.where(kind >= 1, added, 0))
    put16(frames.data, rows, udp, get16(frames.data, rows, udp) + np.where(kind == 2, added, 0))


def ip_length(random: Random, frames: Frames, rows: Numbers) -> None:
    at = frames.ip_start[rows] + IP_TOTAL
    put16(frames.data, rows, at, _near(random, get16(frames.data, rows, at)))


def udp_length(random: Random, frames: Frames, rows: Numbers) -> None:
    at = frames.udp_start[rows] + UDP_LENGTH
    put16(frames.data, rows, at, _near(random, get16(frames.data, rows, at)))


def block_count(random: Random, frames: Frames, rows: Numbers) -> None:
    at = frames.payload_start[rows] + COUNT_AT
    put16(frames.data, rows, at, _near(random, get16(frames.data, rows, at)))


def block_length(random: Random, frames: Frames, rows: Numbers) -> None:
    """The length of the first block, or of one that a walk over the blocks comes to."""
    at = frames.payload_start[rows] + MOLD_HEADER.length
    inside = at + MOLD_BLOCK.length <= frames.length[rows]
    rows, at = rows[inside], at[inside]
    for _ in range(3):
        after = at + MOLD_BLOCK.length + get16(frames.data, rows, at)
        further = (after + MOLD_BLOCK.length <= frames.length[rows]) & (random.random(len(rows)) < 0.6)
        at = np.where(further, after, at)
    put16(frames.data, rows, at, _near(random, get16(frames.data, rows, at)))


def ip_header(random: Random, frames: Frames, rows: Numbers) -> None:
    """Version, header length, fragment, protocol, or destination."""
    data, ip, size = frames.data, frames.ip_start[rows], len(rows)
    kind = random.integers(0, 5, size)
    first = data[rows, ip]
    data[rows, ip] = np.where(kind == 0, first & 0x0F | random.integers(0, 16, size, np.uint8) << 4,
                              np.where(kind == 1, first & 0xF0 | random.integers(0, 16, size, np.uint8), first))
    fragment = np.where(random.random(size) < 0.5, 0x2000, random.integers(0, 1 << 14, size))
    put16(data, rows, ip + IP_FRAGMENT, np.where(kind == 2, fragment, get16(data, rows, ip + IP_FRAGMENT)))
    protocol = data[rows, ip + IP_PROTOCOL]
    data[rows, ip + IP_PROTOCOL] = np.where(kind == 3, random.choice([1, 6, 16, 255], size), protocol)
    at = ip + IP_DESTINATION + random.integers(0, 4, size)
    data[rows, at] ^= np.where(kind == 4, 1 << random.integers(0, 8, size), 0).astype(np.uint8)


def udp_port(random: Random, frames: Frames, rows: Numbers) -> None:
    at = frames.udp_start[rows] + UDP_PORT + random.integers(0, 2, len(rows))
    frames.data[rows, at] ^= (1 << random.integers(0, 8, len(rows))).astype(np.uint8)


def ethertype(random: Random, frames: Frames, rows: Numbers) -> None:
    """Of one level of the tag stack: no type at all, a tag, IPv4 too early, or IPv6."""
    level = random.integers(0, frames.tags[rows] + 1)
    value = random.choice([0x0000, 0x8100, 0x88A8, 0x0800, 0x86DD, 0x9100, 0x0801], len(rows))
    put16(frames.data, rows, ETHERTYPE_AT + TAG_BYTES * level, value)


def udp_checksum(random: Random, frames: Frames, rows: Numbers) -> None:
    """Wrong, or 0: none (RFC 768)."""
    at = frames.udp_start[rows] + batch.UDP_CHECKSUM
    wrong = get16(frames.data, rows, at) ^ 1 << random.integers(0, 16, len(rows))
    put16(frames.data, rows, at, np.where(random.random(len(rows)) < 0.5, 0, wrong))


def ip_checksum(random: Random, frames: Frames, rows: Numbers) -> None:
    at = frames.ip_start[rows] + batch.IP_CHECKSUM
    put16(frames.data, rows, at, get16(frames.data, rows, at) ^ 1 << random.integers(0, 16, len(rows)))


Mutation = Callable[[Random, Frames, Numbers], None]

# Behind these the checksums are made right again, but for a STALE share; the others are about checksums or any byte.
REFRESHED: Sequence[Mutation] = (
    short_datagram, trailer, ip_length, udp_length, block_count, block_length, ip_header, udp_port, ethertype,
    header_byte,
)
UNREFRESHED: Sequence[Mutation] = (bit_flip, truncation, udp_checksum, ip_checksum)


def mutate(random: Random, frames: Frames, share: float) -> Numbers:
    """Changes about ``share`` of the frames, each by one mutation; returns which frames."""
    mutations = [*REFRESHED, *UNREFRESHED]
    chosen = np.flatnonzero(random.random(len(frames)) < share)
    kind = random.integers(0, len(mutations), len(chosen))
    for number, mutation in enumerate(mutations):
        rows = chosen[kind == number]
        if not len(rows):
            continue
        mutation(random, frames, rows)
        if number < len(REFRESHED):
            fresh = rows[random.random(len(rows)) >= STALE]
            # A frame cut inside its headers has no checksum fields any more.
            whole = fresh[frames.length[fresh] >= frames.payload_start[fresh]]
            refresh_udp(frames, whole)
            refresh_ip(frames, whole)
    return chosen


def _cut(frames: Frames, rows: Numbers, length: Numbers) -> None:
    frames.length[rows] = np.minimum(length, frames.length[rows])
    data = frames.data[rows]
    data[columns(data.shape[1]) >= frames.length[rows][:, None]] = 0
    frames.data[rows] = data


@dataclass
class Traffic:
    """Frames of both lines in order of their times, which are nanoseconds."""

    frames: Frames
    time_ns: Numbers
    line: Numbers  # 0 A, 1 B
    bad_fcs: npt.NDArray[np.bool_]
    mutated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)


def traffic(seed: int, count: int, mutated: float = 0.5, two_lines: bool = True, jumbo: bool = False) -> Traffic:
    """About ``count`` frames of a stream: the same packets on both lines with skew, losses and repeats, jumps of the
    sequence number and the session, heartbeats and ends of session; and a share of them mutated.

    ``jumbo``: packets of up to 9,216 bytes of frame and beyond, in shortest blocks too.
    """
    random = np.random.default_rng(seed)
    return _on_lines(random, _stream(random, max(1, count // 2 if two_lines else count), jumbo), mutated, two_lines)


def prototype_traffic(seed: int, count: int, mutated: float = 0.5) -> Traffic:
    """As ``traffic``, of the seed prototype's packets on line A: session 8, payload length 4, payload."""
    random = np.random.default_rng(seed)
    odd = random.random(count) < 0.1
    length = np.where(odd, random.integers(0, 200, count), PROTOTYPE_BYTES)
    data = random.integers(0, 256, (count, PROTOTYPE_HEADER + int(length.max(initial=0))), np.uint8)
    data[:, :PROTOTYPE_HEADER] = 0
    data[:, :8] = np.frombuffer(prototype.SESSION, np.uint8)
    data[:, 7] += np.cumsum(random.random(count) < 0.01).astype(np.uint8)
    announced = np.where(random.random(count) < 0.05, _near(random, length), length)
    put16(data, slice(None), np.array(PROTOTYPE_HEADER - 2), announced)
    data[random.random(count) < 0.005, 8] = 1
    data[columns(data.shape[1]) >= (PROTOTYPE_HEADER + length)[:, None]] = 0
    return _on_lines(random, batch.Blocks(data, PROTOTYPE_HEADER + length), mutated, False)


def _stream(random: Random, packets: int, jumbo: bool) -> batch.Blocks:
    """MoldUDP64 packets in the order in which they are sent."""
    blocks_in = _block_counts(random, packets, jumbo)
    blocks = random_blocks(random, int(blocks_in.sum()), odd=0.1, longest=3000 if jumbo else 300)
    if jumbo:
        short = random.random(len(blocks.length)) < 0.6
        blocks.length[short] = random.integers(0, 7, int(short.sum()))
        blocks.data[columns(blocks.data.shape[1]) >= blocks.length[:, None]] = 0

    # A packet goes on where the last one ended; now and then the whole stream jumps, or one packet is from elsewhere.
    jump = np.where(random.random(packets) < 0.03, random.integers(-30, 31, packets), 0)
    start = int(random.choice([1, 1000, (1 << 64) - 40 * packets, (1 << 63) - 3 * packets]))
    ends = np.cumsum(blocks_in + jump)
    sequence = np.uint64(start % (1 << 64)) + (ends - blocks_in).astype(np.uint64)
    astray = random.random(packets) < 0.001
    sequence[astray] = random.integers(0, 1 << 64, int(astray.sum()), np.uint64)
    number = np.cumsum(random.random(packets) < 0.004)
    number += random.random(packets) < 0.01
    session = np.full((packets, batch.SESSION_BYTES), ord("0"), np.uint8)
    session[:, :4] = np.frombuffer(b"FUZZ", np.uint8)
    session[:, -1] += (number % 10).astype(np.uint8)

    payload = mold_payloads(blocks, blocks_in, session, sequence)
    empty = blocks_in == 0
    put16(payload.data, np.flatnonzero(empty), np.array(COUNT_AT),
          np.where(random.random(int(empty.sum())) < 0.15, MOLD_END_OF_SESSION, MOLD_HEARTBEAT))
    return payload


def _on_lines(random: Random, payload: batch.Blocks, mutated: float, two_lines: bool) -> Traffic:
    """Which packets each line carries, and when: at line rate in bursts, or with gaps; line B some way behind or
    ahead; then headers around them, and the mutations."""
    packets = len(payload.length)
    spacing = np.where(random.random(packets) < 0.8, 0, random.integers(0, 4000, packets))
    frame_ns = (payload.length + 100) * 4 // 5
    sent = np.cumsum(spacing + frame_ns)
    picks, times, lines = [], [], []
    for line in range(2 if two_lines else 1):
        skew = int(random.integers(-3000, 3000)) if line else 0
        kept = np.flatnonzero(random.random(packets) >= (0.1 if two_lines else 0.02))
        repeated = np.sort(np.concatenate([kept, kept[random.random(len(kept)) < 0.02]]))
        picks.append(repeated)
        times.append(np.maximum(sent[repeated] + skew, 0))
        lines.append(np.full(len(repeated), line))
    order = np.lexsort((np.concatenate(lines), np.concatenate(times)))
    pick, time_ns, on = (np.concatenate(parts)[order] for parts in (picks, times, lines))

    tags = random.choice(4, len(pick), p=[0.5, 0.25, 0.2, 0.05])
    options = np.where(random.random(len(pick)) < 0.7, 0, random.integers(0, 11, len(pick)))
    frames = encode(batch.Blocks(payload.data[pick], payload.length[pick]), tags, options)
    frames.data = np.pad(frames.data, ((0, 0), (0, 64)))
    changed = np.zeros(len(pick), np.bool_)
    changed[mutate(random, frames, mutated)] = True
    bad_fcs = random.random(len(pick)) < 0.02
    return Traffic(frames, time_ns - (time_ns[0] if len(time_ns) else 0), on, bad_fcs, changed)


def _block_counts(random: Random, packets: int, jumbo: bool) -> Numbers:
    """Blocks in each packet: mostly few; none in heartbeats and ends of session."""
    count = np.where(random.random(packets) < 0.7, random.integers(1, 4, packets), random.integers(1, 30, packets))
    if jumbo:
        count = np.where(random.random(packets) < 0.5, count, random.integers(30, 400, packets))
    none = random.random(packets) < 0.05
    result: Numbers = np.where(none, 0, count)
    return result

