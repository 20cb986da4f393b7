"""A lesion with an inside: its front, what its size does, how the numbers converge, and a picture.

    python benchmarks/biology/lesion.py            # prints the tables of docs/theory/radial-lesion.md
    python benchmarks/biology/lesion.py --write    # and draws docs/_static/lesion-*.svg

Nothing is drawn by lot. The peer is the well-mixed lesion, `biology.simulate`, at the same rates.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

from remyelin import biology, draw_lesion
from remyelin.biology import LesionCourse
from remyelin.biology.draws import posterior
from remyelin.biology.front import lesion_front_mm_per_week
from remyelin.biology.shells import diffusivity_mm2_per_day, foot_mm, growth_per_day

STATIC = Path(__file__).parents[2] / "docs/_static"
RATS = {"rat-young": 0.6, "rat-old": 0.38, "rat-aged": 0.2}
RADII_MM = (0.5, 2.0, 5.0)


def depleted(name: str, **changes: object) -> biology.Scenario:
    """A lesion without progenitors of its own."""
    return biology.scenario(name, **{"resident_progenitors": 0.0, **changes})


def inward_mm_per_week(course: LesionCourse) -> float:
    """Of half the normal density, between 0.7 and 0.3 of the radius."""
    part = course.radius_mm / course.scenario.lesion_radius_mm
    middle = (part > 0.3) & (part < 0.7)
    return float(-7 * np.polyfit(course.arrival_day()[middle], course.radius_mm[middle], 1)[0])


def fronts() -> None:
    """Measured in the tissue of the experiment, and in lesions full of debris."""
    print("| rats | published, mm/week | put in | measured | over published | lesion of 2 mm | of 5 mm | r |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, published in RATS.items():
        scenario = biology.scenario(name)
        given = scenario.rates.front_mm_per_week
        measured = biology.front_speed_mm_per_week(scenario)
        balls = [
            inward_mm_per_week(
                biology.simulate_lesion(
                    depleted(name, lesion_radius_mm=radius), days=round(9 * radius / given)
                )
            )
            for radius in (2.0, 5.0)
        ]
        parameters = np.array(scenario.parameters())
        cells = (
            name,
            f"{published:g}",
            f"{given:.3f}",
            f"{measured:.3f}",
            f"{measured / published:.3f}",
            *(f"{speed:.3f}" for speed in balls),
            f"{growth_per_day(parameters):.2f}",
        )
        print(f"| {' | '.join(cells)} |")
    print()
    print("| rats | D, um2/h | foot of the front, um | measured over put in, by 20 draws: lowest, highest |")
    print("| --- | --- | --- | --- |")
    for name in RATS:
        scenario = biology.scenario(name)
        parameters = np.array(scenario.parameters())
        every = posterior().draws
        ratios = [
            biology.front_speed_mm_per_week(scenario.changed(rates=rates)) / rates.front_mm_per_week
            for rates in (
                posterior().rates(_index(scenario), draw) for draw in range(0, len(every), len(every) // 20)
            )
        ]
        spread = diffusivity_mm2_per_day(parameters) * 1e6 / 24
        print(
            f"| {name} | {spread:.0f} | {1e3 * foot_mm(parameters):.0f} | "
            f"{min(ratios):.3f}, {max(ratios):.3f} |"
        )


def _index(scenario: biology.Scenario) -> float:
    from remyelin.biology.ageing import age_index

    return age_index(scenario.species, scenario.age_years)


def sizes() -> None:
    """Time to the centre, and to repair, with and without progenitors left inside."""
    print(
        "| lesion | radius L, mm | L/c, d | progenitors at centre, d | covered: border, d | centre, d | "
        "whole, d | well-mixed, d | whole, 5 % of progenitors left, d |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in (*RATS, "human"):
        for radius in RADII_MM:
            scenario = depleted(name, lesion_radius_mm=radius)
            front = scenario.rates.front_mm_per_week / 7
            days = round(radius / front) + 300
            course = biology.simulate_lesion(scenario, days=days)
            left = biology.simulate_lesion(scenario.changed(resident_progenitors=0.05), days=days)
            mixed = biology.simulate(scenario, days=days)
            each = course.shell_completion_day()
            cells = (
                radius / front,
                course.arrival_day()[0],
                each[-1],
                each[0],
                course.completion_day(),
                mixed.completion_day(),
                left.completion_day(),
            )
            print(f"| {name} | {radius:g} | {' | '.join(_day(day) for day in cells)} |")


def convergence() -> None:
    """More shells, with the step that goes with them: progenitors of a ball of 0.5 mm on day 6."""
    print("| shells | progenitors in the lesion | change | observed order |")
    print("| --- | --- | --- | --- |")
    contents = list[float]()
    for count in (20, 40, 80, 160, 320):
        course = biology.simulate_lesion(depleted("rat-young"), days=6, shells=count)
        volume = course.shells.volume
        contents.append(float(course.of("progenitors")[-1] @ volume / volume.sum()))
        change = f"{contents[-1] - contents[-2]:.1e}" if len(contents) > 1 else ""
        order = ""
        if len(contents) > 2:
            order = f"{math.log2(abs((contents[-2] - contents[-3]) / (contents[-1] - contents[-2]))):.2f}"
        print(f"| {count} | {contents[-1]:.6f} | {change} | {order} |")


def limits() -> None:
    """Where the front of young rats comes to with thinner shells, and in deeper tissue."""
    young = biology.scenario("rat-young")
    given = young.rates.front_mm_per_week
    print("| shells to a foot | depth, feet | measured over put in |")
    print("| --- | --- | --- |")
    for shells, depth in ((1.25, 100), (2.5, 100), (5, 100), (10, 100), (2.5, 200), (2.5, 400), (10, 400)):
        found = lesion_front_mm_per_week(young, depth_feet=depth, shells_per_foot=shells)
        print(f"| {shells:g} | {depth} | {found / given:.4f} |")


CHRONIC = (
    ("nothing in the way", {}),
    ("axons receptive for 60 days", {"receptive_days": 60}),
    ("the same, and inhibition 1", {"receptive_days": 60, "inhibition": 1}),
    ("inhibition 3", {"inhibition": 3}),
    ("smouldering 0.5", {"smouldering": 0.5}),
    (
        "axons receptive for 60 days, 5 % of progenitors left",
        {"receptive_days": 60, "resident_progenitors": 0.05},
    ),
)


def chronic() -> None:
    """A person's large lesion after one and three years."""
    print(
        "| human, 40 years, 5 mm | border, 1 y | centre | whole | "
        "border, 3 y | centre | whole | well-mixed, 3 y |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for words, changes in CHRONIC:
        scenario = depleted("human", lesion_radius_mm=5, **changes)
        course = biology.simulate_lesion(scenario, days=1095, every_days=5)
        mixed = biology.simulate(scenario, days=1095).remyelinated[-1]
        cells = [
            f"{100 * part[step]:.0f} %"
            for step in (73, -1)
            for part in (course.border, course.centre, course.covered)
        ]
        print(f"| {words} | {' | '.join(cells)} | {100 * mixed:.0f} % |")


def speed() -> None:
    """CPU seconds, compiled before."""
    young = depleted("rat-young", lesion_radius_mm=2)
    asked = (
        ("front_speed_mm_per_week", lambda: biology.front_speed_mm_per_week(young)),
        ("simulate_lesion, 2 mm, 60 days", lambda: biology.simulate_lesion(young, days=60)),
        ("the same, 20 draws", lambda: biology.simulate_lesion(young, days=60, draws=20)),
    )
    print("| call | CPU seconds, best of 3 |")
    print("| --- | --- |")
    for words, call in asked:
        call()
        taken = []
        for _ in range(3):
            began = time.process_time()
            call()
            taken.append(time.process_time() - began)
        print(f"| {words} | {min(taken):.2f} |")


def pictures() -> None:
    """Two lesions of 5 mm, one whose axons stop to take sheaths."""
    days = (30, 60, 90, 120, 180, 1095)
    for name, title, changes in (
        ("lesion-heals", "5 mm, nothing in the way: the centre is last", {}),
        (
            "lesion-rim",
            "5 mm, axons receptive for 60 days: a mended rim, a bare centre",
            {"receptive_days": 60},
        ),
    ):
        course = biology.simulate_lesion(depleted("human", lesion_radius_mm=5, **changes), days=1095)
        draw_lesion(course, days, title=title, name=name, path=STATIC / f"{name}.svg")


def _day(day: float) -> str:
    return f"{day:.0f}" if math.isfinite(day) else "not reached"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="draw the pictures of the page")
    asked = parser.parse_args()
    for part in (fronts, sizes, convergence, limits, chronic, speed):
        print(f"\n{(part.__doc__ or '').splitlines()[0]}\n")
        part()
    if asked.write:
        pictures()


if __name__ == "__main__":
    main()
