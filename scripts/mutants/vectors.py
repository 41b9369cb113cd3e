# SPDX-License-Identifier: MIT
"""The vectors that mutants are judged by: random traffic in every mode, and directed ones, each for a class of state
that random traffic hardly comes to (long carries, long frames, long waits, full queues, rare set-ups).

Short ones come first: most mutants die early.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import numpy as np

from generators import batch, prototype
from generators.batch import TYPES, Blocks, Frames, encode, put16, refresh_ip, refresh_udp
from generators.framing import DEFAULT_GROUP, Group
from generators.mutation import Traffic, prototype_traffic, traffic
from generators.tables import MOLD_END_OF_SESSION
from scripts.mutants.stimulus import FILL_CLOCKS, GAP, GROUP_ADDRESS, Stimulus

MODULO = 1 << 64
SILENCE_CLOCKS = 4096  # of rtl/arbiter.v
MUTATED = 0.35


def blocks_of(random: np.random.Generator, lengths: list[int]) -> bytes:
    """Message blocks of these lengths, most of them with a known type."""
    out = []
    for length in lengths:
        data = random.integers(0, 256, length, np.uint8)
        if length and random.random() < 0.8:
            data[0] = random.choice(TYPES)
        out.append(length.to_bytes(2, "big") + data.tobytes())
    return b"".join(out)


def packet(session: bytes, sequence: int, blocks: bytes = b"", count: int = 0) -> bytes:
    """A MoldUDP64 packet."""
    return session + (sequence % MODULO).to_bytes(8, "big") + count.to_bytes(2, "big") + blocks


def frames_of(payloads: list[bytes], random: np.random.Generator, *, tags: int = 3, options: int = 11,
              group: Group = DEFAULT_GROUP) -> Frames:
    """Each payload in a frame of its own with up to that many tags and words of options."""
    length = np.array([len(payload) for payload in payloads], np.int64)
    data = np.zeros((len(payloads), int(length.max()) + 1), np.uint8)
    for row, payload in enumerate(payloads):
        data[row, : len(payload)] = np.frombuffer(payload, np.uint8)
    size = len(payloads)
    return encode(Blocks(data, length), random.integers(0, tags, size), random.integers(0, options, size), group)


def all_of(frames: Frames) -> list[bytes]:
    return [frames.frame(row) for row in range(len(frames))]


def both_lines(made: Stimulus, frames: list[bytes], *, skew: int = 30, lost: float = 0.1, idle: float = 0.0,
               gap: int = 0, bad: float = 0.03) -> None:
    """The frames on line A, and on line B some clocks behind or ahead; each loses some."""
    random = made.random
    at = made.now + skew
    for data in frames:
        for line in (0, 1):
            if random.random() >= lost:
                made.frame(line, data, clock=at + int(random.integers(-skew, skew + 1)) if skew else at,
                           bad_fcs=bool(random.random() < bad), idle=idle)
        at += len(data) // 8 + 4 + (int(random.integers(0, gap + 1)) if gap else 0)
    made.now = made.end


def fill_filter(made: Stimulus, passes: bool) -> None:
    made.pulse(made.now, FILTER_FILL=1)
    made.set(made.now, FILTER_FILL_VALUE=int(passes))
    made.now += FILL_CLOCKS


def update_filter(made: Stimulus, clocks: int, every: int) -> None:
    """From now on bits of the filter change, at random."""
    random = made.random
    for clock in range(made.now, made.now + clocks, every):
        made.pulse(clock, FILTER_UPDATE=1)
        made.set(clock, FILTER_UPDATE_LOCATE=int(random.integers(1 << 16)),
                 FILTER_UPDATE_PASS=int(random.integers(2)))


def on_both(made: Traffic, seed: int) -> Traffic:
    """The prototype's traffic, which is on line A, on either."""
    made.line = np.random.default_rng(seed).integers(0, 2, len(made))
    return made


# ---- random traffic

def feed(seed: int, frames: int, *, verified: int = 0, hold: int = 0, pace: float = 1.0, idle: float = 0.0,
         jumbo: bool = False) -> Stimulus:
    made = Stimulus(seed)
    made.set(made.now, ENABLE=1, VERIFIED=verified, HOLD=hold)
    made.play(traffic(seed, frames, MUTATED, jumbo=jumbo), pace=pace, idle=idle)
    made.settle(1000)
    return made


def prototype_feed(seed: int, frames: int, *, verified: int = 0, hold: int = 0, pace: float = 0.0,
                   idle: float = 0.0) -> Stimulus:
    made = Stimulus(seed)
    made.set(made.now, ENABLE=1, PROTOTYPE=1, VERIFIED=verified, HOLD=hold)
    made.play(on_both(prototype_traffic(seed, frames, MUTATED), seed), pace=pace, idle=idle)
    made.settle(1000)
    return made


def filtered(seed: int, frames: int) -> Stimulus:
    """Bits set one by one on either ground, looked up before, while and after they change; then enable itself does."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1, HOLD=300)
    for ground in (True, False):
        fill_filter(made, ground)
        made.set(made.now, FILTER_ENABLE=1)
        sent = traffic(seed + ground, frames, 0.05)
        update_filter(made, 10 * frames, 4 if ground else 11)
        made.play(sent, pace=0.0)
        locates = random.integers(0, 1 << 16, 200)
        for locate in locates.tolist():
            made.pulse(made.now, FILTER_UPDATE=1)
            made.set(made.now, FILTER_UPDATE_LOCATE=locate, FILTER_UPDATE_PASS=1 - ground)
            made.now += 4
        near = [int(locate) ^ (1 << int(random.integers(16)) if random.random() < 0.7 else 0) for locate in locates]
        payloads = [packet(b"LOCATE   0", 1 + 2 * at, block * 2, 2) for at, block in enumerate(
            (36).to_bytes(2, "big") + b"A" + locate.to_bytes(2, "big") + bytes(33) for locate in near)]
        both_lines(made, all_of(frames_of(payloads, random)))
        for clock in range(made.now, made.now + 8 * frames, 97):
            made.set(clock, FILTER_ENABLE=int(random.integers(2)))
        made.play(traffic(seed + 7, frames // 2, 0.05), pace=0.0)
        made.settle()
    made.settle(1000)
    return made


def fill_watched(seed: int, rounds: int) -> Stimulus:
    """Messages of locates that the fill just comes to, or has just left."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1)
    fill_filter(made, True)
    made.set(made.now, FILTER_ENABLE=1)
    sequence = 1
    for number in range(rounds):
        begin = made.now
        made.pulse(begin, FILTER_FILL=1)
        made.set(begin, FILTER_FILL_VALUE=number & 1)
        clock = begin + 20
        while clock < begin + FILL_CLOCKS:
            locates = np.clip(clock - begin + 10 + random.integers(-12, 13, 4), 0, 2047) * 32 + random.integers(32)
            blocks = b"".join((12).to_bytes(2, "big") + b"S" + int(locate).to_bytes(2, "big") + bytes(9)
                              for locate in locates)
            data = frames_of([packet(b"FILL     0", sequence, blocks, 4)], random, tags=1, options=1).frame(0)
            sequence += 4
            clock = made.frame(number >> 1 & 1, data, clock=clock) + 4
        made.settle(100)
    made.settle(1000)
    return made


def filter_reset(seed: int, rounds: int) -> Stimulus:
    """Resets while the filter is filled and while a bit is set; then what it lets pass."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1)
    for number in range(rounds):
        made.pulse(made.now, FILTER_FILL=1)
        made.set(made.now, FILTER_FILL_VALUE=number & 1)
        reset = made.now + int(random.integers(1, FILL_CLOCKS))
        made.pulse(reset, RST=1)
        made.pulse(reset + int(random.integers(-2, 3)), FILTER_UPDATE=1)
        made.set(reset - 3, FILTER_UPDATE_LOCATE=int(random.integers(1 << 16)), FILTER_UPDATE_PASS=1 - (number & 1))
        made.now = reset + 10
        fill_filter(made, number & 2 > 0)
        made.set(made.now, FILTER_ENABLE=1)
        made.play(traffic(seed + number, 40, 0.0), pace=0.0)
        made.settle(60)
    made.settle(1000)
    return made


# ---- directed

def sessions(seed: int, packets: int, *, verified: int = 0, hold: int = 0) -> Stimulus:
    """Sessions that differ in one bit or in all; numbers at long carries; steps of a power of two and one off, both
    ways."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1, VERIFIED=verified, HOLD=hold)
    session = bytearray(random.integers(0, 256, 10, np.uint8).tobytes())
    sequence = 1
    payloads = []
    for _ in range(packets):
        kind = random.random()
        if kind < 0.1:
            session[random.integers(10)] ^= 1 << int(random.integers(8))
        elif kind < 0.13:
            session[:] = random.integers(0, 256, 10, np.uint8).tobytes()
        elif kind < 0.4:
            power = 1 << int(random.integers(64))
            sequence += int(random.choice([-1, 1])) * power + int(random.integers(-2, 3))
        elif kind < 0.6:
            sequence = (1 << int(random.integers(8, 65))) - int(random.integers(0, 6))
        elif kind < 0.65:
            sequence = int(random.integers(0, MODULO, dtype=np.uint64))
        count = int(random.integers(0, 5))
        blocks = blocks_of(random, [int(random.integers(0, 40)) for _ in range(count)])
        announced = count if count or random.random() < 0.7 else MOLD_END_OF_SESSION
        payloads.append(packet(bytes(session), sequence, blocks, announced))
        if random.random() < 0.8:
            sequence += count
    both_lines(made, all_of(frames_of(payloads, random, options=2)), skew=40, gap=20)
    made.settle(1500)
    return made


def counted_on(seed: int, rounds: int) -> Stimulus:
    """The prototype's packets go on at any number that a MoldUDP64 packet of the same session left behind."""
    made = Stimulus(seed)
    random = made.random
    for _ in range(rounds):
        session = random.integers(0, 256, 8, np.uint8).tobytes()
        sequence = (1 << int(random.integers(1, 65))) - int(random.integers(0, 5))
        if random.random() < 0.4:
            sequence = int(random.integers(0, MODULO, dtype=np.uint64))
        made.set(made.now, ENABLE=1, PROTOTYPE=0, HOLD=int(random.choice([0, 200])), VERIFIED=int(random.integers(2)))
        both_lines(made, all_of(frames_of([packet(session + b"  ", sequence)], random, options=2)), lost=0.0)
        made.settle(60)
        made.set(made.now, ENABLE=0)
        made.settle(60)
        made.set(made.now, ENABLE=1, PROTOTYPE=1)
        payloads = []
        for _ in range(5):
            other = random.integers(0, 256, 8, np.uint8).tobytes() if random.random() < 0.1 else session
            size = 11 if random.random() < 0.75 else int(random.integers(0, 60))
            payloads.append(prototype.packet(random.integers(0, 256, size, np.uint8).tobytes(), other))
        both_lines(made, all_of(frames_of(payloads, random, options=3)), lost=0.5)
        made.settle(60)
        made.set(made.now, ENABLE=0)
        made.settle(60)
    made.settle(1000)
    return made


def long_frames(seed: int, frames: int, *, verified: int = 0, is_prototype: bool = False) -> Stimulus:
    """Frames of any length up to oversize: one long block or some, bytes behind the datagram, ends at every lane, IP
    and UDP lengths one off, lengths with one bit changed."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1, VERIFIED=verified, PROTOTYPE=int(is_prototype), HOLD=int(random.choice([0, 500])))
    sequence = 1
    for _ in range(frames):
        size = int(2 ** random.uniform(3, 13.2))
        if is_prototype:
            body = random.integers(0, 256, size, np.uint8).tobytes()
            announced = size
            if random.random() < 0.6:
                announced ^= 1 << int(random.integers(32))
            elif random.random() < 0.5:
                announced = max(0, size - int(random.integers(0, 300)))
            payload = random.integers(0, 256, 8, np.uint8).tobytes() if random.random() < 0.1 else prototype.SESSION
            payload += announced.to_bytes(4, "big") + body
        else:
            lengths = [size]
            while random.random() < 0.5:
                lengths.insert(int(random.integers(len(lengths) + 1)), int(2 ** random.uniform(0, 10)) - 1)
            blocks = bytearray(blocks_of(random, lengths))
            if random.random() < 0.2:
                blocks[0] ^= 1 << int(random.integers(8))
            payload = packet(b"LONGFRAMES", sequence, bytes(blocks), len(lengths) + int(random.integers(-1, 2)))
            sequence += len(lengths)
        one = frames_of([payload], random)
        data = one.frame(0)
        if random.random() < 0.5:
            data += random.integers(0, 256, int(2 ** random.uniform(0, 13)), np.uint8).tobytes()
        data = data[:9300]
        if random.random() < 0.3:
            data = wrong_length(random, one, data)
        made.frame(int(random.integers(2)), data, idle=0.02 if random.random() < 0.3 else 0.0)
    made.settle(1500)
    return made


def wrong_length(random: np.random.Generator, one: Frames, data: bytes) -> bytes:
    """IP or UDP length with one bit changed, or some bytes off; the checksums are right."""
    frames = Frames(np.frombuffer(data.ljust(len(data) + 66 + len(data) % 2, b"\0"), np.uint8).copy()[None, :],
                    np.array([len(data)]), one.tags, one.ip_start, one.udp_start)
    row = np.array([0])
    at = one.ip_start + batch.IP_TOTAL if random.random() < 0.5 else one.udp_start + batch.UDP_LENGTH
    old = batch.get16(frames.data, row, at)
    new = old ^ 1 << int(random.integers(16)) if random.random() < 0.5 else old + int(random.integers(-4, 5))
    put16(frames.data, row, at, new)
    refresh_udp(frames, row)
    refresh_ip(frames, row)
    return frames.frame(0)


def checksums(seed: int, frames: int) -> Stimulus:
    """Sums that carry far: payloads of 0xFF, of zeros, sparse ones; each checksum right, one bit off, or 0."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1)
    for number in range(frames):
        size = int(random.integers(0, 70)) if random.random() < 0.8 else int(2 ** random.uniform(6, 13.1))
        body = np.full(size, random.choice([0, 0xFF]), np.uint8)
        touched = random.random(size) < random.choice([0.0, 0.05, 0.5])
        body[touched] = random.integers(0, 256, int(touched.sum()))
        payload = packet(b"CHECKSUMS" + bytes([48 + number % 7]), number, size.to_bytes(2, "big") + body.tobytes(), 1)
        short = random.random() < 0.1
        one = frames_of([payload[: int(random.integers(0, 20))] if short else payload], random)
        data, row = one.data, np.array([0])
        kind = random.random()
        at = (one.udp_start + batch.UDP_CHECKSUM if kind < 0.5 else one.ip_start + batch.IP_CHECKSUM)
        if kind < 0.25:
            put16(data, row, at, batch.get16(data, row, at) ^ 1 << int(random.integers(16)))
        elif kind < 0.3:
            put16(data, row, at, 0)
        elif kind > 0.75:
            put16(data, row, at, batch.get16(data, row, at) ^ 1 << int(random.integers(16)))
        made.frame(int(random.integers(2)), one.frame(0))
    made.settle(1000)
    return made


def overflows(seed: int, rounds: int, *, verified: int = 0) -> Stimulus:
    """Both queues full: one line falls silent inside a frame while the other goes on, with frames of a beat, of short
    blocks, of every kind; what is lost is more than a few frames. Then traffic as ever."""
    made = Stimulus(seed)
    random = made.random
    sequence = 1
    for number in range(rounds):
        made.set(made.now, ENABLE=1, VERIFIED=verified, HOLD=int(random.choice([0, 0, 4000, 1 << 20])))
        quiet = number & 1
        silence = (SILENCE_CLOCKS + 400, 2 * SILENCE_CLOCKS + 900, 1500)[(number >> 1) % 3]
        first = frames_of([packet(b"OVERFLOWED", sequence, blocks_of(random, [30] * 6), 6)], random, options=2).frame(0)
        pause_at = int(random.integers(1, len(first) // 8 + 1))
        made.frame(quiet, first, pause=(pause_at, silence))
        storm = number % 6 in (2, 3)
        until = made.now + (3000 if storm else silence + 300)
        clock = made.now + 5
        while clock < until:
            kind = random.random()
            if storm or kind < 0.3:
                data = random.integers(0, 256, int(random.integers(1, 9 if storm else 30)), np.uint8).tobytes()
            elif kind < 0.7:
                count = int(random.integers(1, 12))
                blocks = blocks_of(random, [int(random.integers(0, 50)) for _ in range(count)])
                data = frames_of([packet(b"OVERFLOWED", sequence, blocks, count)], random, options=1).frame(0)
                sequence += count if random.random() < 0.7 else 0
            else:
                count = int(random.integers(20, 900))
                data = frames_of([packet(b"OVERFLOWED", sequence, bytes(2 * count), count)], random, tags=1).frame(0)
                sequence += count if random.random() < 0.7 else 0
            clock = made.frame(1 - quiet, data, clock=clock, gap=0 if storm else GAP) + 1
            if not storm and random.random() < 0.1:
                clock += int(random.integers(400))
        made.settle(700)
        made.play(traffic(seed + sequence % 1000, 60, 0.1), pace=0.0)
        made.set(made.now, HOLD=0)
        made.settle(300)
        made.set(made.now, ENABLE=0)
        made.settle(100)
    made.settle(8000)
    return made


def holds(seed: int, rounds: int) -> Stimulus:
    """Frames ahead wait for times of any size, with the clock jumping to just before, at and behind their end; the
    other line fills the gap in time, too late, with another session, or is ahead as well."""
    made = Stimulus(seed)
    random = made.random
    session, sequence, time_ns = b"HOLDINGSON", 10, 0
    for _ in range(rounds):
        power = 1 << int(random.integers(2, 32))
        hold = power + int(random.integers(-3, 4))
        time_ns = int(random.integers(0, 1 << 48)) if random.random() < 0.7 else (1 << 48) - int(random.integers(99))
        made.set(made.now, ENABLE=1, HOLD=max(hold, 0), TIME_NS=time_ns, VERIFIED=int(random.random() < 0.3),
                 EVENT_ENABLE=int(random.integers(8)))
        begin = made.now

        def send(line: int, number: int, count: int, clock: int, session: bytes = session) -> None:
            blocks = blocks_of(random, [int(random.integers(1, 30)) for _ in range(count)])
            data = frames_of([packet(session, number, blocks, count or int(random.choice([0, 0xFFFF])))], random,
                             options=1).frame(0)
            made.frame(line, data, clock=clock, bad_fcs=bool(random.random() < 0.1))

        lead = int(random.integers(2))
        ahead = int(random.choice([1, 2, 3, 1 << int(random.integers(1, 63))]))
        send(lead, sequence, 1, begin)
        send(1 - lead, sequence, 1, begin + int(random.integers(40)))
        send(lead, sequence + 1 + ahead, int(random.integers(0, 3)), begin + 40)
        if random.random() < 0.5:
            send(lead, sequence + 2 + ahead, 1, begin + 50)
        jump_at = begin + 60 + int(random.integers(120))
        if random.random() < 0.8:
            reached = time_ns + 6 * (jump_at - begin) + hold + int(random.integers(-500, 200))
            made.set(jump_at, TIME_NS=reached % (1 << 48))
        kind = random.random()
        other = jump_at + int(random.integers(-100, 60))
        if kind < 0.3:
            send(1 - lead, sequence + 1, min(ahead, 3), other)
        elif kind < 0.5:
            send(1 - lead, sequence + 1 + ahead + int(random.integers(-1, 3)), 2, other)
        elif kind < 0.7:
            send(1 - lead, sequence, 1, other, b"HOLDINGSO" + bytes([int(random.integers(65, 90))]))
        elif kind < 0.8:
            made.set(other, HOLD=int(random.choice([0, 5, 1 << 31])))
        made.settle(300)
        made.set(made.now, HOLD=0, TIME_NS=(time_ns + (1 << 33)) % (1 << 48))
        made.settle(60)
        sequence = (sequence + ahead + 4) % MODULO if random.random() < 0.8 else int(random.integers(1, 1 << 62))
    made.settle(1500)
    return made


def set_ups(seed: int, rounds: int) -> Stimulus:
    """Inputs that change: groups of random bits, near misses of one bit, enable in the middle of frames, every event
    mask, resets in the middle of traffic."""
    made = Stimulus(seed)
    random = made.random
    for number in range(rounds):
        address, port = int(random.integers(1 << 32)), int(random.integers(1 << 16))
        if random.random() < 0.2:
            address, port = GROUP_ADDRESS, DEFAULT_GROUP.port
        is_prototype = int(random.random() < 0.3)
        made.set(made.now, GROUP_ADDRESS=address, GROUP_PORT=port, ENABLE=1, EVENT_ENABLE=int(random.integers(8)),
                 VERIFIED=int(random.integers(2)), PROTOTYPE=is_prototype, HOLD=int(random.choice([0, 100])))
        frames = []
        for at in range(16):
            wrong = random.random()
            sent = Group(str(IPv4Address(address ^ (1 << int(random.integers(32)) if wrong < 0.15 else 0))),
                         port ^ (1 << int(random.integers(16)) if 0.15 < wrong < 0.3 else 0))
            if is_prototype:
                payload = prototype.packet(random.integers(0, 256, 11, np.uint8).tobytes())
            else:
                payload = packet(b"SETUP" + number.to_bytes(5, "big"), at, blocks_of(random, [20, 36]), 2)
            frames += all_of(frames_of([payload], random, group=sent))
        for _ in range(3):
            clock = made.now + int(random.integers(300))
            made.set(clock, ENABLE=0)
            made.set(clock + int(random.integers(1, 30)), ENABLE=1)
            made.set(clock, EVENT_ENABLE=int(random.integers(8)))
        begin = made.now
        both_lines(made, frames, skew=25)
        if random.random() < 0.3:
            made.pulse(int(random.integers(begin, made.now)), RST=1)
        made.settle(80)
        made.set(made.now, ENABLE=0)
        made.settle(80)
    made.settle(1000)
    return made


def wrong_header(random: np.random.Generator, number: int) -> bytes:
    """A frame with one header field changed by a bit or to any value, or cut; most with checksums that are right."""
    rows = np.array([0])
    blocks = blocks_of(random, [int(random.integers(0, 30))])
    one = frames_of([packet(b"LAYERS   " + bytes([48 + number % 3]), number, blocks, 1)], random, tags=4)
    data = one.data
    kind = random.random()
    start = int(one.ip_start[0])
    if kind < 0.5:
        at = start + int(random.choice([0, 2, 3, 6, 7, 9, 16, 17, 18, 19]))
        data[0, at] ^= 1 << int(random.integers(8))
    elif kind < 0.6:
        data[0, start] = random.integers(256)
    elif kind < 0.75:
        at = 12 + int(random.integers(start - 12))
        data[0, at] ^= 1 << int(random.integers(8))
    elif kind < 0.85:
        at = int(one.udp_start[0]) + int(random.integers(8))
        data[0, at] ^= 1 << int(random.integers(8))
    if random.random() < 0.8:
        refresh_udp(one, rows)
        if int(data[0, start] & 15) * 4 + start < data.shape[1]:
            refresh_ip(one, rows)
    if kind > 0.9:
        data[0, int(one.udp_start[0]) + batch.UDP_CHECKSUM] ^= 1
    elif random.random() < 0.2:
        one.length[0] = random.integers(1, one.length[0])
    return one.frame(0)


def layers(seed: int, frames: int, *, verified: int = 0) -> Stimulus:
    """Headers with one field changed by a bit or to any value, checksums right again; ends at every byte of them."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1, VERIFIED=verified)
    for number in range(frames):
        made.frame(int(random.integers(2)), wrong_header(random, number), bad_fcs=bool(random.random() < 0.05),
                   idle=0.1 if random.random() < 0.2 else 0.0)
    made.settle(1000)
    return made


def many_frames(seed: int, repeats: int) -> Stimulus:
    """Each way in which headers can be wrong some thousand times, and more frames on a line than 15 bits count, then
    both lines at once."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1)
    frames = [wrong_header(random, number) for number in range(400)]
    for _ in range(repeats):
        for number in random.permutation(len(frames)).tolist():
            made.frame(number & 1, frames[number], bad_fcs=number < 40)
    made.now = made.end
    made.set(made.now, EVENT_ENABLE=0)
    for line in (0, 1):
        for _ in range(40_000):
            made.frame(line, b"\xFF")
    made.settle(3000)
    made.set(made.now, EVENT_ENABLE=7)
    made.play(traffic(seed, 200, 0.1), pace=0.0)
    made.settle(1000)
    return made


def many_blocks(seed: int, frames: int) -> Stimulus:
    """As many blocks as a frame can hold, of no bytes each; slow enough that none is lost."""
    made = Stimulus(seed)
    random = made.random
    made.set(made.now, ENABLE=1)
    for number in range(frames):
        count = 4577 - int(random.integers(0, 300))
        data = frames_of([packet(b"MANYBLOCKS", 5000 * number, bytes(2 * count), count)], random, tags=1, options=1)
        made.frame(number & 1, data.frame(0), clock=made.end, idle=1.0, longest=9)
    made.settle(5000)
    return made


VECTORS: dict[str, Callable[[], Stimulus]] = {
    "prototype": lambda: prototype_feed(1, 200),
    "feed": lambda: feed(2, 300, pace=0.0, idle=0.02),
    "layers": lambda: layers(3, 400),
    "verified": lambda: feed(4, 400, verified=1, pace=0.0, idle=0.02),
    "hold": lambda: feed(5, 400, hold=700),
    "sessions": lambda: sessions(6, 400),
    "jumbo": lambda: feed(7, 40, jumbo=True),
    "set-ups": lambda: set_ups(8, 60),
    "counted on": lambda: counted_on(9, 60),
    "long frames": lambda: long_frames(10, 120),
    "long prototype": lambda: long_frames(11, 100, is_prototype=True),
    "checksums": lambda: checksums(12, 500),
    "holds": lambda: holds(13, 150),
    "filtered": lambda: filtered(14, 300),
    "fill watched": lambda: fill_watched(30, 12),
    "overflows": lambda: overflows(15, 12),
    "overflows verified": lambda: overflows(16, 12, verified=1),
    "layers verified": lambda: layers(17, 1500, verified=1),
    "sessions held": lambda: sessions(18, 1500, verified=1, hold=400),
    "prototype held": lambda: prototype_feed(19, 800, verified=1, hold=500, pace=1.0, idle=0.05),
    "jumbo verified": lambda: feed(20, 60, verified=1, hold=300, jumbo=True, pace=0.0, idle=0.02),
    "feed on": lambda: feed(21, 2500, pace=0.0, idle=0.01),
    "hold on": lambda: feed(22, 2500, verified=1, hold=3000, idle=0.02),
    "sessions on": lambda: sessions(23, 2500),
    "counted on, more": lambda: counted_on(24, 400),
    "set-ups, more": lambda: set_ups(25, 200),
    "long frames verified": lambda: long_frames(26, 250, verified=1),
    "long prototype verified": lambda: long_frames(27, 250, verified=1, is_prototype=True),
    "checksums, more": lambda: checksums(28, 1500),
    "holds, more": lambda: holds(29, 400),
    "filter reset": lambda: filter_reset(31, 24),
    "many blocks": lambda: many_blocks(32, 4),
    "many frames": lambda: many_frames(33, 40),
}
