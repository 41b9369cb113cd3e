# SPDX-License-Identifier: MIT
"""Coverage: the plan as data, the points that the environment samples, and the report that merges all runs."""
