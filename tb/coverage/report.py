# SPDX-License-Identifier: MIT
"""The coverage report as HTML: one page with the plan and the figures, one page a source file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tb.coverage.code import KINDS, Exclusion, FileCoverage
from tb.coverage.functional import CrossCoverage

MOST_MISSING = 40  # bins or toggles told of one cross or file
STYLE = """<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1b1b1b }
table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: left; vertical-align: top }
tr { border-bottom: 1px solid #ddd } td.n { text-align: right; font-variant-numeric: tabular-nums }
.ok { color: #176b32 } .low { color: #a3141c; font-weight: 600 } pre { font-size: 13px; line-height: 1.35 }
pre .hit { background: #e6f4ea } pre .miss { background: #fbdcdc } small { color: #555 }
</style>"""


def percent(covered: int, total: int) -> float:
    """Of nothing, nothing is covered."""
    return 100.0 * covered / total if total else 0.0


def totals(code: dict[str, FileCoverage], kind: str) -> tuple[int, int]:
    """Covered and all points of a kind over all files."""
    pairs = [found.hits(kind) for found in code.values()]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def figures(functional: Sequence[CrossCoverage], code: dict[str, FileCoverage]) -> dict[str, tuple[int, int]]:
    """Covered and all points of the plan, and of each kind in the RTL."""
    bins = [count for one in functional for count in one.hits.values()]
    return {"functional": (sum(count > 0 for count in bins), len(bins)), **{kind: totals(code, kind) for kind in KINDS}}


def write(directory: Path, functional: Sequence[CrossCoverage], code: dict[str, FileCoverage],
          exclusions: Iterable[Exclusion], sources: Path, targets: dict[str, float]) -> Path:
    """Writes the pages; returns the first."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, found in code.items():
        (directory / f"{name}.html").write_text(_source_page(name, found, sources), encoding="utf-8")
    index = directory / "index.html"
    body = [
        "<h1>Coverage of the NIC</h1>", _summary(functional, code, targets),
        "<h2>Functional: the plan</h2>", *map(_cross, functional),
        "<h2>RTL</h2>", _files(code),
        "<h2>Exclusions</h2><table>",
        *(f"<tr><td>{one.kind}</td><td><code>{escape(one.file)}</code></td><td><code>{escape(one.match.pattern)}</code>"
          f"</td><td>{escape(one.reason)}</td></tr>" for one in exclusions),
        "</table>",
    ]
    index.write_text(_page("Coverage", "\n".join(body)), encoding="utf-8")
    return index


def _page(title: str, body: str) -> str:
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>{STYLE}{body}</html>\n"


def _figure(covered: int, total: int, target: float | None = None) -> str:
    value = percent(covered, total)
    kind = "ok" if value >= (100.0 if target is None else target) else "low"
    return f"<td class=n>{covered}</td><td class=n>{total}</td><td class='n {kind}'>{value:.2f} %</td>"


def _summary(functional: Sequence[CrossCoverage], code: dict[str, FileCoverage], targets: dict[str, float]) -> str:
    cells = (f"<tr><td>{kind}</td>{_figure(covered, total, targets.get(kind, 0.0))}"
             f"<td class=n>{f'{targets[kind]:.0f} %' if kind in targets else '-'}</td></tr>"
             for kind, (covered, total) in figures(functional, code).items())
    return f"<table><tr><th>what<th>covered<th>of<th>figure<th>target</tr>{''.join(cells)}</table>"


def _cross(one: CrossCoverage) -> str:
    hit = sum(count > 0 for count in one.hits.values())
    items = " × ".join(f"{escape(name)} ({len(bins)})" for name, bins in one.cross.items.items())
    missing = "".join(f"<li class=low>{escape(' × '.join(bins))}</li>" for bins in one.missing[:MOST_MISSING])
    impossible = "".join(
        f"<li>{escape(' × '.join(f'{name}: ' + ' '.join(bins) for name, bins in rule.bins.items()))}: "
        f"{escape(rule.reason)}</li>" for rule in one.cross.impossible)
    return (f"<h3>{escape(one.cross.name)}</h3><p>{escape(one.cross.meaning)}</p><table><tr><td>{items}</td>"
            f"{_figure(hit, len(one.hits))}<td>{sum(one.hits.values())} hits, one a test and bin</td></tr></table>"
            + (f"<p>Missing, {len(one.missing)}:</p><ul>{missing}</ul>" if missing else "")
            + (f"<details><summary>Impossible</summary><ul>{impossible}</ul></details>" if impossible else ""))


def _files(code: dict[str, FileCoverage]) -> str:
    rows = (f"<tr><td><a href='{name}.html'>{name}</a></td>{''.join(_figure(*found.hits(kind)) for kind in KINDS)}"
            f"<td class=n>{found.excluded}</td></tr>" for name, found in code.items())
    heads = "".join(f"<th>{kind}<th>of<th>" for kind in KINDS)
    return f"<table><tr><th>file{heads}<th>excluded</tr>{''.join(rows)}</table>"


def _source_page(name: str, found: FileCoverage, sources: Path) -> str:
    lines = []
    for number, text in enumerate((sources / name).read_text(encoding="utf-8").splitlines(), 1):
        kind = {True: "hit", False: "miss", None: "none"}[found.lines.get(number)]
        lines.append(f"<span class={kind}>{number:5} {escape(text)}</span>")
    open_branches = [f"<li>line {line}: {escape(what)}</li>" for (line, _, what), hit in sorted(found.branches.items())
                     if not hit]
    still = [f"<li>line {line}: <code>{escape(what)}</code></li>" for (line, what), hit in sorted(found.toggles.items())
             if not hit]
    more = f"<li>and {len(still) - MOST_MISSING} more</li>" if len(still) > MOST_MISSING else ""
    return _page(name, f"<h1>{name}</h1><p><a href=index.html>all</a></p><table><tr>"
                       f"{''.join(f'<td>{kind}</td>{_figure(*found.hits(kind))}' for kind in KINDS)}</tr></table>"
                       f"<h2>Branches not taken</h2><ul>{''.join(open_branches)}</ul>"
                       f"<h2>Toggles that did not happen</h2>"
                       f"<ul>{''.join(still[:MOST_MISSING])}{more}</ul><pre>{chr(10).join(lines)}</pre>")
