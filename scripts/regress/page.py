# SPDX-License-Identifier: MIT
"""index.html of a run, made from its summary and the history: verdict, causes with their lines to type, the matrix,
coverage, the last runs. It opens from the file system, without a network.

Plotly's script lies beside it, a link to the one that all runs share.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from scripts.regress import history
from tickloop.report.assets import document, plotly
from tickloop.report.tables import Html, code, table

NAME = "index.html"
PLOTLY = "plotly.min.js"
SHOWN_FAILURES, MOST_FAILURES = 5, 200  # of a cause: at once, and at all
SLOWEST = 10
HERE = Path(__file__).resolve().parent


def write_json(path: Path, summary: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def write(directory: Path, summary: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> Path:
    """Writes the page; ``before`` are the runs before this one."""
    _bring_plotly(directory)
    runs = [*before, history.entry(summary)][-history.SHOWN:]
    sections = [
        ("Verdict", _verdict(summary)),
        ("Causes of failures", _causes(summary)),
        ("Matrix", _matrix(summary)),
        ("Coverage", _coverage(summary, directory)),
        ("The last runs", _runs(runs, directory)),
        ("Jobs", _slowest(summary)),
    ]
    data = {"runs": runs}
    text = document(f"tickloop regress: {summary['name']}", code(summary["command"]), sections, data,
                    f"<script src={PLOTLY}></script>", (HERE / "page.js").read_text(encoding="utf-8"))
    page = directory / NAME
    page.write_text(text, encoding="utf-8")
    return page


def _bring_plotly(directory: Path) -> None:
    shared = directory.parent / PLOTLY
    if not shared.exists():
        new = shared.with_name(f".{PLOTLY}.{os.getpid()}")
        new.write_text(plotly(), encoding="utf-8")
        new.replace(shared)
    try:
        os.link(shared, directory / PLOTLY)
    except OSError:
        shutil.copyfile(shared, directory / PLOTLY)


def _verdict(summary: Mapping[str, Any]) -> str:
    jobs = summary["jobs"]
    seeds = f"{summary['seeds']['count']} seeds from {summary['seeds']['first']}"
    facts = (f"{escape(summary['started'])}, {_duration(summary['seconds'])} on {escape(summary['where'])}; {seeds}; "
             f"commit {_commit(summary)}")
    if summary["interrupted"]:
        text, kind = (f"Interrupted: {jobs['passed']} jobs passed, {jobs['failed']} failed, {jobs['not_run']} of "
                      f"{jobs['planned']} were not run.", "bad")
    elif jobs["failed"]:
        causes = len(summary["causes"])
        text, kind = (f"{jobs['failed']} of {jobs['planned']} jobs failed, of {causes} "
                      f"{'cause' if causes == 1 else 'causes'}.", "bad")
    else:
        text, kind = f"All {jobs['planned']} jobs passed.", "good"
    return f'<p class="verdict {kind}">{text}</p><p class=soft>{facts}</p>'


def _commit(run: Mapping[str, Any]) -> Html:
    """A + behind it: the tree had changes."""
    commit, changed, _ = (run["git_commit"] or "unknown").partition("+")
    return code(f"{commit[:12]}{changed}")


def _causes(summary: Mapping[str, Any]) -> str:
    parts = [_cause(cause) for cause in summary["causes"]] or ["<p class=soft>None.</p>"]
    if summary["against"] is None:
        parts.append("<p class=soft>No run before tried the same scenarios and options on the same "
                     "simulators: what is new and what went away cannot be told.</p>")
    for key, said in (("gone", "Gone since"), ("unseen", "Not seen among fewer seeds than those of")):
        if summary[key]:
            names = "".join(f"<li>{code(name)}</li>" for name in summary[key])
            parts.append(f"<h3>{said} {escape(summary['against'])}</h3><ul class={key}>{names}</ul>")
    return "\n".join(parts)


def _cause(cause: Mapping[str, Any]) -> str:
    failures = cause["failures"]
    mark = {True: ' <span class="new bad">new</span>', False: ' <span class=soft>known</span>'}.get(cause["new"], "")
    head = f'<h3>{len(failures)} × {code(cause["name"])}{mark}</h3><p>{escape(cause["example"])}</p>'
    parts = [head, _failures(failures[:SHOWN_FAILURES])]
    if rest := failures[SHOWN_FAILURES:MOST_FAILURES]:
        parts.append(f"<details><summary>{len(rest)} more</summary>{_failures(rest)}</details>")
    if len(failures) > MOST_FAILURES:
        parts.append(f"<p class=soft>All {len(failures)} are in summary.json.</p>")
    return f"<div class=cause>{''.join(parts)}</div>"


def _failures(failures: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for failure in failures:
        job = _link(f"jobs/{failure['job']}/", failure["job"])
        if failure["test"]:
            job = Html(f"{job}<br>{code(failure['test'])}")
        rows.append([job, code(failure["reproduce"]), _waves(failure["waves"])])
    return table(["job", "reproduce", "waves"], rows)


def _waves(waves: Mapping[str, Any] | None) -> Html:
    if waves is None:
        return Html("")
    links = " ".join(_link(dump, dump.rpartition("/")[2]) for dump in waves["dumps"]) or "none were left"
    again = "" if waves["again"] else "<br><span class=bad>it did not fail again</span>"
    return Html(f"{links}<br>{code(waves['open'])}{again}")


def _matrix(summary: Mapping[str, Any]) -> str:
    """Scenarios as rows, simulators as columns."""
    simulators = list(dict.fromkeys(simulator for _, simulator in summary["matrix"]))
    rows = []
    for scenario in dict.fromkeys(scenario for scenario, _ in summary["matrix"]):
        cells = []
        for simulator in simulators:
            own = [row for row in summary["results"] if (row["scenario"], row["simulator"]) == (scenario, simulator)]
            cells.append(_cell(own))
        seconds = sum(row["seconds"] for row in summary["results"] if row["scenario"] == scenario)
        rows.append([scenario, *cells, _duration(seconds)])
    return table(["scenario", *simulators, "#time of its jobs"], rows)


def _cell(rows: Sequence[Mapping[str, Any]]) -> Html:
    counts = [(sum(row["outcome"] == outcome for row in rows), outcome, kind)
              for outcome, kind in (("passed", "good"), ("failed", "bad"), ("not run", "soft"))]
    return Html(", ".join(f'<span class={kind}>{count} {outcome}</span>' for count, outcome, kind in counts if count))


def _coverage(summary: Mapping[str, Any], directory: Path) -> str:
    if not summary["coverage"]:
        return ("<p class=soft>Nothing was counted: <code>COVERAGE=1</code> counts lines and toggles of the RTL, the "
                "scenario <code>rtl-env</code> the bins of the plan.</p>")
    rows = [[kind, f"{each['covered']:,}", f"{each['total']:,}", f"{each['percent']:.2f} %"]
            for kind, each in summary["coverage"].items()]
    page = "coverage/html/index.html"
    link = f"<p>{_link(page, 'all of it, file by file and cross by cross')}</p>" if (directory / page).exists() else ""
    note = f"<p class=note>{escape(summary['coverage_note'])}</p>" if summary["coverage_note"] else ""
    return table(["what", "#covered", "#of", "#share"], rows) + note + link


def _runs(runs: Sequence[Mapping[str, Any]], directory: Path) -> str:
    rows = []
    for run in reversed(runs):
        there = run["name"] == directory.name or (directory.parent / run["name"] / NAME).exists()
        name = _link(f"../{run['name']}/{NAME}", run["name"]) if there else run["name"]
        share = 100 * run["passed"] / max(1, run["passed"] + run["failed"])
        rows.append([name, f"{share:.1f} %", run["passed"], run["failed"], run["not_run"] or "",
                     _duration(run["seconds"]), len(run["causes"]), _shares(run["coverage"].items()),
                     _commit(run)])
    head = ["run", "#passed", "#jobs passed", "#failed", "#not run", "#time", "#causes", "coverage", "commit"]
    return f'<div class=two><div class=plot id=verdicts></div><div class=plot id=times></div></div>{table(head, rows)}'


def _shares(coverage: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{kind} {share:.1f} %" for kind, share in coverage)


def _slowest(summary: Mapping[str, Any]) -> str:
    slow = sorted(summary["results"], key=lambda row: -row["seconds"])[:SLOWEST]
    rows = [[_link(f"jobs/{row['job']}/", row["job"]), row["outcome"], f"{row['seconds']:.1f} s", row["host"],
             ", ".join(f"{count} {outcome}" for outcome, count in row["cases"].items() if count)] for row in slow]
    files = " ".join(_link(name, name) for name in ("summary.json", "junit.xml"))
    return f"<p>The slowest; all are in {files}.</p>" + table(["job", "outcome", "#time", "host", "cases"], rows)


def _link(target: str, text: str) -> Html:
    return Html(f'<a href="{escape(target)}">{escape(text)}</a>')


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
