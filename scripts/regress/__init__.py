# SPDX-License-Identifier: MIT
"""make regress: seeds x scenarios x simulators as jobs, on this machine's processors or on a Dask cluster
(docs/regression.md).

matrix.py says which jobs, scenarios.py what each does; run.py does one, in a process of its own; local.py and
cluster.py bring them to processors; campaign.py leads through all of it and writes what came of it.
"""
