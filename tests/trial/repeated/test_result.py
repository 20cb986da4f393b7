"""What a fit says of itself, and what it can be asked."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.trial.repeated import mmrm

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}
VISITS = ("W04", "W12", "W24")


def close(value, rel=1e-9, of=0.0):
    return pytest.approx(value, rel=rel, abs=of)


def test_missing_responses_are_left_out_and_counted(trial):
    data = trial()
    fit = mmrm(FORMULA, data, **ROLES)
    gone = int(data["y"].isna().sum())
    assert gone > 5
    assert (fit.n_missing, fit.n) == (gone, len(data) - gone)
    assert mmrm(FORMULA, data.dropna(), **ROLES).table.equals(fit.table)
    assert fit.n_subjects == data.dropna()["id"].nunique()


def test_order_of_visits(trial):
    data = trial()
    assert mmrm(FORMULA, data, **ROLES).visits == VISITS
    turned = data.assign(visit=pd.Categorical(data["visit"], ["never", *VISITS[::-1]]))
    assert mmrm(FORMULA, turned, **ROLES).visits == VISITS[::-1]
    weeks = data.assign(visit=data["visit"].map({"W04": 4, "W12": 12, "W24": 24}))
    fit = mmrm(FORMULA, weeks, **ROLES)
    assert fit.visits == ("4", "12", "24")
    assert "visit[T.12]" in fit.table.index
    assert fit.contrasts().to_numpy() == close(mmrm(FORMULA, data, **ROLES).contrasts().to_numpy())


def test_result_says_how_to_get_it_again(trial):
    data = trial()
    fit = mmrm(FORMULA, data, covariance="ARH(1)", df="kenward-roger", se="se", **ROLES)
    assert fit.spec.covariance == "heterogeneous-ar1"
    assert mmrm(data=data, **asdict(fit.spec)).table.equals(fit.table)
    array = mmrm(data=data, **{**asdict(fit.spec), "se": data["se"].to_numpy()})
    assert array.table.equals(fit.table)
    assert list(fit.to_frame().columns)[:2] == ["term", "estimate"]
    assert "heterogeneous-ar1" in str(fit)
    assert "drug - placebo, W24" in str(fit)
    assert "<table" in fit._repr_html_()
    bare = mmrm("y ~ visit", data, subject="id", visit="visit")
    assert "visit[T.W12]" in str(bare)
    assert list(bare.lsmeans().index) == list(VISITS)


def test_means_and_predictions_agree(trial):
    data = trial()
    fit = mmrm(FORMULA, data, **ROLES)
    means = fit.lsmeans()
    grid = pd.DataFrame(
        {"arm": ["drug", "placebo"], "visit": ["W24", "W04"], "base": fit.design.data["base"].mean()}
    )
    found = fit.predict(grid)
    assert found.iloc[0].to_numpy() == close(means.loc[("drug", "W24")].to_numpy())
    assert found.iloc[1].to_numpy() == close(means.loc[("placebo", "W04")].to_numpy())
    assert fit.predict()["estimate"].to_numpy() == close(fit.design.X @ fit.table["estimate"].to_numpy())
    gap = means["estimate"].xs("drug") - means["estimate"].xs("placebo")
    assert fit.contrasts()["estimate"].to_numpy() == close(gap.to_numpy())


def test_questions_that_cannot_be_answered(trial):
    fit = mmrm("y ~ visit", trial(), subject="id", visit="visit")
    with pytest.raises(InputError, match="arm is not given"):
        fit.contrasts()
    with pytest.raises(InputError, match="L is of shape"):
        fit.contrast([1, 0])
    with pytest.raises(InputError, match="visit is 'W99', a level that the fit has not seen"):
        fit.predict(pd.DataFrame({"visit": ["W99"]}))
    with pytest.raises(InputError, match="visit is not a column of the grid"):
        fit.predict(pd.DataFrame({"time": ["W04"]}))
    sparse = trial(5, ("a", "b"), missing=0)
    for k, name in enumerate(("x1", "x2", "x3")):
        sparse[name] = np.random.default_rng(k).normal(size=5).repeat(2)
    roles = {"subject": "id", "visit": "visit", "df": "between-within", "covariance": "cs"}
    with pytest.raises(InputError, match="degrees of freedom for base"):
        mmrm("y ~ base + x1 + x2 + x3", sparse, **roles)
