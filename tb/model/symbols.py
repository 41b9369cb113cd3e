# SPDX-License-Identifier: MIT
"""What each stock locate stands for: the feed names it in A, F and R, and the first name holds for the run."""

from __future__ import annotations

from tb.model.config import KernelConfig, SymbolConfig


def possible(stock: str) -> bool:
    """Whether eight characters can be a symbol: printable ASCII, filled with spaces on the right only."""
    name = stock.rstrip(" ")
    return bool(name) and all("!" <= character <= "~" for character in name)


class Symbols:
    """The locates named so far, and which of them are subscribed."""

    def __init__(self, config: KernelConfig) -> None:
        self._config = config
        self._stocks: dict[int, str] = {}

    def learn(self, stock_locate: int, stock: str) -> bool:
        """Takes the name; False if it is impossible or contradicts the one that the locate already has."""
        if stock_locate not in self._stocks and possible(stock):
            self._stocks[stock_locate] = stock
        return self._stocks.get(stock_locate) == stock

    def named(self, stock_locate: int) -> bool:
        return stock_locate in self._stocks

    def subscribed(self, stock_locate: int) -> bool:
        """Whether the locate's messages are wanted; one without a name yet is, where everything is."""
        stock = self._stocks.get(stock_locate)
        if stock is None:
            return self._config.subscribe_all
        return self._config.of_stock(stock) is not None

    def config(self, stock_locate: int) -> SymbolConfig | None:
        """What a named and subscribed locate does."""
        return self._config.of_stock(self._stocks[stock_locate])
