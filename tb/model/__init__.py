# SPDX-License-Identifier: MIT
"""The independent reference model: what a run must deliver, hold in its books and send, from the wire formats alone."""
