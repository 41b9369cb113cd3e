# SPDX-License-Identifier: MIT
"""The definitions of a VCD file: which signals it holds, under which identifier codes."""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

PIECE_BYTES = 1 << 20

_TOKEN = re.compile(rb"\$(scope|upscope|var)\s(.*?)\$end\b", re.S)


class DumpError(Exception):
    """A dump that cannot be used: one line for the user."""


class Variable(NamedTuple):
    """A signal: its identifier code in the dump, its width, and its name with bit range as viewers have it."""

    code: bytes
    width: int
    viewer_name: str


Definitions = dict[str, Variable]  # by full name without bit range


def read_definitions(dump: BinaryIO) -> tuple[Definitions, int]:
    """Reads the definitions of a VCD; also returns where in the file they end.

    Raises:
        DumpError: there are none.
    """
    text = b""
    while (end := text.find(b"$enddefinitions")) < 0:
        piece = dump.read(PIECE_BYTES)
        if not piece:
            raise DumpError("the dump is no VCD file")
        text += piece
    definitions: Definitions = {}
    scope: list[str] = []
    for token in _TOKEN.finditer(text, 0, end):
        words = [word.decode("latin-1") for word in token.group(2).split()]
        if token.group(1) == b"scope":
            scope.append(words[1])
        elif token.group(1) == b"upscope":
            scope.pop()
        elif token.group(1) == b"var":
            width, code, name = int(words[1]), words[2], words[3].split("[")[0]
            bits = "".join(words[3:])[len(name):] or f"[{width - 1}:0]"
            full = ".".join([*scope, name])
            definitions[full] = Variable(code.encode("latin-1"), width, full + (bits if width > 1 else ""))
    return definitions, end
