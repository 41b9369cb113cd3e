# SPDX-License-Identifier: MIT
"""The report's drawn data path as inline SVG; colours come from the page's style, so they follow its scheme."""

from __future__ import annotations

from html import escape

BOX_WIDTH, BOX_HEIGHT, GAP, MARGIN = 132, 58, 26, 8


def data_path(stations: list[tuple[str, str]], closed_loop: bool) -> str:
    """The way of a message as boxes from left to right, each with its figure."""
    width = 2 * MARGIN + len(stations) * BOX_WIDTH + (len(stations) - 1) * GAP
    height = BOX_HEIGHT + 2 * MARGIN
    parts = [f'<svg class="path" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="data path">']
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
