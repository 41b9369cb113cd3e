# SPDX-License-Identifier: MIT
"""pyuvm agents, one a port group of the NIC: receive ports, registers, host memory with its rings, transmit port."""
