# SPDX-License-Identifier: MIT
"""report.html from a run directory: one file without external resources, readable on light and dark screens.

It is made from the directory's files alone, so ``tickloop report DIR`` rebuilds it at any later time. Plotly draws in
the reader's browser: a well-kept library that zooms and tells values under the pointer, and whose Python package holds
all of it as one script, so that the page carries it and fetches nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from tickloop.exits import UsageError
from tickloop.report import plots, sections
from tickloop.report.against import against_section
from tickloop.report.assets import asset, document, plotly
from tickloop.report.counters import kernel_counters, nic_counters
from tickloop.report.figures import figures, software_rows
from tickloop.report.files import RunFiles, other_version, read_run
from tickloop.report.market import order_rows, read_market
from tickloop.report.plots import MOST_MESSAGES, MOST_OF_MARKET, Page
from tickloop.report.samples import SHORT_WAY, read_samples
from tickloop.report.svg import data_path
from tickloop.report.tables import code, table
from tickloop.rundir.tick_to_trade import STAGES

NOT_REPRODUCIBLE = ("<p class=bad>A run in free mode: its times are those of this machine under its load, and no other "
                    "run repeats them. What was done is comparable, and clocks inside the NIC.</p>")
SAVED = ("<p class=soft>The same frames into the same kernel behind an e1000, parsed by the kernel itself; mean "
         "executed instructions a message, exact (<code>software.json</code>).</p>")
SOFTWARE = "software.json"


def write_report(directory: Path, against: Path | None = None) -> Path:
    """Builds ``directory``/report.html, with the differences to the run in ``against``; returns its path.

    Raises:
        UsageError: a directory holds no run, or one that this version cannot read; or it cannot be written to.
    """
    files = read_run(directory)
    second = read_run(against) if against is not None else None
    report = directory / "report.html"
    page = _whole(files, second, lambda: _page(files, second))
    try:
        report.write_text(page, encoding="utf-8")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # the caller's to tell
            raise
        raise UsageError(f"{report}: cannot be written: {os.strerror(error.errno or 0)}") from None
    return report


def _whole(files: RunFiles, second: RunFiles | None, make: Callable[[], str]) -> str:
    try:
        return make()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration, FileNotFoundError,
            NotADirectoryError) as error:
        # Files that are no JSON, or JSON of another shape than a run leaves.
        for each in (files, *([] if second is None else [second])):
            if why := other_version(each.run):
                raise UsageError(f"{each.directory}: {why}") from None
        raise UsageError(f"{files.directory}: not a run directory ({error})") from None


def _page(files: RunFiles, second: RunFiles | None) -> str:
    run = files.run
    page = Page()
    messages = list(files.lines("messages.jsonl", MOST_MESSAGES))
    samples = read_samples(files.directory / "latency.csv")
    page.data |= {"way": list(STAGES), "short_way": list(SHORT_WAY)}
    told = table([], figures(run, files.summary, files.stages)) if files.summary is not None else ""
    page.add("Verdict", sections.verdict(files), data_path(sections.stations(files), files.closed_loop),
             f"<div class=two><div>{sections.checks(run)}</div><div>{told}</div></div>")
    if second is not None:
        page.add("Against the second run", against_section(files, second))
        page.data["against"] = plots.curves(read_samples(second.directory / "latency.csv"))
    page.add("Latency", "" if run["reproducible"] else NOT_REPRODUCIBLE,
             plots.one_message(page, files, samples, messages), plots.distribution(page, samples, files.stages),
             sections.latency(files.stages), sections.tick_to_trade(files.stages))
    software = files.document(SOFTWARE)
    if software is not None:
        page.add("What the SmartNIC saves", SAVED, table([], software_rows(software)))
    page.add("Rates and ring occupancy", plots.timeline(page, files, messages))
    orders = order_rows(files.lines("orders.jsonl"), files.result)
    page.data["orders"] = orders if len(orders) <= MOST_OF_MARKET else orders[:MOST_OF_MARKET]
    # The prototype's messages are none of a book.
    followed = messages[:MOST_OF_MARKET] if run.get("format", "mold") == "mold" else []
    market = read_market(followed, plots.followed_config(run),
                         [order["stock"] for order in orders if order["stock"]])
    page.add("Market and orders", plots.market_section(page, files, market, len(messages)),
             plots.orders_section(orders, files) if files.closed_loop else "")
    if files.closed_loop:
        page.add("Profit and loss", plots.profit_section(page, files, market))
    if files.summary is not None:
        page.add("Counters of the NIC", sections.counters(list(nic_counters(files.summary))),
                 sections.agree(files.summary))
    if run.get("kernel_statistics"):
        page.add("Counters of the kernel", sections.counters(list(kernel_counters(run["kernel_statistics"]))))
    page.add("Events", sections.events(files))
    page.add("The run", sections.run_facts(run))
    return _document(files, page)


def _document(files: RunFiles, page: Page) -> str:
    return document(f"tickloop {files.run['command']}: {files.run['input']}", code(files.run["command_line"]),
                    page.sections, page.data, f"<script>{plotly()}</script>", asset("page.js"))
