# SPDX-License-Identifier: MIT
"""Tables of the report. A cell with a figure of the run directory says where it is from, as FILE:KEY.KEY."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from generators.tables import PRICE_SCALE


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def figure(value: Any, source: str) -> Html:
    """A figure as readers have it; nothing for None."""
    if value is None:
        return Html("")
    text = f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    return Html(f'<span data-source="{escape(source)}">{escape(text)}</span>')


def price(value: int) -> str:
    """Four implied decimals."""
    return f"{'-' if value < 0 else ''}{abs(value) // PRICE_SCALE:,}.{abs(value) % PRICE_SCALE:04d}"


def price_figure(value: int | None, source: str) -> Html:
    """A price, or another amount of money; nothing for None."""
    if value is None:
        return Html("")
    return Html(f'<span data-source="{escape(source)}" data-scale="{PRICE_SCALE}">{price(value)}</span>')


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A header that begins with # is a column of numbers; cells that are no ``Html`` are plain text."""
    if not rows:
        return "<p class=soft>None.</p>"
    numeric = [name.startswith("#") for name in header] or [False] * len(rows[0])
    kinds = [" class=n" if number else "" for number in numeric]
    lines = [[f"<td{kind}>{_html(cell)}" for kind, cell in zip(kinds, row, strict=True)] for row in rows]
    if header:
        lines.insert(0, [f"<th{kind}>{escape(name.lstrip('#'))}" for kind, name in zip(kinds, header, strict=True)])
    body = "".join("<tr>" + "".join(cells) for cells in lines)
    return f"<div class=wide><table>{body}</table></div>"


def code(text: Any) -> Html:
    """Text as it is in a file."""
    return Html(f"<code>{escape(str(text))}</code>")


def _html(cell: Any) -> str:
    if isinstance(cell, Html):
        return cell
    return "" if cell is None else escape(str(cell), quote=False)
