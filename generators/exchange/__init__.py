# SPDX-License-Identifier: MIT
"""An exchange that answers: pure Python, without I/O, on integer picoseconds of simulated time."""
