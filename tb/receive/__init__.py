# SPDX-License-Identifier: MIT
"""pyuvm environment of a receive line: frames in, messages and reports out, judged frame by frame against a model."""
