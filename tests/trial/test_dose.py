"""Trend, doses and shapes: what must hold, and what must be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multivariate_t

from remyelin.errors import InputError
from remyelin.trial.dose import dose_trend
from remyelin.trial.linear import ancova
from remyelin.trial.shapes import compare_shapes, named_shape

DOSES = np.array([0.0, 3.0, 10.0, 30.0, 100.0])


def trial(response: list[float], n: int = 40, seed: int = 1) -> pd.DataFrame:
    """`n` an arm; `response` the probability of improvement at each dose."""
    rng = np.random.default_rng(seed)
    dose = np.repeat(DOSES, n)
    p = np.repeat(response, n)
    return pd.DataFrame(
        {
            "dose": dose,
            "improved": (rng.uniform(size=len(dose)) < p).astype(int),
            "change": p + rng.normal(0, 0.5, len(dose)),
            "edss": rng.uniform(0, 6, len(dose)),
        }
    )


UP = [0.3, 0.4, 0.5, 0.6, 0.7]
UP_AND_DOWN = [0.4, 0.55, 0.75, 0.55, 0.4]


def test_the_gaussian_trend_is_least_squares():
    data = trial(UP)
    found = dose_trend("change ~ dose + edss", data, dose="dose", family="gaussian")
    X = np.column_stack([np.ones(200), np.repeat(np.arange(5), 40), data["edss"]])
    beta, rss, *_ = np.linalg.lstsq(X, data["change"], rcond=None)
    assert_allclose(found.table["estimate"], beta, rtol=1e-9)
    assert found.table["se"].iloc[1] == pytest.approx(
        np.sqrt(np.linalg.inv(X.T @ X)[1, 1] * rss[0] / 197), rel=1e-9
    )
    assert set(found.table["df"]) == {197.0}
    each = ancova("change ~ dose + edss", data.assign(dose=[f"{d:03.0f}" for d in data["dose"]]), arm="dose")
    assert_allclose(found.contrasts(), each.contrasts(), rtol=1e-8)
    assert list(found.contrasts().index) == ["3 - 0", "10 - 0", "30 - 0", "100 - 0"]
    assert_allclose(found.lsmeans(), each.lsmeans(), rtol=1e-8)


def test_scores_by_rank_dose_and_name():
    data = trial(UP)
    rank = dose_trend("improved ~ dose", data, dose="dose")
    named = data.assign(dose=data["dose"].map(dict(zip(DOSES, "vwxyz", strict=True))))
    again = dose_trend(
        "improved ~ dose", named, dose="dose", scores=dict(zip("vwxyz", range(5), strict=True))
    )
    assert_allclose(again.table, rank.table)
    assert again.doses == tuple("vwxyz")
    assert dose_trend("improved ~ dose", data, dose="dose", scores="dose").score == tuple(DOSES)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
def test_cochran_armitage_does_not_depend_on_the_scale_of_the_scores(seed, shift, scale):
    data = trial(UP, seed=seed)
    one = dose_trend("improved ~ dose", data, dose="dose").cochran_armitage()
    scores = {d: shift + scale * k for k, d in enumerate(DOSES)}
    other = dose_trend("improved ~ dose", data, dose="dose", scores=scores).cochran_armitage()
    assert_allclose(other, one, rtol=1e-6)


def test_a_trend_test_is_blind_to_a_response_that_rises_and_falls():
    found = dose_trend("change ~ dose", trial(UP_AND_DOWN, seed=2), dose="dose", family="gaussian")
    assert found.table.loc["dose", "p"] > 0.3
    shapes = found.shapes()
    assert shapes["p_adjusted"].idxmin() == "umbrella"
    assert shapes.loc["umbrella", "p_adjusted"] < 0.05


def test_the_linear_contrast_of_equal_arms_is_the_trend_test():
    """Both are the same linear combination of the means; only the residual variance differs."""
    data = trial(UP)
    found = dose_trend("change ~ dose", data, dose="dose", family="gaussian")
    contrast = found.shapes(["linear"]).iloc[0]
    assert_allclose(contrast[list(found.doses)].to_numpy(float), np.arange(-2, 3) / np.sqrt(10), atol=1e-9)
    assert contrast["p_adjusted"] == pytest.approx(contrast["p"])
    linear = np.arange(-2, 3) / np.sqrt(10) @ data.groupby("dose")["change"].mean()
    residual = data["change"] - data.groupby("dose")["change"].transform("mean")
    assert contrast["t"] == pytest.approx(linear / np.sqrt(residual @ residual / 195 / 40))


def test_the_optimal_contrast_has_the_most_power():
    """No other contrast has a larger noncentrality for its shape, whatever the covariance."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 8))
    vcov = root @ root.T
    shape = named_shape("emax", DOSES)
    c = compare_shapes(np.zeros(5), vcov, np.inf, DOSES, list("abcde"), ["emax"], "two-sided")
    best = c[list("abcde")].to_numpy()[0]

    def power(row):
        return abs(row @ shape) / np.sqrt(row @ vcov @ row)

    assert best.sum() == pytest.approx(0, abs=1e-12)
    for _ in range(200):
        other = rng.normal(size=5)
        assert power(other - other.mean()) <= power(best) + 1e-12


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_adjusted_p_values_by_scipys_joint_t(alternative):
    means, vcov = np.array([0.0, 0.3, 0.6, 0.5, 0.1]), np.diag([0.05, 0.06, 0.04, 0.05, 0.07])
    found = compare_shapes(
        means, vcov, 60, np.arange(5.0), list("abcde"), ("linear", "emax", "umbrella"), alternative
    )
    L = found[list("abcde")].to_numpy()
    joint = L @ vcov @ L.T
    sd = np.sqrt(np.diag(joint))
    t = multivariate_t(np.zeros(3), joint / np.outer(sd, sd), 60, seed=1)
    for _, row in found.iterrows():
        bound = {"two-sided": abs(row["t"]), "greater": row["t"], "less": -row["t"]}[alternative]
        lower = [-bound] * 3 if alternative == "two-sided" else None
        inside = t.cdf([bound] * 3, lower_limit=lower, maxpts=200_000)
        assert row["p_adjusted"] == pytest.approx(1 - inside, abs=2e-4)
    one_sided = found["t"] if alternative == "greater" else -found["t"]
    if alternative != "two-sided":
        assert ((one_sided > 0) == (found["p"] < 0.5)).all()


def test_shapes_of_ones_own():
    data = trial(UP_AND_DOWN)
    found = dose_trend("improved ~ dose + edss", data, dose="dose")
    mine = found.shapes({"peak at 10": [0, 1, 2, 1, 0], "plateau": [0, 1, 1, 1, 1]}, "greater")
    assert list(mine.index) == ["peak at 10", "plateau"]
    assert np.isinf(mine["df"]).all()
    again = found.shapes({"a": [5, 7, 9, 7, 5], "b": [0, 3, 3, 3, 3]}, "greater")
    assert_allclose(again["t"], mine["t"])  # neither unit nor level of a shape matters


def test_the_result_says_what_produced_it():
    data = trial(UP)
    found = dose_trend("improved ~ dose + edss", data, dose="dose")
    again = dose_trend(
        found.formula, data, dose=found.dose, scores=found.scores, family=found.family, alpha=found.alpha
    )
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    assert "scores 0, 1, 2, 3, 4" in str(found)
    assert "<table" in found._repr_html_()
    assert found.contrast([0, 4, 0])["estimate"].iloc[0] == pytest.approx(4 * found.table["estimate"].iloc[1])


def wrong(data: pd.DataFrame, formula: str = "improved ~ dose", **options) -> InputError:
    with pytest.raises(InputError) as caught:
        dose_trend(formula, data, **{"dose": "dose"} | options)
    return caught.value


def test_bad_input_is_refused_with_its_column():
    data = trial(UP)
    assert wrong(data.assign(improved=data["improved"] * 2)).field == "improved"
    assert wrong(data.assign(improved=0)).field == "improved"
    assert wrong(data[data["dose"] < 10]).field == "dose"
    assert wrong(data.assign(dose=data["dose"].where(data["dose"] > 0))).field == "dose"
    assert wrong(data.drop(columns="dose")).field == "dose"
    assert wrong(data.assign(dose=data["dose"].astype(str))).field == "scores"
    assert wrong(data, scores="log").field == "scores"
    assert wrong(data, scores={0: 0, 3: 1, 10: 2, 30: 3}).field == "scores"
    assert wrong(data, scores={0: 0, 3: 1, 10: 1, 30: 3, 100: 4}).field == "scores"
    assert wrong(data, family="poisson").field == "family"
    assert wrong(data, "improved ~ edss").field == "formula"
    assert wrong(data, "improved ~ dose * edss").field == "formula"
    assert wrong(data, "improved ~ log(dose)").field == "formula"
    assert wrong(data.assign(edss=np.nan), "improved ~ dose + edss").field == "edss"


def test_a_dose_without_any_event():
    """The trend has an answer; the dose by itself has none, and is named."""
    data = trial(UP)
    data.loc[data["dose"] == 3, "improved"] = 0
    found = dose_trend("improved ~ dose", data, dose="dose")
    assert np.isfinite(found.table["estimate"]).all()
    with pytest.raises(InputError) as caught:
        found.contrasts()
    assert caught.value.field == "dose[T.3]"


def test_shapes_are_checked():
    found = dose_trend("improved ~ dose", trial(UP), dose="dose")
    for shapes in (["logistic"], {}, {"flat": [1] * 5}, {"short": [0, 1]}):
        with pytest.raises(InputError):
            found.shapes(shapes)
    with pytest.raises(InputError, match="alternative"):
        found.shapes(alternative="up")
    with pytest.raises(InputError, match="binomial"):
        dose_trend("change ~ dose", trial(UP), dose="dose", family="gaussian").cochran_armitage()
