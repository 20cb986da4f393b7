"""One result compared with itself: each of its numbers against what the others say it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from . import arithmetic, events
from .arms import active_and_control, counts
from .outcome import RATIOS, ArmResult, Result
from .rounding import Span, exactly, over, printed

UNADJUSTED = 0.2
"""By so many standard errors the effect of a model may differ from that of the raw means or counts."""
_NEAR = f"give or take {UNADJUSTED:g} SE"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published number, and what the numbers beside it say that it is.

    Parameters
    ----------
    record
        As ``results/renew-p100-pp-w32``.
    field
        Which number: a field of the record, as ``p`` or ``arms.placebo.events``.
    how
        What it was recomputed from, and by which rule.
    published
        As it is printed.
    recomputed
        What it should be, and between which limits if all that is printed was rounded.
    agrees
        Whether one number can be both.
    """

    record: str
    field: str
    how: str
    published: str
    recomputed: Span
    agrees: bool

    def __str__(self) -> str:
        r = self.recomputed
        limits = "" if r.low == r.high else f" ({short(r.low)} to {short(r.high)})"
        said = "agrees" if self.agrees else "differs"
        return f"{self.record} {self.field}: {self.published}, {self.how}: {short(r.value)}{limits}, {said}"


def short(value: float) -> str:
    """Three significant digits and all before the point, as numbers of a comparison are shown.

    Examples
    --------
    >>> short(0.0285123), short(-12.345), short(2e-5), short(55500.0)
    ('0.0285', '-12.3', '2e-05', '55500')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def comparisons(result: Result, people: int | None = None) -> Iterator[Comparison]:
    """All that can be recomputed of one result.

    Parameters
    ----------
    result
        As it stands in the evidence base.
    people
        Of the trial: where the result does not say how many it is of, for t instead of the normal.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> for each in comparisons(find("results/renew-p100-pp-w32")):
    ...     print(each.field, each.published, each.agrees)
    estimate -9.1 True
    p 0.011 True
    estimate -9.1 True
    """
    yield from _of_the_interval(result, _freedom(result, people))
    yield from _of_the_standard_error(result, _freedom(result, people))
    yield from _of_the_means(result)
    yield from _of_the_counts(result)
    yield from _of_the_percent(result)
    yield from _of_the_people(result)


def published_p(result: Result) -> tuple[str, Span] | None:
    """How p is printed, and between which limits it then lies; None where no p is."""
    if result.p_low is not None and result.p_high is not None:
        ends = printed(result.p_low), printed(result.p_high)
        return f"{result.p_low:g} to {result.p_high:g}", Span(result.p_low, ends[0].low, ends[1].high)
    if result.p is None:
        return None
    if result.p_relation == "<":
        return f"<{result.p:g}", Span(result.p, 0.0, result.p)
    if result.p_relation == ">":
        return f">{result.p:g}", Span(result.p, result.p, 1.0)
    return f"{result.p:g}", printed(result.p)


def _freedom(result: Result, people: int | None) -> float:
    """The fewest degrees of freedom of a t test: Welch's of the smaller arm; infinite where nobody says n."""
    known = [arm.n for arm in result.arms if arm.n is not None]
    if known and len(known) == len(result.arms):
        fewest = min(known) - 1
    elif (total := result.n or people) is not None:
        fewest = total - 1 if result.contrast == "after - before" else total // 2 - 1
    else:
        return math.inf
    return float(fewest) if fewest > 0 else math.inf


def _interval(result: Result) -> tuple[Span, Span] | None:
    if result.low is None or result.high is None or result.level is None:
        return None
    low, high = printed(result.low), printed(result.high)
    return None if _ratio(result) and low.low <= 0 else (low, high)


def _ratio(result: Result) -> bool:
    return result.scale in RATIOS


def _estimate(result: Result) -> Span | None:
    if result.estimate is None:
        return None
    span = printed(result.estimate)
    return None if _ratio(result) and span.low <= 0 else span


def _both(normal: Span, t: Span, df: float) -> tuple[Span, str]:
    """What either distribution allows: papers seldom say which they took."""
    if math.isinf(df):
        return normal, "normal"
    return normal.hull(t), f"normal or t with {df:g} df or more"


def _of_the_interval(result: Result, df: float) -> Iterator[Comparison]:
    ends, estimate = _interval(result), _estimate(result)
    if ends is None or result.level is None:
        return
    ratio, level = _ratio(result), result.level
    if estimate is not None:
        middle = arithmetic.middle_of_interval(*ends, ratio=ratio)
        yield _compared(result, "estimate", "the middle of its interval", middle)
    if result.se is not None:
        normal, t = (
            arithmetic.se_of_interval(*ends, level=level, df=each, ratio=ratio) for each in (math.inf, df)
        )
        span, words = _both(normal, t, df)
        yield _compared(result, "se", f"from the interval, {words}", span)
    if estimate is not None and published_p(result) is not None:
        # Symmetric as it is taken to be, an interval may say its middle with more digits than the estimate.
        centre = estimate.within(arithmetic.middle_of_interval(*ends, ratio=ratio))
        normal, t = (
            arithmetic.p_of_interval(centre, *ends, level=level, df=each, ratio=ratio)
            for each in (math.inf, df)
        )
        span, words = _both(normal, t, df)
        yield _compared(result, "p", f"from the interval, {words}", span)


def _of_the_standard_error(result: Result, df: float) -> Iterator[Comparison]:
    estimate = _estimate(result)
    if result.se is None or estimate is None or published_p(result) is None:
        return
    normal, t = (
        arithmetic.p_of_se(estimate, printed(result.se), df=each, ratio=_ratio(result))
        for each in (math.inf, df)
    )
    span, words = _both(normal, t, df)
    yield _compared(result, "p", f"from the standard error, {words}", span)


def _of_the_means(result: Result) -> Iterator[Comparison]:
    arms = active_and_control(result)
    if arms is None:
        return
    active, control = arms
    if active.mean is None or control.mean is None or result.scale not in ("difference", ""):
        return
    difference = over(lambda a, b: a - b, printed(active.mean), printed(control.mean))
    se = _se_of_means(active, control)
    if result.estimate is not None:
        how = "the difference of the arms"
        yield _compared(result, "estimate", how, difference, 0.0 if se is None else UNADJUSTED * se.value)
    p = published_p(result)
    if se is not None and p is not None and not (active.adjusted or control.adjusted):
        normal, t = (
            arithmetic.p_of_se(difference, se, df=each) for each in (math.inf, _freedom(result, None))
        )
        yield _compared(result, "p", f"from the means, {_NEAR}", _loose(normal.hull(t)))


def _se_of_means(active: ArmResult, control: ArmResult) -> Span | None:
    """Standard error of the difference, pooled or not, from SD and n, or from the arms' standard errors."""
    if active.se is not None and control.se is not None:
        return over(math.hypot, printed(active.se), printed(control.se))
    if active.sd is None or control.sd is None or not active.n or not control.n:
        return None
    given = printed(active.sd), active.n, printed(control.sd), control.n
    apart, pooled = (arithmetic.se_of_difference(*given, pooled=each) for each in (False, True))
    return apart.hull(pooled)


def _of_the_counts(result: Result) -> Iterator[Comparison]:
    found = counts(result)
    if found is None:
        return
    ratio_of = {"odds ratio": events.odds_ratio, "risk ratio": events.risk_ratio}.get(result.scale)
    if ratio_of is not None:
        ratio, low, high = ratio_of(found, result.level or 0.95)
        for field, value in (("estimate", ratio), ("low", low), ("high", high)):
            if getattr(result, field) is not None and 0 < value < math.inf:
                spread = math.log(high / low) / (2 * arithmetic.critical(result.level or 0.95))
                near = math.exp(UNADJUSTED * spread)
                span = Span(value, value / near, value * near)
                yield _compared(result, field, f"{result.scale} of the counts, {_NEAR}", span)
    said = published_p(result)
    if said is not None:
        tests = events.p_of_counts(found)
        spans = {name: _loose(exactly(p)) for name, p in tests.items()}
        name = next((name for name, span in spans.items() if span.meets(said[1])), "Fisher")
        yield _compared(result, "p", f"{name} test of the counts, {_NEAR}", spans[name])


def _of_the_percent(result: Result) -> Iterator[Comparison]:
    """Events over n, as percent and, where a participant can have several, as a mean."""
    for arm in result.arms:
        if arm.events is None or not arm.n:
            continue
        share = events.percent(arm.events, arm.n)
        for field, given, span in (
            ("percent", arm.percent, share),
            ("mean", arm.mean, exactly(arm.events / arm.n)),
        ):
            if given is not None:
                agrees = span.meets(printed(given))
                how = f"{arm.events} of {arm.n}"
                place = f"arms.{arm.arm}.{field}"
                yield Comparison(f"results/{result.id}", place, how, f"{given:g}", span, agrees)


def _of_the_people(result: Result) -> Iterator[Comparison]:
    """Whether a standardised effect can be one between people: its interval would be that of so many."""
    arms, ends, effect = active_and_control(result), _interval(result), _estimate(result)
    if result.scale != "standardised" or arms is None or ends is None or effect is None:
        return
    if not (arms[0].n and arms[1].n and result.level):
        return
    found = arithmetic.se_of_interval(*ends, level=result.level) if result.se is None else printed(result.se)
    people = arithmetic.se_of_standardised(effect, arms[0].n, arms[1].n)
    how = f"standardised difference of {arms[0].n} and {arms[1].n} people"
    said = f"{found.value:.3g}" + (" by the interval" if result.se is None else "")
    yield Comparison(f"results/{result.id}", "se", how, said, people, people.meets(found))


def _compared(result: Result, field: str, how: str, span: Span, slack: float = 0.0) -> Comparison:
    if field == "p":
        said = published_p(result)
        text, given = said if said is not None else ("", span)
    else:
        value = float(getattr(result, field))
        text, given = f"{value:g}", printed(value)
    wide = Span(span.value, span.low - slack, span.high + slack)
    return Comparison(f"results/{result.id}", field, how, text, span, wide.meets(given))


def _loose(p: Span) -> Span:
    """A p of raw numbers, as wide as one of a model may differ from it."""
    low, high = (arithmetic.statistic_of_p(each) for each in (p.low, p.high))
    return Span(
        p.value,
        arithmetic.p_of_statistic(low + UNADJUSTED),
        arithmetic.p_of_statistic(max(0.0, high - UNADJUSTED)),
    )
