# SPDX-License-Identifier: MIT
"""The workflows for GitHub and GitLab and the pre-commit hooks: their linters find nothing, and would find something;
what they call exists."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

GITHUB, GITLAB, HOOKS = ".github/workflows/ci.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"


@pytest.fixture
def lint(root, tmp_path):
    """``lint(name, change)`` runs the CI linters over copies of the files, one of them changed."""
    def run(name=None, change=None):
        copy = tmp_path / "project"
        for each in (GITHUB, GITLAB, "scripts/lint"):
            (copy / each).parent.mkdir(parents=True, exist_ok=True)
            text = (root / each).read_text()
            if each == name:
                assert change[0] in text
                text = text.replace(*change)
            (copy / each).write_text(text)
        (copy / "scripts/lint").chmod(0o755)
        if not (copy / ".venv").exists():
            (copy / ".venv").symlink_to(root / ".venv")
        return subprocess.run([copy / "scripts/lint", "ci"], capture_output=True, text=True, check=False)

    return run


def test_linters_find_nothing(lint):
    finished = lint()
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(("name", "change", "found_by"), [
    (GITHUB, ("runs-on:", "run-on:"), "GitHub's schema"),
    (GITHUB, ("make sim SIM=\"$SIMULATOR\" WAVES=1", "make sim SIM=${{ github.head_ref }}"), "zizmor"),
    (GITHUB, ("@11bd71901bbe5b1630ceea73d27597364c9af683", ""), "zizmor"),
    (GITLAB, ("artifacts:", "artefacts:"), "GitLab's schema"),
])
def test_linters_find_what_is_wrong(lint, name, change, found_by):
    finished = lint(name, change)
    assert finished.returncode == 1
    assert f"lint: {found_by} found something" in finished.stderr


def scripts_of(root, name):
    """The shell lines of a workflow."""
    jobs = yaml.safe_load((root / name).read_text())
    if name == GITHUB:
        return [step["run"] for job in jobs["jobs"].values() for step in job["steps"] if "run" in step]
    return [line for job in jobs.values() if isinstance(job, dict) for line in job.get("script", ())]


@pytest.mark.parametrize("name", [GITHUB, GITLAB])
def test_what_the_workflows_run(root, name):
    """Lint, the loop, tests, coverage and new seeds, by make jobs and variables that exist."""
    makefile = (root / "Makefile").read_text()
    jobs = {line.split(":")[0] for line in makefile.splitlines() if re.match(r"[a-z]+:.*## ", line)}
    called = [shlex.split(line) for line in scripts_of(root, name) if line.startswith("make ")]
    assert {words[1] for words in called} >= {"lint", "sim", "test", "coverage", "regress"}
    assert {words[1] for words in called} <= jobs
    for words in called:
        for word in words[2:]:
            assert f"$({word.split('=')[0]})" in makefile or f"$({word.split('=')[0]}" in makefile, word
    assert "[verilator, icarus]" in (root / name).read_text()


@pytest.mark.parametrize("name", [GITHUB, GITLAB])
def test_reports_and_waves_are_kept(root, name):
    text = (root / name).read_text()
    assert "out/" in text
    assert re.search(r"\*\*/report\.html", text)
    assert re.search(r"\*\*/\*\.vcd", text)
    assert "build/coverage/html/" in text
    assert re.search(r"if: always\(\)|when: always", text)


def test_every_action_is_pinned_to_a_commit(root):
    uses = re.findall(r"uses: (.*)", (root / GITHUB).read_text())
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)


def test_hooks_call_linters_that_exist(root):
    config = yaml.safe_load((root / HOOKS).read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    names = re.search(r'^ALL="(.*)"$', (root / "scripts/lint").read_text(), re.MULTILINE)[1].split()
    assert {name for hook in hooks if hook["entry"].startswith("scripts/lint ")
            for name in hook["entry"].split()[1:]} == set(names)
    for hook in hooks:
        assert Path(root / hook["entry"].split()[0]).exists(), hook["id"]
        re.compile(hook.get("files", ""))


def test_lint_refuses_a_name_that_it_does_not_know(root):
    finished = subprocess.run([root / "scripts/lint", "spelling"], capture_output=True, text=True, check=False)
    assert (finished.returncode, len(finished.stderr.splitlines())) == (2, 1)
