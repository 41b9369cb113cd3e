# SPDX-License-Identifier: MIT
"""docs/strategies.md: its strategy is one C file and one Python file, and the two do the same; each built-in one
is there with its parameters."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from tb.model.config import SymbolConfig
from tb.model.strategies import strategies
from tests.core.trading import STOCKS, Day, random_config
from tests.firmware.core_harness import Core, build_core
from tests.sanitized import FIRMWARE
from tickloop.config import parse_config

DOCUMENT = (FIRMWARE.parent / "docs/strategies.md").read_text(encoding="utf-8")
BUILT_IN = sorted(path.stem for path in (FIRMWARE / "strategies").glob("*.c"))


def block(language: str) -> str:
    """The last one: of a strategy of one's own."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.S)
    return blocks[-1]


@pytest.fixture
def step_up(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("step_up")
    exec(compile(block("python"), "docs/strategies.md", "exec"), module.__dict__)
    monkeypatch.setitem(strategies(), "step_up", module)


@pytest.fixture
def core_with_it(tmp_path: Path) -> Core:
    source = tmp_path / "step_up.c"
    source.write_text(block("c"))
    return Core(build_core(tmp_path, [source]))


@pytest.mark.usefixtures("step_up")
def test_the_documented_strategy_trades_as_its_model(core_with_it: Core) -> None:
    config = parse_config(tomllib.loads(block("toml")), "docs/strategies.md").kernel
    assert config.default == SymbolConfig("step_up", 100, (300, 100))
    sent = 0
    for seed in range(8):
        symbols = dict.fromkeys(STOCKS, config.default)
        random = random_config(Random(seed), default=config.default, symbols=symbols)
        day = Day(core_with_it, seed, random, hostile=False)
        day.run(300)
        sent += len(day.sent)
    core_with_it.close()
    assert sent > 20


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_strategy_has_a_model_and_is_documented(name: str) -> None:
    row = re.search(rf"^\| `{name}` \|.*$", DOCUMENT, re.M)
    assert row
    assert all(f"`{parameter.name}`" in row[0] for parameter in strategies()[name].PARAMETERS)


@pytest.mark.parametrize("name", BUILT_IN)
def test_kernel_and_command_line_take_the_same_parameters(name: str) -> None:
    source = (FIRMWARE / f"strategies/{name}.c").read_text()
    declared = re.findall(r'\{"(\w+)", (\d+), (\d+), (\d+)\}', source)
    assert [(p.name, str(p.least), str(p.most), str(p.default)) for p in strategies()[name].PARAMETERS] == declared
