# SPDX-License-Identifier: MIT
"""GTKWave views of a run, generated from the dump itself."""
