# SPDX-License-Identifier: MIT
"""Reusable agents for the host side of the NIC: register master, host memory, transmit-port sink."""
