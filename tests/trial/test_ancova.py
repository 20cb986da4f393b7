"""What must hold for every analysis of covariance, and what it must refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.trial.linear import COVARIANCES, ancova

FORMULA = "change ~ arm + baseline"


def trial(n: int = 24, seed: int = 1, effect: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = np.array(["placebo", "drug"])[rng.permutation(np.arange(n) % 2)]
    baseline = rng.normal(31, 2, n)
    change = effect * (arm == "drug") - 0.1 * (baseline - 31) + rng.normal(0, 0.3, n)
    return pd.DataFrame(
        {"arm": arm, "baseline": baseline, "change": change, "centre": rng.choice(["x", "y"], n)}
    )


def slow_twin(data: pd.DataFrame, covariance: str, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The textbook formulas, with inverses."""
    X = np.column_stack([np.ones(len(data)), data["arm"] == "drug", data["baseline"]]).astype(float)
    y, W = data["change"].to_numpy(), np.diag(weights)
    bread = np.linalg.inv(X.T @ W @ X)
    beta = bread @ X.T @ W @ y
    e, n, p = y - X @ beta, *X.shape
    if covariance == "classical":
        return beta, bread * (e @ W @ e) / (n - p)
    h = np.diag(X @ bread @ X.T @ W)
    scale = n / (n - p) if covariance == "HC1" else 1 / (1 - h) ** 2
    return beta, bread @ X.T @ W @ np.diag(e**2 * scale) @ W @ X @ bread


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_the_textbook(covariance, weighted):
    data = trial()
    weights = np.random.default_rng(2).uniform(0.5, 4, len(data)) if weighted else np.ones(len(data))
    fit = ancova(
        FORMULA, data, reference="placebo", covariance=covariance, weights=weights if weighted else None
    )
    beta, vcov = slow_twin(data, covariance, weights)
    assert_allclose(fit.table["estimate"], beta, rtol=1e-9)
    assert_allclose(fit.vcov, vcov, rtol=1e-8)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_follows_the_unit_of_the_response(seed, scale, shift):
    data = trial(seed=seed)
    one = ancova(FORMULA, data, reference="placebo").contrasts().iloc[0]
    other = (
        ancova(FORMULA, data.assign(change=scale * data["change"] + shift), reference="placebo")
        .contrasts()
        .iloc[0]
    )
    assert_allclose(other["estimate"], scale * one["estimate"], rtol=1e-6, atol=1e-6 * scale)
    assert_allclose(other["p"], one["p"], rtol=1e-5, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_row_order_and_names_of_arms_do_not_matter(seed):
    data = trial(seed=seed)
    one = ancova(FORMULA, data, reference="placebo").contrasts().iloc[0]
    shuffled = data.sample(frac=1, random_state=seed)
    assert_allclose(
        ancova(FORMULA, shuffled, reference="placebo").contrasts().iloc[0], one, rtol=1e-8, atol=1e-12
    )
    swapped = ancova(FORMULA, data, reference="drug").contrasts().iloc[0]
    assert_allclose(swapped["estimate"], -one["estimate"], rtol=1e-8, atol=1e-12)


def test_weights_have_no_scale():
    data = trial()
    w = np.random.default_rng(3).uniform(1, 2, len(data))
    one, other = (ancova(FORMULA, data, weights=k * w).table for k in (1.0, 1e4))
    assert_allclose(one, other, rtol=1e-8)


def test_means_of_an_interaction_are_taken_at_the_mean_baseline():
    data = trial()
    fit = ancova("change ~ arm * baseline", data, reference="placebo")
    at = data["baseline"].mean()
    lines = {a: np.polyfit(part["baseline"], part["change"], 1) for a, part in data.groupby("arm")}
    for arm, mean in fit.lsmeans()["estimate"].items():
        assert mean == pytest.approx(np.polyval(lines[arm], at), rel=1e-8)
    assert fit.contrasts().index.tolist() == ["drug - placebo"]


def test_three_arms_are_each_compared_with_the_reference():
    data = trial(30)
    data["arm"] = np.array(["placebo", "low", "high"])[np.arange(30) % 3]
    fit = ancova(FORMULA, data, reference="placebo")
    assert list(fit.contrasts().index) == ["high - placebo", "low - placebo"]
    assert list(fit.lsmeans().index) == ["placebo", "high", "low"]


def test_dunnett_is_exact_where_the_arms_are_equal():
    """Four arms of 6, no covariate: the table of Dunnett 1964 (10.2307/2528490) for 20 degrees of freedom."""
    data = trial(24)
    data["arm"] = np.array(["placebo", "low", "middle", "high"])[np.arange(24) % 4]
    found = ancova("change ~ arm", data, reference="placebo").contrasts(adjust="dunnett")
    width = (found["adjusted_high"] - found["estimate"]) / found["se"]
    assert width.round(2).tolist() == [2.54] * 3
    assert ((found["adjusted_low"] > 0) == (found["p_adjusted"] < 0.05)).all()


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_dunnett_lies_between_one_test_and_bonferroni(seed):
    data = trial(31, seed)
    data["arm"] = np.array(["placebo", "low", "high"])[np.random.default_rng(seed).permutation(31) % 3]
    found = ancova(FORMULA, data, reference="placebo").contrasts(adjust="dunnett")
    assert (found["p_adjusted"] > found["p"]).all()
    assert (found["p_adjusted"] < 2 * found["p"]).all()
    reject = (found["adjusted_low"] > 0) | (found["adjusted_high"] < 0)
    assert (reject == (found["p_adjusted"] < 0.05)).all()


def test_two_arms_need_no_adjustment():
    found = ancova(FORMULA, trial(), reference="placebo").contrasts(adjust="dunnett").iloc[0]
    assert found["p_adjusted"] == pytest.approx(found["p"])
    assert found["adjusted_low"] == pytest.approx(found["ci_low"])


def noisy(n: int = 40, seed: int = 3) -> pd.DataFrame:
    data = trial(n, seed)
    rng = np.random.default_rng(seed + 1)
    data["se"] = rng.choice([0.05, 0.8], n)
    data["change"] += rng.normal(0, data["se"])
    return data


def test_known_errors_by_the_matrices_written_out():
    """Kenward & Roger 1997 for the one variance, with the projection P."""
    data = noisy()
    fit = ancova(FORMULA, data, reference="placebo", se="se")
    X, y = fit.design.X, fit.design.y
    W = np.diag(1 / (fit.sigma**2 + data["se"] ** 2))
    plain = np.linalg.inv(X.T @ W @ X)
    P = W - W @ X @ plain @ X.T @ W
    assert np.trace(P) == pytest.approx(y @ P @ P @ y, rel=1e-7)  # the score is 0
    uncertainty = 2 / np.trace(P @ P)
    PP, Q = -X.T @ W @ W @ X, X.T @ W @ W @ W @ X
    assert_allclose(
        fit.vcov, plain + 2 * plain @ (uncertainty * (Q - PP @ plain @ PP)) @ plain, rtol=1e-9, atol=1e-15
    )
    assert_allclose(fit.table["estimate"], plain @ X.T @ W @ y, rtol=1e-9)
    h = 1e-6
    W2 = np.diag(1 / (fit.sigma**2 + h + data["se"] ** 2))
    change = np.diag(np.linalg.inv(X.T @ W2 @ X) - plain) / h
    assert_allclose(fit.table["df"], 2 * np.diag(plain) ** 2 / (change**2 * uncertainty), rtol=1e-4)


def test_known_errors_at_the_boundary():
    data = noisy()
    fit = ancova(FORMULA, data, reference="placebo", se=3 * data["se"] + 0.5)
    assert fit.sigma == 0
    assert np.isfinite(fit.table.to_numpy()).all()
    error = wrong(data, se=np.where(np.arange(40) == 6, 0.0, 50.0))
    assert error.field == "se"
    assert "row 7" in error.found


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
@example(seed=406, scale=1e-3)
def test_known_errors_have_the_unit_of_the_response(seed, scale):
    data = noisy(30, seed)
    one = ancova(FORMULA, data, reference="placebo", se="se").contrasts().iloc[0]
    scaled = data.assign(change=scale * data["change"], se=scale * data["se"])
    other = ancova(FORMULA, scaled, reference="placebo", se="se").contrasts().iloc[0]
    assert_allclose(other["estimate"], scale * one["estimate"], rtol=1e-6, atol=1e-9 * scale)
    assert_allclose(other[["df", "p"]], one[["df", "p"]], rtol=1e-5)


def test_known_errors_make_the_estimate_more_precise():
    plain, known = (
        np.std([fit["estimate"] for fit in each])
        for each in zip(
            *(
                (
                    ancova("change ~ arm", data, reference="placebo").contrasts().iloc[0],
                    ancova("change ~ arm", data, reference="placebo", se="se").contrasts().iloc[0],
                )
                for data in (noisy(40, seed) for seed in range(40))
            ),
            strict=True,
        )
    )
    assert known < 0.8 * plain


def test_the_result_says_what_produced_it():
    data = trial()
    fit = ancova(FORMULA, data, reference="placebo", covariance="HC3")
    again = ancova(fit.formula, data, arm=fit.arm, reference=fit.reference, covariance=fit.covariance)
    pd.testing.assert_frame_equal(again.to_frame(), fit.to_frame())
    assert "HC3" in str(fit)
    assert "drug - placebo" in str(fit)
    assert fit._repr_html_().count("<table") == 2
    assert fit.to_frame().columns[0] == "term"


def wrong(data: pd.DataFrame, formula: str = FORMULA, **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        ancova(formula, data, **options)  # type: ignore[arg-type]
    return caught.value


def test_one_arm_is_refused():
    error = wrong(trial().query("arm == 'drug'"))
    assert error.field == "arm"
    assert "two arms" in error.expected


def test_no_follow_up_is_refused():
    error = wrong(trial().assign(change=np.nan))
    assert error.field == "change"
    assert "follow-up" in error.fix


@pytest.mark.parametrize("column", ["change", "baseline", "arm"])
def test_a_missing_value_is_refused_with_its_row(column):
    data = trial()
    data[column] = data[column].astype(object)
    data.loc[4, column] = None
    if column != "arm":
        data[column] = data[column].astype(float)
    error = wrong(data)
    assert error.field == column
    assert "row 5" in error.found


def test_infinity_and_text_are_refused():
    assert wrong(trial().assign(baseline=np.inf)).field == "baseline"
    assert wrong(trial().assign(change="0,2")).field == "change"


def test_terms_that_cannot_be_told_apart_are_refused():
    data = trial()
    twin = wrong(data.assign(copy=2 * data["baseline"]), "change ~ arm + baseline + copy")
    assert twin.field == "copy"
    site = wrong(data.assign(site=data["arm"].map({"drug": "A", "placebo": "B"})), "change ~ arm + site")
    assert site.field == "site[T.B]"


def test_fewer_rows_than_parameters_are_refused():
    assert "3 parameters" in wrong(trial().iloc[[0, 1, 2]].assign(arm=["a", "b", "a"])).found


def test_a_response_without_residue_is_refused():
    data = trial()
    assert wrong(data.assign(change=0.0)).field == "change"
    assert wrong(data.assign(change=data["baseline"])).field == "change"


def test_hc3_needs_two_rows_at_each_level():
    data = trial()
    data.loc[0, "centre"] = "z"
    assert "row 1" in wrong(data, "change ~ arm + centre", covariance="HC3").found


@pytest.mark.parametrize(
    "formula",
    [
        "change ~ arm + __import__('os').system('true')",
        "change ~ arm + {baseline.values}",
        "change ~ arm + I(baseline ** 9 ** 9 ** 9)",
        "change ~ (arm + baseline) ** 1000",
        "change ~ arm + open('x')",
        "change ~ arm + C(baseline.map(print))",
        "change ~ arm + (lambda: 1)()",
    ],
)
def test_a_formula_runs_no_code(formula):
    assert wrong(trial(), formula).field == "formula"


@pytest.mark.parametrize(
    "formula",
    ["change", "arm + baseline", "change ~ arm +", "change ~ baseline", "change ~ arm + change", "~ arm"],
)
def test_a_formula_that_is_no_analysis_is_refused(formula):
    assert wrong(trial(), formula).field == "formula"


def test_a_column_that_is_not_there_is_named():
    assert wrong(trial(), "change ~ arm + age").field == "age"


def test_options_are_checked():
    data = trial()
    assert wrong(data, reference="verum").field == "reference"
    assert wrong(data, covariance="HC9").field == "covariance"
    assert wrong(data, weights=[1.0]).field == "weights"
    assert wrong(data, weights=np.zeros(len(data))).field == "weights"
    assert wrong(data.assign(baseline=-1.0), "change ~ arm + log(baseline)").field == "log(baseline)"
    assert wrong(data, se=np.ones(24), weights=np.ones(24)).field == "se"
    assert wrong(data, se=np.ones(24), covariance="HC3").field == "se"
    assert wrong(data, se=-np.ones(24)).field == "se"
    with pytest.raises(InputError, match="adjust"):
        ancova(FORMULA, data).contrasts(adjust="scheffe")
    with pytest.raises(InputError, match="known errors"):
        ancova(FORMULA, data, se=np.full(24, 0.1)).anova()
    with pytest.raises(InputError, match="shape"):
        ancova(FORMULA, data).contrast([1.0])
    with pytest.raises(InputError, match="classical"):
        ancova(FORMULA, data, covariance="HC1").anova()


def test_the_table_given_is_not_altered():
    data = trial()
    before = data.copy(deep=True)
    ancova("change ~ arm + C(centre)", data)
    pd.testing.assert_frame_equal(data, before)


def test_known_errors_are_a_meta_regression_of_participants():
    """The same likelihood by the other estimator, which is compared with metafor."""
    from remyelin.trial.meta import meta_analysis

    data = noisy()
    ours = ancova("change ~ arm", data, reference="placebo", se="se")
    theirs = meta_analysis(
        data["change"], data["se"] ** 2, moderators=pd.DataFrame({"drug": (data["arm"] == "drug") * 1.0}),
        method="REML", test="z",
    )  # fmt: skip
    assert ours.sigma**2 == pytest.approx(theirs.tau2, rel=1e-7)
    assert_allclose(ours.table["estimate"], theirs.table["estimate"], rtol=1e-7)
    assert_allclose(np.sqrt(np.diag(ours.precise.plain)), theirs.table["se"], rtol=1e-7)
