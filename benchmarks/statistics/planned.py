"""Sample sizes in closed form beside virtual trials: the tables of docs/theory/power.md.

    python benchmarks/statistics/planned.py [--trials 20000] [--jobs 2]

Fixed seeds; a case is out where they differ by more than 3 Monte Carlo errors.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from remyelin.evidence import lesion_counts
from remyelin.trial.power import Spread, simulated_power

LESIONS = Spread.of_sites(between=0.35, site=1.3, sites=30)
EYES = Spread.of_periods(2.5, 4.0)
REAL = Spread.of_sites(between=0.35, site=1.3, sites=lesion_counts(min_volume_mm3=10))
UNEVEN = Spread.of_sites(between=0.35, site=1.3, sites=5, cv=0.8)
WHOLE = Spread.of_participant(2.4)
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("two arms of 64, effect 1.2, SD 2.4", (64, 1.2, WHOLE), {}),
    ("the same, 20 % dropout", (64, 1.2, WHOLE), {"dropout": 0.2}),
    ("40 and 80", ((40, 80), 1.2, WHOLE), {}),
    ("8 an arm, effect 2.5, baseline r 0.5", (8, 2.5, WHOLE), {"correlation": 0.5}),
    ("60 an arm, r -0.6, 25 % dropout by baseline", (60, 1.2, WHOLE),
     {"correlation": -0.6, "dropout": 0.25, "dropout_slope": 1.0}),
    ("33 an arm, 30 lesions, participants' means", (33, 0.3, LESIONS), {}),
    ("33 an arm, 30 lesions, mixed model", (33, 0.3, LESIONS), {"estimator": "mixed"}),
    ("11 an arm, 30 lesions, lesions as independent", (11, 0.3, LESIONS), {"estimator": "independent"}),
    ("25 an arm, lesions of 20 real people, means", (25, 0.3, REAL), {}),
    ("25 an arm, lesions of 20 real people, mixed model", (25, 0.3, REAL), {"estimator": "mixed"}),
    ("40 an arm, 5 lesions, CV 0.8, means", (40, 0.4, UNEVEN), {}),
    ("40 an arm, 5 lesions, CV 0.8, mixed model", (40, 0.4, UNEVEN), {"estimator": "mixed"}),
    ("crossover of 80, two eyes", (40, 1.7, EYES), {"design": "crossover"}),
    ("crossover of 80, 50 % carry-over", (40, 1.7, EYES), {"design": "crossover", "carry_over": 0.5}),
    ("crossover of 62, eyes as independent", (31, 1.7, EYES),
     {"design": "crossover", "estimator": "independent"}),
    ("MMRM, 64 an arm, 2 visits r 0.7, 25 % dropout", (64, 1.2, WHOLE),
     {"estimator": "mmrm", "visit_shares": (0.5, 1.0), "visit_correlation": 0.7, "dropout": 0.25,
      "dropout_slope": 1.0}),
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    print("| trial | closed form | simulated | MC SE | difference / MC SE | type I error | MC SE |")
    print("|---|---|---|---|---|---|---|")
    begin = time.process_time()
    for k, (name, args, given) in enumerate(CASES):
        found = simulated_power(*args, **given, trials=options.trials, seed=1000 + k, workers=options.jobs)
        gap = (found.power - found.closed_form) / found.power_se
        print(
            f"| {name} | {found.closed_form:.3f} | {found.power:.3f} | {found.power_se:.4f} | {gap:+.1f} | "
            f"{found.type_1:.4f} | {found.type_1_se:.4f} |",
            flush=True,
        )
    print(
        f"\n{options.trials:,} virtual trials a row, {time.process_time() - begin:.0f} CPU s in this process"
    )


if __name__ == "__main__":
    main()
