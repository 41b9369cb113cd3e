# SPDX-License-Identifier: MIT
"""Run directories: what the logs of a run say, decoded, and the files that say it to the user."""
