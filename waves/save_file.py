# SPDX-License-Identifier: MIT
"""Writes the GTKWave save file of a dump: the NIC's signals in the order of the data path, enumerations by name.

Signals are looked up in the dump's header, so one list serves both simulators, whose scopes and bit ranges differ. A
save file names its translate filters by absolute path; it is made for the place where the run is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

from vcd.gtkw import GTKWSave

from bridge.layout import DropReason, FrameKind

NIC = "nic"  # instance name of the NIC in the testbench

# Group -> signals of the NIC, or of an instance in it, with the enumeration that names a signal's values.
GROUPS: Mapping[str, Mapping[str, type[IntEnum] | None]] = {
    "time": dict.fromkeys(("clk", "rst", "time_ns", "receive_idle", "host_idle")),
    "receive port, line A": dict.fromkeys(("rx_a_tvalid", "rx_a_tlast", "rx_a_tdata", "rx_a_tkeep", "rx_a_tuser")),
    "receive port, line B": dict.fromkeys(("rx_b_tvalid", "rx_b_tlast", "rx_b_tdata", "rx_b_tkeep", "rx_b_tuser")),
    "messages": dict.fromkeys((
        "decoded_a", "decoded_b", "line_valid", "line_first", "line_event", "line_data", "line_abort", "next_expected",
    )),
    "frame report": {
        "report_valid": None, "report_line": None, "report_reason": DropReason, "report_kind": FrameKind,
        "report_sequence": None, "report_count": None, "report_flags": None, "report_gap_from": None,
    },
    "host memory": dict.fromkeys((
        "m_axi_awvalid", "m_axi_awaddr", "m_axi_wvalid", "m_axi_wdata", "m_axi_wstrb", "m_axi_bvalid", "m_axi_arvalid",
        "m_axi_araddr", "m_axi_rvalid", "m_axi_rdata",
    )),
    "rings": dict.fromkeys(f"u_host_side.{ring}_{end}" for ring in ("rx", "tx", "raw") for end in ("head", "tail")),
    "registers": dict.fromkeys((
        "s_axil_awvalid", "s_axil_awaddr", "s_axil_wdata", "s_axil_arvalid", "s_axil_araddr", "s_axil_rvalid",
        "s_axil_rdata",
    )),
    "transmit port": dict.fromkeys(("tx_tvalid", "tx_tready", "tx_tlast", "tx_tdata", "tx_tkeep")),
}

_SCOPE = re.compile(r"\$scope\s+\S+\s+(\S+)\s+\$end")
_VARIABLE = re.compile(r"\$var\s+\S+\s+(\d+)\s+\S+\s+(\S+?)\s*(\[\d+(?::\d+)?\])?\s+\$end")


def nic_signals(dump: Path) -> dict[str, str]:
    """The signals in the NIC's scope of a VCD and below: name from that scope on -> full name with its bit range, as
    GTKWave has it."""
    scope: list[str] = []
    signals: dict[str, str] = {}
    with dump.open(encoding="latin-1") as file:
        for line in file:
            if opened := _SCOPE.search(line):
                scope.append(opened.group(1))
            elif "$upscope" in line:
                scope.pop()
            elif "$enddefinitions" in line:
                break
            elif NIC in scope and (variable := _VARIABLE.search(line)):
                width, name, bits = int(variable.group(1)), variable.group(2), variable.group(3)
                suffix = (bits or f"[{width - 1}:0]") if width > 1 else ""
                local = ".".join([*scope[scope.index(NIC) + 1:], name])
                signals[local] = ".".join([*scope, name]) + suffix
    return signals


def write_save_file(dump: Path) -> tuple[Path, list[str]]:
    """Writes the save file beside ``dump``; returns its path and the signals of ``GROUPS`` that the dump lacks."""
    signals = nic_signals(dump)
    missing = [name for group in GROUPS.values() for name in group if name not in signals]
    path = dump.with_suffix(".gtkw")
    with path.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(str(dump.resolve()))
        save.savefile(str(path.resolve()))
        for group, names in GROUPS.items():
            with save.group(group):
                for name, enumeration in names.items():
                    if name in signals:
                        filter_file = str(_filter_file(dump, enumeration)) if enumeration else None
                        save.trace(signals[name], alias=name, translate_filter_file=filter_file)
    return path, missing


def _filter_file(dump: Path, enumeration: type[IntEnum]) -> Path:
    """A translate filter: one value a line, in hexadecimal as GTKWave shows it, and its name."""
    path = (dump.parent / "record" / f"{enumeration.__name__}.filter").resolve()
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{member.value:02X} {member.name.lower()}\n" for member in enumeration), encoding="ascii")
    return path
