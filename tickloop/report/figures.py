# SPDX-License-Identifier: MIT
"""The figures of a run under the names that users read, for the table and the report alike."""

from __future__ import annotations

from typing import Any

from bridge.layout import Refusal
from generators.tables import PRICE_SCALE

# Counter of the kernel's export -> what it tells a user.
REFUSED = {
    "orders_refused_price": "refused for their price", "orders_refused_ring": "refused, TX ring full",
    **{f"orders_refused_{reason.name.lower()}": f"refused, {reason.name.lower().replace('_', ' ')}"
       for reason in Refusal if reason not in (Refusal.NONE, Refusal.PRICE, Refusal.RING)},
    "pool_full": "messages without room in a pool",
}


def figures(run: dict[str, Any], counters: dict[str, Any], stages: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """(name, value) pairs; a stage without samples is left out."""
    delivered = sum(counters["messages"].values())
    dropped = counters["frames"] - counters["accepted"]
    of_frames = [f"{dropped:,} dropped"] if dropped else []
    rows = [
        ("frames", _with(counters["frames"], of_frames + _of_b(counters, "frames"))),
        ("messages", _messages(counters, delivered)),
    ]
    if run["command"] == "sim":
        rows.append(("orders", f"{compared(run, 'orders'):,}{_refused(run['kernel_statistics'])}"))
    if run.get("exchange"):
        rows += _settled(run["kernel_statistics"])
    rows += [("RTL clocks", f"{run['clocks']:,} ({run['clocks_skipped']:,} of them idle and skipped)"),
             ("loop speed", _speed(run, delivered))]
    for stage, name in (
        ("last_byte_to_dma_issue", "last byte to DMA write"),
        ("dequeue_to_done", "a message in the kernel"),
        ("dequeue_to_doorbell", "dequeue to doorbell"),
        ("tick_to_trade", "tick to trade"),
    ):
        values = stages.get(stage)
        if values and values["count"]:
            rows.append((name, f"p50 {values['p50']}, p99 {values['p99']}, mean {values['mean']} {values['unit']}"))
    return rows


def _settled(statistics: dict[str, int]) -> list[tuple[str, str]]:
    """What the orders came to, in the kernel's books."""
    if not statistics:
        return []
    return [
        ("fills", f"{statistics['executions']:,} of {statistics['answers']:,} answers"),
        ("position", f"{statistics['position_total']:,} shares, long or short"),
        ("profit and loss", f"{statistics['profit'] / PRICE_SCALE:+,.4f}"),
    ]


def compared(run: dict[str, Any], check: str) -> int:
    """How many items a check of the run compared."""
    return next((entry["compared"] for entry in run["checks"] if entry["name"] == check), 0)


def _refused(statistics: dict[str, int]) -> str:
    """What the kernel did not do, by reason; nothing where it did everything."""
    said = ", ".join(f"{statistics[key]:,} {name}" for key, name in REFUSED.items() if statistics.get(key))
    return f" ({said})" if said else ""


def _messages(counters: dict[str, Any], delivered: int) -> str:
    others = [f"{count:,} {status}" for status, count in counters["messages"].items() if count and status != "ok"]
    others += [f"{counters[name]:,} {name.replace('_', ' ')}" for name in ("duplicates", "filtered", "gaps")
               if counters.get(name)]
    return _with(delivered, others + _of_b(counters, "messages"))


def _of_b(counters: dict[str, Any], what: str) -> list[str]:
    """Line B's part: of the messages, those of which its copy came first."""
    return [f"{counters[f'{what}_b']:,} from line B"] if counters.get("frames_b") else []


def _with(count: int, details: list[str]) -> str:
    return f"{count:,}" + (f" ({', '.join(details)})" if details else "")


def _speed(run: dict[str, Any], delivered: int) -> str:
    seconds = run["wall"].get("loop_s") or 0
    if not seconds:
        return "not measured"
    active = run["clocks"] - run["clocks_skipped"]
    return f"{active / seconds:,.0f} clocks/s, {delivered / seconds:,.0f} messages/s ({seconds:.2f} s)"


def software_rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """For the table and the report: who parses, and what a message costs."""
    rows = [("records from the RTL", f"{result['smartnic']:,.1f} instructions a message")]
    for name, cost in result["parsers"].items():
        rows.append((f"parsed in {name}", f"{cost['whole']:,.1f}: {cost['parsing']:,.1f} for parsing, "
                     f"{cost['trading']:,.1f} for books, strategy and orders; "
                     f"{cost['whole'] / result['smartnic']:.2f} x"))
    same = {True: "the same", False: "others"}
    rows.append(("frames", f"{result['frames']:,}, {result['messages']:,} messages"))
    rows.append(("orders, books", f"{same[result['same_orders']]}, {same[result['same_books']]}"))
    return rows
