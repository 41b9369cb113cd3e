# SPDX-License-Identifier: MIT
"""Verification environment: reference model, scoreboards and agents; imports generators, never the design's own code."""
