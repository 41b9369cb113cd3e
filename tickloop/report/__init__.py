# SPDX-License-Identifier: MIT
"""What a run tells the user: the table on standard output, and report.html."""
