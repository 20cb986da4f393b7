"""Published trials, predicted before looking: calibrated on animals and ReBUILD only, the others predicted.

    python benchmarks/forecast/published.py           # prints the table
    python benchmarks/forecast/published.py --draw    # and draws docs/_static/forecast-published.svg

The rates of the lineage come from animals (biology's posterior), the sizes of a treatment's effects from the
prior of `virtual_assumptions.toml`; ReBUILD's crossover estimate then weighs the worlds. Nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from remyelin.virtual.assumptions import draw_worlds
from remyelin.virtual.published import (
    effective,
    follow_published,
    predicted,
    published,
    quantiles,
    results_of,
    weights,
)

DRAWS, SEED = 4096, 2026
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
FIGURE = Path(__file__).parents[2] / "docs/_static/forecast-published.svg"


def main() -> None:
    rng = np.random.default_rng(SEED)
    worlds = draw_worlds(DRAWS, rng)
    results = published()
    followed = follow_published(results, worlds)
    rebuild = results_of(["rebuild"])
    calibrated = weights(rebuild, followed, worlds)
    before = weights([], followed, worlds)
    error = rng.standard_normal(DRAWS)
    rows = []
    print(f"{effective(before):.0f} worlds before ReBUILD, {effective(calibrated):.0f} after\n")
    print(
        "| trial | role | true effect, animals alone: median (90 %) | with ReBUILD "
        "| result of a trial of that size | published (95 %) | within |"
    )
    print("| --- " * 7 + "|")
    for each in results:
        effect = predicted(each, followed, worlds)
        prior, true = quantiles(effect, before, LEVELS), quantiles(effect, calibrated, LEVELS)
        seen = quantiles(effect + each.se * error, calibrated, LEVELS)
        inside = "yes" if seen[0] <= each.estimate <= seen[-1] else "no"
        low, high = each.estimate - 1.96 * each.se, each.estimate + 1.96 * each.se
        role = "calibration" if each in rebuild else "predicted"
        cells = [f"{row[2]:.2f} ({row[0]:.2f} to {row[-1]:.2f})" for row in (prior, true, seen)]
        print(
            f"| {each.name}, {each.unit} | {role} | {cells[0]} | {cells[1]} | {cells[2]} "
            f"| {each.estimate:g} ({low:.2f} to {high:.2f}) | {inside} |"
        )
        rows.append((each, prior, true, seen))
    if "--draw" in sys.argv[1:]:
        draw(rows)


def draw(rows: list) -> None:
    from remyelin.report.forecast_plot import Prediction, draw_published

    found = [
        Prediction(
            f"{each.name}",
            each.unit,
            tuple(seen.tolist()),
            each.estimate,
            each.estimate - 1.96 * each.se,
            each.estimate + 1.96 * each.se,
            each.trial != "rebuild",
        )
        for each, _, _, seen in rows
    ]
    draw_published(found, path=FIGURE)


if __name__ == "__main__":
    main()
