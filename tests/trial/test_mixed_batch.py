"""Many trials at once give what one fit gives, whatever the threads and whatever is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.trial.mixed import Fits, fit_each, fit_many, mixed_model

FIELDS = Fits.__slots__


def trials(count=6, patients=12, lesions=4, seed=2):
    """X (row, 3), patient (row,), eye (row,), Y (trial, row)."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), lesions)
    eye = np.tile(np.arange(lesions) // 2, patients)
    X = np.column_stack([np.ones(len(patient)), patient % 2, rng.normal(30, 3, len(patient))])
    Y = 0.8 * rng.normal(size=(count, patients))[:, patient] + rng.normal(size=(count, len(patient)))
    return X, patient, eye, Y


def one_fit(X, patient, y, eye=None, known=None, df="kenward-roger"):
    table = pd.DataFrame({"y": y, "arm": X[:, 1], "baseline": X[:, 2], "patient": patient, "eye": eye})
    groups = "patient" if eye is None else ["patient", "eye"]
    se = None if known is None else np.sqrt(known)
    return mixed_model("y ~ arm + baseline", table, groups, se=se, df=df)


def check(fits: Fits, t: int, fitted: dict[str, object]) -> None:
    kr, satterthwaite = fitted["kenward-roger"], fitted["satterthwaite"]
    row, plain = kr.table.loc["arm"], satterthwaite.table.loc["arm"]
    assert fits.estimate[t] == pytest.approx(row["estimate"], rel=1e-9, abs=1e-9)
    assert [fits.se_kr[t], fits.df_kr[t]] == pytest.approx(row[["se", "df"]].tolist(), rel=1e-6)
    assert [fits.se[t], fits.df_satt[t]] == pytest.approx(plain[["se", "df"]].tolist(), rel=1e-6)
    assert fits.p()[t] == pytest.approx(row["p"], rel=1e-6)
    assert fits.p("satterthwaite")[t] == pytest.approx(plain["p"], rel=1e-6)
    variances = kr.variance_components["variance"]
    found = [fits.su2[t], *([fits.sv2[t]] if len(variances) == 3 else []), fits.se2[t]]
    assert found == pytest.approx(variances.tolist(), rel=1e-6)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_as_one_fit(nested, weighted):
    X, patient, eye, Y = trials()
    inner = eye if nested else None
    known = np.random.default_rng(1).uniform(0, 2, len(patient)) if weighted else None
    fits = fit_many(X, patient, Y, [0, 1, 0], inner=inner, known=known)
    for t in range(3):
        both = {df: one_fit(X, patient, Y[t], inner, known, df) for df in ("kenward-roger", "satterthwaite")}
        check(fits, t, both)


def test_threads_and_order_do_not_change_a_bit():
    X, patient, eye, Y = trials(count=70)
    one = fit_many(X, patient, Y, [0, 1, 0], inner=eye, threads=1)
    two = fit_many(X, patient, Y, [0, 1, 0], inner=eye, threads=2)
    alone = fit_many(X, patient, Y[41:42], [0, 1, 0], inner=eye)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert getattr(one, name)[41] == getattr(alone, name)[0]


def test_trials_of_their_own_rows():
    """Each trial has lost other rows; rows come in any order."""
    X, patient, eye, Y = trials()
    rng = np.random.default_rng(3)
    kept = rng.random(Y.shape) < 0.8
    trial, row = np.nonzero(kept)
    order = rng.permutation(len(trial))
    trial, row = trial[order], row[order]
    fits = fit_each(X[row], patient[row], Y[trial, row], trial, [0, 1, 0], inner=eye[row])
    for t in range(3):
        rows = kept[t]
        both = {
            df: one_fit(X[rows], patient[rows], Y[t][rows], eye[rows], df=df)
            for df in ("kenward-roger", "satterthwaite")
        }
        check(fits, t, both)


def test_a_trial_that_cannot_be_fitted_is_missing_and_alone():
    X, patient, _, Y = trials(count=5)
    rows = [np.arange(len(patient)) for _ in range(5)]
    rows[1] = np.flatnonzero(patient % 2 == 0)  # one arm
    rows[2] = np.flatnonzero(patient == 3)  # one patient
    rows[3] = np.flatnonzero(np.diff(patient, prepend=-1) > 0)  # one row each
    trial, row = np.repeat(np.arange(5), [len(each) for each in rows]), np.concatenate(rows)
    fits = fit_each(X[row], patient[row], Y[trial, row], trial, [0, 1, 0])
    whole = fit_many(X, patient, Y, [0, 1, 0])
    for name in FIELDS:
        found = getattr(fits, name)
        assert np.isnan(found[1:4]).all()
        assert found[[0, 4]] == pytest.approx(getattr(whole, name)[[0, 4]], rel=1e-9)
    assert np.isnan(fits.p()[1:4]).all()


def test_a_response_without_residue_is_missing():
    X, patient, _, Y = trials(count=3)
    Y[1] = 2 * X[:, 2]
    fits = fit_many(X, patient, Y, [0, 1, 0])
    assert np.isnan(fits.estimate).tolist() == [False, True, False]


def test_balanced_arms_are_the_t_test_of_patients():
    X, patient, _, Y = trials(count=20, patients=10)
    fits = fit_many(X[:, :2], patient, Y, [0, 1])
    np.testing.assert_allclose(fits.df_kr, 8, rtol=1e-9)
    inside = fits.su2 > 0
    np.testing.assert_allclose(fits.df_satt[inside], 8, rtol=1e-9)
    means = Y.reshape(20, 10, 4).mean(axis=2)
    gap = means[:, 1::2].mean(axis=1) - means[:, ::2].mean(axis=1)
    np.testing.assert_allclose(fits.estimate, gap, atol=1e-12)


@pytest.mark.slow
def test_type_one_error_where_patients_do_not_differ():
    """Without a patient variance half of the fits are on their border; the tests must hold there too."""
    rng = np.random.default_rng(11)
    patient = np.repeat(np.arange(20), 30)
    X = np.column_stack([np.ones(600), patient % 2])
    fits = fit_many(X, patient, rng.normal(size=(4000, 600)), [0, 1])
    assert 0.4 < (fits.su2 == 0).mean() < 0.7
    for df in ("kenward-roger", "satterthwaite"):
        assert (fits.p(df) < 0.05).mean() < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4000)


BAD = {
    "shape of Y": (lambda X, g, y: fit_many(X, g, y[:, :-1], [0, 1, 0]), "Y"),
    "shape of groups": (lambda X, g, y: fit_many(X, g[:-1], y, [0, 1, 0]), "groups"),
    "NaN": (lambda X, g, y: fit_many(X, g, np.where(y > 1, np.nan, y), [0, 1, 0]), "Y"),
    "contrast": (lambda X, g, y: fit_many(X, g, y, [0, 1]), "contrast"),
    "singular": (lambda X, g, y: fit_many(X[:, [0, 1, 1]], g, y, [0, 1, 0]), "X"),
    "one group": (lambda X, g, y: fit_many(X, g * 0, y, [0, 1, 0]), "groups"),
    "one row each": (lambda X, g, y: fit_many(X, np.arange(len(g)), y, [0, 1, 0]), "groups"),
    "a group each arm": (lambda X, g, y: fit_many(X, g % 2, y, [0, 1, 0]), "groups"),
    "negative known": (lambda X, g, y: fit_many(X, g, y, [0, 1, 0], known=-np.ones(len(g))), "known"),
    "trial": (lambda X, g, y: fit_each(X, g, y[0], [1, 2], [0, 1, 0]), "trial"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    call, field = BAD[case]
    X, patient, _, Y = trials(count=2)
    with pytest.raises(InputError) as refused:
        call(X, patient, Y)
    assert refused.value.args[1] == field
