# SPDX-License-Identifier: MIT
"""Wire formats, traffic profiles and capture readers; this package imports no other room of the project."""
