# SPDX-License-Identifier: MIT
"""The test plan names tests that exist, and leaves no test file out."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PLAN = tomllib.loads((TESTS / "testplan.toml").read_text())["feature"]


def functions_of(path):
    """Names of the functions that a file defines."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("feature", PLAN, ids=lambda feature: feature["name"])
def test_a_feature_names_tests_that_exist(feature):
    assert feature["tests"]
    for name in feature["tests"]:
        file, _, test = name.partition("::")
        assert (TESTS / file).is_file(), name
        if test:
            assert test in functions_of(TESTS / file), name


def test_every_test_file_is_in_the_plan():
    named = {name.partition("::")[0] for feature in PLAN for name in feature["tests"]}
    files = {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")}
    assert files - named == set()


def test_every_feature_is_named_once():
    names = [feature["name"] for feature in PLAN]
    assert len(set(names)) == len(names)
