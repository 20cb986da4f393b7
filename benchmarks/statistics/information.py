"""Size of the MMRM with standard errors from the expected and from the observed information, the same trials.

    python benchmarks/statistics/information.py [--trials 10000]

Null trials of `trials.visits`, the difference at the last of 4 visits: dropout at random that differs between
the arms (38 % have no last visit), and 15 % lost before each later visit by chance alone (39 %). A quarter of
the trials for 150 an arm.
"""

from __future__ import annotations

import argparse
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402
from trials import visits  # noqa: E402

from remyelin.trial.repeated import fit_trials  # noqa: E402

CASES = ((15, "mar"), (30, "mar"), (150, "mar"), (12, "chance"))


def by_chance(frames: list[pd.DataFrame], rng: np.random.Generator, share: float) -> None:
    """Lose `share` of those left before each later visit."""
    for frame in frames:
        lost = rng.random((len(frame) // 4, 4)) < share * np.array([0, 1, 1, 1])
        frame.loc[np.maximum.accumulate(lost, axis=1).ravel(), "change"] = np.nan


def fits(frames: list[pd.DataFrame], information: str) -> np.ndarray:
    """Estimate, standard error and degrees of freedom (3, trial)."""
    first = frames[0]
    arm = (first["arm"] == "b").to_numpy(float)
    visit = first["visit"].str[1].astype(int).to_numpy() - 1
    at = (visit[:, None] == np.arange(4)).astype(float)
    found = []
    for frame in frames:
        X = np.hstack([at, at * arm[:, None], at * frame[["baseline"]].to_numpy()])
        one = fit_trials(
            frame["change"].to_numpy()[None], X, first["patient"], visit, np.eye(12)[7],
            information=information,
        )  # fmt: skip
        found.append((one.estimate[0, 0], one.se[0, 0], one.df[0, 0]))
    return np.array(found).T


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    chosen = parser.parse_args()
    print("| an arm | lost | no last visit | level, expected | observed | SE / SD, expected | observed |")
    print("|---|---|---|---|---|---|---|")
    for per_arm, lost in CASES:
        rng = np.random.default_rng([2026, per_arm, len(lost)])
        n = chosen.trials if per_arm < 100 else chosen.trials // 4
        frames = visits(rng, n, per_arm=per_arm, dropout="mar" if lost == "mar" else None)
        if lost == "chance":
            by_chance(frames, rng, 0.15)
        missing = np.mean([np.isnan(frame["change"].to_numpy()[3::4]).mean() for frame in frames])
        size, ratio = [], []
        for information in ("expected", "observed"):
            estimate, se, df = fits(frames, information)
            p = 2 * stats.t.sf(np.abs(estimate / se), df)
            size.append(f"{np.mean(p[~np.isnan(p)] < 0.05):.4f}")
            ratio.append(f"{np.sqrt(np.nanmean(se**2)) / np.nanstd(estimate):.3f}")
        print(f"| {per_arm} | {lost} | {missing:.0%} | {' | '.join(size + ratio)} |", flush=True)


if __name__ == "__main__":
    main()
