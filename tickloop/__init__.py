# SPDX-License-Identifier: MIT
"""The command line, run directories, checks and reports of a run; imports every other room, and no room imports it."""

__version__ = "0.1.0"
