# SPDX-License-Identifier: MIT
"""``tickloop generate --faults``: a profile's capture as a line with faults delivers it, and what a receiver must see.

The expected messages are those of the frames whose checksums hold, as the reference model receives them: of one line
alone, since another one has faults of its own.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from generators.captures import TimedFrame, write_pcap
from generators.faults import Faults, faulty
from generators.framing import DEFAULT_GROUP
from generators.profiles import frames, generate
from tb.model.receive import ReceiveModel, in_ring_order, on_line


def write_faulty(path: Path, profile: str, seed: int, messages: int | None, symbols: int | None, faults: Faults) -> int:
    """Writes the capture and, beside it, ``<path>.expect.jsonl``; returns the number of frames."""
    traffic = (TimedFrame(*frame) for frame in frames(generate(profile, seed, messages, symbols=symbols), seed))
    arrived = list(faulty(traffic, faults, seed, "A"))
    assert all(a.time_ns <= b.time_ns for a, b in pairwise(arrived))
    model = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")
    results = model.run(on_line("A", arrived))
    with Path(f"{path}.expect.jsonl").open("w", encoding="ascii", newline="\n") as file:
        for _, message in in_ring_order(results):
            line = {"sequence": message.sequence, "type": message.type, "fields": message.fields}
            file.write(json.dumps(line if message.status == "ok" else {**line, "status": message.status}) + "\n")
    return write_pcap(path, ((frame.time_ns, frame.data) for frame in arrived))
