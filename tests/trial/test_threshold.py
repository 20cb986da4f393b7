"""Responders against scipy and statsmodels, and what must be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import fisher_exact
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from remyelin.errors import InputError
from remyelin.trial.proportions import fisher, mantel_haenszel, newcombe, wilson
from remyelin.trial.threshold import responders

counts = st.integers(1, 25).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(one=counts, other=counts)
@settings(max_examples=60, deadline=None)
def test_two_by_two_tables_as_scipy_and_statsmodels(one, other):
    (a, n), (c, m) = one, other
    p, mid = fisher(a, n, c, m)
    assert p == pytest.approx(fisher_exact([[a, n - a], [c, m - c]])[1], abs=1e-9)
    assert mid <= p
    assert_allclose(wilson(a, n, 0.1), np.clip(proportion_confint(a, n, 0.1, "wilson"), 0, 1), atol=1e-12)
    theirs = confint_proportions_2indep(a, n, c, m, method="newcomb", alpha=0.1)
    assert_allclose(newcombe(a, n, c, m, 0.1), theirs, atol=1e-9)


def test_mid_p_counts_tied_tables_half():
    """2/38 against 8/38, a table with tied ones: R's fisher.test and contingencytables."""
    p, mid = fisher(2, 38, 8, 38)
    assert p == pytest.approx(0.08600352, abs=1e-8)
    assert mid == pytest.approx(0.04998656, abs=1e-8)
    assert fisher(8, 38, 2, 38) == pytest.approx((p, mid))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_common_odds_ratio_as_statsmodels(seed):
    tables = np.random.default_rng(seed).integers(1, 12, (4, 4)).astype(float)
    theirs = StratifiedTable([each.reshape(2, 2) for each in tables])
    log, se, p = mantel_haenszel(tables)
    assert log == pytest.approx(np.log(theirs.oddsratio_pooled), abs=1e-10)
    assert se == pytest.approx(theirs.logodds_pooled_se, rel=1e-10)
    assert p == pytest.approx(theirs.test_null_odds(correction=False).pvalue, rel=1e-8, abs=1e-12)


def trial(n: int = 120, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = np.array(["placebo", "low", "high"])[np.arange(n) % 3]
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:03d}" for k in range(n)],
            "arm": arm,
            "edss": rng.uniform(0, 6, n),
            "centre": rng.choice(["a", "b", "c"], n),
            "change": rng.normal(0, 3, n) - 2.0 * (arm == "high"),
        }
    )


def fit(data: pd.DataFrame, **options):
    given = {"value": "change", "threshold": -3, "direction": "at most", "reference": "placebo"}
    return responders(data, **given | options)


def test_counts_and_comparisons():
    data = trial()
    found = fit(data)
    mine = (data["change"] <= -3).groupby(data["arm"]).sum()
    assert found.table["responders"].to_dict() == {arm: mine[arm] for arm in ("placebo", "high", "low")}
    assert list(found.comparisons.index) == ["high - placebo", "low - placebo"]
    row = found.comparisons.loc["high - placebo"]
    assert row["risk_difference"] == pytest.approx((mine["high"] - mine["placebo"]) / 40)
    assert row["p"] == pytest.approx(fisher(mine["high"], 40, mine["placebo"], 40)[0])


def test_a_value_on_the_threshold_responds():
    data = pd.DataFrame({"arm": ["a", "a", "b", "b"], "change": [-3.0, -2.0, -3.0, -4.0]})
    options = {"reference": "a"}
    assert fit(data, **options).table["responders"].tolist() == [1, 2]
    assert fit(data, direction="at least", **options).table["responders"].tolist() == [2, 1]


def test_odds_ratios_are_those_of_logistic_regression():
    data = trial()
    y = (data["change"] <= -3).astype(float)
    X = np.column_stack([np.ones(120), data["arm"] == "high", data["arm"] == "low", data["edss"]]).astype(
        float
    )
    theirs = sm.Logit(y, X).fit(disp=0, tol=1e-12)
    found = fit(data).odds_ratios(["edss"])
    assert_allclose(found["odds_ratio"], np.exp(theirs.params.iloc[1:3]), rtol=1e-7)
    assert_allclose(found[["ci_low", "ci_high"]], np.exp(theirs.conf_int().iloc[1:3]), rtol=1e-6)
    assert_allclose(found["p"], theirs.pvalues.iloc[1:3], rtol=1e-6)


def test_strata():
    data = trial()
    found = fit(data).stratified("centre").loc["high - placebo"]
    y = data["change"] <= -3
    tables = [
        np.array(
            [
                [sum(k & y & (data["arm"] == arm)), sum(k & ~y & (data["arm"] == arm))]
                for arm in ("high", "placebo")
            ]
        )
        for k in (data["centre"] == each for each in "abc")
    ]
    theirs = StratifiedTable(tables)
    assert found["odds_ratio"] == pytest.approx(theirs.oddsratio_pooled)
    assert_allclose(found[["ci_low", "ci_high"]], theirs.oddsratio_pooled_confint(), rtol=1e-9)


def test_sensitivity_to_the_threshold():
    found = fit(trial())
    table = found.sensitivity()
    assert_allclose(table.loc[-3.0, found.comparisons.columns], found.comparisons)
    assert len(table) == 20
    mine = found.sensitivity([-5, 0]).reset_index()
    assert mine["threshold"].unique().tolist() == [-5.0, 0.0]
    assert mine["efficiency"].max() <= 2 / np.pi + 1e-12


def test_the_loss_of_information_is_the_one_that_is_seen():
    """Variance of a difference of means over that of proportions on the same scale, in 4,000 trials."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(4000, 2, 200))
    cut = 0.6745  # a quarter responds
    density = np.exp(-(cut**2) / 2) / np.sqrt(2 * np.pi)
    means = x.mean(axis=2) @ [1, -1]
    shares = (x > cut).mean(axis=2) @ [1, -1] / density
    data = pd.DataFrame({"arm": ["a", "b"] * 8, "change": [*[1.0] * 4, *[0.0] * 12]})
    found = fit(data, threshold=0.5, direction="at least", reference="a")
    assert found.efficiency == pytest.approx(density**2 / (0.25 * 0.75), rel=1e-4)
    assert np.var(means) / np.var(shares) == pytest.approx(found.efficiency, rel=0.08)
    assert "54 %" in str(found.flag)
    assert "1.86 times" in str(found.flag)


def test_missing_values():
    data = trial()
    data.loc[[0, 5], "change"] = np.nan
    error = wrong(data)
    assert "row 1" in error.found
    found = fit(data, missing="nonresponder")
    assert found.table["n"].sum() == 120
    assert len(found.sensitivity()) == 20
    assert found.table["responders"].sum() == (data["change"] <= -3).sum()


def test_nobody_responds():
    found = fit(trial(), threshold=-1000)
    assert found.comparisons["p"].tolist() == [1.0, 1.0]
    assert found.efficiency == 0
    assert "endlessly" in str(found)
    with pytest.raises(InputError):
        found.odds_ratios()
    with pytest.raises(InputError, match="centre"):
        found.stratified("centre")


def test_the_result_says_what_produced_it():
    data = trial()
    found = fit(data)
    again = responders(
        data, value=found.value, threshold=found.threshold, direction=found.direction, arm=found.arm,
        reference=found.reference, missing=found.missing, alpha=found.alpha,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    assert "percentage points" in str(found)
    assert found._repr_html_().count("<table") == 2


def wrong(data: pd.DataFrame, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        fit(data, **options)
    return caught.value


def test_bad_input_is_refused_with_its_column():
    data = trial()
    assert wrong(data, value="latency").field == "latency"
    assert wrong(data, value="centre").field == "centre"
    assert wrong(data.assign(change=np.inf)).field == "change"
    assert wrong(data[data["arm"] == "low"], reference=None).field == "arm"
    assert wrong(data, reference="verum").field == "reference"
    assert wrong(data.assign(participant_id="sub-001")).field == "participant_id"
    assert wrong(data, direction="below").field == "direction"
    assert wrong(data, missing="drop").field == "missing"
    assert wrong(data, threshold=np.nan).field == "threshold"
    data.loc[data["arm"] == "low", "change"] = -5.0
    with pytest.raises(InputError) as caught:
        fit(data).odds_ratios()
    assert caught.value.field == "arm[T.low]"


def test_the_table_given_is_not_altered():
    data = trial()
    before = data.copy(deep=True)
    fit(data).odds_ratios()
    pd.testing.assert_frame_equal(data, before)
