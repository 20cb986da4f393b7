"""How often a true null hypothesis is rejected, and how often an interval holds the true effect.

    python benchmarks/statistics/null.py --jobs 2              # all scenarios; an hour on 2 cores
    python benchmarks/statistics/null.py --only lesions --trials 2000
    python benchmarks/statistics/null.py --table               # print what is done

Each scenario is 10,000 simulated trials under the null hypothesis, two-sided at .05, analysed with the
public functions of the package or with the compiled ones that its power engine calls. The band was stated
before the runs: the nominal .05 and 3.29 Monte Carlo standard errors to each side, .0428 to .0572 for 10,000
trials (a right scenario leaves it by chance once in 1,000). The first scenario has the narrower .045 to .055.
Those called `wrong` must leave the band, which shows that the test can fail. A second run has a true effect,
for the coverage of 95 % intervals, whose band is .9428 to .9572.
"""

from __future__ import annotations

import argparse
import os
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scenarios import BAND, SCENARIOS  # noqa: E402

SEED, TRIALS, CHUNK = 2026, 10_000, 500
WORK = Path(__file__).parent / "work" / "null"


def run(name: str, kind: str, wanted: int, work: Path) -> Path:
    """Bring a scenario to `wanted` trials; a stopped run goes on where it was."""
    file = work / f"{name}.{kind}.tsv"
    done = load(file)
    scenario = SCENARIOS[name]
    effect = 0.0 if kind == "null" else scenario.effect or 0.0
    parts = [done] if len(done) else []
    for chunk in range(len(done) // CHUNK, -(-wanted // CHUNK)):
        rng = np.random.default_rng([SEED, zlib.crc32(f"{name}.{kind}".encode()), chunk])
        parts.append(scenario.run(rng, CHUNK, effect))
        file.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(parts).to_csv(file.with_suffix(".part"), sep="\t", index=False, float_format="%.6g")
        file.with_suffix(".part").replace(file)
    return file


def load(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, sep="\t") if file.exists() else pd.DataFrame()


def table(work: Path) -> str:
    """Markdown: rejections and coverage of what is done."""
    lines = ["| scenario | type I error | band | | coverage | |", "|---|---|---|---|---|---|"]
    for name, scenario in SCENARIOS.items():
        null, kept = load(work / f"{name}.null.tsv"), load(work / f"{name}.effect.tsv")
        if not len(null):
            continue
        rate = float((null["p"] < 0.05).mean())
        low, high = scenario.limits(len(null))
        inside = low <= rate <= high
        verdict = (
            ("outside, as it must" if not inside else "NOT SEEN AS WRONG")
            if scenario.wrong
            else "inside"
            if inside
            else "OUTSIDE"
        )
        cells = [
            f"{scenario.words} ({len(null):,})",
            f"{rate:.4f}",
            f"{low:.4f} to {high:.4f}",
            verdict,
        ]
        if len(kept):
            held = float(kept["covered"].mean())
            cells += [
                f"{held:.4f}",
                "inside" if abs(held - 0.95) <= BAND * (0.05 * 0.95 / len(kept)) ** 0.5 else "OUTSIDE",
            ]
        else:
            cells += ["", ""]
        failed = int(null["p"].isna().sum())
        cells[0] += f", {failed} not fitted" if failed else ""
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--only", nargs="*", default=[], help="scenarios of these names")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1)
    parser.add_argument("--table", action="store_true", help="print the table of what is done")
    chosen = parser.parse_args()
    if not chosen.table:
        wanted = [
            (name, kind)
            for name, scenario in SCENARIOS.items()
            for kind in ("null", *(["effect"] if scenario.effect is not None else []))
            if not chosen.only or name in chosen.only
        ]
        with ProcessPoolExecutor(chosen.jobs) as pool:
            names, kinds = zip(*wanted, strict=True)
            for file in pool.map(partial(_job, chosen.trials, chosen.work), names, kinds):
                print(file.name, flush=True)
    print(table(chosen.work))


def _job(n: int, work: Path, name: str, kind: str) -> Path:
    return run(name, kind, n, work)


if __name__ == "__main__":
    main()
