# SPDX-License-Identifier: MIT
"""``python -m tickloop``."""

import sys

from tickloop.cli import main

sys.exit(main())
