"""Against metafor 3.8-1 under R 4.2.2: stats/e_meta.json of the references."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from remyelin.trial.meta import (
    meta_analysis,
    odds_ratio,
    risk_ratio,
    standardised_mean_difference,
    three_level,
)
from remyelin.trial.meta.heterogeneity import estimate_tau2, generalised_q, weighted_fit

# Closed forms, or iterations that R was told to carry through: the widest gap seen is 7e-13.
REL = 1e-10
SETS = ("bcg_rr", "bcg_or", "normand_md")
METHODS = ("FE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
TESTS = {"z": "z", "knha": "knapp-hartung"}
# R's uniroot stops within .Machine$double.eps^0.25 of the root: PM and the ends of the Q-profile interval.
UNIROOT = np.finfo(float).eps ** 0.25
ABOUT = {"versions", "split"}
NOT_OFFERED: dict[str, str] = {}
COVERED = {
    *SETS,
    "normand_smd_yi",
    "normand_smd_vi",
    "bcg_metareg",
    "bcg_metareg_knha",
    "konstantopoulos_3level",
}
OF_A_SET = {
    *(f"{method}_{test}" for method in METHODS for test in TESTS if (method, test) != ("FE", "knha")),
    *("qprofile_ci", "egger", "egger_lm", "begg", "leave1out", "trimfill", "fixed_weights_pct"),
    "random_weights_pct",
}
CASES = [(name, key) for name in SETS for key in sorted(OF_A_SET) if key.split("_")[0] in METHODS]


def close(value, rel=REL):
    return pytest.approx(value, rel=rel)


@pytest.fixture(scope="module")
def stats(shared):
    return shared / "reference/stats"


@pytest.fixture(scope="module")
def pinned(stats):
    return json.loads((stats / "e_meta.json").read_text())


@pytest.fixture(scope="module")
def bcg(stats) -> pd.DataFrame:
    return pd.read_csv(stats / "e_bcg_rr.csv")


@pytest.fixture(scope="module")
def normand(stats) -> pd.DataFrame:
    return pd.read_csv(stats / "e_normand_md.csv")


@pytest.fixture(scope="module")
def sets(bcg, normand) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    counts = bcg.tpos, bcg.tpos + bcg.tneg, bcg.cpos, bcg.cpos + bcg.cneg
    odds = odds_ratio(*counts)
    return {
        "bcg_rr": (bcg.yi.to_numpy(), bcg.vi.to_numpy()),
        "bcg_or": (odds.effect.to_numpy(), odds.variance.to_numpy()),
        "normand_md": (normand.yi.to_numpy(), normand.vi.to_numpy()),
    }


def test_every_entry_is_covered_or_named(pinned):
    assert set(pinned) == ABOUT | set(NOT_OFFERED) | COVERED
    for name in SETS:
        assert set(pinned[name]) == OF_A_SET


def test_effects_of_counts_and_means(bcg, normand, pinned):
    found = risk_ratio(bcg.tpos, bcg.tpos + bcg.tneg, bcg.cpos, bcg.cpos + bcg.cneg)
    assert found.effect.to_numpy() == close(bcg.yi.to_numpy(), 1e-12)
    assert found.variance.to_numpy() == close(bcg.vi.to_numpy(), 1e-12)
    arms = normand.m1i, normand.sd1i, normand.n1i, normand.m2i, normand.sd2i, normand.n2i
    found = standardised_mean_difference(*arms)
    assert found.effect.to_numpy() == close(pinned["normand_smd_yi"], 1e-12)
    assert found.variance.to_numpy() == close(pinned["normand_smd_vi"], 1e-12)


@pytest.mark.parametrize(("name", "key"), CASES, ids=lambda value: value)
def test_pooled(sets, pinned, name, key):
    method, test = key.split("_")
    expected, (y, v) = pinned[name][key], sets[name]
    given = None
    if method == "PM":  # R's own root is put in, and ours is compared with it below
        given = expected["tau2"]
    fit = meta_analysis(y, v, method=method, test=TESTS[test], tau2=given)
    assert len(fit.studies) == expected["k"]
    assert fit.estimate == close(expected["estimate"])
    assert fit.se == close(expected["se"])
    assert fit.table["t"].iloc[0] == close(expected["stat"])
    assert fit.p == close(expected["p"])
    assert fit.ci == close(expected["ci"])
    assert fit.tau2 == close(expected["tau2"])
    assert fit.i2 == close(expected["I2"])
    assert fit.h2 == close(expected["H2"])
    assert fit.q == close(expected["QE"])
    assert fit.q_p == close(expected["QEp"])
    if method != "FE":
        assert fit.prediction_interval == close(expected["pi"])
    if method not in ("FE", "PM"):
        assert fit.se_tau2 == close(expected["se_tau2"])


@pytest.mark.parametrize("name", SETS)
def test_paule_mandel_solves_its_equation_and_r_comes_near(sets, pinned, name):
    (y, v), X = sets[name], np.ones((len(sets[name][0]), 1))
    tau2 = estimate_tau2("PM", y, v, X)
    assert generalised_q(tau2, y, v, X) == close(len(y) - 1, 1e-12)
    assert tau2 == pytest.approx(pinned[name]["PM_z"]["tau2"], abs=UNIROOT)
    assert tau2 == close(pinned[name]["EB_z"]["tau2"])  # the same equation, which R's EB iterates to the end


@pytest.mark.parametrize("name", SETS)
def test_q_profile_interval(sets, pinned, name):
    """The estimate of R's table is that of a rougher iteration; each end is a root to uniroot's tolerance."""
    fit = meta_analysis(*sets[name], test="z")
    found, expected = fit.tau2_interval(), np.array(pinned[name]["qprofile_ci"])
    assert found.loc["tau2"].to_numpy() == pytest.approx(expected[0], abs=UNIROOT)
    assert found["estimate"].to_numpy() == pytest.approx(expected[:, 0], rel=1e-6)
    typical = fit.tau2 / (fit.h2 - 1)
    ends = expected[0]  # the other rows follow from R's own ends
    np.testing.assert_allclose(np.sqrt(ends), expected[1], rtol=1e-12)
    np.testing.assert_allclose(100 * ends / (ends + typical), expected[2], rtol=1e-12)
    np.testing.assert_allclose(1 + ends / typical, expected[3], rtol=1e-12)
    assert found.loc["tau"].to_numpy() == close(np.sqrt(found.loc["tau2"].to_numpy()), 1e-14)


@pytest.mark.parametrize("name", SETS)
def test_small_studies(sets, pinned, name):
    expected, fit = pinned[name], meta_analysis(*sets[name], test="z")
    mixed, weighted = fit.egger().iloc[0], fit.egger("weighted").iloc[0]
    assert mixed["t"] == close(expected["egger"]["z"], 1e-6)
    assert mixed["p"] == close(expected["egger"]["p"], 1e-6)
    y, v = sets[name]
    se = pd.DataFrame({"se": np.sqrt(v)})
    at = default_stop(y, v, np.column_stack([np.ones(len(y)), se["se"]]))
    stopped = meta_analysis(y, v, moderators=se, test="z", tau2=at).table.loc["se"]
    assert stopped["t"] == close(expected["egger"]["z"])
    assert stopped["p"] == close(expected["egger"]["p"])
    for ours, theirs in (("t", "t"), ("p", "p"), ("df", "df")):
        assert weighted[ours] == close(expected["egger_lm"][theirs])
    assert fit.begg().to_dict() == close(expected["begg"])
    filled = fit.trim_and_fill()
    assert (filled.missing, filled.side) == (expected["trimfill"]["k0"], expected["trimfill"]["side"])
    y, v = filled.filled.studies.effects, filled.filled.studies.variances
    at = default_stop(y, v, np.ones((len(y), 1)))
    assert filled.filled.estimate == close(expected["trimfill"]["estimate"], 1e-7)
    stopped = meta_analysis(y, v, test="z", tau2=at)
    assert stopped.estimate == close(expected["trimfill"]["estimate"])


@pytest.mark.parametrize("name", SETS)
def test_weights_and_leave_one_out(sets, pinned, name):
    fit = meta_analysis(*sets[name], test="z")
    assert meta_analysis(*sets[name], method="FE").weights == close(pinned[name]["fixed_weights_pct"])
    assert fit.weights == close(pinned[name]["random_weights_pct"], 1e-7)  # default stop
    columns = {
        "estimate": "estimate", "se": "se", "zval": "t", "pval": "p", "ci.lb": "ci_low", "ci.ub": "ci_high",
        "Q": "q", "Qp": "q_p", "tau2": "tau2", "I2": "i2", "H2": "h2",
    }  # fmt: skip
    found = fit.leave_one_out()
    assert len(found) == len(pinned[name]["leave1out"])
    y, v = sets[name]
    for i, expected in enumerate(pinned[name]["leave1out"]):
        assert set(expected) == set(columns)
        for theirs, ours in columns.items():
            assert found[ours].iloc[i] == close(expected[theirs], 5e-4), theirs
        # With the tau2 at which R stopped, the same numbers.
        kept = np.arange(len(y)) != i
        at = default_stop(y[kept], v[kept], np.ones((len(y) - 1, 1)))
        fixed = meta_analysis(y[kept], v[kept], test="z", tau2=at)
        assert fixed.tau2 == close(expected["tau2"])
        assert fixed.estimate == close(expected["estimate"])
        assert fixed.se == close(expected["se"])
        assert fixed.p == close(expected["pval"])
        assert (fixed.i2, fixed.h2) == close((expected["I2"], expected["H2"]))


def default_stop(y, v, X):
    """REML by Fisher scoring from the HE estimate, left once tau2 moves by less than 1e-5: R's default."""
    tau2 = estimate_tau2("HE", y, v, X)
    step = 1.0
    while abs(step) > 1e-5:
        _, _, P = weighted_fit(y, 1 / (v + tau2), X)
        step = (np.sum((P @ y) ** 2) - np.trace(P)) / np.sum(P * P)
        tau2 += step
    return tau2


@pytest.mark.parametrize(
    ("key", "terms", "test"),
    [("bcg_metareg", "ablat + year", "z"), ("bcg_metareg_knha", "ablat", "knapp-hartung")],
)
def test_meta_regression(bcg, pinned, key, terms, test):
    """R stopped up to 9e-5 short of the maximum; stopped there too, every number is the same."""
    expected = pinned[key]
    free = meta_analysis("yi", "vi", data=bcg, moderators=terms, test=test)
    stopped = default_stop(free.studies.effects, free.studies.variances, free.studies.X)
    assert stopped == close(expected["tau2"])
    assert free.tau2 == close(stopped, 1e-4)
    fit = meta_analysis("yi", "vi", data=bcg, moderators=terms, test=test, tau2=stopped)
    # The intercept is where the year is 0: it loses four digits to cancellation.
    assert fit.table["estimate"].to_numpy() == close(list(expected["coef"].values()), 1e-9)
    assert fit.table["se"].to_numpy() == close(expected["se"], 1e-9)
    assert fit.table["p"].to_numpy() == close(expected["p"], 1e-9)
    if "QM" in expected:
        found = fit.moderator_test()
        assert found["statistic"] == close(expected["QM"], 1e-9)
        assert found["p"] == close(expected["QMp"], 1e-9)
        s = free.studies
        without = default_stop(s.effects, s.variances, s.X[:, :1])
        assert 100 * (1 - stopped / without) == close(expected["R2"])
        assert free.r2 == close(expected["R2"], 2e-5)


def test_three_levels(stats, pinned):
    """R stops an optimiser: the widest gap is 3e-8, in the variances, at the same log-likelihood."""
    data, expected = pd.read_csv(stats / "e_konstantopoulos.csv"), pinned["konstantopoulos_3level"]
    fit = three_level("yi", "vi", "district", data=data, test="z")
    assert fit.table["estimate"].iloc[0] == close(expected["estimate"], 1e-7)
    assert fit.table["se"].iloc[0] == close(expected["se"], 1e-7)
    assert [fit.between, fit.within] == close(expected["sigma2"], 1e-7)
    assert fit.log_likelihood == close(expected["logLik"], 1e-12)
