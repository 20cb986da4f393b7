"""Whole results made from the truth and rounded as papers round: no number of theirs is ever flagged."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from remyelin.evidence import events
from remyelin.evidence.comparison import comparisons
from remyelin.evidence.outcome import ArmResult, Result

Size = st.integers(5, 300)


def result(**fields: Any) -> Result:
    return Result(
        id="made", trial="made", endpoint="made", contrast="active - control", unit="ms", status="unverified",
        **fields,
    )  # fmt: skip


def disagreements(made: Result) -> list[str]:
    return [str(each) for each in comparisons(made) if not each.agrees]


def as_printed(p, decimals):
    """p with so many decimals; one that would be 0 is printed as less than the smallest of them."""
    rounded = round(float(p), decimals)
    return {"p": rounded} if rounded else {"p": 10.0**-decimals, "p_relation": "<"}


@given(
    means=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    sds=st.tuples(st.floats(0.5, 20), st.floats(0.5, 20)),
    sizes=st.tuples(Size, Size),
    decimals=st.integers(1, 3),
    p_decimals=st.integers(2, 4),
    level=st.sampled_from([0.9, 0.95, 0.99]),
    test=st.sampled_from(["normal", "pooled", "welch"]),
)
@settings(max_examples=150)
def test_means_of_two_arms(means, sds, sizes, decimals, p_decimals, level, test):
    (a, b), (n, m) = sds, sizes
    se = math.hypot(a / math.sqrt(n), b / math.sqrt(m))
    df = math.inf
    if test == "pooled":
        df = n + m - 2
        se = math.sqrt(((n - 1) * a**2 + (m - 1) * b**2) / df * (1 / n + 1 / m))
    elif test == "welch":
        df = se**4 / (a**4 / n**2 / (n - 1) + b**4 / m**2 / (m - 1))
    law = stats.norm if math.isinf(df) else stats.t(df)
    difference = means[0] - means[1]
    half = law.ppf((1 + level) / 2) * se
    made = result(
        scale="difference",
        estimate=round(difference, decimals),
        low=round(difference - half, decimals),
        high=round(difference + half, decimals),
        level=level,
        se=round(se, decimals) or None,
        **as_printed(2 * law.sf(abs(difference) / se), p_decimals),
        arms=(
            ArmResult(arm="drug", n=n, mean=round(means[0], decimals), sd=round(a, decimals)),
            ArmResult(arm="placebo", n=m, mean=round(means[1], decimals), sd=round(b, decimals)),
        ),
    )
    assert disagreements(made) == []


@given(
    shares=st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)),
    sizes=st.tuples(Size, Size),
    decimals=st.integers(2, 3),
    percent_decimals=st.integers(0, 1),
    test=st.sampled_from(["Fisher", "chi-squared", "chi-squared, corrected"]),
    scale=st.sampled_from(["odds ratio", "risk ratio"]),
)
@settings(max_examples=150)
def test_events_of_two_arms(shares, sizes, decimals, percent_decimals, test, scale):
    counts = [round(share * n) for share, n in zip(shares, sizes, strict=True)]
    given = counts[0], sizes[0], counts[1], sizes[1]
    of = events.odds_ratio if scale == "odds ratio" else events.risk_ratio
    ratio, low, high = of(given)
    if not (round(low, decimals) > 0 and high < math.inf):
        return
    made = result(
        scale=scale,
        estimate=round(ratio, decimals),
        low=round(low, decimals),
        high=round(high, decimals),
        level=0.95,
        arms=tuple(
            ArmResult(arm=name, n=n, events=x, percent=round(100 * x / n, percent_decimals))
            for name, n, x in zip(("drug", "placebo"), sizes, counts, strict=True)
        ),
    )
    assert disagreements(made) == []
    # A test of the counts is not that of the interval; beside the counts alone each of them is right.
    tests = events.p_of_counts(given)
    p = as_printed(tests.get(test, tests["Fisher"]), 3)
    assert disagreements(result(**p, arms=made.arms)) == []


@given(
    estimate=st.floats(0.1, 10),
    se=st.floats(0.05, 1.2),
    decimals=st.integers(2, 3),
    p_decimals=st.integers(2, 4),
)
def test_a_ratio_of_a_model(estimate, se, decimals, p_decimals):
    low, high = (round(estimate * math.exp(sign * 1.959964 * se), decimals) for sign in (-1, 1))
    made = result(
        scale="odds ratio",
        estimate=round(estimate, decimals),
        low=low,
        high=high,
        level=0.95,
        **as_printed(2 * stats.norm.sf(abs(math.log(estimate)) / se), p_decimals),
    )
    assert disagreements(made) == []
