# SPDX-License-Identifier: MIT
"""The environment of the whole NIC: agents on every port, the reference model, scoreboard and coverage."""
