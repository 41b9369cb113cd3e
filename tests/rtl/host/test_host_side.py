# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the NIC's host side: rings, descriptors, frames, registers, order entry, time. All on
Icarus; those of the whole host side again, in one build, on Verilator."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from cocotb_tools.runner import get_runner

from bridge.build import rtl_sources
from tests.rtl.host.orders import Session, enter_orders
from tests.rtl.simulation import RTL, Bench, listed

MODULES = ("rx_ring_tests", "register_tests", "descriptor_tests", "frame_tests")
PACKAGE = "tests.rtl.host"
INSIDE = {
    "csr": ("store", "rx_tail", "tx_tail"),
    "ring_lines": ("head", "publish", "head_slot", "second_slot"),
    "rx_queue": ("promised", "promised_1", "promised_2", "begun", "begun_1", "begun_2"),
    "tx_ring": ("head",),
}
BENCH = Bench("host_side", listed("host_side"), PACKAGE, INSIDE)

ORDERS_SEED, ORDERS_COUNT = 2019, 40

# Field of the protocol table -> tshark's name
OUCH_FIELDS = {
    "order_token": "ouch.order_token", "buy_sell_indicator": "ouch.buy_sell_indicator", "shares": "ouch.shares",
    "stock": "ouch.stock", "price": "ouch.price", "time_in_force": "ouch.tif", "firm": "ouch.firm",
    "display": "ouch.display", "capacity": "ouch.capacity", "intermarket_sweep_eligibility": "ouch.iso_eligible",
    "minimum_quantity": "ouch.min_quantity", "cross_type": "ouch.cross_type", "customer_type": "ouch.customer_type",
}


def test_file_list_is_complete() -> None:
    """smartnic.f names every module of the folder."""
    assert sorted(rtl_sources()) == sorted(RTL.glob("*.v"))


@pytest.mark.parametrize("module", MODULES)
def test_host_side(module: str, tmp_path: Path) -> None:
    BENCH.simulate("icarus", [module], tmp_path)


def test_host_side_on_verilator(tmp_path: Path) -> None:
    BENCH.simulate("verilator", (*MODULES, "tx_tests"), tmp_path, orders(tmp_path / "orders.pcap"))


def test_order_entry(tmp_path: Path) -> None:
    """The transmit path against scapy; the capture it leaves is judged below."""
    capture = tmp_path / "orders.pcap"
    BENCH.simulate("icarus", ["tx_tests"], tmp_path, orders(capture))
    orders_as_tshark_reads_them(capture)


def orders(capture: Path) -> dict[str, str]:
    return {"ORDERS_SEED": str(ORDERS_SEED), "ORDERS_COUNT": str(ORDERS_COUNT), "ORDERS_CAPTURE": str(capture)}


def orders_as_tshark_reads_them(capture: Path) -> None:
    """Checksums, TCP sequence analysis, SoupBinTCP and OUCH 4.2 fields of every frame."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed: the frames were compared with scapy's only")
    tcp = {"ip.checksum.status": "1", "tcp.checksum.status": "1", "tcp.flags": "0x0018", "tcp.analysis.flags": "",
           "soupbintcp.packet_type": "'U'", "ouch.packet_type": "'O'"}
    command = [tshark, "-n", "-r", str(capture), "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
               "-d", f"tcp.port=={Session.destination_port},soupbintcp", "-T", "fields", "-E", "separator=;"]
    for name in (*tcp, *OUCH_FIELDS.values()):
        command += ["-e", name]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    want = [
        [*tcp.values(), *(_shown(ouch_name, fields[name]) for name, ouch_name in OUCH_FIELDS.items())]
        for fields in enter_orders(ORDERS_SEED, ORDERS_COUNT)
    ]
    assert len(rows) == ORDERS_COUNT
    assert [row.split(";") for row in rows] == want


def _shown(name: str, value: int | str) -> str:
    """A field's value as tshark prints it: single characters quoted, text padded as on the wire."""
    if isinstance(value, int):
        return str(value)
    return f"'{value}'" if len(value) == 1 else value.ljust(8) if name == "ouch.stock" else value


def test_wire_to_host(tmp_path: Path) -> None:
    Bench("smartnic", rtl_sources(), PACKAGE).simulate("icarus", ["wire_to_host_tests"], tmp_path)


def test_window_check(tmp_path: Path) -> None:
    sources = [RTL / name for name in ("ring_grants.v", "window_lines.v", "dma_window.v")]
    Bench("ring_grants", sources, PACKAGE).simulate("icarus", ["ring_grants_tests"], tmp_path)


@pytest.mark.parametrize(("whole", "num", "den"), [(6, 2, 5), (2, 14, 25), (8, 0, 1), (3, 127, 128)],
                         ids=["10GbE", "25GbE", "whole", "widest"])
def test_timestamp(whole: int, num: int, den: int, tmp_path: Path) -> None:
    Bench("timestamp", [RTL / "timestamp.v"], PACKAGE).simulate(
        "icarus", ["timestamp_tests"], tmp_path, {"CLOCK_PERIOD_NS": str(Fraction(whole * den + num, den))},
        PERIOD_NS=whole, PERIOD_NUM=num, PERIOD_DEN=den)


@pytest.mark.parametrize(("num", "den"), [(5, 5), (1, 129)])
def test_fraction_out_of_range_does_not_elaborate(num: int, den: int, tmp_path: Path) -> None:
    runner = get_runner("icarus")
    log = tmp_path / "build.log"
    with pytest.raises(RuntimeError):
        runner.build(sources=[RTL / "timestamp.v"], hdl_toplevel="timestamp", build_args=["-g2005"], build_dir=tmp_path,
                     parameters={"PERIOD_NUM": num, "PERIOD_DEN": den}, log_file=log)
    assert "timestamp_fraction_out_of_range" in log.read_text(encoding="utf-8")
