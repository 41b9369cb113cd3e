# SPDX-License-Identifier: MIT
"""A job that does as it is told, in the place of a simulation: python -m tests.regress.told pass; fail MESSAGE;
sleep SECONDS; hang; note FILE SECONDS, which appends a line. With --waves behind that it leaves a dump."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def main(words: Sequence[str]) -> int:
    what, *rest = words
    if "--waves" in rest:
        Path("waves.vcd").write_text("$enddefinitions $end\n")
    if what == "fail":
        print("tickloop: warning: about to fail", file=sys.stderr)
        print(f"tickloop: FAIL {rest[0]}", file=sys.stderr)
        return 1
    if what == "hang":
        # A child that is in no session and no process group of ours.
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.getcwd()], start_new_session=True)
        time.sleep(600)
    if what == "note":
        with Path(rest[0]).open("a", encoding="utf-8") as file:
            file.write(f"{Path.cwd().name}\n")
        time.sleep(float(rest[1]))
    if what == "sleep":
        time.sleep(float(rest[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
