# SPDX-License-Identifier: MIT
"""The bridge between the RTL simulator and the kernel in QEMU: layouts, shared memory, lockstep time."""
