# SPDX-License-Identifier: MIT
"""The twins of firmware/strategies: a module each, found by its name."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tb.model.intent import Intent
    from tb.model.view import View


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the configuration file takes it."""

    name: str
    least: int
    most: int
    default: int


class StrategyModule(Protocol):
    """``ON_ANY``: it runs on any change of its book, not only of a best price."""

    PARAMETERS: tuple[Parameter, ...]
    ON_ANY: bool

    def on_book(self, view: View) -> list[Intent]: ...


@cache
def strategies() -> dict[str, StrategyModule]:
    """All strategies by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return {name: import_module(f"{__name__}.{name}") for name in names}
