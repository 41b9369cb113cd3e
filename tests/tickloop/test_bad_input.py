# SPDX-License-Identifier: MIT
"""Captures and directories that cannot be used: one line, the promised status, and no run directory that pretends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generators.captures import write_pcap
from generators.framing import FrameEncoder, Group, mold_packet
from generators.profiles import frames, generate
from tickloop.run import prepare


def scenario_pcap(path: Path, messages: int = 60, group: str | None = None) -> Path:
    """A capture of the quiet profile, for the default group unless told."""
    traffic = generate("quiet", 1, messages)
    write_pcap(path, frames(traffic, group=Group.parse(group)) if group else frames(traffic))
    return path


@pytest.mark.parametrize(("name", "content", "says"), [
    ("empty.pcap", b"", "empty file"),
    ("text.pcap", b"these are not the packets you are looking for\n", "neither a pcap, a pcapng nor"),
    ("text.itch", b"neither are these\n" * 10, "not an ITCH 5.0 file"),
    ("cut.pcap", b"\xd4\xc3\xb2\xa1\x02\x00\x04", "ends inside the pcap header"),
    ("new.pcapng", b"\x0a\x0d\x0d\x0a" + bytes(40), "byte-order magic"),
    ("wifi.pcap", bytes.fromhex("d4c3b2a1020004000000000000000000ffff000069000000"), "not Ethernet"),
])
@pytest.mark.parametrize("job", ["sim", "parse"])
def test_what_is_no_capture(command, faultless, tmp_path, job, name, content, says):
    (tmp_path / name).write_bytes(content)
    finished = command(job, tmp_path / name, "--out", tmp_path / "out")
    assert finished.status == 2
    assert says in finished.error_line()
    assert name in finished.error_line()
    assert not (tmp_path / "out" / "run.json").exists()


@pytest.mark.parametrize("path", ["missing.pcap", "."])
def test_what_is_no_file(command, tmp_path, path):
    finished = command("parse", tmp_path / path, "--out", tmp_path / "out")
    assert finished.status == 2
    assert finished.error_line()


def test_a_truncated_capture_runs_up_to_its_end_with_a_warning(command, faultless, tmp_path):
    whole = scenario_pcap(tmp_path / "whole.pcap").read_bytes()
    (tmp_path / "cut.pcap").write_bytes(whole[:-7])
    finished = command("parse", tmp_path / "cut.pcap", "--out", tmp_path / "out")
    assert finished.status == 0
    assert "warning" in finished.error_line()
    assert "ends inside record 59" in finished.error_line()
    assert len((tmp_path / "out/messages.jsonl").read_text().splitlines()) == 59


def test_no_frame_for_the_group_parses_and_fails_the_closed_loop(command, faultless, tmp_path):
    capture = scenario_pcap(tmp_path / "other.pcap", group="239.0.0.1:5000")
    assert command("parse", capture, "--out", tmp_path / "parsed").status == 0
    finished = command("sim", capture, "--out", tmp_path / "out")
    assert finished.status == 1
    assert "no frame of" in finished.error_line()
    assert "233.54.12.111:26477" in finished.error_line()


def test_a_capture_without_orders_due_passes_the_closed_loop(command, faultless, tmp_path):
    message = next(message for _, message in generate("quiet", 1, 1))
    write_pcap(tmp_path / "one.pcap", [(0, FrameEncoder().encode(mold_packet([message], 1)))])
    finished = command("sim", tmp_path / "one.pcap", "--out", tmp_path / "out")
    assert finished.status == 0, finished.stdout
    assert (tmp_path / "out/orders.jsonl").read_text() == ""


@pytest.mark.parametrize("name", ["orders.pcap", "waves.vcd", "record/deeper/x.pcap"])
def test_a_capture_is_never_cleared_away_with_an_earlier_run(command, faultless, tmp_path, name):
    capture = tmp_path / name
    capture.parent.mkdir(parents=True, exist_ok=True)
    content = scenario_pcap(capture).read_bytes()
    finished = command("sim", capture, "--out", tmp_path)
    assert finished.status == 2
    assert name in finished.error_line()
    assert capture.read_bytes() == content


def test_files_of_other_names_stay_in_the_run_directory(command, faultless, tmp_path):
    capture = scenario_pcap(tmp_path / "mine.pcap")
    (tmp_path / "mine.vcd").write_text("kept")
    assert command("parse", capture, "--out", tmp_path).status == 0
    assert (tmp_path / "mine.vcd").read_text() == "kept"
    assert capture.exists()


def test_a_session_to_be_opened_needs_lockstep(command, tmp_path):
    (tmp_path / "connect.toml").write_text('[session]\nmode = "connect"\n')
    finished = command("sim", "--mode", "free", "--config", tmp_path / "connect.toml", "--out", tmp_path / "out")
    assert finished.status == 2
    assert "session.mode = connect: --mode free" in finished.error_line()


def test_a_record_without_a_byte_does_not_hurt_the_frames_around_it(command, faultless, tmp_path):
    whole = scenario_pcap(tmp_path / "whole.pcap", messages=2).read_bytes()
    (tmp_path / "gap.pcap").write_bytes(whole[:24] + bytes(16) + whole[24:])
    finished = command("parse", tmp_path / "gap.pcap", "--out", tmp_path / "out")
    assert finished.status == 0
    assert "1 record(s) without a byte" in finished.error_line()
    assert len((tmp_path / "out/messages.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_directory_without_write_permission(command, faultless, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o555)
    finished = command("sim", "--out", tmp_path / "closed" / "out")
    assert finished.status == 2
    assert "cannot be written" in finished.error_line()


@pytest.mark.parametrize("out", ["file/out", "file", "/proc/tickloop"])
def test_an_output_directory_that_cannot_be(command, faultless, tmp_path, out):
    (tmp_path / "file").write_text("in the way")
    finished = command("sim", "--messages", "20", "--out", tmp_path / out)
    assert finished.status == 2
    assert "cannot be written" in finished.error_line()


def test_a_new_run_removes_the_old_one_and_nothing_else(tmp_path):
    for name in ("run.json", "orders.pcap", "waves.vcd", "notes.txt"):
        (tmp_path / name).write_text("old")
    prepare(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "record"]


def test_qemu_is_missing(root, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "tickloop", "sim", "--messages", "20", "--out", tmp_path / "out"], cwd=root,
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )
    assert finished.returncode == 3
    assert len(finished.stderr.splitlines()) == 1
    assert "qemu-system-x86" in finished.stderr


def test_report_of_what_is_no_run(command, tmp_path):
    for directory in (tmp_path, tmp_path / "missing"):
        finished = command("report", directory)
        assert finished.status == 2
        assert finished.error_line()
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "latency.json").write_text("not json")
    assert command("report", tmp_path).status == 2


def test_waves_of_a_run_without_waves(command, tmp_path):
    finished = command("waves", tmp_path)
    assert finished.status == 2
    assert "--waves" in finished.error_line()
