"""What must hold for estimating equations, and what they must refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import fractional_matrix_power

from remyelin.errors import InputError
from remyelin.trial.equations.fit import gee
from remyelin.trial.equations.sandwich import COVARIANCES

FORMULA = "change ~ arm + baseline"


def lesions(patients: int = 18, seed: int = 1, effect: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(patients), rng.integers(1, 8, patients))
    n = len(person)
    baseline = rng.normal(31, 3, n)
    se = rng.uniform(0.2, 2.0, n)
    mean = effect * (person % 2) - 0.1 * (baseline - 31) + rng.normal(0, 0.6, patients)[person]
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in person],
            "arm": np.array(["placebo", "drug"])[person % 2],
            "baseline": baseline,
            "change": mean + rng.normal(0, 1, n) + rng.normal(0, 1, n) * se,
            "better": (mean + rng.normal(0, 1, n) > 0).astype(int),
            "se": se,
        }
    )


def fit(data: pd.DataFrame, formula: str = FORMULA, **options):
    return gee(formula, data, "participant_id", **{"arm": "arm", "reference": "placebo"} | options)


def slow_twin(data: pd.DataFrame, ours, response: str, known: np.ndarray, power: float):
    """Score and sandwich with the whole covariance matrix written out, at our scale and correlation."""
    X = np.column_stack([np.ones(len(data)), data["arm"] == "drug", data["baseline"]]).astype(float)
    eta = X @ ours.table["estimate"].to_numpy()
    binomial = ours.family == "binomial"
    mu = 1 / (1 + np.exp(-eta)) if binomial else eta
    v = mu * (1 - mu) if binomial else np.ones(len(data))
    cluster = data["participant_id"].to_numpy()
    same = cluster[:, None] == cluster
    R = np.where(same, ours.rho, 0.0)
    np.fill_diagonal(R, 1.0)
    V = ours.scale * np.sqrt(v[:, None] * v) * R + np.diag(known)
    D, inverse = X * v[:, None], np.linalg.inv(V)
    residual = data[response].to_numpy() - mu
    bread = np.linalg.inv(D.T @ inverse @ D)
    H = D @ bread @ D.T @ inverse
    meat = np.zeros((3, 3))
    for one in np.unique(cluster):
        k = np.flatnonzero(cluster == one)
        put_back = np.linalg.inv(fractional_matrix_power(np.eye(len(k)) - H[np.ix_(k, k)], power))
        score = D[k].T @ inverse[np.ix_(k, k)] @ put_back.real @ residual[k]
        meat += np.outer(score, score)
    return D.T @ inverse @ residual, bread @ meat @ bread


@pytest.mark.parametrize("correlation", ["exchangeable", "independence"])
@pytest.mark.parametrize(("response", "family"), [("change", "gaussian"), ("better", "binomial")])
@pytest.mark.parametrize(("kind", "power"), [("robust", 0), ("kauermann-carroll", 0.5), ("mancl-derouen", 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_the_matrices_written_out(correlation, response, family, kind, power, weighted):
    if weighted and family == "binomial":
        return
    data = lesions(30)
    ours = fit(
        data, f"{response} ~ arm + baseline", family=family, correlation=correlation, covariance=kind,
        se="se" if weighted else None,
    )  # fmt: skip
    known = data["se"].to_numpy() ** 2 if weighted else np.zeros(len(data))
    score, vcov = slow_twin(data, ours, response, known, power)
    assert_allclose(score, 0, atol=1e-7)
    assert_allclose(ours.vcov, vcov, rtol=1e-7, atol=1e-12)


def test_satterthwaite_degrees_of_freedom_by_the_whole_matrix():
    """2 E(v)^2 / Var(v) of the quadratic form v = sum (a_i' U_i)^2 in normal errors of covariance V."""
    data = lesions(12)
    ours = fit(data, df="satterthwaite", se="se")
    X = ours.design.X
    cluster = data["participant_id"].to_numpy()
    R = np.where(cluster[:, None] == cluster, ours.rho, 0.0)
    np.fill_diagonal(R, 1.0)
    V = ours.scale * R + np.diag(data["se"] ** 2)
    inverse = np.linalg.inv(V)
    bread = np.linalg.inv(X.T @ inverse @ X)
    maker = np.eye(len(X)) - X @ bread @ X.T @ inverse
    forms = []
    for one in np.unique(cluster):
        k = np.flatnonzero(cluster == one)
        put_back = np.linalg.inv(maker[np.ix_(k, k)])
        forms.append(bread @ X[k].T @ inverse[np.ix_(k, k)] @ put_back @ maker[k])
    for j, df in enumerate(ours.table["df"]):
        A = sum(np.outer(form[j], form[j]) for form in forms)
        mean, variance = np.trace(A @ V), 2 * np.trace(A @ V @ A @ V)
        assert df == pytest.approx(2 * mean**2 / variance, rel=1e-8)


def test_one_row_a_cluster_is_least_squares_with_robust_errors():
    data = lesions(40).drop_duplicates("participant_id")
    X = np.column_stack([np.ones(len(data)), data["arm"] == "drug", data["baseline"]]).astype(float)
    ours = fit(data, covariance="kauermann-carroll")
    beta = np.linalg.lstsq(X, data["change"], rcond=None)[0]
    e = data["change"] - X @ beta
    bread = np.linalg.inv(X.T @ X)
    h = np.einsum("ij,jk,ik->i", X, bread, X)
    hc2 = bread @ X.T @ np.diag(e**2 / (1 - h)) @ X @ bread
    assert_allclose(ours.table["estimate"], beta, rtol=1e-9)
    assert_allclose(ours.vcov, hc2, rtol=1e-8)
    assert ours.rho == 0


def test_corrections_are_ordered():
    data = lesions(16)
    se = {kind: fit(data, covariance=kind).table["se"] for kind in COVARIANCES}
    assert (se["robust"] < se["kauermann-carroll"]).all()
    assert (se["kauermann-carroll"] < se["mancl-derouen"]).all()


def test_equal_known_errors_change_nothing():
    data = lesions()
    plain, known = fit(data), fit(data, se=np.full(len(data), 0.5))
    assert_allclose(known.table, plain.table, rtol=1e-6)
    assert plain.scale - known.scale == pytest.approx(0.25, rel=1e-6)


def test_known_errors_as_large_as_the_scatter_are_a_boundary_and_no_failure():
    data = lesions()
    found = fit(data, se=np.linspace(4, 8, len(data)))
    assert found.scale == 0
    assert found.rho == 0
    assert np.isfinite(found.table.to_numpy()).all()


def test_noisy_lesions_weigh_less():
    """80 trials with errors of .2 or 3: the spread of the estimates falls by what the weights promise."""
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(20), 6)
    se = np.tile([0.2, 3.0], 60)
    arm = np.array(["placebo", "drug"])[person % 2]
    plain, known = [], []
    for _ in range(80):
        y = rng.normal(0, 0.3, 20)[person] + rng.normal(0, 0.5, 120) + rng.normal(0, se)
        data = pd.DataFrame({"participant_id": person, "arm": arm, "change": y, "se": se})
        plain.append(fit(data, "change ~ arm").table["estimate"].iloc[1])
        known.append(fit(data, "change ~ arm", se="se").table["estimate"].iloc[1])
    assert np.std(known) < 0.6 * np.std(plain)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_follows_the_unit_of_the_response(seed, scale, shift):
    data = lesions(seed=seed)
    one = fit(data, correlation="independence", se="se").contrasts().iloc[0]
    moved = data.assign(change=scale * data["change"] + shift, se=scale * data["se"])
    other = fit(moved, correlation="independence", se="se").contrasts().iloc[0]
    assert_allclose(other["estimate"], scale * one["estimate"], rtol=1e-6, atol=1e-6 * scale)
    assert_allclose(other["p"], one["p"], rtol=1e-5, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_row_order_and_names_of_arms_do_not_matter(seed):
    data = lesions(30, seed=seed)
    options = {"formula": "better ~ arm", "family": "binomial", "correlation": "independence"}
    one = fit(data, **options).contrasts().iloc[0]
    assert_allclose(
        fit(data.sample(frac=1, random_state=seed), **options).contrasts().iloc[0], one, rtol=1e-7
    )
    swapped = fit(data, **options | {"reference": "drug"}).contrasts().iloc[0]
    assert_allclose(swapped["estimate"], -one["estimate"], rtol=1e-7, atol=1e-10)


def test_odds_ratios_and_risk_differences():
    data = lesions(40)
    found = fit(data, "better ~ arm", family="binomial", correlation="independence")
    p = data.groupby("arm")["better"].mean()
    odds = p / (1 - p)
    ratio = found.odds_ratios(adjust="holm").loc["drug - placebo"]
    assert ratio["odds_ratio"] == pytest.approx(odds["drug"] / odds["placebo"])
    assert ratio["ci_low"] < ratio["odds_ratio"] < ratio["ci_high"]
    assert ratio["p_adjusted"] == pytest.approx(ratio["p"])  # one comparison
    assert_allclose(found.risks()["estimate"], p[["placebo", "drug"]], rtol=1e-8)
    assert found.risk_differences()["estimate"].iloc[0] == pytest.approx(p["drug"] - p["placebo"])
    # With no covariate the delta method is that of the arms' own proportions.
    assert found.risks()["se"].iloc[0] == pytest.approx(
        found.lsmeans()["se"].iloc[0] * p["placebo"] * (1 - p["placebo"]), rel=1e-7
    )


def test_three_arms_together():
    data = lesions(30)
    person = data["participant_id"].str[4:].astype(int)
    data["arm"] = np.array(["placebo", "low", "high"])[person % 3]
    found = fit(data).contrasts(adjust="dunnett")
    assert (found["p_adjusted"] >= found["p"]).all()
    assert (found["adjusted_low"] < found["ci_low"]).all()


def test_the_result_says_what_produced_it():
    data = lesions()
    found = fit(data, covariance="fay-graubard", df=12)
    again = gee(
        found.formula, data, found.groups, family=found.family, correlation=found.correlation,
        covariance=found.covariance, df=found.df, arm=found.arm, reference=found.reference, alpha=found.alpha,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    assert "fay-graubard" in str(found)
    assert "drug - placebo" in str(found)
    assert "18 clusters" in found._repr_html_()
    row = np.array([0.0, 1.0, 0.0])
    assert found.contrast(row)["p"].iloc[0] == found.table["p"].iloc[1]
    assert "Intercept" in str(gee("change ~ baseline", data, "participant_id"))


def wrong(data: pd.DataFrame, formula: str = FORMULA, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        fit(data, formula, **options)
    return caught.value


def test_one_cluster_is_refused():
    error = wrong(lesions().assign(participant_id="sub-01"))
    assert error.field == "participant_id"
    assert "1 clusters" in error.found


def test_a_cluster_that_decides_a_coefficient_alone():
    data = lesions()
    data["site"] = np.where(data["participant_id"] == "sub-03", "B", "A")
    assert "sub-03" in wrong(data, "change ~ arm + site").found
    assert np.isfinite(fit(data, "change ~ arm + site", covariance="fay-graubard").table["se"]).all()


@pytest.mark.parametrize(
    ("column", "values", "field"),
    [
        ("better", 2.0, "better"),
        ("better", 1.0, "better"),
        ("arm", "drug", "arm"),
        ("participant_id", None, "participant_id"),
        ("baseline", np.nan, "baseline"),
    ],
)
def test_bad_columns_are_named(column, values, field):
    error = wrong(lesions().assign(**{column: values}), "better ~ arm + baseline", family="binomial")
    assert error.field == field


@pytest.mark.parametrize("correlation", ["exchangeable", "independence"])
def test_perfect_separation_names_the_column(correlation):
    data = lesions()
    data["scan"] = np.where(data["better"] == 1, 2.0, 1.0) + data["baseline"] / 1e3
    formula = "better ~ arm + baseline + scan"
    assert wrong(data, formula, family="binomial", correlation=correlation).field == "scan"
    # Quasi-complete: one arm without any event.
    data["better"] = np.where(data["arm"] == "drug", data["better"], 0)
    error = wrong(data, "better ~ arm", family="binomial", correlation=correlation)
    assert error.field == "arm[T.drug]"


def test_a_response_without_residue_is_refused():
    assert wrong(lesions().assign(change=0.0)).field == "change"


def test_a_correlation_that_cannot_be_is_refused():
    """Pairs that always differ, beside singles: no exchangeable correlation is so negative."""
    data = pd.DataFrame(
        {
            "participant_id": np.repeat(np.arange(12), 3),
            "arm": np.repeat(["placebo", "drug"], 18),
            "change": np.tile([-1.0, 0.0, 1.0], 12),
        }
    )
    assert wrong(data, "change ~ arm").field == "correlation"


def test_options_are_checked():
    data = lesions()
    assert wrong(data, family="poisson").field == "family"
    assert wrong(data, correlation="ar1").field == "correlation"
    assert wrong(data, covariance="md").field == "covariance"
    assert wrong(data, df=0).field == "df"
    assert wrong(data, df="kenward-roger").field == "df"
    assert wrong(data, df="satterthwaite", covariance="model").field == "df"
    assert wrong(data, se=-data["se"]).field == "se"
    assert wrong(data, "better ~ arm", family="binomial", se="se").field == "se"
    found = fit(data)
    with pytest.raises(InputError, match="binomial"):
        found.odds_ratios()
    with pytest.raises(InputError, match="arm"):
        gee("change ~ baseline", data, "participant_id").contrasts()
    with pytest.raises(InputError, match="shape"):
        found.contrast([1.0])


def test_the_table_given_is_not_altered():
    data = lesions()
    before = data.copy(deep=True)
    fit(data, se="se")
    pd.testing.assert_frame_equal(data, before)
