# SPDX-License-Identifier: MIT
"""Sources of every layout that two parties share, and the generator of its Verilog, C, Python and Markdown forms."""
