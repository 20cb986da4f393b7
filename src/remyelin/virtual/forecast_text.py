"""A forecast in words, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remyelin.virtual.assumptions import assumptions, population

if TYPE_CHECKING:
    from remyelin.virtual.expected import Answer, Expected
    from remyelin.virtual.forecast import Forecast

MOST_MOVED = 8
FEW = 20
_WORDS = {"both": "the mean of both eyes", "delayed": "delayed eyes", "affected": "the affected eye"}


def said(forecast: Forecast) -> str:
    """The whole of it."""
    return "\n".join([*_asked(forecast), "", *_answers(forecast), "", *_grids(forecast), *_moved(forecast)])


def _asked(forecast: Forecast) -> list[str]:
    people = population(forecast.setting.lesions)["words"]
    calibrated = ", ".join(("animals", *forecast.calibrated_on))
    first = forecast.answers[0]
    return [
        f"Forecast of {forecast.protocol.trial.id}: {first.endpoint}, {first.arm}; {people}, "
        f"{_WORDS[forecast.setting.eyes]}, people of {forecast.age_years:g} years",
        f"{forecast.draws} worlds (seed {forecast.seed}), calibrated on {calibrated}: "
        f"as sharp as {forecast.worlds_left:.0f} equally probable ones",
        "A distribution, as good as its assumptions; a research tool, not a medical device.",
        *(f"Not forecast, no model of myelin reaches it: {name}" for name in forecast.left_out),
    ]


def _answers(forecast: Forecast) -> list[str]:
    lines = ["Treatment less placebo: median (90 %)"]
    for each in forecast.answers:
        lines.append(f"  {each.endpoint}, {each.arm} ({each.role}){_success(each)}")
        lines.append(f"    true effect {_span(each.true)}; result {_span(each.result)}")
        lines.append(
            f"    effect / SE {each.signal:.2f}; planned SE {each.se:.2g} {each.true.unit}, {each.se_source}"
        )
    lines.append(f"Most informative: {forecast.most_informative.endpoint}, the largest effect over its SE")
    lines.append(f"Probability of success. {forecast.gate}")
    return lines


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
            lines += [f"  {each.label}: {_span(each)}{_few(each)}" for each in rows]
    if forecast.best_day:
        lines.append(f"Best visit: {forecast.best_day}, the first with 95 % of the largest median effect")
    return [*lines, ""] if lines else lines


def _few(expected: Expected) -> str:
    return f", but only {expected.worlds:.0f} worlds" if expected.worlds < FEW else ""


def _moved(forecast: Forecast) -> list[str]:
    if not forecast.moved:
        return []
    lines = [
        "What decides effect / SE: part of its variance that each assumption has, before calibration alone "
        "and with others (Sobol), and alone after it"
    ]
    for each in forecast.moved[:MOST_MOVED]:
        share = f"{each.first:5.2f} {each.total:5.2f} (+- {each.total_half_width:.2f}) {each.calibrated:5.2f}"
        lines.append(f"  {share}  {assumptions()[each.name]}")
    return lines


def _span(expected: Expected) -> str:
    return f"{expected.median:.2f} {expected.unit} ({expected.low:.2f} to {expected.high:.2f})"
