"""Fronts of progenitors on the lattice of a section, for rare to frequent hops: a table of the evidence.

    python benchmarks/biology/section_front.py            # prints the table of evidence/section.toml; minutes

In units of the division of an undisturbed progenitor: so many hops to a division make the front move so many
sites to a division. That depends on how dense progenitors are (few cells at the edge of a front hold it
back), hardly on anything else, so that one table serves all ages.
"""

from __future__ import annotations

import numpy as np

from remyelin import biology
from remyelin.biology.lattice import grain
from remyelin.biology.section_front import front_mm, speed
from remyelin.biology.section_law import waking_per_day

DENSITIES = (0.02, 0.04, 0.08)
HOPS = (5, 10, 20, 40, 80, 160, 320, 640)
SEEDS = range(3)


def sites_per_division(density: float, hops: float) -> float:
    """Measured; the mean of a few bands, at one division a day."""
    # What the front can be at most, so that it is followed long enough.
    limit = 2 * np.sqrt(hops * 1.5 / 4)
    scenario = biology.scenario(
        "rat-young",
        progenitor_yield=grain().per_site / density,
        cycle_days=9.0,
        proliferation_per_day=1 - np.log(2) / 9,
        front_mm_per_week=float(0.15 * limit * grain().site_um * 7e-3),
    )
    division = waking_per_day(scenario.rates)
    found = [
        speed(front_mm(scenario, np.random.default_rng(100 + seed), hops=hops * division)) for seed in SEEDS
    ]
    return float(np.mean(found)) / 7e-3 / grain().site_um / division


def main() -> None:
    print("[front]")
    print(f"progenitors_per_site = {list(DENSITIES)}")
    print(f"hops_per_division = {list(HOPS)}")
    print("sites_per_division = [")
    for density in DENSITIES:
        row = [round(float(sites_per_division(density, hops)), 2) for hops in HOPS]
        print(f"    {row},", flush=True)
    print("]")


if __name__ == "__main__":
    main()
