"""What the benchmarks share: conditions run one file each, intervals by resampling, Markdown.

A result lies in ``work/NAME/CONDITION.tsv``, a row a replicate; a stopped run goes on where it was. Remove
the folder after a change of the package.
"""

from __future__ import annotations

import argparse
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy: one process, one core

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from estimators import ours_missing  # noqa: E402

SEED, RESAMPLES = 2026, 2000
WORK = Path(__file__).parent / "work"
One = Callable[[str, np.random.Generator, int], dict[str, Any]]


def options(description: str, replicates: int) -> argparse.Namespace:
    """The options of every script."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--replicates", type=int, default=replicates, help="of each condition")
    parser.add_argument("--only", nargs="*", default=[], help="conditions whose name has all these words")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1)
    parser.add_argument("--table", action="store_true", help="print the table of what is done")
    return parser.parse_args()


def run(name: str, conditions: Iterable[str], one: One, chosen: argparse.Namespace) -> None:
    """Run the conditions that are not done; `one` makes one replicate of a condition."""
    wanted = [c for c in conditions if all(word in c.split("-") for word in chosen.only)]
    job = partial(_condition, chosen.work / name, one, chosen.replicates)
    if chosen.jobs == 1:
        for condition in wanted:
            print(job(condition), flush=True)
    else:
        with ProcessPoolExecutor(chosen.jobs) as pool:
            for file in pool.map(job, wanted):
                print(file, flush=True)


def _condition(folder: Path, one: One, replicates: int, condition: str) -> Path:
    file = folder / f"{condition}.tsv"
    done = load(file)
    if len(done) and not ours_missing() and not {"ours", "state"} & set(done.columns):
        done = pd.DataFrame()  # made before the package had the function
    if len(done) >= replicates:
        return file
    rows = []
    for k in range(len(done), replicates):
        rng = np.random.default_rng([SEED, zlib.crc32(condition.encode()), k])
        rows.append(one(condition, rng, k))
    whole = pd.concat([done, pd.DataFrame(rows)]) if len(done) else pd.DataFrame(rows)
    folder.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    whole.to_csv(beside, sep="\t", index=False, float_format="%.4f")
    beside.replace(file)
    return file


def load(file: Path) -> pd.DataFrame:
    """The replicates of a condition; none if it is not done."""
    return pd.read_csv(file, sep="\t", keep_default_na=True) if file.exists() else pd.DataFrame()


def rmse(error: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error)))) if len(error) else float("nan")


def ratio(above: np.ndarray, below: np.ndarray) -> tuple[float, float, float]:
    """Ratio of two root mean square errors of the same replicates, and its 95 % interval."""
    if len(below) < 2:
        return (float("nan"),) * 3
    draw = np.random.default_rng(SEED).integers(0, len(below), (RESAMPLES, len(below)))
    again = np.sqrt((above**2)[draw].mean(axis=1) / (below**2)[draw].mean(axis=1))
    low, high = np.quantile(again, (0.025, 0.975))
    return rmse(above) / rmse(below), float(low), float(high)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """A mean and half the width of its 95 % interval."""
    return float(np.mean(values)), float(1.96 * np.std(values, ddof=1) / np.sqrt(len(values)))


def cell(value: tuple[float, float, float], form: str = ".2f") -> str:
    """A value with its interval."""
    at, low, high = value
    return "" if np.isnan(at) else f"{at:{form}} ({low:{form}} to {high:{form}})"


def percent(part: Any, digits: int = 0) -> str:
    """A share."""
    share = 100 * float(np.mean(part)) if len(part) else float("nan")
    return "" if np.isnan(share) else f"{share:.{digits}f} %"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
