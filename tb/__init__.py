# SPDX-License-Identifier: MIT
"""Verification environment: reference model, scoreboards, agents. Imports generators, never the code under test."""
