"""A result as meta-analysis takes it: an effect with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import arithmetic, events
from .arms import active_and_control, counts
from .comparison import published_p
from .outcome import RATIOS, Result
from .rounding import Span, exactly


@dataclass(frozen=True, slots=True)
class Study:
    """One row that is pooled.

    Parameters
    ----------
    result, trial
        The ids, and `label` the name of the trial.
    effect, se
        In the unit of the endpoint; of a ratio the logarithm and its standard error.
    se_from
        Where the standard error came from: it is seldom printed.
    """

    result: Result
    label: str
    effect: float
    se: float
    se_from: str


def study_of(result: Result, label: str) -> Study | None:
    """The effect of a result and its standard error by the first way that its numbers allow.

    From the standard error, the interval (normal, at its level), counts, SD of the arms, or p (normal). None
    where none of them is there.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> made = study_of(find("results/renew-p100-itt-w32"), "RENEW")
    >>> made.effect, round(made.se, 2), made.se_from
    (-6.1, 3.37, 'p')
    """
    ratio = result.scale in RATIOS
    effect = (
        None if result.estimate is None else exactly(math.log(result.estimate) if ratio else result.estimate)
    )
    for way in (_by_se, _by_interval, _by_counts, _by_means, _by_p):
        found = way(result, effect)
        if found is not None:
            return Study(result, label, *found)
    return None


def lacking(result: Result) -> str:
    """Why `study_of` makes nothing of a result: what of its numbers is not there.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> print(lacking(find("ms-spi-responders")))
    no estimate; of its counts (13 of 103, 0 of 51) one is none or all, which gives no standard error
    """
    p = published_p(result)
    if result.estimate is not None:
        alone = "" if p is None else f"; p {p[0]} alone gives none"
        return f"an estimate without interval, standard error or SD of its arms{alone}"
    if (found := counts(result)) is not None:
        active, n, control, m = found
        shown = f"{active} of {n}, {control} of {m}"
        if active in (0, n) or control in (0, m):
            return f"no estimate; of its counts ({shown}) one is none or all, which gives no standard error"
        return f"no estimate; counts ({shown}) without a scale, odds ratio or risk ratio"
    if result.scale == "" and any(arm.mean is not None and arm.sd is not None for arm in result.arms):
        return "no estimate; means and SD of arms without a scale"
    return "no estimate" + ("" if p is None else f", p {p[0]} alone")


_Found = tuple[float, float, str] | None


def _by_se(result: Result, effect: Span | None) -> _Found:
    if effect is None or result.se is None:
        return None
    return effect.value, result.se, "standard error"


def _by_interval(result: Result, effect: Span | None) -> _Found:
    if effect is None or result.low is None or result.high is None or result.level is None:
        return None
    ratio = result.scale in RATIOS
    ends = exactly(result.low), exactly(result.high)
    se = arithmetic.se_of_interval(*ends, level=result.level, ratio=ratio).value
    return (effect.value, se, f"{100 * result.level:g} % interval") if se > 0 else None


def _by_counts(result: Result, effect: Span | None) -> _Found:
    ratio_of = {"odds ratio": events.odds_ratio, "risk ratio": events.risk_ratio}.get(result.scale)
    found = counts(result)
    if ratio_of is None or found is None or effect is not None:
        return None
    ratio, low, high = ratio_of(found)
    if not (low > 0 and high < math.inf):
        return None
    return math.log(ratio), math.log(high / low) / (2 * arithmetic.critical(0.95)), "counts"


def _by_means(result: Result, effect: Span | None) -> _Found:
    arms = active_and_control(result)
    if arms is None or result.scale != "difference":
        return None
    active, control = arms
    if active.sd is None or control.sd is None or not active.n or not control.n:
        return None
    if effect is None:
        if active.mean is None or control.mean is None:
            return None
        effect = exactly(active.mean - control.mean)
    se = arithmetic.se_of_difference(exactly(active.sd), active.n, exactly(control.sd), control.n).value
    return effect.value, se, "SD of the arms"


def _by_p(result: Result, effect: Span | None) -> _Found:
    if effect is None or result.p is None or result.p_relation != "=" or not 0 < result.p < 1:
        return None
    return (effect.value, arithmetic.se_of_p(effect, exactly(result.p)).value, "p") if effect.value else None
