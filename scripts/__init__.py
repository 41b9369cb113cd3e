# SPDX-License-Identifier: MIT
"""What the jobs of the Makefile do, a module a job."""
