"""Against R 4.2.2 (lm, anova, drop1, emmeans 1.8.4, sandwich): stats/g1_ancova.json of the references."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from remyelin.trial.linear import Ancova, ancova

FORMULA = "latency_recovery ~ arm + fellow_eye_baseline + sex + centre"
# Closed-form least squares on both sides: 1e-9 is what the reference promises, the widest gap seen is 2e-12.
REL = 1e-9
NAMES = {
    "(Intercept)": "Intercept",
    "armactive": "arm[T.active]",
    "sexM": "sex[T.M]",
    "centreC2": "centre[T.C2]",
    "centreC3": "centre[T.C3]",
    "fellow_eye_baseline": "fellow_eye_baseline",
    "armactive:fellow_eye_baseline": "arm[T.active]:fellow_eye_baseline",
}
COLUMNS = {
    "Estimate": "estimate", "Std. Error": "se", "t value": "t", "Pr(>|t|)": "p",
    "emmean": "estimate", "estimate": "estimate", "SE": "se", "df": "df", "t.ratio": "t", "p.value": "p",
    "lower.CL": "ci_low", "upper.CL": "ci_high",
    "Df": "df", "Sum Sq": "sum_sq", "Sum of Sq": "sum_sq", "Mean Sq": "mean_sq", "F value": "f",
    "Pr(>F)": "p", "RSS": "rss", "AIC": "aic",
}  # fmt: skip
# Entries that are no result, and results that are not offered, with the reason.
ABOUT = {"data", "versions", "split"}
NOT_OFFERED = {
    "dunnett": "empty in g1, which has two arms; offered, and compared with h1 in test_dose",
    "cohen_d": "a standardised difference is no estimand of a protocol; empty in g1",
}
COVERED = {
    *("coef", "sigma", "df", "r2", "anova_type1", "drop1_F", "lsmeans_equal", "lsmeans_proportional"),
    *("contrasts", "hc1_se", "hc3_se", "interaction"),
}


@pytest.fixture(scope="module")
def pinned(shared):
    return json.loads((shared / "reference/stats/g1_ancova.json").read_text())


@pytest.fixture(scope="module")
def data(shared, pinned):
    return pd.read_csv(shared / "reference/stats" / pinned["data"])


@pytest.fixture(scope="module")
def fit(data) -> Ancova:
    return ancova(FORMULA, data, reference="placebo")


def close(value):
    return pytest.approx(value, rel=REL, nan_ok=True)


def check(table: pd.DataFrame, expected: dict[str, dict[str, float | None]]) -> None:
    for row, entries in expected.items():
        for column, value in entries.items():
            found = table.loc[NAMES.get(row, row), COLUMNS[column]]
            assert found == close(float("nan") if value is None else value), (row, column)


def test_every_entry_is_covered_or_named(pinned):
    assert set(pinned) == ABOUT | set(NOT_OFFERED) | COVERED
    assert all(not pinned[name] for name in NOT_OFFERED)


def test_coefficients(fit, pinned):
    assert len(fit.table) == len(pinned["coef"])
    check(fit.table, pinned["coef"])
    assert fit.sigma == close(pinned["sigma"])
    assert fit.df == pinned["df"]
    assert fit.r2 == close(pinned["r2"])


def test_sequential_anova(fit, pinned):
    table = fit.anova("sequential").rename(index={"Residual": "Residuals"})
    assert list(table.index) == list(pinned["anova_type1"])
    check(table, pinned["anova_type1"])


def test_drop_one_term(fit, pinned):
    table = fit.anova("drop")
    assert list(table.index) == list(pinned["drop1_F"])
    check(table, pinned["drop1_F"])


@pytest.mark.parametrize("weights", ["equal", "proportional"])
def test_least_squares_means(fit, pinned, weights):
    check(fit.lsmeans(weights), {row.pop("arm"): row for row in map(dict, pinned[f"lsmeans_{weights}"])})


@pytest.mark.parametrize("weights", ["equal", "proportional"])
def test_contrast_of_arms(fit, pinned, weights):
    """Without interaction the weights of the other factors cancel in the difference."""
    check(fit.contrasts(weights), {row.pop("contrast"): row for row in map(dict, pinned["contrasts"])})


@pytest.mark.parametrize("covariance", ["HC1", "HC3"])
def test_robust_standard_errors(data, pinned, covariance):
    fit = ancova(FORMULA, data, reference="placebo", covariance=covariance)
    for name, value in pinned[f"{covariance.lower()}_se"].items():
        assert fit.table.loc[NAMES[name], "se"] == close(value)


def test_interaction(data, pinned):
    fit = ancova("latency_recovery ~ arm * fellow_eye_baseline", data, reference="placebo")
    assert len(fit.table) == len(pinned["interaction"])
    check(fit.table, pinned["interaction"])
    assert list(fit.anova("drop").index) == ["arm:fellow_eye_baseline"]


@pytest.mark.parametrize("error", [0.0, 2.5])
def test_equal_known_errors_give_the_same_numbers(data, fit, pinned, error):
    """The weighted likelihood with one error for all is least squares, its degrees of freedom n - p."""
    known = ancova(FORMULA, data, reference="placebo", se=[error] * len(data))
    check(known.table, pinned["coef"])
    check(known.contrasts(), {row.pop("contrast"): row for row in map(dict, pinned["contrasts"])})
    assert known.sigma**2 + error**2 == close(pinned["sigma"] ** 2)
