# SPDX-License-Identifier: MIT
"""Sources of every layout that two parties share, and the generator of their Verilog, C, Python and documentation forms."""
