"""What the calibrated lineage says of experiments it was, and was not, calibrated on.

    python benchmarks/biology/panel.py

Every draw of the shipped posterior; nothing is drawn by lot. Prints tables of docs/theory/lineage.md.
"""

from __future__ import annotations

import numpy as np

from remyelin import biology
from remyelin.biology.draws import posterior
from remyelin.biology.experiments import control_days, experiments, log_ratios
from remyelin.biology.lineage import FloatArray

MONTH_DAYS = 30
DAYS = np.arange(1, 151)
WEEKS_7 = 49
# A part of a lost population counts as replaced from here on: the paper compares means, and gives no margin.
REPLACED = 0.95


def spread(values: FloatArray, form: str) -> str:
    """The median and the middle 90 % of the draws."""
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{median:{form}} ({low:{form}} to {high:{form}})"


def panel() -> None:
    """The days of each experiment against its control."""
    known = posterior().known()
    chosen = list(experiments().values())
    ratios = log_ratios(known, control_days(known), chosen)
    print("| experiment | seen | days to 95 %, median (90 %) | first draw | right sign | used for | source |")
    print("|---|---|---|---|---|---|---|")
    for each, column in zip(chosen, ratios.T, strict=True):
        right = f"{each.agrees(column).mean():.0%}" if each.expected else ""
        change = 100 * np.expm1(column)
        print(
            f"| {each.words}, {each.animals} | {each.expected or 'not known'} | {spread(change, '+.0f')} % "
            f"| {change[0]:+.0f} % | {right} | {each.used_for} | {each.source} |"
        )


def ages() -> None:
    """Gilson & Blakemore 1993: lysolecithin, one month."""
    print("\n| rats, one month after lysolecithin | seen | covered, median (90 %) | first draw |")
    print("|---|---|---|---|")
    for months, seen in ((2, "all axons"), (5, "nearly all"), (14, "many bare (older than 12 months)")):
        lesion = biology.scenario("rat-young", age_years=months / 12)
        covered = biology.simulate(lesion, days=MONTH_DAYS).draws[:, -1]
        print(f"| {months} months | {seen} | {spread(100 * covered, '.0f')} % | {100 * covered[0]:.0f} % |")


def second_round() -> None:
    """Ludwin 1980: a second demyelination is repaired more slowly (cuprizone, mice)."""
    day = 90
    print("\n| days to 95 % | first round | second round | second less first | second slower |")
    print("|---|---|---|---|---|")
    for name in ("rat-young", "rat-old"):
        lesion = biology.scenario(name, attacks=(biology.Attack(day=day),))
        course = biology.simulate(lesion, days=day + 150)
        first = course.completion_days()
        again = course.draws[:, day:]
        # On the day of the attack itself the lesion is still covered.
        second = np.array([np.interp(0.95, np.maximum.accumulate(row[1:]), DAYS) for row in again])
        slower = f"{(second > first).mean():.0%} of draws"
        cells = [spread(first, ".1f"), spread(second, ".1f"), spread(second - first, "+.1f"), slower]
        print(f"| {name} | {' | '.join(cells)} |")


def severity() -> None:
    """Della-Flora Nunes 2025: in 7 weeks all are replaced if fewer than half were lost, and else not."""
    print("\n| lost | young: covered in 7 weeks, median (90 %) | draws with all | old | draws with all |")
    print("|---|---|---|---|---|")
    for lost in np.arange(1, 11) / 10:
        cells = []
        for name in ("rat-young", "rat-old"):
            plain = biology.scenario(name)
            # A tenth of the cells bares a tenth of the axons, which a tenth of the new cells covers.
            needed = plain.rates.progenitor_yield * lost
            lesion = plain.changed(oligodendrocytes_lost=lost, debris=lost, progenitor_yield=needed)
            course = biology.simulate(lesion, days=WEEKS_7)
            covered = course.draws[:, -1]
            cells += [spread(100 * covered, ".0f") + " %", f"{(covered >= REPLACED).mean():.0%}"]
        print(f"| {lost:.0%} | {' | '.join(cells)} |")


def main() -> None:
    panel()
    ages()
    second_round()
    severity()


if __name__ == "__main__":
    main()
