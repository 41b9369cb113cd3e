# SPDX-License-Identifier: MIT
"""What the benches compare with: one module a peer."""
