# SPDX-License-Identifier: MIT
"""Tests of what lies in examples/ and is more than a file to read."""
