"""Against R 4.2.2 (glm, prop.trend.test, p.adjust, a Monte Carlo Dunnett test): stats/h1_dose_trend.json."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from remyelin.trial.dose import dose_trend
from remyelin.trial.multiplicity import adjust_p

FORMULA = "improved ~ dose_mgkg + edss_baseline + course"
# glm's standard errors are those of the last step but one; ours stop by the same rule. Widest gap seen 1e-14.
GLM, EXACT, MONTE_CARLO = 1e-8, 1e-9, 1e-3
NAMES = {
    "(Intercept)": "Intercept",
    "dose_rank": "dose_mgkg",
    "factor(dose_mgkg)3": "dose_mgkg[T.3]",
    "factor(dose_mgkg)10": "dose_mgkg[T.10]",
    "factor(dose_mgkg)30": "dose_mgkg[T.30]",
    "factor(dose_mgkg)100": "dose_mgkg[T.100]",
    "edss_baseline": "edss_baseline",
    "courseSPMS": "course[T.SPMS]",
}
COLUMNS = {"Estimate": "estimate", "Std. Error": "se", "z value": "t", "Pr(>|z|)": "p"}
ABOUT = {"data", "versions", "split"}  # entries that are no result; every other one is offered
COVERED = {
    *("logistic_trend", "logistic_dose", "deviance", "cochran_armitage_rank", "cochran_armitage_dose"),
    *("raw_p", "adjust", "dunnett_p_approx"),
}


@pytest.fixture(scope="module")
def pinned(shared):
    return json.loads((shared / "reference/stats/h1_dose_trend.json").read_text())


@pytest.fixture(scope="module")
def data(shared, pinned):
    return pd.read_csv(shared / "reference/stats" / pinned["data"])


@pytest.fixture(scope="module")
def trend(data):
    return dose_trend(FORMULA, data, dose="dose_mgkg")


def check(table, expected):
    assert len(table) == len(expected)
    for row, entries in expected.items():
        for column, value in entries.items():
            assert table.loc[NAMES[row], COLUMNS[column]] == pytest.approx(value, rel=GLM), (row, column)


def test_every_entry_is_covered(pinned):
    assert set(pinned) == ABOUT | COVERED
    assert {name.lower() for name in pinned["adjust"]} == {
        *("holm", "hochberg", "hommel", "bonferroni", "bh", "by")
    }


def test_logistic_trend(trend, pinned):
    check(trend.table, pinned["logistic_trend"])
    assert np.isinf(trend.table["df"]).all()


def test_each_dose(trend, pinned):
    check(trend.by_dose(), pinned["logistic_dose"])
    assert trend.contrasts()["p"].tolist() == pytest.approx(list(pinned["raw_p"].values()), rel=GLM)


def test_deviance(trend, pinned):
    """Of the model with a dose as a category each."""
    assert trend._factor().deviance == pytest.approx(pinned["deviance"], rel=EXACT)


@pytest.mark.parametrize("scores", ["rank", "dose"])
def test_cochran_armitage(data, pinned, scores):
    found = dose_trend(FORMULA, data, dose="dose_mgkg", scores=scores).cochran_armitage().loc["trend"]
    assert found["chisq"] == pytest.approx(pinned[f"cochran_armitage_{scores}"]["chisq"], rel=EXACT)
    assert found["p"] == pytest.approx(pinned[f"cochran_armitage_{scores}"]["p"], rel=EXACT)


@pytest.mark.parametrize("method", ["holm", "hochberg", "hommel", "bonferroni", "BH", "BY"])
def test_adjusted_p_values(pinned, method):
    found = adjust_p(pd.Series(pinned["raw_p"]), method.lower())
    assert found.tolist() == pytest.approx(pinned["adjust"][method], rel=EXACT)


def test_dunnett(trend, pinned):
    found = trend.contrasts(adjust="dunnett")["p_adjusted"]
    assert found.tolist() == pytest.approx(pinned["dunnett_p_approx"], abs=MONTE_CARLO)
