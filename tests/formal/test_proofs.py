# SPDX-License-Identifier: MIT
"""Each proof of formal/ holds, and fails with each of its faults."""

from __future__ import annotations

import re
import shutil

import pytest

from scripts import formal

pytestmark = [
    pytest.mark.skipif(shutil.which("yosys-smtbmc") is None, reason="Yosys is not installed"),
    pytest.mark.skipif(shutil.which("z3") is None, reason="z3 is not installed"),
]
PROOFS = formal.proofs()
# The others take longer: make formal
SHORT = ("dma_window", "axil_port", "skid_buffer", "entry_skid", "ring_lines", "tx_ring", "rx_descriptors", "turn")


@pytest.mark.parametrize("name", SHORT)
def test_a_proof_holds(name):
    formal.check(PROOFS[name])


@pytest.mark.parametrize("fault", [
    pytest.param((name, number), id=f"{name}-{number}") for name in SHORT for number in range(len(PROOFS[name].faults))
])
def test_a_proof_sees_its_faults(fault):
    name, number = fault
    assert formal.fails_with(PROOFS[name], PROOFS[name].faults[number])


@pytest.mark.parametrize("name", PROOFS)
def test_every_proof_has_faults_that_fit_the_rtl(name, tmp_path):
    assert PROOFS[name].faults
    assert PROOFS[name].depth >= (PROOFS[name].induction or 0)  # or the induction would have no beginning
    for fault in PROOFS[name].faults:
        assert fault.apply(tmp_path).read_text() != (formal.RTL / fault.file).read_text()


def test_the_page_lists_every_proof():
    text = formal.PAGE.read_text().split(formal.BEGIN)[1].split(formal.END)[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.M) == list(PROOFS)
