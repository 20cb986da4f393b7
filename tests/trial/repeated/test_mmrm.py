"""Identities and symmetries of the mixed model for repeated measures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from remyelin.trial.linear import ancova
from remyelin.trial.repeated import mmrm

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}
VISITS = ("W04", "W12", "W24")


def close(value, rel=1e-9, of=0.0):
    return pytest.approx(value, rel=rel, abs=of)


def test_rows_may_come_in_any_order(trial):
    data = trial()
    one = mmrm(FORMULA, data, **ROLES)
    other = mmrm(FORMULA, data.sample(frac=1, random_state=3), **ROLES)
    assert other.table.to_numpy() == close(one.table.to_numpy(), 1e-8)
    assert other.contrasts().to_numpy() == close(one.contrasts().to_numpy(), 1e-8)


@given(gain=st.floats(1e-4, 1e4), offset=st.floats(-1e3, 1e3), unit=st.floats(1e-3, 1e3))
@settings(max_examples=15, deadline=None)
def test_units_carry_through(trial, gain, offset, unit):
    data = trial()
    one = mmrm(FORMULA, data, **ROLES)
    other = mmrm(FORMULA, data.assign(y=gain * data["y"] + offset, base=data["base"] / unit), **ROLES)
    assert other.contrasts()[["estimate", "se"]].to_numpy() == close(
        gain * one.contrasts()[["estimate", "se"]].to_numpy(), 1e-6, gain * 1e-7
    )
    assert other.contrasts()["df"].to_numpy() == close(one.contrasts()["df"].to_numpy(), 1e-6)
    assert other.covariance.to_numpy() == close(gain**2 * one.covariance.to_numpy(), 1e-6)


def test_two_visits_of_one_group_are_a_paired_t_test(trial):
    data = trial(12, ("before", "after"), missing=0).assign(
        visit=lambda d: pd.Categorical(d["visit"], ["before", "after"])
    )
    wide = data.pivot(index="id", columns="visit", values="y")
    paired = stats.ttest_rel(wide["after"], wide["before"])
    for df in ("satterthwaite", "kenward-roger-linear"):
        row = mmrm("y ~ visit", data, subject="id", visit="visit", df=df).table.loc["visit[T.after]"]
        assert row["estimate"] == close((wide["after"] - wide["before"]).mean())
        assert (row["t"], row["df"], row["p"]) == close((paired.statistic, 11, paired.pvalue), 1e-8)


def test_complete_data_are_an_analysis_of_covariance_at_each_visit(trial):
    data = trial(missing=0)
    fit = mmrm(FORMULA, data, **ROLES).contrasts()
    for visit in VISITS:
        alone = ancova("y ~ arm + base", data[data["visit"] == visit], reference="placebo").contrasts()
        assert fit.loc[("drug - placebo", visit)].to_numpy() == close(alone.iloc[0].to_numpy(), 1e-8)


def test_joint_test_of_complete_data_is_hotellings(trial):
    """Kenward & Roger 1997, section 4: their F is exact there."""
    data = trial(missing=0)
    wide = data.pivot(index="id", columns="visit", values="y")
    drug = data.drop_duplicates("id").set_index("id")["arm"] == "drug"
    a, b = wide[drug].to_numpy(), wide[~drug].to_numpy()
    pooled = ((len(a) - 1) * np.cov(a.T) + (len(b) - 1) * np.cov(b.T)) / (len(wide) - 2)
    gap = a.mean(0) - b.mean(0)
    t2 = gap @ np.linalg.solve(pooled * (1 / len(a) + 1 / len(b)), gap)
    df2 = len(wide) - 2 - 3 + 1
    fit = mmrm("y ~ arm * visit", data, **ROLES)
    L = np.zeros((3, 6))
    L[:, list(fit.table.index).index("arm[T.drug]")] = 1
    for k, visit in enumerate(VISITS[1:], 1):
        L[k, list(fit.table.index).index(f"arm[T.drug]:visit[T.{visit}]")] = 1
    found = fit.joint(L).iloc[0]
    assert (found["f"], found["df1"], found["df2"]) == close((t2 * df2 / ((len(wide) - 2) * 3), 3, df2), 1e-6)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within"])
def test_joint_test_of_one_row_is_the_t_test(trial, df):
    fit = mmrm(FORMULA, trial(), df=df, **ROLES)
    L = np.eye(len(fit.table))[3]
    found, row = fit.joint(L).iloc[0], fit.table.iloc[3]
    assert (found["f"], found["df2"], found["p"]) == close((row["t"] ** 2, row["df"], row["p"]))


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger-linear"])
def test_tests_of_terms_do_not_depend_on_the_reference(trial, df):
    data = trial()
    one = mmrm(FORMULA, data, df=df, **ROLES)
    turned = data.assign(visit=pd.Categorical(data["visit"], VISITS[::-1]))
    other = mmrm(FORMULA, turned, df=df, **{**ROLES, "reference": "drug"})
    assert other.anova().to_numpy() == close(one.anova().to_numpy(), 1e-7)
    assert list(one.anova()["df1"]) == [1, 2, 1, 2, 2]
    average = one.contrasts()["estimate"].mean()
    rows = one.contrast(np.eye(9)[1] + (np.eye(9)[5] + np.eye(9)[6]) / 3, names=["average"])
    assert list(one.table.index[5:7]) == ["arm[T.drug]:visit[T.W12]", "arm[T.drug]:visit[T.W24]"]
    assert rows.loc["average", "estimate"] == close(average)
    assert one.anova().loc["arm", "f"] == close(rows.loc["average", "t"] ** 2)


def test_full_correction_depends_on_the_order_of_visits(trial):
    """It is R's, in R's Cholesky parameters: a reason for the linear one as the default."""
    data = trial()
    turned = data.assign(visit=pd.Categorical(data["visit"], VISITS[::-1]))
    full, linear = (
        [mmrm(FORMULA, each, df=df, **ROLES).contrasts()["se"].sort_index() for each in (data, turned)]
        for df in ("kenward-roger", "kenward-roger-linear")
    )
    assert np.abs(full[0] / full[1] - 1).max() > 1e-3
    assert linear[0].to_numpy() == close(linear[1].to_numpy(), 1e-8)


def test_compound_symmetry_is_a_random_intercept(trial):
    """Balanced: variances from the sums of squares, the arm from the means of subjects."""
    data = trial(20, missing=0)
    data["y"] += 3 * np.random.default_rng(5).normal(size=20).repeat(3)
    fit = mmrm("y ~ arm * visit", data, covariance="cs", **ROLES)
    means = data.groupby(["id", "arm"])["y"].mean().reset_index()
    residual = data["y"] - data.groupby(["arm", "visit"])["y"].transform("mean")
    subject = residual.groupby(data["id"]).transform("mean")
    within = ((residual - subject) ** 2).sum() / (18 * 2)
    between = (means["y"] - means.groupby("arm")["y"].transform("mean")).pow(2).sum() / 18
    assert fit.covariance.iloc[0, 1] == close(between - within / 3, 1e-8)
    assert fit.covariance.iloc[0, 0] == close(between - within / 3 + within, 1e-8)
    two = stats.ttest_ind(means["y"][means["arm"] == "drug"], means["y"][means["arm"] == "placebo"])
    found = fit.anova().loc["arm"]
    assert (found["f"], found["df2"], found["p"]) == close((two.statistic**2, 18, two.pvalue), 1e-8)


def test_compound_symmetry_reaches_a_negative_correlation(trial):
    rng = np.random.default_rng(2)
    y = rng.normal(size=(30, 3))
    data = trial(missing=0).assign(y=(y - 0.8 * y.mean(1, keepdims=True)).ravel())
    rho = mmrm(FORMULA, data, covariance="cs", **ROLES).correlation.iloc[0, 1]
    assert -0.5 < rho < -0.3


def test_a_noisy_row_counts_for_less(trial):
    data = trial(missing=0)
    worse = data.assign(se=0.0)
    assert mmrm(FORMULA, worse, se="se", **ROLES).table.to_numpy() == close(
        mmrm(FORMULA, data, **ROLES).table.to_numpy(), 1e-7
    )
    spoiled = worse.copy()
    spoiled.loc[0, ["y", "se"]] = spoiled.loc[0, "y"] + 30, 1e4
    without = worse.copy()
    without.loc[0, "y"] = np.nan
    assert mmrm(FORMULA, spoiled, se="se", **ROLES).contrasts()["estimate"].to_numpy() == close(
        mmrm(FORMULA, without, **ROLES).contrasts()["estimate"].to_numpy(), 1e-3
    )


def test_between_within_counts_subjects_and_rows(trial):
    data = trial()
    fit = mmrm(FORMULA, data, df="between-within", **ROLES)
    n, rows = fit.n_subjects, fit.n
    assert fit.table.loc["arm[T.drug]", "df"] == n - 3
    assert fit.table.loc["visit[T.W12]", "df"] == rows - n - 6


def test_robust_errors_of_complete_data_are_welchs(trial):
    """Two groups at each visit: CR2 is unbiased in each, so it is the sum of the variances of the means."""
    data = trial(24, missing=0)
    fit = mmrm("y ~ arm * visit", data, df="between-within", robust=True, **ROLES).contrasts()
    for visit in VISITS:
        parts = data[data["visit"] == visit].groupby("arm")["y"]
        assert fit.loc[("drug - placebo", visit), "se"] == close(np.sqrt((parts.var() / parts.size()).sum()))
