"""The arithmetic of published numbers: the worked cases, and that rounding alone is no disagreement."""

from __future__ import annotations

import json
import math
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.evidence import arithmetic
from remyelin.evidence import events as of_events
from remyelin.evidence.rounding import Span, exactly, over, printed

# t of so many people gives these p, the normal does not
DF = {"ReBUILD delayed": 48, "TONE RNFL 2y": 106, "CCMR One 27 mo": 18}


@pytest.fixture
def cases(shared: Path) -> dict[str, Any]:
    """The reproduction cases of the evidence that was compiled, by id."""
    found = json.loads((shared / "evidence/evidence.json").read_text())["reproduction_cases"]
    return {case["id"]: case for case in found}


def digits(value: float, like: float) -> float:
    """Rounded as `like` is written."""
    exponent = Decimal(repr(like)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return float(round(Decimal(value), -exponent))


def test_p_from_intervals(cases):
    differing = []
    for name, estimate, (low, high), reported, expected in cases["p_from_ci"]["cases"]:
        p = arithmetic.p_of_interval(printed(estimate), printed(low), printed(high))
        assert digits(p.value, expected) == expected, name
        ends = printed(estimate), printed(low), printed(high)
        if not p.hull(arithmetic.p_of_interval(*ends, df=DF.get(name, math.inf))).meets(printed(reported)):
            differing.append(name)
    assert differing == ["CCMR One 27 mo"]


def test_fisher_of_ms_spi(cases):
    (a, b), (c, d) = cases["fisher_MS-SPI"]["table"]
    found = of_events.p_of_counts((a, a + b, c, c + d))["Fisher"]
    assert found == pytest.approx(cases["fisher_MS-SPI"]["p"], rel=1e-12)
    assert round(found, 4) == cases["fisher_MS-SPI"]["reported"]


def test_odds_ratio_of_spi2(cases):
    ratio, low, high = of_events.odds_ratio(tuple(cases["OR_SPI2"]["n"][i] for i in (0, 1, 2, 3)))
    assert round(ratio, 3) == cases["OR_SPI2"]["OR"]
    assert round(low, 2) == 0.81
    assert high == pytest.approx(2.23, abs=0.005)
    misprint, *_ = of_events.odds_ratio((19, 326, 29, 316))
    assert misprint == pytest.approx(0.61, abs=0.005)


def test_standard_error_of_gsk(cases):
    assert "SE .199" in cases["GSK_SE"]["note"]
    assert "SE .272" in cases["GSK_SE"]["note"]
    se = arithmetic.se_of_interval(printed(0.018), printed(0.671), level=0.9)
    # 0.653 / 3.29 = 0.1985; 0.327 / 1.645, the upper half alone, = 0.1988: rounding, and both print as .199
    assert se.meets(printed(0.199))
    upper = arithmetic.se_of_interval(printed(0.344), printed(0.671), level=0.9).value * 2
    assert round(upper, 3) == 0.199
    people = arithmetic.se_of_standardised(printed(0.344), 27, 28)
    assert round(people.value, 3) == 0.272
    assert not people.meets(se)


def test_standard_deviations_that_were_derived():
    ccmr_two = arithmetic.se_of_interval(printed(-2.4), printed(-0.1))
    assert round(arithmetic.pooled_sd(ccmr_two, 33, 34).value, 1) == 2.4
    rebuild = arithmetic.se_of_interval(printed(-2.9), printed(-0.5))
    assert round(arithmetic.sd_of_se(rebuild, 50).value, 2) == 4.33
    niklas = arithmetic.se_of_interval(printed(-5.42), printed(6.89), df=17)
    assert round(arithmetic.sd_of_se(niklas, 18).value, 1) == 12.4
    renew = arithmetic.sd_of_se(printed(2.5), 41)
    assert round(renew.value) == 16


@pytest.mark.parametrize(
    ("n", "power", "d"), [(68, 0.8, 0.48), (24, 0.8, 0.81), (9, 0.9, 1.53), (47, 0.8, 0.578)]
)
def test_effects_implied_by_sample_sizes(n, power, d):
    assert arithmetic.implied_effect(exactly(n), power).meets(printed(d))


@pytest.mark.parametrize("counts", [(5, 3, 1, 4), (-1, 3, 1, 4), (1, 0, 1, 4), (1.5, 3, 1, 4)])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(InputError) as caught:
        of_events.odds_ratio(counts)
    assert "events" in str(caught.value)


def test_empty_cells_have_no_interval():
    assert of_events.odds_ratio((3, 9, 0, 55)) == (math.inf, 0.0, math.inf)
    assert of_events.odds_ratio((0, 9, 3, 55))[0] == 0
    assert math.isnan(of_events.odds_ratio((0, 9, 0, 55))[0])
    assert of_events.risk_ratio((3, 9, 0, 55)) == (math.inf, 0.0, math.inf)
    assert set(of_events.p_of_counts((0, 9, 0, 55))) == {"Fisher"}


def test_tests_of_counts_agree_with_scipy():
    from scipy.stats import chi2_contingency

    table = [[45, 48], [59, 36]]
    found = of_events.p_of_counts((45, 93, 59, 95))
    assert found["chi-squared"] == pytest.approx(chi2_contingency(table, correction=False).pvalue, rel=1e-10)
    assert found["chi-squared, corrected"] == pytest.approx(chi2_contingency(table).pvalue, rel=1e-10)


# What a paper prints: a number rounded to some decimals, a half up or down.
Value = st.floats(-50, 50, allow_nan=False)
Positive = st.floats(0.05, 40, allow_nan=False)
Decimals = st.integers(0, 4)
Half = st.sampled_from([ROUND_HALF_UP, ROUND_HALF_DOWN])


def rounded(value: float, decimals: int, half: str = ROUND_HALF_UP) -> float:
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=half))


def holds(span: Span, value: float) -> bool:
    return span.meets(exactly(value))


@given(Value, Decimals, Half)
def test_a_printed_number_holds_what_was_rounded_to_it(value, decimals, half):
    shown = printed(rounded(value, decimals, half))
    assert holds(shown, value)
    assert shown.meets(printed(rounded(value, decimals, half), decimals))
    assert shown.low <= shown.value <= shown.high


@given(Value, Positive, Decimals, st.integers(2, 5), st.sampled_from([0.9, 0.95, 0.99]), Half)
@settings(max_examples=200)
def test_an_interval_a_standard_error_and_a_p_that_were_rounded_agree(
    estimate, se, decimals, p_decimals, level, half
):
    c = arithmetic.critical(level)
    low, high = (rounded(estimate + sign * c * se, decimals, half) for sign in (-1, 1))
    centre, error = rounded(estimate, decimals, half), rounded(se, decimals, half)
    spans = printed(centre), printed(low), printed(high)
    p = 2 * 0.5 * math.erfc(abs(estimate / se) / math.sqrt(2))
    shown = printed(rounded(p, p_decimals, half))
    assert arithmetic.se_of_interval(*spans[1:], level=level).meets(printed(error))
    assert arithmetic.middle_of_interval(*spans[1:]).meets(spans[0])
    assert arithmetic.p_of_interval(*spans, level=level).meets(shown)
    assert arithmetic.p_of_se(spans[0], printed(error)).meets(shown)
    ends = arithmetic.interval_of_se(spans[0], printed(error), level=level)
    assert all(end.meets(said) for end, said in zip(ends, spans[1:], strict=True))


@given(st.floats(0.05, 20), st.floats(0.05, 1.5), st.integers(2, 4), Half)
@settings(max_examples=200)
def test_a_ratio_with_its_interval_agrees(ratio, se, decimals, half):
    c = arithmetic.critical(0.95)
    low, high = (rounded(ratio * math.exp(sign * c * se), decimals, half) for sign in (-1, 1))
    if low <= 0.5 * 10**-decimals:
        return  # printed as 0: the logarithm is not known
    spans = printed(rounded(ratio, decimals, half), decimals), printed(low, decimals), printed(high, decimals)
    assert holds(arithmetic.se_of_interval(*spans[1:], ratio=True), se)
    assert arithmetic.middle_of_interval(*spans[1:], ratio=True).meets(spans[0])
    p = math.erfc(abs(math.log(ratio) / se) / math.sqrt(2))
    assert holds(arithmetic.p_of_interval(*spans, ratio=True), p)


@given(Positive, st.integers(2, 400), Positive, st.integers(2, 400), Decimals)
def test_sd_and_standard_errors_agree(sd, n, sd_control, n_control, decimals):
    spans = printed(rounded(sd, decimals)), printed(rounded(sd_control, decimals))
    pooled = math.sqrt(((n - 1) * sd**2 + (n_control - 1) * sd_control**2) / (n + n_control - 2))
    se = pooled * math.sqrt(1 / n + 1 / n_control)
    assert holds(arithmetic.se_of_difference(spans[0], n, spans[1], n_control, pooled=True), se)
    welch = math.sqrt(sd**2 / n + sd_control**2 / n_control)
    assert holds(arithmetic.se_of_difference(spans[0], n, spans[1], n_control), welch)
    assert holds(arithmetic.se_of_sd(spans[0], n), sd / math.sqrt(n))
    assert holds(arithmetic.pooled_sd(printed(rounded(se, decimals)), n, n_control), pooled)


@given(st.integers(0, 500), st.integers(1, 500), Decimals, Half)
def test_a_percent_names_the_events_it_was_made_of(events, more, decimals, half):
    n = events + more
    share = printed(rounded(100 * events / n, decimals, half))
    assert events in of_events.events_of_percent(share, n)
    assert of_events.percent(events, n).meets(share)


@given(Value, Value, Decimals)
def test_spans_hold_every_result(a, b, decimals):
    x, y = printed(rounded(a, decimals)), printed(rounded(b, decimals))
    assert holds(over(lambda p, q: p - q, x, y), a - b)
    assert holds(over(lambda p, q: p * abs(q), x, y), a * abs(b))
