# SPDX-License-Identifier: MIT
"""The kernel's file system against a dictionary, and its archive reader: what Python's tarfile wrote comes out whole,
what was damaged is told, and nothing reads beyond the archive (sanitizers)."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sanitized import FIRMWARE, Runner, build

NEW, LOAD, WRITE, MAKE_DIRECTORY, REMOVE, COPY, MOVE, DUMP = range(1, 9)
BLOCKS, BLOCK = 512, 512
NODES = 63  # without the root
Tree = dict[str, bytes | None]  # None: a directory


class Files(Runner):
    def new(self) -> None:
        self._call(NEW)

    def load(self, archive: bytes) -> tuple[int, str]:
        """The number of the entry after the last good one, and what was wrong with it."""
        answer = self._call(LOAD, archive)
        return int.from_bytes(answer[:4], "little"), answer[4:].decode()

    def act(self, command: int, *arguments: bytes) -> str:
        return self._call(command, b"\0".join(arguments)).decode()

    def dump(self) -> tuple[Tree, int]:
        """All that there is, and the free bytes."""
        answer, at, tree = self._call(DUMP), 4, Tree()
        while at < len(answer):
            path, at = answer[at:answer.index(b"\0", at)].decode(), answer.index(b"\0", at) + 1
            kind, size = struct.unpack_from("<II", answer, at)
            tree[path] = answer[at + 8:at + 8 + size] if kind == 1 else None
            at += 8 + size
        return tree, int.from_bytes(answer[:4], "little")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    sources = [Path(__file__).with_name("files_runner.c"), *(FIRMWARE / "files" / f"{name}.c"
                                                             for name in ("ramfs", "ustar"))]
    runner = Files(build(tmp_path_factory.mktemp("files") / "files_runner", sources))
    yield runner
    runner.close()


def archive_of(tree: Mapping[str, bytes | None]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in tree.items():
            entry = tarfile.TarInfo(path)
            entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            entry.size = len(data or b"")
            archive.addfile(entry, io.BytesIO(data or b""))
    return buffer.getvalue()


TREE: Tree = {"/etc": None, "/etc/day.cfg": b"strategy off\n" * 100, "/etc/deep": None, "/etc/deep/x": b"",
              "/a": b"x" * 512, "/b": bytes(range(256)) * 5}


def test_what_tar_wrote_comes_out_whole(files: Files) -> None:
    files.new()
    assert files.load(archive_of({path[1:]: data for path, data in TREE.items()})) == (len(TREE) + 1, "")
    tree, free = files.dump()
    assert tree == TREE
    assert free == BLOCK * (BLOCKS - sum(-(-len(data) // BLOCK) for data in TREE.values() if data))


@pytest.mark.parametrize(("damage", "entry", "told"), [
    (lambda data: data[:700], 1, "the archive ends inside it"),
    (lambda data: data[:512 + 1536 + 100], 2, "the archive ends inside its header"),
    (lambda data: b"E" + data[1:], 1, "its checksum is wrong"),
    (lambda data: data[:124] + b"x" * 12 + data[136:], 1, "its checksum is wrong"),
    (lambda data: data[:2048] + b"\x01" * 512 + data[2560:], 2, "its checksum is wrong"),
], ids=["cut in a file", "cut in a header", "a name", "a size", "no header"])
def test_a_damaged_archive_is_told_with_the_entry(files: Files, damage: object, entry: int, told: str) -> None:
    files.new()
    data = archive_of({"file": b"y" * 1500, "more": b"z"})
    assert callable(damage)
    assert files.load(damage(data)) == (entry, told)


@given(changes=st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=8),
       cut=st.integers(0, 8192))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_ends_in_words_or_in_files(files: Files, changes: list[tuple[int, int]], cut: int) -> None:
    """A header that is sealed again after the damage gets past its checksum, too."""
    data = bytearray(archive_of({path[1:]: data for path, data in TREE.items()})[:8192])
    for at, byte in changes:
        data[at] = byte
        header = at // 512 * 512
        data[header + 148:header + 156] = b" " * 8
        data[header + 148:header + 156] = b"%06o\0 " % sum(data[header:header + 512])
    files.new()
    files.load(bytes(data[:cut]))
    tree, free = files.dump()
    assert 0 <= free <= BLOCKS * BLOCK
    assert all(path.rpartition("/")[0] in {"", *tree} for path in tree)


@given(data=st.binary(max_size=3000))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_no_archive(files: Files, data: bytes) -> None:
    files.new()
    files.load(data)
    files.load(data.ljust(1024, b"\0"))
    files.dump()


NAMES = st.sampled_from(["/a", "/b", "a/", "/d", "/d/a", "/d/e", "d/e/f", "/d/../a", "/d/./a", "//d//b", "/", "",
                         "/" + "n" * 31, "/" + "n" * 32, "/x y", "/a/b"])
STEPS = st.lists(st.tuples(st.sampled_from([WRITE, WRITE, MAKE_DIRECTORY, REMOVE, COPY, MOVE]), NAMES, NAMES,
                           st.sampled_from([0, 1, 511, 512, 513, 40_000, 200_000])), max_size=40)


class Model:
    """Paths and what they hold."""

    def __init__(self) -> None:
        self.tree: Tree = {}

    @property
    def free(self) -> int:
        return BLOCKS - sum(-(-len(data) // BLOCK) for data in self.tree.values() if data)

    def place(self, path: str) -> str | None:
        """The path in plain form; None if it leads through what is no directory."""
        names = [name for name in path.split("/") if name not in ("", ".")]
        for depth in range(1, len(names)):
            if self.tree.get("/" + "/".join(names[:depth]), b"") is not None:
                return None
        return "/" + "/".join(names) if all(len(name) < 32 for name in names) else None

    @staticmethod
    def nameable(path: str) -> bool:
        name = path.rpartition("/")[2]
        return name not in ("", "..") and " " not in name

    def write(self, path: str, data: bytes) -> bool:
        at = self.place(path)
        if at is None or at == "/" or self.tree.get(at, b"") is None or (at not in self.tree and not self.nameable(at)):
            return False
        spare = self.free + -(-len(self.tree.get(at) or b"") // BLOCK)
        if -(-len(data) // BLOCK) > spare or (at not in self.tree and len(self.tree) == NODES):
            return False
        self.tree[at] = data
        return True

    def make_directory(self, path: str) -> bool:
        at = self.place(path)
        if at is None or at in self.tree or not self.nameable(at):
            return False
        self.tree[at] = None
        return True

    def remove(self, path: str) -> bool:
        at = self.place(path)
        if at not in self.tree or any(other.startswith(f"{at}/") for other in self.tree):
            return False
        del self.tree[at]
        return True

    def target(self, source: str, path: str) -> str | None:
        at = self.place(path)
        if at is None:
            return None
        if at == "/" or self.tree.get(at, b"") is None:
            at = at.rstrip("/") + "/" + source.rpartition("/")[2]
        return None if at in self.tree or not self.nameable(at) else at

    def copy(self, path: str, to: str) -> bool:
        source = self.place(path)
        if source not in self.tree or (target := self.target(source, to)) is None:
            return False
        data = self.tree[source]
        if data is None or -(-len(data) // BLOCK) > self.free:
            return False
        self.tree[target] = data
        return True

    def move(self, path: str, to: str) -> bool:
        source = self.place(path)
        if source not in self.tree or (target := self.target(source, to)) is None or target.startswith(f"{source}/"):
            return False
        for other in [each for each in self.tree if each == source or each.startswith(f"{source}/")]:
            self.tree[target + other[len(source):]] = self.tree.pop(other)
        return True

    def act(self, command: int, path: str, other: str, data: bytes) -> bool:
        match command:
            case 3:
                return self.write(path, data)
            case 4:
                return self.make_directory(path)
            case 5:
                return self.remove(path)
            case 6:
                return self.copy(path, other)
        return self.move(path, other)


@given(steps=STEPS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_steps_leave_what_they_leave_in_a_dictionary(files: Files, steps: list[tuple[int, str, str, int]]) -> None:
    files.new()
    model = Model()
    for command, path, other, size in steps:
        data = bytes((size + i) & 0xFF for i in range(16)) * (size // 16 + 1)
        data = data[:size]
        done = model.act(command, path, other, data)
        two = command in (WRITE, COPY, MOVE)
        told = files.act(command, path.encode(), *([data if command == WRITE else other.encode()] if two else []))
        assert (told == "") == done, (command, path, other, size, told)
        tree, free = files.dump()
        assert tree == model.tree
        assert free == model.free * BLOCK


def test_no_room_for_another_name(files: Files) -> None:
    files.new()
    for number in range(NODES):
        assert files.act(WRITE, b"/%d" % number, b"") == ""
    assert files.act(WRITE, b"/one too many", b"") == "a name has a character that is not printable"
    assert files.act(WRITE, b"/more", b"") == "there is no room for another name"
    assert files.act(REMOVE, b"/7") == ""
    assert files.act(WRITE, b"/more", b"") == ""
