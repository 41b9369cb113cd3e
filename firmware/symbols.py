# SPDX-License-Identifier: MIT
"""Writes the table of an image's functions that the kernel names addresses by (memory/symbols.c).

    python symbols.py BYTES <list of nm -n >table

The table fills the place that the image keeps for it, BYTES long, or the build fails.
"""

from __future__ import annotations

import re
import struct
import sys


def table(listing: str, size: int) -> bytes:
    """The table, from what ``nm -n`` lists.

    Raises:
        ValueError: it is longer than ``size``.
    """
    names: dict[int, str] = {}
    for line in listing.splitlines():
        address, kind, name = line.split()
        if kind in "tT":
            names.setdefault(int(address, 16), re.sub(r"\.lto_priv\.\d+", "", name))
    offset = 8 + 8 * len(names)
    entries, strings = b"", b""
    for at, name in sorted(names.items()):
        entries += struct.pack("<II", at, offset + len(strings))
        strings += name.encode() + b"\0"
    whole = struct.pack("<II", len(names), 0) + entries + strings
    if len(whole) > size:
        raise ValueError(f"the table of symbols has {len(whole)} bytes; link.ld keeps {size}")
    return whole.ljust(size, b"\0")


if __name__ == "__main__":
    sys.stdout.buffer.write(table(sys.stdin.read(), int(sys.argv[1], 0)))
