"""What a lesion of 10 mm does to the messages of an optic nerve: table and picture for docs/theory.

    python benchmarks/conduction/nerve.py

An illustration of the model, not a prediction for patients. By the surrogate; nothing but diameters is drawn
by lot.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from remyelin.conduction import Arrivals, NerveBundle
from remyelin.files.atomic import atomic_write
from remyelin.report.canvas import canvas, markup
from remyelin.report.colour import ARMS, INK, LOSS, MUTED

STATIC = Path(__file__).parents[2] / "docs/_static"
AXONS, SEED, LENGTH_MM, LESION_MM = 10_000, 20261128, 45.0, 10.0
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("intact", INK, {"lesion_mm": 0.0}),
    ("bare, 5 % channels", LOSS, {"nav_fraction": 0.05}),
    ("bare, 2 % channels", ARMS[1], {"nav_fraction": 0.02}),
    ("bare, 1 % channels", ARMS[2], {"nav_fraction": 0.01}),
    (
        "half repaired, the rest bare with 2 %",
        ARMS[3],
        {"nav_fraction": 0.02, "repaired": 0.5, "g_ratio": 0.88},
    ),
    ("repaired, 3 short internodes for 1, g 0.88", ARMS[0], {"repaired": 1.0, "g_ratio": 0.88}),
    ("repaired, 3 for 1, g 0.92", MUTED, {"repaired": 1.0, "g_ratio": 0.92}),
)
DRAWN = (0, 2, 3, 5)


def main() -> None:
    found = [(name, colour, _arrivals(options)) for name, colour, options in CASES]
    head = "| lesion | blocked | median arrival, ms | 5 to 95 % | SD of arrivals, ms | median delay, ms |"
    print(head + " 5 to 95 % | compound peak | peak at, ms |\n|" + " --- |" * 9)
    _, whole = found[0][2].compound(weights="area")
    for name, _, arrivals in found:
        early, middle, late = arrivals.quantiles_ms([0.05, 0.5, 0.95])
        least, delay, most = np.nanquantile(arrivals.delay_ms, [0.05, 0.5, 0.95])
        time, total = arrivals.compound(weights="area")
        print(
            f"| {name} | {100 * arrivals.fraction_blocked:.1f} % | {middle:.1f} | {early:.1f} to {late:.1f} |"
            f" {arrivals.dispersion_ms:.1f} | {delay:.2f} | {least:.2f} to {most:.2f} |"
            f" {total.max() / whole.max():.2f} | {time[np.argmax(total)]:.1f} |"
        )
    _draw([found[k] for k in DRAWN])


def _arrivals(options: dict[str, Any]) -> Arrivals:
    given = {"length_mm": LENGTH_MM, "lesion_mm": LESION_MM, **options}
    return NerveBundle.optic_nerve(AXONS, rng=np.random.default_rng(SEED), **given).arrive()


def _draw(found: list[tuple[str, str, Arrivals]]) -> None:
    with canvas(6.8, 5.4, rows=2, sharex=True) as (figure, axes):
        (above,), (below,) = axes
        edges = np.arange(0, 80.1, 1.0)
        for name, colour, arrivals in found:
            counts, _ = np.histogram(arrivals.arrival_ms[~arrivals.blocked], edges)
            above.stairs(100 * counts / arrivals.n_axons, edges, color=colour, lw=1.6, label=name)
            time, total = arrivals.compound(weights="area", end_ms=80.0)
            below.plot(time, 1e3 * total, color=colour, lw=1.6)
        above.set_ylabel("% of axons in each ms")
        above.set_title("When the message of each axon arrives, 45 mm of nerve with a lesion of 10 mm")
        above.set_ylim(0, 5.4)
        above.legend(fontsize=8)
        below.set_title("Their sum, axons weighted by their area")
        below.set_ylabel("1/1000 of all axons at once")
        below.set_xlabel("ms after the start at the eye")
        below.set_xlim(0, 60)
        text = "Arrival times and compound response of an intact, a bare and a repaired optic nerve"
        picture = str(markup(figure, "nerve-bundle", text))
        picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(STATIC / "nerve-bundle.svg", picture.encode())


if __name__ == "__main__":
    main()
