# SPDX-License-Identifier: MIT
"""Pages of the documentation that are made from the sources while the site is built (mkdocs.yml names this as a hook):
commands from the command line's own parser, exit statuses, counters; and the order of all pages.

Tables of pages that stand in docs/ are made from the sources too, between two comments: ``python -m
scripts.docs_pages`` writes them, and ``make docs`` does before it builds. README.md is the front page. Links that leave
docs/ lead to files of the repository, which a site does not have: their text stays.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.layout import EXPORT_MEANINGS, REGISTER_MEANINGS, REGISTERS
from bridge.own_parser import contract
from generators.exchange.counted import COUNTED
from tickloop.commands import command_parser
from tickloop.exits import ExitStatus
from tickloop.report.counters import summary_counters
from tickloop.rundir.books import STATISTICS
from tickloop.rundir.files import RECORD, RECORD_FILES, RUN_FILES

ROOT = Path(__file__).resolve().parents[1]
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("index.md", "tutorial.md", "troubleshooting.md"),
    "Using it": ("generate.md", "inspect.md", "configuration.md", "exchange.md", "report.md", "waves.md", "replay.md",
                 "backtest.md", "debugging.md", "console.md", "regression.md"),
    "Extending it": ("strategies.md", "own-parser.md", "own-message-type.md"),
    "How it works": ("architecture.md", "time-model.md", "latency.md", "recovery.md", "faults.md", "platform.md",
                     "limits.md"),
    "How far to trust it": ("verification.md", "verification-core.md", "formal.md", "synthesis.md", "performance.md",
                            "speed.md"),
    "Reference": ("reference/commands.md", "run-directory.md", "layout.md", "reference/counters.md",
                  "reference/exit-statuses.md"),
}
USAGE_WIDTH = 76
FIRST_COUNTER = REGISTERS["RX_RING_FULL_DROPPED"]
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def on_config(config: Any) -> Any:
    """All pages, sorted into sections; one that no section names stands under "More"."""
    pages = {"index.md", *generated(), *(path.name for path in (ROOT / "docs").glob("*.md"))}
    named = {page for section in SECTIONS.values() for page in section}
    nav = [{title: [page for page in section if page in pages]} for title, section in SECTIONS.items()]
    if more := sorted(pages - named):
        nav.append({"More": more})
    config["nav"] = nav
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the front page and the generated ones."""
    from mkdocs.structure.files import File  # noqa: PLC0415 (only mkdocs calls this)
    texts = {"index.md": front_page(), **{name: make() for name, make in generated().items()}}
    for name, text in texts.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files outside docs/ become their text."""
    if "/" in page.file.src_uri:
        return markdown
    return _LINK.sub(lambda link: link[1] if link[2].startswith("../") else link[0], markdown)


def front_page() -> str:
    """README.md, as seen from docs/."""
    def moved(link: re.Match[str]) -> str:
        text, target = link.groups()
        if target.startswith(("http", "#")):
            return link[0]
        return f"[{text}]({target.removeprefix('docs/')})" if target.startswith("docs/") else text

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return _LINK.sub(moved, re.sub(r"(!\[[^\]]*\]\()docs/", r"\1", readme))


def generated() -> dict[str, Any]:
    """Name -> what makes the page."""
    return {"reference/commands.md": commands, "reference/exit-statuses.md": exit_statuses,
            "reference/counters.md": counters}


def tables() -> dict[str, list[str]]:
    """Rows of the tables that stand in docs/run-directory.md, and in docs/own-parser.md."""
    return {
        "ports": ["| port | direction | bits | with | meaning |", "|---|---|---|---|---|",
                  *(_row(f"`{port.name}`", port.direction, str(port.width), port.group, port.meaning)
                    for port in contract()[1])],
        "files": ["| file | what it holds |", "|---|---|",
                  *(_row(f"`{name}`", what) for name, what in RUN_FILES.items())],
        "record": [f"| in `{RECORD}/` | what it holds |", "|---|---|",
                   *(_row(f"`{name}`", what) for name, what in RECORD_FILES.items())],
        "summary": ["| in `summary.json` | register | counts |", "|---|---|---|",
                    *(_row(f"`{name}`", f"`{register}`", _plain(REGISTER_MEANINGS[register]))
                      for name, register in summary_counters().items())],
    }


def with_tables(page: str) -> str:
    """A page with its tables as the sources have them."""
    for name, rows in tables().items():
        begin, end = f"<!-- {name}: made by scripts/docs_pages.py -->\n", f"<!-- end of {name} -->"
        if begin in page:
            head, _, rest = page.partition(begin)
            page = head + begin + "\n".join(rows) + "\n" + rest[rest.index(end):]
    return page


def main() -> None:
    """Writes the tables of docs/."""
    for path in (ROOT / "docs").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if (made := with_tables(text)) != text:
            path.write_text(made, encoding="utf-8")
            print(f"wrote: docs/{path.name}")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |"


def _plain(text: str) -> str:
    """Text in which nothing means anything to Markdown."""
    return re.sub(r"([\\`*_<\[])", r"\\\1", text).replace("|", "&#124;")


def commands() -> str:
    """Every command with its arguments and options."""
    parser = command_parser()
    lines = ["# Commands", "", parser.description or "", "",
             "Every command ends with one of the [exit statuses](exit-statuses.md); `--help` tells what stands here."]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                lines += ["", f"## {name}", "", *_command(command)]
    lines += ["", "## Jobs of make", "", "In brackets the variables that a job takes, as in `make sim SEED=7`.", "",
              _row("job", "what it does"), "|---|---|"]
    lines += [_row(f"`make {name}`", _plain(what)) for name, what in jobs().items()]
    return "\n".join([*lines, ""])


def jobs() -> dict[str, str]:
    """The Makefile's jobs and what it says of them."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*?## (.+)$", text, re.MULTILINE))


def _command(command: argparse.ArgumentParser) -> Iterator[str]:
    yield _plain(command.description or "")
    yield ""
    yield "```"
    usage = re.sub(r"\s+", " ", command.format_usage().removeprefix("usage: ")).strip()
    yield textwrap.fill(usage, USAGE_WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    yield "```"
    yield ""
    yield _row("argument", "what it says")
    yield "|---|---|"
    for action in command._actions:
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        names = [f"{option} {value}" if action.nargs != 0 else option for option in action.option_strings]
        yield _row(f"`{', '.join(names) or value}`", _plain((action.help or "").replace("%%", "%")))


def exit_statuses() -> str:
    """What each exit status means."""
    lines = ["# Exit statuses", "", "Of every command. The line on standard error says what happened; "
             "[troubleshooting](../troubleshooting.md) what to do.", "", _row("status", "meaning"), "|---|---|"]
    lines += [_row(str(status.value), _plain(status.meaning)) for status in ExitStatus]
    return "\n".join([*lines, ""])


def counters() -> str:
    """Counters of the NIC, of the kernel and of the exchange with what each counts, in the words of the sources."""
    names = {register: name for name, register in summary_counters().items()}
    lines = ["# Counters", "", "## Of the NIC", "",
             "Registers of 32 bits ([all registers](../layout.md)); `summary.json` has their values at the end.", "",
             _row("address", "register", "in `summary.json`", "counts"), "|---|---|---|---|"]
    lines += [_row(f"`0x{address:03X}`", f"`{name}`", f"`{names[name]}`" if name in names else "",
                   _plain(REGISTER_MEANINGS[name]))
              for name, address in REGISTERS.items() if address >= FIRST_COUNTER]
    lines += ["", "## Of the kernel", "", "`kernel_statistics` of `run.json`.", ""]
    lines += [_row("counter", "counts"), "|---|---|"]
    lines += [_row(f"`{name}`", _plain(EXPORT_MEANINGS[name])) for name in STATISTICS]
    lines += ["", "## Of the exchange", "", "`exchange.json`; a counter that is not there is 0.", ""]
    lines += [_row("counter", "counts"), "|---|---|"]
    lines += [_row(f"`{group}.{name}`", _plain(what)) for group, each in COUNTED.items() for name, what in each.items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
