# SPDX-License-Identifier: MIT
"""Parts of scripts/mutate.py: faults of the receive side, what is played into it, players, proofs of equivalence."""
