# SPDX-License-Identifier: MIT
"""What pages are made of beside their content: the document around it, the style, and Plotly's script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tickloop.exits import ExitStatus, TickloopError

HERE = Path(__file__).resolve().parent


@cache
def asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
def plotly() -> str:
    """Plotly's script, out of its Python package, none of whose modules is imported."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise TickloopError(ExitStatus.TOOL_MISSING, "the Python package plotly is missing; make sim installs it")
    return (Path(spec.submodule_search_locations[0]) / "package_data/plotly.min.js").read_text(encoding="utf-8")


def document(title: str, subtitle: str, sections: Sequence[tuple[str, str]], data: Mapping[str, Any],
             plots: str, script: str) -> str:
    """A page: sections as (title, markup), ``data`` for ``script``; ``plots`` is the script element that brings
    Plotly."""
    ids = [name.lower().replace(" ", "-") for name, _ in sections]
    links = "".join(f'<a href="#{name}">{escape(text)}</a>' for name, (text, _) in zip(ids, sections, strict=True))
    body = "\n".join(f'<h2 id="{name}">{escape(text)}</h2>\n{content}'
                     for name, (text, content) in zip(ids, sections, strict=True))
    # Of JSON in a script only "</" and "<!--" could be taken for markup.
    encoded = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>
<link rel=icon href="data:,"><title>{escape(title)}</title><style>{asset("page.css")}</style>
<header><div><h1>{escape(title)}</h1><p class=soft>{subtitle}</p></div>
<button id=scheme title="light or dark">light / dark</button></header>
<nav>{links}</nav>
{body}
{plots}
<script type="application/json" id=data>{encoded}</script>
<script>{asset("plotting.js")}{script}</script></html>
"""
