"""Power of tests of a dose-response by its shape: trend, each dose, and candidate shapes together.

    python benchmarks/statistics/doses.py

Five doses (ranks 0 to 4) with 84 participants each, as in SYNERGY; the proportion who improve at each dose.
Logistic regression, two-sided at .05, 2,000 trials (Monte Carlo standard error .005 at .05 and .011 at .5).
`trend`: rank scores. `Dunnett`: any dose against placebo. `shapes`: linear, emax and umbrella. `peak known`:
shapes with the peak at the fourth dose in place of the middle one.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from remyelin.trial.dose import dose_trend

SEED, N = 2026, 84
PATTERNS = {
    "no effect": (0.516, 0.516, 0.516, 0.516, 0.516),
    "linear": (0.45, 0.50, 0.55, 0.60, 0.65),
    "plateau": (0.45, 0.55, 0.62, 0.65, 0.65),
    "peak in the middle": (0.45, 0.55, 0.65, 0.55, 0.45),
    # Responders in SYNERGY: its abstract S33.004 in Neurology.
    "as seen in SYNERGY": (0.516, 0.511, 0.656, 0.688, 0.412),
}
PEAK = {"linear": (0, 1, 2, 3, 4), "emax": (0, 3, 4, 4.5, 4.8), "peak at the fourth": (0, 1, 2, 3, 0)}


def tests(improved: np.ndarray, doses: np.ndarray) -> list[float]:
    fit = dose_trend("improved ~ dose", pd.DataFrame({"dose": doses, "improved": improved}), dose="dose")
    return [
        fit.table.loc["dose", "p"],
        fit.contrasts(adjust="dunnett")["p_adjusted"].min(),
        fit.shapes()["p_adjusted"].min(),
        fit.shapes(PEAK)["p_adjusted"].min(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    doses = np.repeat([0, 3, 10, 30, 100], N)
    print("| proportions | trend | Dunnett | shapes | peak known |\n|---|---|---|---|---|")
    for name, share in PATTERNS.items():
        rng = np.random.default_rng(SEED)
        p = np.repeat(share, N)
        found = np.array([tests((rng.uniform(size=5 * N) < p) * 1, doses) for _ in range(trials)])
        cells = " | ".join(f"{each:.3f}" for each in (found < 0.05).mean(axis=0))
        print(f"| {name}: {', '.join(f'{100 * each:g}' for each in share)} % | {cells} |", flush=True)


if __name__ == "__main__":
    main()
