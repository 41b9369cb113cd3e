# SPDX-License-Identifier: MIT
"""Jobs on an existing Dask cluster. Its workers need Dask and the checkout at the same path, on a file system that all
share; where workers declare `slots` (--resources slots=N), a job takes as many as it keeps processors busy.

A lost worker's jobs are given to others by the scheduler, and whoever does a job again finds the result if there is one
(run.py); here a result comes once for each order, with its future.
"""

from __future__ import annotations

import logging
import re
import secrets
import socket
import struct
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from scripts.regress import worker
from scripts.regress.executor import ExecutorError, unreachable
from scripts.regress.jobs import Order, Result, failure
from scripts.regress.run import ROOT
from tickloop.exits import ExitStatus, UsageError
from tickloop.progress import note_if_slow

SLOTS = "slots"
CONNECT_S = 30.0  # a busy head node takes its time
REACH_S = 5.0  # what listens is reached at once, however busy its process is
GREETING = struct.Struct("<Q")  # a scheduler's first bytes on TCP: how long its first message is
LONGEST_GREETING = 1 << 20  # some tens of bytes, in fact; Dask's client would wait for whatever is announced
_ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?)://)?(?:\[([0-9a-fA-F:.%]+)\]|([\w.-]+)):([0-9]{1,5})")
WORKERS_S = 120.0  # a farm's queue may let them wait; the first is enough to begin
SAME = ("python", "distributed", "dask", "cloudpickle")  # what orders and results are packed by
TOKEN = ".shared"
LOOK_S = 0.2


class Cluster:
    """``directory`` is the run's; ``workers_s``: how long to wait for a first worker."""

    def __init__(self, address: str, directory: Path, workers_s: float = WORKERS_S) -> None:
        try:
            cloudpickle, distributed = map(import_module, ("cloudpickle", "distributed"))  # in the extra `cluster`
        except ImportError as error:
            raise unreachable(f"CLUSTER needs the Python package {error.name}: pip install -e .[cluster]") from None
        _reach(address)
        cloudpickle.register_pickle_by_value(worker)
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says in lines, we say in one
        self._address, self._directory = address, directory
        self._distributed: Any = distributed
        with warnings.catch_warnings(), note_if_slow(f"looking for the scheduler at {address}"):
            warnings.simplefilter("ignore")  # of versions, which are looked at below
            self._client: Any = self._connected()
        try:
            self._wait_for_workers(workers_s)
            self._check_versions()
            self._check_checkout()
        except BaseException:
            self._leave(2)
            raise
        self._most = max((int(each.get("resources", {}).get(SLOTS, 0)) for each in self._workers().values()), default=0)
        count = len(self._workers())
        self.where = f"{count} {'worker' if count == 1 else 'workers'} of {address}"

    def run(self, orders: Sequence[Order]) -> Iterator[Result]:
        by_key: dict[str, Order] = {}
        futures = []
        for priority, order in enumerate(orders):
            key = f"tickloop-{self._directory.name}-{order.name}-{secrets.token_hex(4)}"
            by_key[key] = order
            slots = {SLOTS: min(order.slots, self._most)} if self._most else None
            futures.append(self._client.submit(worker.run_order, sys.executable, str(ROOT), order.to_json(), key=key,
                                               resources=slots, priority=-priority, pure=False))
        try:
            for future in self._distributed.as_completed(futures, loop=self._client.loop):
                result = self._result(by_key[future.key], future)
                future.release()
                if result is not None:
                    yield result
        finally:
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        self._leave(5)

    def _leave(self, seconds: float) -> None:
        """A scheduler that is too busy to say goodbye in time changes nothing of what there is to be told."""
        try:
            self._client.close(timeout=seconds)
        except TimeoutError:
            self._client.status = "closed"  # it would try again, at this process' end

    def _connected(self) -> Any:
        """A client; of a scheduler that is too busy for its first words, at another attempt."""
        end = time.monotonic() + CONNECT_S
        while True:
            left = max(LOOK_S, end - time.monotonic())
            try:
                return self._distributed.Client(self._address, timeout=left, set_as_default=False)
            except (OSError, TimeoutError, ValueError, RuntimeError) as error:
                if isinstance(error, ValueError) or time.monotonic() > end:
                    said = f"CLUSTER={self._address}: no Dask scheduler answers there ({_short(error)})"
                    raise unreachable(said) from None
                time.sleep(LOOK_S)

    def _result(self, order: Order, future: Any) -> Result | None:
        """None: it was stopped.

        Raises:
            ExecutorError: the cluster is gone.
        """
        host = self._address
        if future.status == "finished":
            answer: str = future.result()
            return Result.from_json(answer) if answer else None
        if future.status == "error":
            error = future.exception()
            if type(error).__name__ == "KilledWorker":
                return failure(order, "every worker that took it died", host)
            return failure(order, str(error), host)
        raise ExecutorError(ExitStatus.PEER_SILENT, f"the scheduler at {self._address} is gone")

    def _workers(self) -> Mapping[str, Any]:
        workers: Mapping[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _wait_for_workers(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with note_if_slow(f"waiting for a first worker at {self._address}"):
            while not self._workers() and time.monotonic() < end:
                time.sleep(LOOK_S)
        if not self._workers():
            raise ExecutorError(ExitStatus.PEER_SILENT, f"CLUSTER={self._address}: no worker in {seconds:g} s")

    def _check_versions(self) -> None:
        versions = self._client.get_versions(check=False)
        own = _versions(versions["client"])
        others = {"the scheduler": versions["scheduler"], **{f"worker {address}": each
                                                            for address, each in versions["workers"].items()}}
        for who, each in others.items():
            for package, version in _versions(each).items():
                if version != own[package]:
                    raise ExecutorError(
                        ExitStatus.LAYOUT_DIFFERS,
                        f"CLUSTER={self._address}: {who} has {package} {version}, here is {own[package]}")

    def _check_checkout(self) -> None:
        token = self._directory / TOKEN
        token.write_text(secrets.token_hex(16), encoding="utf-8")
        content = token.read_text(encoding="utf-8")
        for address, problem in sorted(self._client.run(worker.sees, str(token), content).items()):
            if problem:
                raise unreachable(f"CLUSTER={self._address}: worker {address} does not share this checkout: {problem}")


def _reach(address: str) -> None:
    """Before Dask is asked, which says of an address less, and later.

    Raises:
        UsageError: it is none.
        ExecutorError: nothing listens there.
    """
    given = _ADDRESS.fullmatch(address)
    if given is None or not 0 < int(given[3]) < 1 << 16:
        raise UsageError(f"CLUSTER={address}: an address is as tcp://head:8786")
    try:
        with socket.create_connection((given[1] or given[2], int(given[3])), REACH_S) as there:
            if address.startswith(("tls:", "ws:", "wss:")):
                return  # there the client speaks first
            there.settimeout(CONNECT_S)
            greeting = there.recv(GREETING.size, socket.MSG_WAITALL)
    except OSError as error:
        raise unreachable(f"CLUSTER={address}: no Dask scheduler answers there ({error.strerror or error})") from None
    if len(greeting) < GREETING.size or GREETING.unpack(greeting)[0] > LONGEST_GREETING:
        raise unreachable(f"CLUSTER={address}: what answers there is no Dask scheduler")


def _versions(host: Mapping[str, Any]) -> dict[str, str]:
    """Of what matters; of Python, what packed functions depend on."""
    found = {name: str(version) for name, version in host["packages"].items() if name in SAME}
    found["python"] = ".".join(found["python"].split(".")[:2])
    return found


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
