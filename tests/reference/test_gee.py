"""Against R 4.2.2 (geepack 1.3.9, clubSandwich 0.5.8, own algebra): stats/d1_gee.json."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import chdtrc

from remyelin.trial.equations.fit import gee

# geepack stops its iterations early: widest gap seen 6e-8 in an estimate, 3e-8 of a standard error.
REL, ABS = 1e-6, 1e-8
RESPONSE = {"gaussian": "y", "binomial": "recovered"}
WORKING = [(f, c) for f in RESPONSE for c in ("exchangeable", "independence")]
SMALL = {
    "model_based_se": "model",
    "liang_zeger_se": "robust",
    "mancl_derouen_se": "mancl-derouen",
    "kauermann_carroll_se": "kauermann-carroll",
    "fay_graubard_se": "fay-graubard",
}
# Entries that are no result, and results that are not offered, with the reason.
ABOUT = {"data", "note", "versions", "split"}
NOT_OFFERED = {
    "crossproduct_variant_se": "another estimator than Kauermann & Carroll's: see the note in the file",
}
# geepack's jackknives are no options: two are a multiple of Mancl & DeRouen, one is refitted below.
ERRORS = {"san.se", "jack", "j1s", "fij"}


@pytest.fixture(scope="module")
def pinned(shared):
    return json.loads((shared / "reference/stats/d1_gee.json").read_text())


@pytest.fixture(scope="module")
def data(shared, pinned):
    return pd.read_csv(shared / "reference/stats" / pinned["data"])


def fit(data, family, correlation, **options):
    return gee(
        f"{RESPONSE[family]} ~ arm + x", data, "patient", family=family, correlation=correlation, **options
    )


def column(entries, name):
    return [entries[term][name] for term in ("(Intercept)", "arm", "x")]


def close(value):
    return pytest.approx(value, rel=REL, abs=ABS)


def test_every_entry_is_covered_or_named(pinned):
    working = {f"{family}_{correlation}" for family, correlation in WORKING}
    small = {f"small_sample_{family}" for family in RESPONSE}
    assert set(pinned) == ABOUT | working | small | {"cr2_ols", "cr1_ols"}
    for name in working:
        assert set(pinned[name]) == ERRORS
    for name in small:
        assert set(pinned[name]) == {
            *("n_clusters", "coef", "t_df", "mancl_derouen_p_t"), *SMALL, *NOT_OFFERED
        }  # fmt: skip


@pytest.mark.parametrize(("family", "correlation"), WORKING)
def test_estimates_and_robust_errors_of_geepack(data, pinned, family, correlation):
    ours = fit(data, family, correlation, covariance="robust", df=np.inf)
    theirs = pinned[f"{family}_{correlation}"]["san.se"]
    assert list(ours.table["estimate"]) == close(column(theirs["coef"], "Estimate"))
    assert list(ours.table["se"]) == close(column(theirs["coef"], "Std.err"))
    assert list(ours.table["t"] ** 2) == pytest.approx(column(theirs["coef"], "Wald"), rel=2e-6, abs=1e-8)
    assert list(ours.table["p"]) == pytest.approx(column(theirs["coef"], "Pr(>|W|)"), rel=2e-6)
    assert list(ours.table["p"]) == pytest.approx(list(chdtrc(1, ours.table["t"] ** 2)))
    assert ours.scale == close(theirs["scale"])
    assert ours.rho == close(theirs["alpha"] or 0.0)


@pytest.mark.parametrize(("family", "correlation"), WORKING)
@pytest.mark.parametrize("kind", ["jack", "j1s"])
def test_approximate_jackknives_of_geepack_are_a_multiple(data, pinned, family, correlation, kind):
    """(K - p - q) / K of Mancl & DeRouen, q counting the scale and the correlation."""
    ours = fit(data, family, correlation)
    q = 2 if correlation == "exchangeable" else 1
    factor = np.sqrt((ours.n_clusters - 3 - q) / ours.n_clusters)
    theirs = pinned[f"{family}_{correlation}"][kind]["coef"]
    assert list(factor * ours.table["se"]) == close(column(theirs, "Std.err"))


@pytest.mark.parametrize(("family", "correlation"), WORKING)
def test_fully_iterated_jackknife_of_geepack(data, pinned, family, correlation):
    whole = fit(data, family, correlation)
    q = 2 if correlation == "exchangeable" else 1
    moved = [
        fit(data[data["patient"] != one], family, correlation, covariance="robust").table["estimate"]
        - whole.table["estimate"]
        for one in data["patient"].unique()
    ]
    k = len(moved)
    se = np.sqrt((k - 3 - q) / k * np.sum(np.square(moved), axis=0))
    # geepack's refits stop at its tolerance: 3e-6 apart for the binomial exchangeable ones.
    theirs = column(pinned[f"{family}_{correlation}"]["fij"]["coef"], "Std.err")
    assert list(se) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("family", RESPONSE)
@pytest.mark.parametrize("name", SMALL)
def test_small_sample_errors(data, pinned, family, name):
    ours = fit(data, family, "exchangeable", covariance=SMALL[name])
    theirs = pinned[f"small_sample_{family}"]
    assert ours.n_clusters == theirs["n_clusters"]
    assert list(ours.table["estimate"]) == close(list(theirs["coef"].values()))
    assert list(ours.table["se"]) == close(list(theirs[name].values()))
    assert set(ours.table["df"]) == {theirs["t_df"]}
    if name == "mancl_derouen_se":
        assert list(ours.table["p"]) == pytest.approx(list(theirs["mancl_derouen_p_t"].values()), rel=2e-6)


def test_cr2_of_least_squares_with_satterthwaite_df(data, pinned):
    """Kauermann & Carroll with independence is clubSandwich's CR2. Closed forms: 1e-9."""
    ours = fit(data, "gaussian", "independence", covariance="kauermann-carroll", df="satterthwaite").table
    theirs = pinned["cr2_ols"]
    for mine, name in (("estimate", "beta"), ("se", "se"), ("t", "t"), ("df", "df"), ("p", "p")):
        assert list(ours[mine]) == pytest.approx(theirs[name], rel=1e-9), name


def test_cr1s_of_least_squares(data, pinned):
    ours = fit(data, "gaussian", "independence", covariance="cr1s").table
    assert list(ours["se"]) == pytest.approx(list(pinned["cr1_ols"].values()), rel=1e-9)
