"""From a repair to the messages of a nerve: days after the lesion, delay, and how many axons block.

    python benchmarks/biology/repair_to_delay.py

Delay: of the axons that conduct, against the same axons without a lesion, in an optic nerve of 45 mm. How
many channels bare axon has was not measured: two densities, relative to a node's, are shown.
"""

from __future__ import annotations

import numpy as np

from remyelin import biology
from remyelin.conduction import Arrivals, NerveBundle

AXONS, DRAWS = 1000, 20
LENGTH_MM = 45
NAV = (0.02, 0.004)


def arrivals(course: biology.Course, day: float, nav: float, **options: int) -> Arrivals:
    state = course.state(day, n_axons=AXONS, **options)
    return NerveBundle.from_state(state, nav_fraction=nav, length_mm=LENGTH_MM).arrive()


def delay_ms(found: Arrivals) -> str:
    conducting = found.delay_ms[~found.blocked]
    return f"{np.median(conducting):.2f}" if len(conducting) else "none conducts"


def spread(course: biology.Course, day: float, nav: float) -> str:
    """The median delay by the most probable draw, and between which values other draws put it."""
    medians = []
    for draw in range(DRAWS):
        found = arrivals(course, day, nav, draw=draw)
        if not found.blocked.all():
            medians.append(float(np.median(found.delay_ms[~found.blocked])))
    return f"{medians[0]:.2f} ({min(medians):.2f} to {max(medians):.2f})"


def print_courses() -> None:
    head = (
        "lesion",
        "day",
        "covered",
        "g-ratio",
        "axons left",
        "median delay at 2 % channels, ms (20 draws)",
    )
    print("| " + " | ".join((*head, "at 0.4 %", "blocked at 0.4 %")) + " |")
    print("| --- " * 8 + "|")
    for name, days in (
        ("rat-young", (0, 7, 14, 21, 28, 60)),
        ("rat-old", (0, 14, 28, 42, 63, 120)),
        ("human", (0, 30, 60, 90, 120, 180, 365)),
    ):
        course = biology.simulate(biology.scenario(name), days=days[-1])
        for day in days:
            state = course.state(day, n_axons=AXONS)
            scarce = arrivals(course, day, NAV[1])
            g = f"{np.median(state.g_ratio):.2f}" if state.internode_um.size else "bare"
            print(
                f"| {name} | {day} | {course.remyelinated[day]:.0%} | {g} | {state.axon_survival:.0%} "
                f"| {spread(course, day, NAV[0])} | {delay_ms(scarce)} | {scarce.fraction_blocked:.0%} |"
            )


def print_assumptions() -> None:
    human = biology.simulate(biology.scenario("human"), days=365)
    half = human.completion_day(0.5)
    print(
        "\n| human lesion, median delay at 2 % channels, ms | half covered | covered |\n| --- | --- | --- |"
    )
    for n in (1, 2, 3, 5):
        cells = (delay_ms(arrivals(human, day, NAV[0], n_short=n)) for day in (half, 365))
        print(f"| {n} new internode{'s' if n > 1 else ''} for one | " + " | ".join(cells) + " |")
    print("\n| human lesion half covered | 10, 50 and 90 % of delays at 2 %, ms | blocked at 0.4 % |")
    print("| --- | --- | --- |")
    for words, days in (
        ("every axon half covered (the model)", (half,)),
        ("half the axons covered, the others bare", (0, 365)),
    ):
        conducting = [arrivals(human, day, NAV[0]).delay_ms for day in days]
        least = min(map(len, conducting))
        delays = np.quantile(np.concatenate([each[:least] for each in conducting]), [0.1, 0.5, 0.9])
        blocked = np.mean([arrivals(human, day, NAV[1]).fraction_blocked for day in days])
        print(f"| {words} | " + ", ".join(f"{delay:.2f}" for delay in delays) + f" | {blocked:.0%} |")


def main() -> None:
    print_courses()
    print_assumptions()


if __name__ == "__main__":
    main()
