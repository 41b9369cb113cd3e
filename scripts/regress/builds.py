# SPDX-License-Identifier: MIT
"""Builds what all jobs run: python -m scripts.regress.builds [--coverage] SIMULATOR...; the locks and stamps of
bridge/build.py make it once for all machines of a file system."""

from __future__ import annotations

import argparse
import sys

from bridge import build
from bridge.interface import BridgeError


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("simulators", nargs="+", choices=("verilator", "icarus"))
    parser.add_argument("--coverage", action="store_true")
    arguments = parser.parse_args()
    try:
        build.build_kernel()
        for simulator in arguments.simulators:
            build.build_simulator(simulator, waves=False, coverage=arguments.coverage)
    except BridgeError as error:
        print(f"tickloop: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
