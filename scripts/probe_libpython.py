# SPDX-License-Identifier: MIT
"""Exit 0 if this interpreter's shared library can be loaded: cocotb embeds it into the simulator.

Debian ships it in a package of its own; an interpreter built without --enable-shared has none at all.
"""

import ctypes
import sys
import sysconfig
from pathlib import Path

name = sysconfig.get_config_var("INSTSONAME") or ""
if ".so" not in name:
    sys.exit(1)
beside = Path(sysconfig.get_config_var("LIBDIR") or "", name)
try:
    ctypes.CDLL(str(beside) if beside.exists() else name)
except OSError:
    sys.exit(1)
