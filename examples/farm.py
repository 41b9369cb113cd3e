# SPDX-License-Identifier: MIT
"""Dask workers on a Slurm or LSF farm, for make regress CLUSTER=.

usage: .venv/bin/python examples/farm.py slurm|lsf NODES QUEUE

To be started in a checkout that lies on a file system which all nodes share. It prints the line that uses the farm, and
gives the nodes back at Ctrl-C. With --script it prints what it would submit, and submits nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile

from dask_jobqueue import JobQueueCluster, LSFCluster, SLURMCluster

SLOTS = 8  # processors of a node that jobs may keep busy
FARM = {
    # As many processors as slots; a wall time that is longer than the longest job.
    "slurm": lambda queue, **common: SLURMCluster(queue=queue, walltime="04:00:00", **common),
    "lsf": lambda queue, **common: LSFCluster(queue=queue, walltime="4:00", ncpus=SLOTS, use_stdin=True, **common),
}


def farm(kind: str, queue: str, interface: str | None) -> JobQueueCluster:
    """A scheduler here, whose workers are to come from the queue."""
    return FARM[kind](
        queue, interface=interface, cores=SLOTS, processes=1, memory="16GB", python=sys.executable,
        local_directory=tempfile.gettempdir(),  # of the node
        worker_extra_args=["--resources", f"slots={SLOTS}"],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=FARM)
    parser.add_argument("nodes", type=int)
    parser.add_argument("queue")
    parser.add_argument("--interface", help="that nodes reach each other by, as ib0")
    parser.add_argument("--script", action="store_true")
    given = parser.parse_args()
    with farm(given.kind, given.queue, given.interface) as cluster:
        if given.script:
            print(cluster.job_script())
            sys.exit(0)
        cluster.scale(jobs=given.nodes)
        print(f"make regress SEEDS=200 CLUSTER={cluster.scheduler_address}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("nodes are given back")
