# SPDX-License-Identifier: MIT
"""The generated layouts are those of their sources, and say the same in C and in Python."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from bridge import core_library, layout
from bridge.layouts import generate


def test_outputs_are_not_stale() -> None:
    layouts = generate.load()
    for name, emit in generate.OUTPUTS.items():
        assert (generate.ROOT / name).read_text() == emit(layouts), (
            f"{name} is stale: python -m bridge.layouts.generate"
        )


def test_check_notices_a_stale_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "OUTPUTS", {"one": lambda _: "of now", "two": lambda _: "of now"})
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "load", lambda: None)
    (tmp_path / "one").write_text("of now")
    (tmp_path / "two").write_text("of then")
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate.main() == 1
    assert capsys.readouterr().out == "stale: two\n"
    assert (tmp_path / "two").read_text() == "of then"
    monkeypatch.setattr("sys.argv", ["generate"])
    assert generate.main() == 0
    assert (tmp_path / "two").read_text() == "of now"
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate.main() == 0


def test_c_and_python_agree(tmp_path: Path) -> None:
    """Sizes and offsets as the C compiler lays the structures out, the native core's own configuration included."""
    structs = {s.name: s for s in generate.load().structs}
    lines = ["#include <stdio.h>", '#include "layout.h"', '#include "core.h"', "int main(void) {"]
    for name, struct in structs.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        lines += [f'printf("{name}.{f.name} %zu\\n", offsetof(struct {name}, {f.name}));' for f in struct.fields]
    lines += [
        'printf("config %zu\\n", sizeof(struct tl_config));',
        'printf("totals %zu\\n", sizeof(struct tl_totals));',
        "}",
    ]
    (tmp_path / "sizes.c").write_text("\n".join(lines))
    includes = [f"-I{generate.ROOT / 'firmware/include'}", f"-I{generate.ROOT / 'bridge/core'}"]
    subprocess.run(["gcc", *includes, "-o", tmp_path / "sizes", tmp_path / "sizes.c"], check=True)
    output = subprocess.run([tmp_path / "sizes"], capture_output=True, text=True, check=True).stdout
    in_c = {key: int(value) for key, value in (row.split() for row in output.splitlines())}
    assert in_c.pop("config") == ctypes.sizeof(core_library.Config)
    assert in_c.pop("totals") == ctypes.sizeof(core_library.Totals)
    in_python = {}
    for name in structs:
        dtype = getattr(layout, name.upper())
        in_python[name] = dtype.itemsize
        in_python |= {f"{name}.{field}": offset for field, (_, offset, *_) in dtype.fields.items()}
    assert in_c == in_python
    assert len(in_c) > 100
