# SPDX-License-Identifier: MIT
"""Mutation score of the receive side: Yosys puts faults into it, one at a time, and what leaves it must show them.

All mutants are one netlist and one Verilator build (scripts/mutants/faults.py). Vectors of frames and set-ups
(vectors.py) are played into the sound receive side and into each mutant, until anything that leaves it differs: a line,
event, report, counter, pulse, or its clock (tb/mutation). That the sound one is right, the suite shows against the
model.
A survivor that is proven to be equivalent is no fault and does not count (equivalence.py):

    score = killed / (mutants - proven equivalent)

Every other survivor must be explained in tests/rtl/survivors.toml. Results are kept in build/mutate by their sources.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bridge.build import BUILD, ROOT
from scripts.mutants import equivalence, faults, replay

EXPLAINED = ROOT / "tests/rtl/survivors.toml"
MUTANTS = 300
PROCESSES = 2
TARGET = 95.0  # percent
KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "survived"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: KILLED with vector and clock in ``by``, EQUIVALENT or SURVIVED."""

    place: str
    verdict: str
    by: str = ""

    @property
    def instance(self) -> str:
        return self.place.partition(":")[0]


@dataclass(frozen=True)
class Explanation:
    """Why no test can or need see faults of a place, by a part of the source line and a pattern for the fault."""

    file: str
    code: str
    reason: str
    fault: str = ""

    def explains(self, place: str) -> bool:
        for name, line in re.findall(r" (\w+\.v):(\d+)\.", place):
            if name == self.file and self.code in (ROOT / "rtl" / name).read_text().splitlines()[int(line) - 1]:
                return re.search(self.fault, place) is not None
        return False


def digest(paths: Iterable[Path]) -> str:
    value = hashlib.sha256()
    for path in paths:
        value.update(path.read_bytes())
    return value.hexdigest()[:16]


def workplace(count: int) -> Path:
    """Where the netlist, its player and the proofs are kept, by what they depend on."""
    scripts = [ROOT / f"scripts/mutants/{name}.py" for name in ("faults", "equivalence")]
    bench = sorted((ROOT / replay.BENCH).iterdir())
    name = digest([*scripts, *bench, *faults.sources(), *sorted((ROOT / "rtl").glob("*.vh"))])
    return BUILD / "mutate" / f"{count}_{name}"


def results_file(directory: Path) -> Path:
    """... and the results, which the vectors change too."""
    scripts = [ROOT / f"scripts/mutants/{name}.py" for name in ("stimulus", "vectors", "replay")]
    generators = sorted((ROOT / "generators").glob("*.py"))
    return directory / f"results_{digest([*scripts, *generators])}.json"


def judge(count: int, processes: int) -> list[Outcome]:
    """What became of each mutant.

    Raises:
        RuntimeError: a tool failed, or the sound receive side delivers nothing to compare.
    """
    directory = workplace(count)
    results = results_file(directory)
    if results.exists():
        return [Outcome(**outcome) for outcome in json.loads(results.read_text())]
    directory.mkdir(parents=True, exist_ok=True)
    mutants = faults.draw(count, directory)
    killed = replay.judge(replay.build(directory), directory, [mutant.number for mutant in mutants], processes)
    equivalent = proofs(directory, [mutant.number for mutant in mutants if mutant.number not in killed], processes)

    def outcome(mutant: faults.Mutant) -> Outcome:
        if mutant.number in killed:
            return Outcome(mutant.place, KILLED, killed[mutant.number])
        return Outcome(mutant.place, EQUIVALENT if equivalent[mutant.number] else SURVIVED)

    outcomes = [outcome(mutant) for mutant in mutants]
    results.write_text(json.dumps([vars(one) for one in outcomes], indent=1))
    return outcomes


def proofs(directory: Path, mutants: list[int], processes: int) -> dict[int, bool]:
    """Which of the mutants are proven to be equivalent; an answer is kept."""
    kept = directory / "proofs.json"
    known: dict[int, bool] = {}
    if kept.exists():
        known = {int(mutant): answer for mutant, answer in json.loads(kept.read_text()).items()}
    asked = [mutant for mutant in mutants if mutant not in known]
    if asked:
        netlist = equivalence.prepare(directory / "mutants.il", directory)
        with ThreadPoolExecutor(processes) as pool:
            answers = pool.map(lambda mutant: equivalence.proven(netlist, mutant), asked)
            known |= dict(zip(asked, answers, strict=True))
        kept.write_text(json.dumps(known))
    return known


def explanations(path: Path = EXPLAINED) -> list[Explanation]:
    return [Explanation(**entry) for entry in tomllib.loads(path.read_text())["survivor"]]


def score(outcomes: list[Outcome]) -> float:
    """Percent of the mutants that are killed, without those that are proven to be no faults."""
    counted = [outcome for outcome in outcomes if outcome.verdict != EQUIVALENT]
    return 100 * sum(outcome.verdict == KILLED for outcome in counted) / len(counted)


def report(outcomes: list[Outcome], reasons: list[Explanation]) -> bool:
    """Prints what became of the mutants; whether the target is met and every survivor explained."""
    for instance in sorted({outcome.instance for outcome in outcomes}):
        verdicts = [outcome.verdict for outcome in outcomes if outcome.instance == instance]
        print(f"{instance:28} {verdicts.count(KILLED)} of {len(verdicts)} killed, "
              f"{verdicts.count(EQUIVALENT)} equivalent")
    unexplained = 0
    for outcome in outcomes:
        if outcome.verdict == EQUIVALENT:
            print(f"equivalent, proven: {outcome.place}")
        elif outcome.verdict == SURVIVED:
            reason = next((one.reason for one in reasons if one.explains(outcome.place)), None)
            unexplained += reason is None
            print(f"survivor: {outcome.place}\n    {reason or 'not explained'}")
    verdicts = [outcome.verdict for outcome in outcomes]
    print(f"score: {verdicts.count(KILLED)} of {len(verdicts)} mutants killed, {verdicts.count(EQUIVALENT)} proven "
          f"equivalent: {score(outcomes):.1f} %; {verdicts.count(SURVIVED)} survivors, {unexplained} not explained")
    return score(outcomes) >= TARGET and not unexplained


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=MUTANTS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    arguments = parser.parse_args()
    try:
        outcomes = judge(arguments.mutants, arguments.processes)
    except RuntimeError as failure:
        print(f"mutate: {failure}", file=sys.stderr)
        return 1
    return 0 if report(outcomes, explanations()) else 1


if __name__ == "__main__":
    sys.exit(main())
