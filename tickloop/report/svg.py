# SPDX-License-Identifier: MIT
"""Drawings of the report as inline SVG; colours come from the page's style, so they follow its light or dark scheme."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import accumulate

BOX_WIDTH, BOX_HEIGHT, GAP, MARGIN = 132, 58, 26, 8
CHART_WIDTH, CHART_HEIGHT, BASE = 300, 130, 100
BINS = 30


def data_path(stations: list[tuple[str, str]], closed_loop: bool) -> str:
    """The way of a message as boxes from left to right, each with its figure."""
    width = 2 * MARGIN + len(stations) * BOX_WIDTH + (len(stations) - 1) * GAP
    parts = [f'<svg viewBox="0 0 {width} {BOX_HEIGHT + 2 * MARGIN}" width="{width}" role="img" aria-label="data path">']
    for index, (title, figure) in enumerate(stations):
        x = MARGIN + index * (BOX_WIDTH + GAP)
        middle = MARGIN + BOX_HEIGHT // 2
        parts.append(f'<rect class="box" x="{x}" y="{MARGIN}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>'
                     f'<text x="{x + BOX_WIDTH // 2}" y="{middle - 4}" text-anchor="middle">{escape(title)}</text>'
                     f'<text class="soft" x="{x + BOX_WIDTH // 2}" y="{middle + 14}" text-anchor="middle">'
                     f"{escape(figure)}</text>")
        if index:
            parts.append(f'<path class="wire" d="M{x - GAP + 2} {middle} H{x - 6}"/>'
                         f'<path class="tip" d="M{x - 8} {middle - 4} L{x - 1} {middle} L{x - 8} {middle + 4} Z"/>')
    caption = "" if closed_loop else "<title>the RTL alone; the bridge plays the host</title>"
    return "".join([*parts[:1], caption, *parts[1:], "</svg>"])


def histogram(samples: Mapping[float, int], title: str, unit: str) -> str:
    """How often which value came, in equal bins up to the 99th percentile; the rest is in the last bin. ``samples``:
    each value and its count."""
    ordered, total = sorted(samples), sum(samples.values())
    up_to = zip(ordered, accumulate(samples[value] for value in ordered), strict=True)
    low, high = ordered[0], next(value for value, count in up_to if count >= -(-total * 99 // 100))
    whole = all(value == int(value) for value in ordered)
    span = high - low
    bins = min(BINS, int(span) + 1) if whole else BINS
    step = -(-(span + 1) // bins) if whole else span / bins or 1.0
    counts = [0] * bins
    for value, count in samples.items():
        counts[min(int((value - low) / step), bins - 1)] += count
    bar = CHART_WIDTH / bins
    top = max(counts)
    bars = "".join(
        f'<rect class="bar" x="{index * bar:.1f}" y="{BASE - count / top * 76:.1f}" width="{max(bar - 1, 1):.1f}" '
        f'height="{count / top * 76:.1f}"><title>{count:,}</title></rect>'
        for index, count in enumerate(counts) if count
    )
    name = escape(title)
    return "".join((
        f'<svg viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" width="{CHART_WIDTH}" role="img" aria-label="{name}">',
        f'<text x="0" y="14">{name}</text>{bars}',
        f'<text class="soft" x="0" y="{BASE + 14}">{_short(low)}</text>',
        f'<text class="soft" x="{CHART_WIDTH}" y="{BASE + 14}" text-anchor="end">{_short(high)} {escape(unit)}</text>',
        f'<text class="soft" x="0" y="{BASE + 28}">{total:,} samples, the largest {_short(ordered[-1])}</text>',
        "</svg>",
    ))


def _short(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,.1f}"
