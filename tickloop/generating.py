# SPDX-License-Identifier: MIT
"""``tickloop generate``: what its options and a profile's file ask for, as files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generators.faults import Faults
from generators.profiles import PRICED, PROFILES, Watched, write_itch, write_profile, write_prototype
from tb.model.packet import PacketFormat
from tickloop.exits import UsageError
from tickloop.feed import Feed, LineFile, expected_of_both, write_lines
from tickloop.profile_file import ProfileFile, load_profile
from tickloop.progress import Progress, until_interrupted
from tickloop.run import no_space


@dataclass(frozen=True)
class Order:
    """What was asked for; None is the profile's own, for faults that of its file."""

    profile: ProfileFile
    out: Path
    line_b: Path | None = None
    seed: int = 1
    messages: int | None = None
    symbols: int | None = None
    faults: Faults | None = None
    faults_b: Faults | None = None
    packet_format: PacketFormat = "mold"

    @property
    def itch(self) -> bool:
        return self.out.name.removesuffix(".gz").endswith(".itch")

    @property
    def both_faults(self) -> tuple[Faults, Faults]:
        a, b = self.profile.faults
        return self.faults or a, self.faults_b or self.faults or b

    @property
    def feed(self) -> Feed:
        file = self.profile
        return Feed(file.profile, self.seed, self.messages, self.symbols, file.warm_up, file.rate, file.jitter_ns)


def find(name: str | None, path: Path | None) -> ProfileFile:
    """A built-in profile by its name, or that of a file.

    Raises:
        UsageError: there is none, or both, or the file says something impossible.
    """
    if (name is None) == (path is None):
        raise UsageError("generate takes a PROFILE or a --profile-file, one of the two")
    if path is not None:
        return load_profile(path)
    assert name is not None
    if name in PROFILES:
        return ProfileFile(PROFILES[name])
    if name.endswith(".toml"):
        return load_profile(Path(name))
    raise UsageError(f"{name}: no such profile ({', '.join(PROFILES)}, or a .toml file)")


def write(order: Order) -> dict[str, Any]:
    """Writes the files; returns the object of ``--json``.

    Raises:
        UsageError: what was asked for does not go together, or cannot be written.
    """
    _check(order)
    try:
        for path in filter(None, (order.out, order.line_b)):
            path.parent.mkdir(parents=True, exist_ok=True)
        with until_interrupted() as going_on:
            progress = Progress("messages")
            total = order.messages or order.profile.profile.messages
            files = _write(order, lambda traffic: progress.over(going_on(traffic), total))
            progress.close()
    except OSError as error:
        if no_space(error):
            raise
        raise UsageError(f"{error.filename or order.out}: cannot be written: {error.strerror}") from None
    return {"command": "generate", "profile": order.profile.profile.name, "seed": order.seed, "files": files}


def _check(order: Order) -> None:
    file = order.profile
    faults = order.both_faults
    if order.faults_b and order.line_b is None:
        raise UsageError("--faults-b goes with --line-b")
    if order.line_b is not None and order.line_b.resolve() == order.out.resolve():
        raise UsageError("--line-b and --out name one file")
    prototype = order.packet_format == "prototype"
    if order.itch and prototype:
        raise UsageError("--format prototype: its messages are none of an ITCH file")
    if (order.itch or prototype) and (order.line_b is not None or any(map(str, faults))):
        what = "--line-b" if order.line_b is not None else "--faults"
        raise UsageError(f"{what}: they are of MoldUDP64 packets in a pcap")
    if order.itch and file.jitter_ns:
        raise UsageError("jitter_ns: an ITCH file has no packets to be late")
    if prototype and (file.jitter_ns or file.rate is not None or file.warm_up is not None):
        raise UsageError("--format prototype goes without jitter_ns, rate and warm_up")
    if prototype and not file.profile.burst_share and not PRICED & set(file.profile.mix):
        raise UsageError(f"--format prototype: the mix has none of {', '.join(sorted(PRICED))}, all it can say")


def _write(order: Order, watched: Watched) -> list[dict[str, Any]]:
    feed, out = replace(order.feed, watched=watched), order.out
    expected = f"{out}.expect.jsonl"
    if order.itch:
        count = write_itch(out, feed.profile, feed.seed, feed.messages, symbols=feed.symbols, warm_up=feed.warm_up,
                           rate=feed.rate, watched=watched)
        return [{"path": str(out), "messages": count, "expected": expected}]
    if order.packet_format == "prototype":
        count = write_prototype(out, feed.profile, feed.seed, feed.messages, symbols=feed.symbols, watched=watched)
        return [{"path": str(out), "frames": count, "expected": expected}]
    faults = order.both_faults
    if order.line_b is None and not str(faults[0]):
        count = write_profile(out, feed.profile, feed.seed, feed.messages, symbols=feed.symbols, warm_up=feed.warm_up,
                              rate=feed.rate, jitter_ns=feed.jitter_ns, watched=watched)
        return [{"path": str(out), "frames": count, "expected": expected}]
    lines = [LineFile(out, faults[0])]
    if order.line_b is not None:
        lines.append(LineFile(order.line_b, faults[1], order.profile.delay_ns))
    written = [{"path": str(each.path), "frames": each.frames, "expected": str(each.expected)}
               for each in write_lines(feed, lines)]
    if order.line_b is not None:
        written[0]["expected_of_both"] = str(expected_of_both(out))
    return written
