# SPDX-License-Identifier: MIT
"""A regression on a Dask cluster of several worker processes here: a worker that is killed loses nothing and doubles
nothing; what a cluster can lack is told in one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.regress import cluster, worker
from scripts.regress.__main__ import main
from scripts.regress.campaign import Campaign
from scripts.regress.cluster import Cluster
from scripts.regress.executor import ExecutorError
from scripts.regress.scenarios import ROOT
from tests.loop.conftest import processes_of
from tests.regress.fakes import Plan, plan
from tickloop.exits import TickloopError

WORKERS = 3


def dask(*words: str, directory: Path) -> subprocess.Popen[bytes]:
    with (directory / f"{words[0]}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]], cwd=directory,
                                stdout=log, stderr=log)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with three workers, each a process with a slot, that were started from elsewhere."""
    directory = tmp_path_factory.mktemp("dask")
    file = directory / "scheduler.json"
    processes = [dask("scheduler", "--port", "0", "--no-dashboard", "--no-jupyter", "--scheduler-file", str(file),
                      "--idle-timeout", "1200", directory=directory)]
    for _ in range(WORKERS):
        processes.append(dask("worker", "--scheduler-file", str(file), "--nthreads", "1", "--resources", "slots=1",
                              "--no-dashboard", "--no-nanny", "--death-timeout", "30", directory=directory))
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end, (directory / "scheduler.log").read_text()
        time.sleep(0.1)
    yield str(json.loads(file.read_text())["address"])
    for process in processes:
        process.kill()
        process.wait()


def run_there(directory: Path, planned: Plan, address: str) -> int:
    directory.mkdir(parents=True)
    return Campaign(planned, directory, Cluster(address, directory, workers_s=60)).run()


def when(condition: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Does it in a thread, once the condition holds."""
    def wait() -> None:
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def workers_at(address: str, count: int) -> dict[str, int]:
    """Their processes by address, once there are so many."""
    from distributed import Client  # noqa: PLC0415 (a second of imports)

    with Client(address, set_as_default=False) as client:
        end = time.monotonic() + 60
        while True:
            found = {at: each["id"] for at, each in client.scheduler_info(n_workers=-1)["workers"].items()}
            if len(found) == count or time.monotonic() > end:
                return dict(client.run(os.getpid))
            time.sleep(0.1)


def test_a_worker_killed_in_the_middle(address: str, tmp_path: Path) -> None:
    """Twelve jobs on three workers, of which one dies while each has one: twelve results, each job once; the job that
    it had was begun twice, what it had started is gone, and all files are those of one attempt."""
    notes = tmp_path / "notes"
    planned = plan({"noted": ["note", str(notes), "1.5"], "bad": ["fail", "lost SEED"]}, seeds=range(6), waves=0)
    workers = workers_at(address, WORKERS)
    assert len(workers) == WORKERS

    killer = when(lambda: notes.exists() and len(notes.read_text().splitlines()) >= WORKERS,
                  lambda: os.kill(workers[max(workers)], signal.SIGKILL))
    assert run_there(tmp_path / "run", planned, address) == 1
    killer.join()
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert summary["jobs"] == {"planned": 12, "passed": 6, "failed": 6, "not_run": 0}
    outcomes = Counter(row["outcome"] for row in summary["results"])
    assert outcomes == {"passed": 6, "failed": 6}
    assert [(cause["name"], len(cause["failures"])) for cause in summary["causes"]] == [("lost N", 6)]
    begun = Counter(line.rpartition(".")[0] for line in notes.read_text().splitlines())
    assert set(begun) == {f"noted.host.{seed}" for seed in range(6)}
    assert sorted(begun.values()) == [1, 1, 1, 1, 1, 2]
    names = [path.name for path in (tmp_path / "run/jobs").iterdir()]
    assert sorted(names) == sorted(job.name for job in planned.jobs)
    assert not processes_of(tmp_path)
    assert len(workers_at(address, WORKERS - 1)) == WORKERS - 1


def test_a_job_that_kills_every_worker_is_told(tmp_path: Path) -> None:
    """The future's own word for it becomes a failure of that job."""
    class Future:
        status = "error"

        def exception(self) -> Exception:
            class KilledWorker(Exception):
                pass

            return KilledWorker()

    executor = Cluster.__new__(Cluster)
    executor._address = "tcp://here:1"
    given = plan({"a": ["pass"]})
    result = executor._result(given.order(given.jobs[0], tmp_path), Future())
    assert [case.message for case in result.cases] == ["every worker that took it died"]


def test_no_scheduler_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    assert main(("--cluster", nobody, "--seeds", "1", "--scenarios", "quiet")) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"regress: CLUSTER={nobody}: no Dask scheduler answers there")


@pytest.mark.parametrize(("address", "status", "told"), [
    ("garbage", 2, "an address is as tcp://head:8786"),
    ("ftp:/nowhere", 2, "an address is as tcp://head:8786"),
    ("tcp://host", 2, "an address is as tcp://head:8786"),
    ("tcp://host:99999", 2, "an address is as tcp://head:8786"),
    ("tcp://nosuch.invalid:8786", 3, "no Dask scheduler answers there ("),
])
def test_a_wrong_address_is_one_line_to_the_programs_end(address: str, status: int, told: str) -> None:
    """A client that Dask has half made would wait and complain when the interpreter ends."""
    command = [sys.executable, "-m", "scripts.regress", "--seeds", "1", "--scenarios", "quiet", "--cluster", address]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"regress: CLUSTER={address}: {told}")
    assert done.stdout == ""


@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"hello"])
def test_another_server_is_no_scheduler(words: bytes, tmp_path: Path) -> None:
    """What Dask's client would take for the length of a message, and wait for."""

    def greet(server: socket.socket) -> None:
        there, _ = server.accept()
        with there:
            there.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,))
        thread.start()
        with pytest.raises(ExecutorError, match="what answers there is no Dask scheduler"):
            Cluster(f"tcp://127.0.0.1:{server.getsockname()[1]}", tmp_path)
        thread.join()


def test_other_versions_are_one_line(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the scheduler is too busy to say goodbye in time."""
    from distributed import Client  # noqa: PLC0415 (a second of imports)

    def close(client: Client, timeout: float, closed: Callable[..., None] = Client.close) -> None:
        closed(client)
        raise TimeoutError(f"timed out after {timeout} s.")

    monkeypatch.setattr(Client, "close", close)
    monkeypatch.setattr(cluster, "_versions", lambda host, first=[]: first.append(1) or {"dask": f"1.{len(first)}"})
    with pytest.raises(TickloopError, match=r"the scheduler has dask 1\.2, here is 1\.1") as raised:
        Cluster(address, tmp_path, workers_s=60)
    assert raised.value.status == 7


def test_a_worker_that_does_not_see_the_checkout_is_one_line(address: str, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "sees", lambda path, content: f"{path}: No such file or directory")
    with pytest.raises(TickloopError, match=r"worker tcp://\S+ does not share this checkout: \S+/.shared: No such"):
        Cluster(address, tmp_path, workers_s=60)


def test_ctrl_c_stops_what_runs_on_the_workers(address: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    told = {"noted": ["note", str(notes), "600"], "more": ["pass"]}
    directory = tmp_path / "run"
    code = ("import json, sys; from pathlib import Path; from tests.regress.test_cluster import run_there; "
            "from tests.regress.fakes import plan; "
            "sys.exit(run_there(Path(sys.argv[1]), plan(json.loads(sys.argv[2]), seeds=range(2)), sys.argv[3]))")
    process = subprocess.Popen([sys.executable, "-c", code, str(directory), json.dumps(told), address],
                               stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not notes.exists() or len(notes.read_text().splitlines()) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert json.loads((directory / "summary.json").read_text())["jobs"]["not_run"] >= 2
    end = time.monotonic() + 30
    while processes_of(tmp_path):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_lost_scheduler_ends_the_run_with_what_there_is(tmp_path: Path) -> None:
    """It is killed while a job runs."""
    file, notes = tmp_path / "scheduler.json", tmp_path / "notes"
    scheduler = dask("scheduler", "--port", "0", "--no-dashboard", "--no-jupyter", "--scheduler-file", str(file),
                     directory=tmp_path)
    lone = dask("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard", "--no-nanny",
                directory=tmp_path)
    while not file.exists():
        time.sleep(0.1)

    killer = when(notes.exists, scheduler.kill)
    planned = plan({"good": ["pass"], "noted": ["note", str(notes), "600"]})
    assert run_there(tmp_path / "run", planned, json.loads(file.read_text())["address"]) == 6
    killer.join()
    assert json.loads((tmp_path / "run/summary.json").read_text())["jobs"] == {
        "planned": 2, "passed": 1, "failed": 0, "not_run": 1}
    lone.kill()
    lone.wait()
    scheduler.wait()


FARM = {
    "slurm": {"sbatch": 'cat "$1" >{0}.sh; setsid sh {0}.sh >{0}.log 2>&1 & echo "Submitted batch job $!"'},
    "lsf": {"bsub": 'cat >{0}.sh; setsid sh {0}.sh >{0}.log 2>&1 & echo "Job <$!> is submitted"'},
}


@pytest.mark.parametrize("kind", FARM)
def test_the_example_of_a_farm(kind: str, tmp_path: Path) -> None:
    """With commands that start what they are given at once, in the place of Slurm's and LSF's own."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {**FARM[kind], "scancel": 'kill -- "-$1"', "bkill": 'kill -- "-$1"'}.items():
        (tools / name).write_text("#!/bin/sh\n" + text.format(tmp_path / "job") + "\n")
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "examples/farm.py", kind, "1", "batch", "--interface", "lo"], cwd=ROOT,
                               env=environment, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        planned = plan({"a": ["pass"], "b": ["pass"]}, seeds=range(3))
        assert run_there(tmp_path / "run", planned, line.rpartition("CLUSTER=")[2].strip()) == 0
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert summary["jobs"] == {"planned": 6, "passed": 6, "failed": 0, "not_run": 0}
    end = time.monotonic() + 30
    while processes_of(tmp_path):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_without_dask_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExecutorError, match=r"pip install -e \.\[cluster\]"):
        Cluster("tcp://127.0.0.1:1", tmp_path)
