# SPDX-License-Identifier: MIT
"""``tickloop backtest``: the kernel's trading core, built for this machine, over a whole ITCH file.

The orders are those of the closed loop on the same file: same sources, same records, same times of packets on the
line. Nobody answers them: what positions and profit would be is told for one plain assumption, that every order filled
at its price.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from bridge.build import BRIDGE, build_native
from generators.captures import CaptureError, read_capture
from generators.tables import decode, plain
from tb.model.config import OuchVersion
from tickloop.config import RunConfig, compile_module, load_config
from tickloop.exits import UsageError
from tickloop.output import print_rows
from tickloop.progress import Progress, note_if_slow
from tickloop.rundir.books import Export, parse_export
from tickloop.rundir.files import clear, write_json, write_json_array, write_json_lines
from tickloop.rundir.orders import OUCH_INBOUND

ORDER = np.dtype([("sequence", "<u8"), ("time_ns", "<u8"), ("message", "u1", 56), ("length", "<u4"), ("zero", "<u4")])
RESULT = "backtest.json"


@dataclass(frozen=True)
class Backtest:
    """A run of the core: ``totals`` as the native program counted them. ``interrupted``: of the file's beginning, up to
    where Ctrl-C ended it."""

    totals: dict[str, Any]
    orders: list[dict[str, Any]]
    export: Export
    warnings: list[str]
    interrupted: bool = False

    @property
    def filled(self) -> dict[str, int]:
        """Shares held, cash and profit had every order filled at its price; prices with 4 implied decimals."""
        held: dict[str, int] = defaultdict(int)
        cash = 0
        for order in self.orders:
            fields = order["fields"]
            if order["type"] != "O":
                continue  # what replaces, cancels or modifies an order that would have filled
            fields = {"shares": fields.get("quantity"), "stock": fields.get("symbol"),
                      "buy_sell_indicator": fields.get("side"), **fields}
            shares = fields["shares"] if fields["buy_sell_indicator"] == "B" else -fields["shares"]
            held[fields["stock"]] += shares
            cash -= shares * fields["price"]
        books = {book["stock"]: book for book in self.export.books}
        value = 0
        for stock, shares in held.items():
            side = books[stock]["bids" if shares > 0 else "asks"]
            value += shares * (side[0][0] if side else 0)
        return {"shares": sum(map(abs, held.values())), "cash": cash, "profit": cash + value}


def run_core(path: Path, config: RunConfig) -> Backtest:
    """The core over the ITCH file ``path``.

    Raises:
        UsageError: the file cannot be read, or is no ITCH file.
        BridgeError: the core cannot be built.
    """
    config = replace(config, kernel=replace(config.kernel, session_mode="established"))  # nobody is there to log in to
    try:
        capture = read_capture(path, config.group)
    except CaptureError as error:
        raise UsageError(str(error)) from None
    if capture.kind != "itch":
        raise UsageError(f"{path}: backtest takes a Nasdaq ITCH 5.0 file; sim takes captures")
    with note_if_slow("building the trading core; the next run finds it built"):
        program = build_native(BRIDGE / "native/backtest.c")
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="tickloop-") as folder:
        module, orders, export = (Path(folder) / name for name in ("config.bin", "orders.bin", "export.bin"))
        module.write_bytes(compile_module(config.kernel, config.nic))
        command = [*map(str, (program, module, orders, export, config.time.clock_ps))]
        # Ctrl-C is not for the core: it comes to its end with what it was given.
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              process_group=0) as core:
            assert core.stdin
            assert core.stdout
            assert core.stderr
            try:
                _feed(core.stdin, path, capture.chunks())
            except KeyboardInterrupt:
                interrupted = True
                core.stdin.close()
            except BrokenPipeError:
                pass  # it has ended, and says why
            except CaptureError as error:
                core.kill()
                raise UsageError(str(error)) from None
            output, errors = core.stdout.read(), core.stderr.read()
        if core.returncode != 0:
            raise UsageError(f"{path}: {errors.decode(errors='replace').strip()}")
        totals = json.loads(output)
        lines = list(_order_lines(np.fromfile(orders, ORDER), config.kernel.ouch_version))
        result = parse_export(export.read_bytes())
    return Backtest(totals, lines, result, [*capture.warnings, *_warnings(path, totals, result)], interrupted)


def _feed(core: IO[bytes], path: Path, chunks: Iterable[bytes]) -> None:
    size = 0 if path.suffix == ".gz" else path.stat().st_size
    progress, fed = Progress("MiB"), 0
    try:
        for chunk in chunks:
            core.write(chunk)
            fed += len(chunk)
            progress(fed >> 20, size >> 20)
        core.close()
    finally:
        progress.close()


def _warnings(path: Path, totals: dict[str, Any], export: Export) -> Iterator[str]:
    if totals["left"]:
        yield f"{path}: ends inside message {totals['messages']}, read up to there"
    if totals["backward"]:
        yield f"{path}: {totals['backward']} message(s) with a timestamp before their predecessor's took its time"
    if totals["too_long"]:
        yield f"{path}: {totals['too_long']} message(s) longer than a frame were left out, and leave a gap"
    if full := export.statistics["pool_full"]:
        yield f"{full:,} message(s) found a pool full: raise pools.max_orders, max_levels or max_books"


def _order_lines(orders: Any, ouch: str) -> Iterator[dict[str, Any]]:
    for order in orders:
        message = order["message"].tobytes()[:order["length"]]
        fields = plain(decode(message, OUCH_INBOUND[ouch]))
        yield {"time_ns": int(order["time_ns"]), "sequence": int(order["sequence"]), "type": fields["message_type"],
               "fields": fields, "hex": message.hex()}


def backtest(path: Path, config: Path | None, out: Path | None, ouch: OuchVersion | None = None) -> Backtest:
    """Runs the core and leaves its results in ``out``, if that is given; ``ouch`` overrides the configuration's."""
    loaded = load_config(config)
    if ouch is not None:
        loaded = replace(loaded, kernel=replace(loaded.kernel, ouch_version=ouch))
    result = run_core(path, loaded)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            clear(out)
            write_json_lines(out / "orders.jsonl", result.orders)
            write_json_array(out / "books.json", result.export.books)
            write_json(out / RESULT, _results(path, result))
        except OSError as error:
            raise UsageError(f"{out}: cannot be written: {os.strerror(error.errno or 0)}") from None
    return result


def _results(path: Path, result: Backtest) -> dict[str, Any]:
    return {"input": str(path), **result.totals, "statistics": result.export.statistics,
            "if_every_order_filled": result.filled}


def backtest_document(path: Path, result: Backtest, out: Path | None) -> dict[str, Any]:
    """The object of ``--json``."""
    return {"command": "backtest", **_results(path, result), "books": len(result.export.books),
            "warnings": result.warnings, "out": None if out is None else str(out)}


def _money(amount: int) -> str:
    return f"{amount / 10_000:,.2f}"


def print_backtest(path: Path, result: Backtest, out: Path | None) -> None:
    """The result table."""
    totals, statistics, filled = result.totals, result.export.statistics, result.filled
    seconds = max(totals["seconds"], 1e-9)
    rows = [
        ("backtest", str(path)),
        ("messages", f"{totals['messages']:,}"),
        ("orders", f"{totals['orders']:,}"),
        ("books", f"{len(result.export.books):,}, with {statistics['live_orders']:,} orders left"),
        ("speed", f"{totals['messages'] / seconds:,.0f} messages/s ({seconds:.3f} s in the core)"),
        ("if every order filled", f"{filled['shares']:,} shares held, profit {_money(filled['profit'])}"),
    ]
    if out is not None:
        rows.append(("results", str(out)))
    print_rows(rows)
