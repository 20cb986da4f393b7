"""Why a lesion does not heal, and which treatment helps which failure.

    python benchmarks/biology/failure.py          # tables and pictures of docs/tutorials, about a minute

Every draw of the shipped posterior with one draw of the treatment's effect each; the same draws every time.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from remyelin import biology
from remyelin.biology.lineage import FloatArray
from remyelin.report.canvas import canvas, markup, saved
from remyelin.report.colour import ARMS, FAINT, GAIN, LOSS, MUTED, RULE

STATIC = Path(__file__).parents[2] / "docs/_static"
YEARS_5 = 1825
# Between two attacks of the mode that attacks every 180 days.
END_DAY, START_DAY, SEVERITY = 700, 30.0, 0.5
DRUGS = (
    "bexarotene",
    "clemastine",
    "opicinumab",
    "liothyronine",
    "metformin",
    "metformin+clemastine",
    "anti-sema3a",
    "rhigm22",
    "evobrutinib",
    "trem2-agonist",
    "sephin1",
)


def sheathed(course: biology.Course) -> FloatArray:
    """(draw, day) axons with a sheath, % of the axons before the lesion."""
    return 100 * course.draws * course.of("axons")


def spread(values: FloatArray, form: str = ".0f") -> str:
    """The median and the middle 90 % of the draws."""
    low, median, high = (f"{value:{form}}" for value in np.quantile(values, [0.05, 0.5, 0.95]))
    return f"{median} ({low} to {high})".replace("+0", "0").replace("-0", "0")


def modes(human: biology.Scenario) -> None:
    """What each mode does by itself, in full."""
    print("| failure | what changes | day of 95 % | covered at 1 year, % | at 5 years, % | sheathed, % |")
    print("| --- | --- | --- | --- | --- | --- |")
    plain = biology.simulate(human, days=YEARS_5)
    with canvas(9.2, 8.0, 4, 3, sharex=True, sharey=True) as (figure, axes):
        for name, ax in zip((None, *biology.failure_modes()), (None, *axes.flat), strict=True):
            course = plain
            changes = "nothing"
            if name is not None:
                course = biology.simulate(biology.fail(human, name), days=YEARS_5)
                changes = "; ".join(str(change) for change in biology.failure_modes()[name].changes)
                draw(ax, name, plain, course)
            day = course.completion_day()
            done = f"{day:.0f}" if math.isfinite(day) else "never in 5 years"
            after = [spread(100 * course.draws[:, at]) for at in (365, YEARS_5)]
            cells = [name or "none", changes, done, *after, spread(sheathed(course)[:, -1])]
            print(f"| {' | '.join(cells)} |")
        for ax in axes[-1]:
            ax.set_xlabel("years after the lesion")
        for ax in axes[:, 0]:
            ax.set_ylabel("%")
        alt = "Twelve ways to fail in a human lesion over five years, each beside the lesion that heals"
        saved(markup(figure, "failure-modes", alt), STATIC / "failure-modes.svg")


def draw(ax, name: str, plain: biology.Course, course: biology.Course) -> None:  # type: ignore[no-untyped-def]
    shown = slice(0, None, 5)
    years = course.time_days[shown] / 365
    low, high = course.interval()
    ax.plot(years, 100 * plain.remyelinated[shown], color=FAINT, lw=1.2)
    ax.fill_between(years, 100 * low[shown], 100 * high[shown], color=ARMS[0], alpha=0.18, lw=0)
    ax.plot(years, 100 * course.remyelinated[shown], color=ARMS[0], lw=1.8)
    ax.plot(years, sheathed(course)[0, shown], color=ARMS[1], lw=1.4, ls="--")
    ax.set_title(name)
    ax.set_ylim(0, 104)
    ax.set_xlim(0, 5)


def treatments(human: biology.Scenario) -> None:
    """Gain of each treatment in each mode at half severity."""
    names = (None, *biology.failure_modes())
    gain = np.empty((len(names), len(DRUGS)))
    print("| failure | untreated, % | " + " | ".join(DRUGS) + " |")
    print("| --- " * (len(DRUGS) + 2) + "|")
    for row, name in enumerate(names):
        lesion = human if name is None else biology.fail(human, name, severity=SEVERITY)
        plain = sheathed(biology.simulate(lesion, days=END_DAY))[:, -1]
        cells = [name or "none", spread(plain)]
        for column, drug in enumerate(DRUGS):
            treatment = biology.treat(drug, assumed=True, start_day=START_DAY)
            treated = sheathed(biology.simulate(lesion, days=END_DAY, treatment=treatment))[:, -1]
            gain[row, column] = np.median(treated - plain)
            cells.append(spread(treated - plain, "+.0f"))
        print(f"| {' | '.join(cells)} |")
    with canvas(8.4, 5.6) as (figure, ((ax,),)):
        for row, column in np.ndindex(gain.shape):
            value = gain[row, column]
            ax.scatter(column, row, s=9 * abs(value) ** 1.2 + 1, color=GAIN if value >= 0 else LOSS, lw=0)
            if abs(value) >= 0.5:
                ax.text(column + 0.16, row - 0.2, f"{value:+.0f}", fontsize=8, color=MUTED, ha="left")
        ax.set_yticks(range(len(names)), [name or "none" for name in names])
        ax.set_xticks(range(len(DRUGS)), DRUGS, rotation=40, ha="right")
        ax.set_ylim(len(names) - 0.5, -0.7)
        ax.set_xlim(-0.5, len(DRUGS) - 0.3)
        ax.grid(color=RULE, lw=0.6)
        ax.set_axisbelow(True)
        ax.set_title("Sheathed axons gained after 700 days, percentage points (median)")
        alt = "Gain of eleven treatments in twelve failures: which one helps differs by failure"
        saved(markup(figure, "failure-treatments", alt), STATIC / "failure-treatments.svg")


def clemastine(human: biology.Scenario) -> None:
    """TRAP-MS: the same drug in a calm and in a smouldering lesion, with and without its harm."""
    print("| smouldering | untreated, % | without the harm | with it | draws in which it harms |")
    print("| --- | --- | --- | --- | --- |")
    for severity in (0.0, 0.1, 0.25, 0.5, 1.0):
        lesion = biology.fail(human, "chronic-inflammation", severity=severity)
        plain = sheathed(biology.simulate(lesion, days=END_DAY))[:, -1]
        without, full = (
            sheathed(
                biology.simulate(
                    lesion,
                    days=END_DAY,
                    treatment=biology.treat("clemastine", effect=effect, assumed=True, start_day=START_DAY),
                )
            )[:, -1]
            - plain
            for effect in ({"smouldering_death_per_day": 1.0}, None)
        )
        cells = [f"{severity:g}", spread(plain), spread(without, "+.0f"), spread(full, "+.0f")]
        print(f"| {' | '.join(cells)} | {(full < -0.5).mean():.0%} |")


def main() -> None:
    human = biology.scenario("human")
    print("## modes\n")
    modes(human)
    print("\n## treatments\n")
    treatments(human)
    print("\n## clemastine\n")
    clemastine(human)


if __name__ == "__main__":
    main()
