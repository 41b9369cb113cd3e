# SPDX-License-Identifier: MIT
"""A parser of the user's own in the place of the NIC's (docs/own-parser.md): which files it has, whether its ports are
those of rtl/own_parser/ports.toml, and the sources of a NIC around it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.interface import BridgeError

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "rtl" / "own_parser"
CONTRACT = FOLDER / "ports.toml"
REPLACED = ROOT / "rtl" / "receive_line.v"
# Of our parser; what else the NIC has is in use around another one, too.
LEFT_OUT = tuple(ROOT / "rtl" / f"{name}.v" for name in ("moldudp64_parser", "align", "prototype_parser"))
SOURCES = (".v", ".sv")
USAGE = 2

_BROKEN_RULE = re.compile(r"^own_parser, line [AB], .*: rule \d+: .*$", re.MULTILINE)  # rtl/own_parser/parser_rules.v
_MODULE = re.compile(r"^\s*module\s+(\w+)", re.MULTILINE)
_PORT = re.compile(r'^ *\.port_info \d+ /(\w+) (\d+) "(.+)"', re.MULTILINE)


@dataclass(frozen=True)
class Port:
    """A port of the contract, ``direction`` input or output."""

    name: str
    direction: str
    width: int
    group: str
    meaning: str


@dataclass(frozen=True)
class OwnParser:
    """Sources in the order in which they were given, and the folders that `include is looked up in."""

    files: tuple[Path, ...]
    includes: tuple[Path, ...] = ()

    def document(self) -> dict[str, Any]:
        """As run.json has it: the files by their SHA-256."""
        return {"files": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in self.files},
                "includes": [str(folder) for folder in self.includes]}

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> OwnParser:
        """The parser of an earlier run.

        Raises:
            BridgeError: status 2, a file is missing or is not what it was.
        """
        parser = cls(tuple(map(Path, document["files"])), tuple(map(Path, document["includes"])))
        for path, was in document["files"].items():
            if not Path(path).is_file() or hashlib.sha256(Path(path).read_bytes()).hexdigest() != was:
                raise BridgeError(USAGE, f"{path}: is not the parser's file of that run any more")
        return parser

    @property
    def key(self) -> str:
        """What builds of it are filed under: one folder a set of files, whatever is in them."""
        return hashlib.sha256("\0".join(map(str, self.files + self.includes)).encode()).hexdigest()[:12]

    @property
    def inputs(self) -> list[Path]:
        """All that a build depends on."""
        headers = {path for folder in self.includes for path in folder.glob("*.*vh")}
        return [*self.files, *sorted(headers)]

    def sources(self, ours: Sequence[Path]) -> list[Path]:
        """The sources of the NIC, or of a part of it, with this parser."""
        if REPLACED not in ours:
            raise ValueError(f"{REPLACED.name} is not among the sources")
        kept = [path for path in ours if path != REPLACED and path not in LEFT_OUT]
        return [*kept, *sorted(FOLDER.glob("*.v")), *self.files]


def contract() -> tuple[str, tuple[Port, ...]]:
    """The module's name and its ports."""
    document: dict[str, Any] = tomllib.loads(CONTRACT.read_text(encoding="utf-8"))
    return document["module"], tuple(Port(**port) for port in document["port"])


def find(given: Sequence[Path]) -> OwnParser:
    """The parser in ``given``: sources, file lists (.f), folders with sources.

    Raises:
        BridgeError: status 2, a file is missing, or none has a module of the contract's name, or one has a module of a
            name that the NIC needs.
    """
    files: list[Path] = []
    includes: list[Path] = []
    for path in given:
        if path.suffix == ".f":
            _read_list(path, files, includes)
        elif path.is_dir():
            found = sorted(source for source in path.iterdir() if source.suffix in SOURCES)
            if not found:
                raise BridgeError(USAGE, f"--parser {path}: no {' or '.join(SOURCES)} file in this folder")
            files += found
            includes.append(path)
        else:
            files.append(path)
            includes.append(path.parent)
    parser = OwnParser(tuple(dict.fromkeys(path.resolve() for path in files)),
                       tuple(dict.fromkeys(path.resolve() for path in includes)))
    _check_modules(parser)
    return parser


def _read_list(path: Path, files: list[Path], includes: list[Path]) -> None:
    """A file list, as simulators have it: one path a line, from the list's folder; +incdir+FOLDER; // for comments."""
    for line in _text(path).splitlines():
        entry = line.split("//")[0].strip()
        if entry.startswith("+incdir+"):
            includes.append(path.parent / entry.removeprefix("+incdir+"))
        elif entry.startswith(("-", "+")):
            raise BridgeError(USAGE, f"--parser {path}: {entry.split()[0]} is not understood in a file list")
        elif entry:
            files.append(path.parent / entry)
    includes.append(path.parent)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BridgeError(USAGE, f"--parser {path}: {error.strerror}") from None


def _check_modules(parser: OwnParser) -> None:
    name = contract()[0]
    taken = {path.stem for path in (ROOT / "rtl").glob("*.v") if path not in LEFT_OUT}
    taken |= {path.stem for path in FOLDER.glob("*.v")}
    modules = {module: path for path in parser.files for module in _MODULE.findall(_text(path))}
    for module, path in modules.items():
        if module in taken:
            raise BridgeError(USAGE, f"--parser {path}: module {module}: the NIC has one of this name; rename yours")
    if name not in modules:
        there = ", ".join(modules) or "none"
        raise BridgeError(USAGE, f"--parser: no module {name} in {_names(parser)} (modules there: {there})")


def _names(parser: OwnParser) -> str:
    return ", ".join(path.name for path in parser.files)


def check_ports(parser: OwnParser, must_read: bool) -> None:
    """Compares the parser's ports with the contract, by way of Icarus Verilog. Without it, or if it cannot read the
    sources and need not (``must_read``), nothing is said: the simulator's build will.

    Raises:
        BridgeError: status 2; the line names the first port that differs, or the place that cannot be read.
    """
    compiler = shutil.which("iverilog")
    if compiler is None:
        return
    name, ports = contract()
    includes = [f"-I{folder}" for folder in parser.includes]
    finished = subprocess.run([compiler, "-g2012", "-s", name, *includes, "-o", "/dev/stdout", *map(str, parser.files)],
                              capture_output=True, text=True, check=False)
    if finished.returncode:
        if must_read:
            lines = (finished.stderr + finished.stdout).strip().splitlines() or ["iverilog fails"]
            raise BridgeError(USAGE, f"--parser: {lines[0]}")
        return
    # The first module scope of a compiled design is its root.
    root = finished.stdout.split(f'.scope module, "{name}"', maxsplit=1)[1].split("\nS_", maxsplit=1)[0]
    _compare(name, ports, {port: (direction.lower(), int(width)) for direction, width, port in _PORT.findall(root)})


def _compare(module: str, ports: Sequence[Port], found: dict[str, tuple[str, int]]) -> None:
    for difference in _differences(ports, found):
        raise BridgeError(USAGE, f"--parser: module {module}: {difference} (docs/own-parser.md)")


def _differences(ports: Sequence[Port], found: dict[str, tuple[str, int]]) -> Iterator[str]:
    for port in ports:
        if port.name not in found:
            yield f"port {port.name} is missing: {port.direction}, {port.width} bit"
            continue
        direction, width = found[port.name]
        if direction != port.direction:
            yield f"port {port.name} is an {direction}, not an {port.direction}"
        if width != port.width:
            yield f"port {port.name} has {width} bit, not {port.width}"
    names = {port.name for port in ports}
    yield from (f"port {name} is not one of the contract's" for name in found if name not in names)


def broken_rule(log: str) -> str | None:
    """What a simulation said of a rule of the contract that the parser broke."""
    found = _BROKEN_RULE.search(log)
    return found.group(0) if found else None
