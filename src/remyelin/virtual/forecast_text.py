"""A forecast in words, for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from remyelin.virtual.asked import EYES
from remyelin.virtual.assumptions import MOST_DRAWS, assumptions, population
from remyelin.virtual.expected import ENOUGH

if TYPE_CHECKING:
    from remyelin.virtual.expected import Answer, Expected
    from remyelin.virtual.forecast import Forecast

MOST_MOVED = 8


def said(forecast: Forecast) -> str:
    """The whole of it."""
    return "\n".join([*_asked(forecast), "", *_answers(forecast), "", *_grids(forecast), *_moved(forecast)])


def _asked(forecast: Forecast) -> list[str]:
    people = population(forecast.setting.lesions)["words"]
    calibrated = ", ".join(("animals", *forecast.calibrated_on))
    first = forecast.answers[0]
    few = [] if forecast.enough else [_too_few(forecast)]
    return [
        f"Forecast of {forecast.protocol.trial.id}: {first.endpoint}, {first.arm}; {people}, "
        f"{EYES[forecast.setting.eyes]}, people of {forecast.age_years:g} years",
        f"{forecast.draws} worlds (seed {forecast.seed}), calibrated on {calibrated}: "
        f"as sharp as {forecast.worlds_left:.0f} equally probable ones",
        *few,
        "A distribution, as good as its assumptions; a research tool, not a medical device.",
        *(f"Not forecast, no model of myelin reaches it: {name}" for name in forecast.left_out),
    ]


def _too_few(forecast: Forecast) -> str:
    """What too few worlds mean, and how many draws would do."""
    needed = 1 << math.ceil(math.log2(forecast.draws * ENOUGH / forecast.worlds_left))
    fix = (
        f"ask for --draws {needed}"
        if needed <= MOST_DRAWS
        else f"not even --draws {MOST_DRAWS} would give them"
    )
    return (
        f"TOO FEW WORLDS: fewer than {ENOUGH}, so every number below moves with the seed, and neither the "
        f"most informative comparison nor the best visit is named; {fix}"
    )


def _answers(forecast: Forecast) -> list[str]:
    only = "" if forecast.enough else f", of {forecast.worlds_left:.0f} worlds only"
    lines = [f"Treatment less placebo: median (90 %){only}"]
    for k, each in enumerate(forecast.answers):
        lines += _answer(each, next((one for one in forecast.answers[:k] if _same(one, each)), None))
    best = forecast.most_informative
    if best is not None:
        lines.append(f"Most informative: {best.endpoint}, the largest effect over an SE of its own")
    lines.append(f"Probability of success. {forecast.gate}")
    return lines


def _same(one: Answer, other: Answer) -> bool:
    """Whether a model says the same of both, in the same error."""
    return (one.arm, one.true, one.result, one.se) == (other.arm, other.true, other.result, other.se)


def _answer(answer: Answer, earlier: Answer | None) -> list[str]:
    head = f"  {answer.endpoint}, {answer.arm} ({answer.role}){_success(answer)}"
    if earlier is not None:
        return [f"{head}: the same as {earlier.endpoint}; model and SE do not tell them apart"]
    note = f" (that {answer.se_note})" if answer.se_note else ""
    return [
        head,
        f"    true effect {_span(answer.true)}; result {_span(answer.result)}",
        f"    effect / SE {answer.signal:.2f}; planned SE {answer.se:.2g} {answer.true.unit}{note}, "
        f"{answer.se_source}",
    ]


def _success(answer: Answer) -> str:
    return "" if answer.success is None else f": probability of success {answer.success:.0%}"


def _grids(forecast: Forecast) -> list[str]:
    lines = []
    for title, rows in (
        ("By day", forecast.visits),
        ("By age at baseline (a quarter of the worlds)", forecast.ages),
        ("By severity of what keeps lesions from healing", forecast.severities),
    ):
        if rows:
            lines.append(f"{title}, true effect of the primary comparison")
            lines += [f"  {each.label}: {_row(each)}" for each in rows]
    if forecast.best_day:
        lines.append(f"Best visit: {forecast.best_day}, the first with 95 % of the largest median effect")
    return [*lines, ""] if lines else lines


def _row(expected: Expected) -> str:
    if expected.few:
        return f"{int(expected.worlds)} worlds, too few to say"
    return _span(expected) + (f", {int(expected.worlds)} worlds" if expected.worlds < ENOUGH else "")


def _moved(forecast: Forecast) -> list[str]:
    if not forecast.moved:
        return []
    lines = [
        "What decides effect / SE: part of its variance that each assumption has, before calibration alone "
        "and with others (Sobol), and alone after it. "
        "Where the +- of two rows overlap, their order is not known"
    ]
    for each in forecast.moved[:MOST_MOVED]:
        share = f"{each.first:5.2f} {each.total:5.2f} (+- {each.total_half_width:.2f}) {each.calibrated:5.2f}"
        lines.append(f"  {share}  {assumptions()[each.name]}")
    return lines


def _span(expected: Expected) -> str:
    return f"{expected.median:.2f} {expected.unit} ({expected.low:.2f} to {expected.high:.2f})"
