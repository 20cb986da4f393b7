"""What the model of repair cannot know, in numbers.

    python benchmarks/biology/limits.py

Prints the tables of docs/theory/what-biology-gets-wrong.md that `people.py` and `repair_to_delay.py` do not.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from remyelin import biology
from remyelin.biology.ageing import LIFESPAN_YEARS, age_index
from remyelin.biology.draws import posterior
from remyelin.biology.treatment import TO_LIMIT
from remyelin.evidence.load import read_data

LONG_DAYS = 7300
NAMES = ("rat-young", "rat-old", "rat-aged", "human")


def head(*columns: str) -> None:
    print("\n| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|")


def days(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "never"


def middle(values: np.ndarray) -> str:
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{days(median)} ({days(low)} to {days(high)})"


def print_size() -> None:
    head("days to 95 % covered, by radius", "0.5 mm", "1.6 mm", "3 mm", "5 mm", "8 mm")
    for name in ("rat-young", "human"):
        made = [biology.scenario(name, lesion_radius_mm=radius) for radius in (0.5, 1.6, 3.0, 5.0, 8.0)]
        mixed = [days(biology.simulate(each, days=800).completion_day()) for each in made]
        shells = [days(biology.simulate_lesion(each, days=800, shells=40).completion_day()) for each in made]
        print(f"| {name}, well mixed | " + " | ".join(mixed) + " |")
        for words, residents in (("5 % of progenitors left", 0.05), ("none left", 0.0)):
            shells = [
                days(
                    biology.simulate_lesion(
                        each.changed(resident_progenitors=residents), days=800
                    ).completion_day()
                )
                for each in made
            ]
            print(f"| {name}, from border to centre, {words} | " + " | ".join(shells) + " |")


def print_healing() -> None:
    head("no failure mode, every draw", "days to 95 %, median (90 %)", "least covered after 20 years")
    for name in NAMES:
        course = biology.simulate(biology.scenario(name), days=LONG_DAYS)
        print(f"| {name} | {middle(course.completion_days())} | {course.draws[:, -1].min():.1%} |")


def print_species() -> None:
    head("a person of 40 with the median lesion, if ...", "index of age", "days to 95 %")
    life = LIFESPAN_YEARS["human"]
    cases = [
        (f"a life of {years} years is a rat's of {LIFESPAN_YEARS['rat']:g}", 40 / years * life)
        for years in (70, 80, 100)
    ]
    for words, age in (("progenitors of man did not age", 0.0), *cases):
        lesion = biology.scenario("human", age_years=age)
        print(
            f"| {words} | {age_index('human', age):.2f} "
            f"| {middle(biology.simulate(lesion, days=4000).completion_days())} |"
        )


def print_demand() -> None:
    head("progenitors differentiate ...", "days to 50 %", "days to 95 %", "premyelinating cells on day 120")
    for name in NAMES[:2]:
        for words, demand in (("always", False), ("only while axons are bare", True)):
            course = biology.simulate(biology.scenario(name, demand_driven=demand), days=200)
            print(
                f"| {name}, differentiates {words} | {course.completion_day(0.5):.1f} "
                f"| {course.completion_day():.1f} | {course.of('premyelinating')[0, 120]:.3f} |"
            )


def print_survivors() -> None:
    row = read_data("biology.toml")["rate"]["survivor_repair_per_day"]
    head(f"half survive; their repair, per day ({row['status']})", "young rat: days to 95 %", "human")
    for rate in (0.0, row["low"], row["value"], row["high"]):
        cells = []
        for name in ("rat-young", "human"):
            lesion = biology.scenario(
                name, oligodendrocytes_lost=0.5, debris=0.5, survivor_repair_per_day=rate
            )
            cells.append(days(biology.simulate(lesion, days=800).completion_day()))
        print(f"| {rate:g} | " + " | ".join(cells) + " |")


def print_rates() -> None:
    data = read_data("biology.toml")
    rows = {**data["rate"], **{f"ageing.{key}": row for key, row in data["ageing"].items()}}
    count = Counter(row["status"] for row in rows.values())
    print(
        "\nOf the rates and their ratios of ageing "
        + ", ".join(f"{n} are {words}" for words, n in count.items())
        + "."
    )
    known = posterior()
    learnt = {}
    for name, draws in zip(known.names, known.draws.T, strict=True):
        row = rows[name]
        if "low" in row:
            before = math.log(row["high"] / row["low"]) / (2 * TO_LIMIT)
            learnt[name] = float(np.std(np.log(draws))) / before
    best = sorted(learnt, key=learnt.__getitem__)
    unmoved = [name for name in best if learnt[name] > 0.8]
    print(
        f"Of {len(learnt)} that were calibrated, {len(unmoved)} are about as wide as before (more than 80 %"
        f" of the prior's width): {', '.join(unmoved)}.\nThe best known: "
        + ", ".join(f"{name} ({learnt[name]:.0%})" for name in best[:4]) + "."
    )  # fmt: skip
    pairs = np.corrcoef(np.log(known.draws[:, [known.names.index(name) for name in best]]).T)
    pairs[np.tril_indices(len(best))] = 0
    a, b = np.unravel_index(np.argmax(np.abs(pairs)), pairs.shape)
    print(f"The two most entangled: {best[a]} and {best[b]}, correlation {pairs[a, b]:.2f}.")


def print_axons() -> None:
    """Which rate of axon loss: the prior's ends, in a lesion that never heals."""
    row = read_data("biology.toml")["rate"]["axon_loss_per_day"]
    lesion = biology.scenario("human", inhibition=1000.0)
    lost = []
    for rate in (row["low"], row["high"]):
        changed = replace(lesion, rates=replace(lesion.rates, axon_loss_per_day=rate))
        lost.append(1 - biology.simulate(changed, days=LONG_DAYS).of("axons")[0, 3650])
    print(
        f"\nIn a lesion that stays bare {lost[0]:.0%} to {lost[1]:.0%} of the axons die within ten years, by"
        " the ends of what was believed; Bjartmar 2000 counted 45 to 84 % in chronic lesions of the cord."
    )


def main() -> None:
    print_size()
    print_healing()
    print_species()
    print_demand()
    print_survivors()
    print_rates()
    print_axons()


if __name__ == "__main__":
    main()
