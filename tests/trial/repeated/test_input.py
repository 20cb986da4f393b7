"""Data and options that are unfit are refused, with the column and the fix."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.trial.repeated import mmrm
from remyelin.trial.repeated.structures import NAMES, canonical

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}


@pytest.mark.parametrize("name", ["us", "UN", "toeph", "AR(1)", "csh", "compound-symmetry"])
def test_short_names(name):
    assert canonical(name) in NAMES


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({}, {"covariance": "spatial"}, "covariance is 'spatial', expected one of unstructured"),
        ({}, {"df": "residual"}, "df is 'residual', expected one of satterthwaite"),
        ({}, {"method": "EM"}, "method is 'EM', expected 'REML' or 'ML'"),
        ({}, {"method": "ML"}, "with method 'ML'"),
        ({}, {"robust": True}, "with robust=True"),
        ({}, {"alpha": 5}, "alpha is 5"),
        ({}, {"visit": "week"}, "week is not a column"),
        ({}, {"se": "noise"}, "noise is not a column"),
        ({}, {"se": [1.0]}, "se is of shape"),
        ({"se": -1.0}, {"se": "se"}, "se is negative"),
        ({"visit": "W04"}, {}, "visit is W04 a second time for subject S00 .row 2."),
        ({"id": None}, {}, "id is missing in row 1"),
        ({"y": np.nan}, {}, "y is missing in every row"),
        ({"y": 3.0}, {}, "y is explained by the terms without any residue"),
        ({"y": np.inf}, {}, "y is missing or not finite"),
        ({"base": np.nan}, {}, "base is missing or not finite"),
        ({"arm": "drug"}, {}, "arm is only drug"),
        ({"y": "late"}, {}, "y is text"),
    ],
)
def test_bad_input(trial, changes, options, words):
    data = trial(missing=0).assign(**changes)
    with pytest.raises(InputError, match=words):
        mmrm(FORMULA, data, **{**ROLES, **options})


def test_a_subject_in_two_arms(trial):
    data = trial(missing=0)
    data.loc[0, "arm"] = "drug"
    with pytest.raises(InputError, match=r"arm is drug and placebo for the same subject S00"):
        mmrm(FORMULA, data, **ROLES)


def test_one_visit_is_no_repeated_measure(trial):
    data = trial()
    with pytest.raises(InputError, match=r"visit is the same in all rows .*use ancova"):
        mmrm("y ~ arm", data[data["visit"] == "W04"], **ROLES)


def test_visits_that_no_subject_has_both(trial):
    data = trial(missing=0)
    odd = data["id"].str[1:].astype(int) % 4 < 2
    data.loc[(data["visit"] == "W24") & odd, "y"] = np.nan
    data.loc[(data["visit"] == "W12") & ~odd, "y"] = np.nan
    with pytest.raises(InputError, match="without subjects that have both W12 and W24"):
        mmrm(FORMULA, data, **ROLES)
    assert mmrm(FORMULA, data, covariance="cs", **ROLES).n == 60


@pytest.mark.parametrize("covariance", ["us", "toeph", "csh", "ar1h"])
def test_a_visit_that_another_determines(trial, covariance):
    data = trial(missing=0)
    copied = data.pivot(index="id", columns="visit", values="y")["W04"].reindex(data["id"]).to_numpy()
    data["y"] = np.where(data["visit"] == "W12", copied, data["y"])
    if covariance == "us":
        with pytest.raises(InputError, match=r"visit is without scatter of its own at W(04|12)"):
            mmrm(FORMULA, data, covariance=covariance, **ROLES)
    constant = data.assign(y=np.where(data["visit"] == "W24", 1.5, data["y"]))
    with pytest.raises(InputError, match="visit is"):
        mmrm(FORMULA, constant, covariance=covariance, **ROLES)


def test_too_few_subjects(trial):
    data = trial(6, ("a", "b", "c", "d", "e"), missing=0)
    with pytest.raises(InputError, match=r"expected enough subjects .*simpler covariance"):
        mmrm("y ~ arm * visit", data, **ROLES)


def test_errors_that_explain_all_scatter(trial):
    with pytest.raises(InputError, match="leave se out"):
        mmrm(FORMULA, trial().assign(se=50.0), se="se", **ROLES)


def test_the_column_arm_is_the_treatment(trial):
    found = mmrm(FORMULA, trial(), subject="id", visit="visit", reference="placebo").contrasts()
    assert found.equals(mmrm(FORMULA, trial(), **ROLES).contrasts())
    with pytest.raises(InputError, match=r"reference is 'placebo', .* Fix: give arm="):
        mmrm("y ~ visit", trial(), subject="id", visit="visit", reference="placebo")
