# SPDX-License-Identifier: MIT
"""Writes the GTKWave save file of a dump: data path and kernel in groups, values by name or as text, orders as markers.

Signals are looked up in the dump's definitions, so one list serves both simulators, whose scopes and bit ranges differ.
Every path in it is relative to the run directory, which can be moved: GTKWave is to be started there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

from vcd.gtkw import GTKWColor, GTKWSave

from bridge.layout import DropReason, FrameKind, MailboxOp
from waves.dump import Definitions, DumpError, Variable, read_definitions
from waves.kernel import State

NIC = "testbench.nic"
KERNEL = "kernel"
AROUND = "around.gtkw"  # the view of another moment
ORIGIN = "clock 0 of the run, ps:"
FILTERS = "record"  # folder of the translate filters
WINDOW = (1600, 1000)
BEFORE_PS = 1_300_000  # shown before an order: about what a message takes from wire to wire
BEFORE_MESSAGE_PS = 150_000  # shown before a message's frame
ZOOM = -18.0  # some three microseconds in a window of this size
SIGNALS_WIDTH = 260


class Row(NamedTuple):
    """How a signal is shown: number format, or names for its values."""

    datafmt: str = "hex"
    names: type[IntEnum] | None = None


class Group(NamedTuple):
    """Signals of one scope; a closed group shows its name only."""

    color: GTKWColor
    rows: Mapping[str, Row]
    scope: str = NIC
    closed: bool = False


HEX, DECIMAL, TEXT = Row(), Row("dec"), Row("ascii")


def _hex(*names: str) -> dict[str, Row]:
    return dict.fromkeys(names, HEX)


GROUPS: Mapping[str, Group] = {
    "time": Group(GTKWColor.normal, _hex("clk") | {"time_ns": DECIMAL}),
    "receive port, line A": Group(
        GTKWColor.blue, _hex("rx_a_tvalid", "rx_a_tlast", "rx_a_tdata", "rx_a_tkeep", "rx_a_tuser")),
    "messages": Group(
        GTKWColor.green, _hex("decoded_a", "decoded_b", "line_valid", "line_first", "line_event", "line_data",
                              "line_abort") | {"next_expected": DECIMAL}),
    "kernel": Group(GTKWColor.orange, {
        "state": Row(names=State), "request": Row(names=MailboxOp), "sequence": DECIMAL, "message_type": TEXT,
        "symbol": TEXT, "rx_occupancy": DECIMAL, "target": TEXT, "best_bid": DECIMAL, "best_ask": DECIMAL,
        "orders_sent": DECIMAL, "order_token": TEXT}, KERNEL),
    "transmit port": Group(GTKWColor.red, _hex("tx_tvalid", "tx_tready", "tx_tlast", "tx_tdata", "tx_tkeep")),
    "host memory": Group(GTKWColor.yellow, _hex(
        "m_axi_awvalid", "m_axi_awaddr", "m_axi_wvalid", "m_axi_wdata", "m_axi_wstrb", "m_axi_bvalid", "m_axi_arvalid",
        "m_axi_araddr", "m_axi_rvalid", "m_axi_rdata")),
    "receive port, line B": Group(
        GTKWColor.blue, _hex("rx_b_tvalid", "rx_b_tlast", "rx_b_tdata", "rx_b_tkeep", "rx_b_tuser"), closed=True),
    "frame report": Group(GTKWColor.green, {
        "report_valid": HEX, "report_line": HEX, "report_reason": Row(names=DropReason),
        "report_kind": Row(names=FrameKind), "report_sequence": DECIMAL, "report_count": DECIMAL,
        "report_flags": HEX, "report_gap_from": DECIMAL}, closed=True),
    "rings": Group(GTKWColor.yellow, {
        f"u_host_side.{ring}_{end}": DECIMAL for ring in ("rx", "tx", "raw") for end in ("head", "tail")}, closed=True),
    "registers": Group(GTKWColor.indigo, _hex(
        "s_axil_awvalid", "s_axil_awaddr", "s_axil_wdata", "s_axil_arvalid", "s_axil_araddr", "s_axil_rvalid",
        "s_axil_rdata"), closed=True),
    "reset and idle": Group(GTKWColor.normal, _hex("rst", "receive_idle", "host_idle"), closed=True),
}


def write_save_file(dump: Path, definitions: Definitions, orders_ps: Sequence[int] = (),
                    origin_ps: int | None = None) -> tuple[Path, list[str]]:
    """Writes the save file beside ``dump``, with a marker at each of the first orders; returns its path and the signals
    of ``GROUPS`` that the dump lacks. Without a kernel, the kernel's are not missed. ``origin_ps``: the dump's time of
    clock 0, from which the run's logs count, for ``write_view_around``."""
    path = dump.with_suffix(".gtkw")
    missing = []
    with path.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(dump.name, abspath=False)
        save.savefile(path.name, abspath=False)
        if origin_ps is not None:
            save.comment(f"{ORIGIN} {origin_ps}")
        save.timestart(max(0, orders_ps[0] - BEFORE_PS) if orders_ps else 0)
        save.zoom_markers(ZOOM, orders_ps[0] if orders_ps else -1,
                          **dict(zip(ascii_lowercase, orders_ps, strict=False)))
        save.size(*WINDOW)
        save.signals_width(SIGNALS_WIDTH)
        save.sst_expanded(False)
        for name, group in GROUPS.items():
            full = {row: f"{group.scope}.{row}" for row in group.rows}
            if group.scope == KERNEL and not any(signal in definitions for signal in full.values()):
                continue  # a run without a kernel
            missing += [signal for signal in full.values() if signal not in definitions]
            with save.group(name, closed=group.closed):
                for row, signal in full.items():
                    if signal in definitions:
                        _trace(save, dump.parent, definitions[signal], row, group)
    return path, missing


def write_view_around(path: Path, time_ps: int, before_ps: int) -> Path:
    """Writes the save file ``path`` once more, beside it, with the primary marker at ``time_ps`` of the run's logs and
    a window that begins ``before_ps`` before; returns the new one's path.

    Raises:
        DumpError: ``path`` does not say where the logs' time begins: an earlier version's does not.
    """
    text = path.read_text(encoding="utf-8")
    origin = re.search(rf"^\[\*\] {ORIGIN} (\d+)$", text, re.M)
    if origin is None:
        raise DumpError("the view does not say where the run's time begins; make the waves again")
    moment = int(origin[1]) + time_ps
    text = re.sub(r"^\[timestart\] .*$", f"[timestart] {max(0, moment - before_ps)}", text, flags=re.M)
    text = re.sub(r"^(\*\S+) -?\d+", rf"\g<1> {moment}", text, flags=re.M)
    around = path.with_name(AROUND)
    around.write_text(text.replace(f'"{path.name}"', f'"{around.name}"'), encoding="utf-8")
    return around


def write_plain_view(dump: Path, scope: str) -> Path:
    """Writes a save file with the signals of one scope, as they are; returns its path."""
    path = dump.with_suffix(".gtkw")
    with dump.open("rb") as source:
        definitions, _ = read_definitions(source)
    with path.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(dump.name, abspath=False)
        save.savefile(path.name, abspath=False)
        for name, variable in definitions.items():
            if name.rpartition(".")[0] == scope:
                save.trace(variable.viewer_name)
    return path


def _trace(save: GTKWSave, directory: Path, signal: Variable, name: str, group: Group) -> None:
    row = group.rows[name]
    save.trace(signal.viewer_name, alias=name, color=group.color, datafmt=row.datafmt,
               translate_filter_file=_filter_file(directory, row.names, signal.width) if row.names else None)


def _filter_file(directory: Path, enumeration: type[IntEnum], width: int) -> str:
    """A translate filter: one value a line, in hexadecimal as GTKWave shows it, and its name."""
    name = f"{FILTERS}/{enumeration.__name__}.filter"
    (directory / FILTERS).mkdir(exist_ok=True)
    lines = [f"{member.value:0{(width + 3) // 4}X} {member.name.lower()}\n" for member in enumeration]
    (directory / name).write_text("".join(lines), encoding="ascii")
    return name
