"""Missing data: the model, the strategies, Rubin's rules, the tipping point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.trial.linear import ancova
from remyelin.trial.missing import conditional_mean, impute, rubin, tipping_point
from remyelin.trial.missing.panel import read_panel
from remyelin.trial.missing.sampler import Parameters, draw, fill_gaps, gaps, regress, standardised
from remyelin.trial.missing.strategies import complete, joint_means, strategy_of
from remyelin.trial.repeated import mmrm

VISITS = ["W04", "W12", "W24"]
COLUMNS = {"subject": "id", "visit": "visit", "value": "latency", "arm": "arm", "covariates": ["base"]}
GIVEN = {**COLUMNS, "reference": "placebo"}
SIGMA = np.array([[4.0, 2.4, 2.0], [2.4, 5.0, 3.2], [2.0, 3.2, 6.0]])


def trial(seed=1, n=60, effect=-2.0, leave=0.2, gap=0.0, depends=0.0) -> pd.DataFrame:
    """Two arms, three visits; leaving depends on the value before (MAR) with slope `depends` on the logit."""
    rng = np.random.default_rng(seed)
    base = rng.normal(120, 8, n)
    active = np.arange(n) % 2
    mean = np.outer(active, effect * np.array([0.3, 0.7, 1.0])) + 0.2 * (base[:, None] - 120)
    Y = mean + rng.multivariate_normal(np.zeros(3), SIGMA, n)
    for j in (1, 2):
        before = np.nan_to_num(Y[:, j - 1] - 0.2 * (base - 120))
        chance = 1 / (1 + np.exp(-(np.log(leave / (1 - leave)) + depends * before))) if leave else np.zeros(n)
        gone = (rng.random(n) < chance) | np.isnan(Y[:, j - 1])
        Y[gone, j] = np.nan
    if gap:
        Y[(rng.random(n) < gap) & ~np.isnan(Y[:, 2]), 1] = np.nan
    return pd.DataFrame(
        {
            "id": np.repeat([f"P{i:03d}" for i in range(n)], 3),
            "visit": VISITS * n,
            "arm": np.repeat(np.where(active, "drug", "placebo"), 3),
            "base": np.repeat(base, 3),
            "latency": Y.ravel(),
        }
    )


def panel_of(data, **change):
    return read_panel(data, **{**GIVEN, **change})


def random_parameters(panel, seed=0) -> Parameters:
    rng = np.random.default_rng(seed)
    visits, p = len(panel.visits), panel.own.shape[1]
    phi = np.tril(rng.normal(0, 0.5, (visits, visits)), -1)
    return Parameters(rng.normal(0, 1, (p, visits)), phi, rng.uniform(0.5, 2, visits))


def covariance(parameters: Parameters) -> np.ndarray:
    return np.linalg.inv(parameters.precision(len(parameters.sigma)))


# The joint model


def test_regressions_are_a_normal_distribution():
    """Mean and covariance of simulated sequences are those that `means` and `precision` say."""
    panel = panel_of(trial())
    parameters = random_parameters(panel)
    X = panel.own[:2]
    n = 200_000
    rng = np.random.default_rng(3)
    empty = np.full((n, 3), np.nan)
    for k in range(2):
        repeated = replace(panel, last=np.zeros(n, np.int64))
        means = np.repeat(parameters.means(X[[k]]), n, axis=0)
        drawn = complete(empty, repeated, means, parameters, rng.standard_normal((n, 3)))
        np.testing.assert_allclose(
            drawn.mean(0), means[0], atol=5 * np.sqrt(covariance(parameters).max() / n)
        )
        np.testing.assert_allclose(np.cov(drawn.T), covariance(parameters), rtol=0.03, atol=0.05)


@pytest.mark.parametrize("method", ["MAR", "J2R", "CR", "CIR"])
def test_conditional_mean_of_each_strategy_is_the_textbook_one(method):
    """m_mis + S_mo S_oo^-1 (y_obs - m_obs), the means written out as in Carpenter et al. 2013."""
    data = trial(leave=0.3)
    data.loc[data["id"].isin(["P000", "P001"]), "latency"] = np.nan  # never seen, one an arm
    panel = panel_of(data)
    parameters = random_parameters(panel)
    S = covariance(parameters)
    means = joint_means(panel, parameters, strategy_of(panel, method))
    found = complete(panel.Y, panel, means, parameters, None)
    own, other = parameters.means(panel.own), parameters.means(panel.referenced)
    assert {0, 1, 2, 3} == set(panel.last)
    for i, t in enumerate(panel.last):
        m = own[i].copy()
        if method == "J2R":
            m[t:] = other[i, t:]
        elif method == "CR":
            m = other[i].copy()
        elif method == "CIR" and t > 0:
            m[t:] = own[i, t - 1] + other[i, t:] - other[i, t - 1]
        elif method == "CIR":
            m = other[i].copy()
        expected = m[t:]
        if 0 < t < 3:
            expected = expected + S[t:, :t] @ np.linalg.solve(S[:t, :t], panel.Y[i, :t] - m[:t])
        np.testing.assert_allclose(found[i, t:], expected, rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(found[i, :t], panel.Y[i, :t])


def test_gaps_are_filled_given_all_that_was_observed():
    data = trial(leave=0.2, gap=0.3)
    panel = panel_of(data)
    parameters = random_parameters(panel)
    means, S = parameters.means(panel.own), covariance(parameters)
    filled = fill_gaps(panel.Y, means, parameters, gaps(panel), None)
    who = np.flatnonzero(panel.intermittent.any(axis=1))
    assert len(who) > 5
    for i in who:
        lost, seen = [1], [0, 2]
        expected = means[i, lost] + S[np.ix_(lost, seen)] @ np.linalg.solve(
            S[np.ix_(seen, seen)], panel.Y[i, seen] - means[i, seen]
        )
        assert filled[i, 1] == pytest.approx(expected.item(), rel=1e-10)
    spread = np.array(
        [
            fill_gaps(panel.Y, means, parameters, gaps(panel), np.random.default_rng(s))[who[0], 1]
            for s in range(1500)
        ]
    )
    conditional = 1 / parameters.precision(3)[1, 1]
    assert spread.var() == pytest.approx(conditional, rel=0.15)


def test_posterior_draws_have_the_moments_of_the_exact_posterior():
    """1/sigma^2 is chi^2(df)/rss; beta has mean of least squares, covariance (Z'Z)^-1 rss/(df - 2)."""
    panel, _, _ = standardised(panel_of(trial(leave=0.3)))
    fits = regress(panel, panel.Y)
    rng = np.random.default_rng(0)
    drawn = [draw(fits, rng) for _ in range(8000)]
    p = panel.own.shape[1]
    for j, fit in enumerate(fits):
        rows = panel.last > j
        Z = np.hstack([panel.own[rows], panel.Y[rows, :j]])
        least = np.linalg.lstsq(Z, panel.Y[rows, j], rcond=None)
        np.testing.assert_allclose(fit.beta, least[0], rtol=1e-8, atol=1e-10)
        assert fit.rss == pytest.approx(least[1].item(), rel=1e-9)
        assert fit.df == rows.sum() - p - j
        precision = np.mean([1 / each.sigma[j] ** 2 for each in drawn])
        assert precision == pytest.approx(fit.df / fit.rss, rel=0.02)
        betas = np.array([np.concatenate([each.gamma[:, j], each.phi[j, :j]]) for each in drawn])
        exact = np.linalg.inv(Z.T @ Z) * fit.rss / (fit.df - 2)
        np.testing.assert_allclose(betas.mean(0), fit.beta, atol=5 * np.sqrt(exact.max() / 8000))
        np.testing.assert_allclose(np.cov(betas.T), exact, atol=0.08 * exact.max())


# What must come out


def test_without_missing_data_it_is_the_analysis_of_covariance():
    data = trial(leave=0.0)
    last = data[data["visit"] == "W24"]
    fit = ancova("latency ~ arm + base", last, reference="placebo")
    for method in ("MAR", "J2R"):
        filled = impute(data, **GIVEN, method=method, m=3, rng=0)
        for ours, theirs in (
            (filled.analyse(), fit.contrasts()),
            (filled.analyse(what="lsmeans"), fit.lsmeans()),
        ):
            assert list(ours.index) == list(theirs.index)
            columns = list(theirs.columns)
            np.testing.assert_allclose(ours[columns].to_numpy(), theirs.to_numpy(), rtol=1e-10)
            assert (ours[["between", "fmi", "mc_se"]] == 0).all().all()
    exact = conditional_mean(data, **GIVEN)
    assert exact["estimate"].iloc[0] == pytest.approx(fit.contrasts()["estimate"].iloc[0], rel=1e-10)


def test_mar_agrees_with_the_mmrm(shared):
    """Reference data b1: the conditional means give the MMRM's estimate, imputation up to its own chance."""
    data = pd.read_csv(shared / "reference/stats/b1_mmrm_missing.csv")
    fit = mmrm(
        "change_latency ~ arm * visit + base_latency * visit",
        data,
        subject="subject",
        visit="visit",
        arm="arm",
        reference="placebo",
    )
    names = {"subject": "subject", "visit": "visit", "value": "change_latency", "arm": "arm"}
    names |= {"covariates": ["base_latency"], "reference": "placebo"}
    exact = conditional_mean(data, **names).iloc[0]
    expected = fit.contrasts().iloc[-1]
    assert exact["estimate"] == pytest.approx(expected["estimate"], rel=1e-7)
    assert exact["se"] == pytest.approx(expected["se"], rel=0.06)
    found = impute(data, **names, m=400, thin=2, rng=1).analyse().iloc[0]
    assert abs(found["estimate"] - expected["estimate"]) < 3 * found["mc_se"]
    assert found["se"] == pytest.approx(expected["se"], rel=0.06)


@pytest.mark.parametrize("method", ["MAR", "J2R", "CR", "CIR"])
@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_imputations_average_to_the_conditional_means(method, gap):
    """Many imputations give the estimate of conditional means, but for chance and the skewed posterior."""
    data = trial(seed=4, n=120, gap=gap)
    exact = conditional_mean(data, **GIVEN, method=method).iloc[0]
    found = impute(data, **GIVEN, method=method, m=300, thin=2, rng=5).analyse().iloc[0]
    assert abs(found["estimate"] - exact["estimate"]) < 3.5 * found["mc_se"] + 0.01 * exact["se"]


def test_the_strategies_shrink_the_effect_in_their_order():
    data = trial(seed=4, n=100, effect=-5.0, leave=0.25)
    found = {
        method: conditional_mean(data, **GIVEN, method=method)["estimate"].iloc[0]
        for method in ("MAR", "CIR", "CR", "J2R")
    }
    assert found["MAR"] < found["CIR"] < found["CR"] < found["J2R"] < 0
    # Rubin's error of a reference-based method is about that of MAR; the jackknife's is smaller.
    jump = impute(data, **GIVEN, method="J2R", m=100, rng=0).analyse().iloc[0]
    assert conditional_mean(data, **GIVEN, method="J2R")["se"].iloc[0] < 0.95 * jump["se"]


def test_a_strategy_a_participant():
    data = trial(leave=0.3)
    panel = panel_of(data)
    leavers = [
        s
        for s, last, a in zip(panel.subjects, panel.last, panel.arm_code, strict=True)
        if last < 3 and a == 1
    ]
    every = impute(data, **GIVEN, method="J2R", m=5, rng=0)
    named = impute(data, **GIVEN, method=dict.fromkeys(leavers, "J2R"), m=5, rng=0)
    np.testing.assert_array_equal(every.values, named.values)
    nobody = impute(data, **GIVEN, method={}, m=5, rng=0)
    np.testing.assert_array_equal(nobody.values, impute(data, **GIVEN, m=5, rng=0).values)
    assert "by participant" in str(named)


@settings(max_examples=6, deadline=None)
@given(
    scale=st.sampled_from([1e-4, 0.3, 1e4]), shift=st.sampled_from([0.0, -50.0, 1e3]), seed=st.integers(0, 99)
)
def test_unit_and_zero_of_the_outcome_do_not_matter(scale, shift, seed):
    data = trial(seed=seed, leave=0.25, gap=0.05)
    for method in ("MAR", "CIR"):
        one = impute(data, **GIVEN, method=method, m=4, rng=seed, burn_in=5).analyse().iloc[0]
        other = data.assign(latency=shift + scale * data["latency"])
        two = impute(other, **GIVEN, method=method, m=4, rng=seed, burn_in=5).analyse().iloc[0]
        assert two["estimate"] == pytest.approx(scale * one["estimate"], rel=1e-6, abs=1e-9 * scale)
        assert two["se"] == pytest.approx(scale * one["se"], rel=1e-6)


def test_same_seed_same_numbers():
    data = trial(gap=0.1)
    one, two = (impute(data, **GIVEN, method="CR", m=4, rng=9) for _ in range(2))
    np.testing.assert_array_equal(one.values, two.values)
    assert not np.array_equal(one.values, impute(data, **GIVEN, method="CR", m=4, rng=10).values)
    shuffled = data.sample(frac=1, random_state=1).sort_values("id", kind="stable")
    np.testing.assert_array_equal(one.values, impute(shuffled, **GIVEN, method="CR", m=4, rng=9).values)
    absent = data.dropna()  # a row that is not there is a row without a value
    if set(absent["id"]) == set(data["id"]):
        np.testing.assert_array_equal(one.values, impute(absent, **GIVEN, method="CR", m=4, rng=9).values)


def test_frames_and_an_analysis_of_ones_own():
    data = trial(gap=0.1)
    filled = impute(data, **GIVEN, m=6, rng=2, delta=1.5)
    frames = list(filled.frames())
    assert len(frames) == filled.m == 6
    assert list(frames[0].columns) == ["id", "visit", "arm", "base", "latency", "imputed"]
    assert not frames[0].isna().any().any()
    wide = data.set_index(["id", "visit"])["latency"]
    kept = frames[0].set_index(["id", "visit"])["latency"][wide.dropna().index]
    np.testing.assert_array_equal(kept, wide.dropna())
    assert frames[0]["imputed"].sum() == wide.isna().sum()

    def at_the_end(frame):
        return ancova("latency ~ arm + base", frame[frame["visit"] == "W24"], reference="placebo")

    expected = filled.analyse()
    own = filled.analyse(lambda frame: at_the_end(frame).contrasts())
    np.testing.assert_allclose(own.to_numpy(), expected.to_numpy(), rtol=1e-9)
    assert list(own.index) == ["drug - placebo"]
    three = filled.analyse(
        lambda frame: tuple(at_the_end(frame).contrasts().iloc[0][["estimate", "se", "df"]])
    )
    np.testing.assert_allclose(three.to_numpy(), expected.to_numpy(), rtol=1e-9)
    earlier = filled.analyse(visit="W12", alpha=0.1).iloc[0]
    assert earlier["ci_high"] - earlier["ci_low"] < 4 * earlier["se"]
    assert "60 participants" in filled._repr_html_()


def test_delta_moves_only_those_who_left_and_in_proportion():
    data = trial(leave=0.3, gap=0.1)
    plain = impute(data, **{**GIVEN, "covariates": []}, m=4, rng=3)
    moved = impute(data, **{**GIVEN, "covariates": []}, m=4, rng=3, delta=2.0)
    np.testing.assert_array_equal(plain.values, moved.values)
    difference = moved.completed() - plain.completed()
    panel = plain.panel
    expected = 2.0 * (panel.after & (panel.arm_code == 1)[:, None])
    np.testing.assert_allclose(difference, np.broadcast_to(expected, difference.shape), atol=1e-12)
    share = (panel.last[panel.arm_code == 1] < 3).mean()
    gained = moved.analyse()["estimate"].iloc[0] - plain.analyse()["estimate"].iloc[0]
    assert gained == pytest.approx(2.0 * share, rel=1e-10)
    both = plain.with_delta({"placebo": 1.0, "drug": 1.0})
    np.testing.assert_allclose(
        both.completed() - plain.completed(), panel.after[None] * 1.0 * np.ones((4, 1, 1))
    )
    exact = conditional_mean(data, **{**GIVEN, "covariates": []}, delta=2.0)["estimate"].iloc[0]
    unmoved = conditional_mean(data, **{**GIVEN, "covariates": []})["estimate"].iloc[0]
    assert exact - unmoved == pytest.approx(2.0 * share, rel=1e-9)


# Rubin's rules


def test_rubin_by_hand():
    """Little arithmetic of Barnard & Rubin 1999, eq. (3) to (5), with numbers small enough to follow."""
    q, u, nu = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), 20
    row = rubin(q, u, nu).iloc[0]
    total = 5 + (4 / 3) * 1.0
    share = (4 / 3) / total
    old, seen = 2 / share**2, (21 / 23) * 20 * (1 - share)
    assert row["estimate"] == 2.0
    assert row["se"] == pytest.approx(np.sqrt(total))
    assert row["df"] == pytest.approx(old * seen / (old + seen))
    assert row["mc_se"] == pytest.approx(np.sqrt(1 / 3))
    ratio = (4 / 3) / 5
    assert row["fmi"] == pytest.approx((ratio + 2 / (row["df"] + 3)) / (ratio + 1))
    assert rubin(q, u, np.inf)["df"].iloc[0] == pytest.approx(old)
    two = rubin(np.column_stack([q, q]), np.column_stack([u, 2 * u]), [20, 30], names=["a", "b"])
    assert list(two.index) == ["a", "b"]
    assert two["df"].iloc[0] == pytest.approx(row["df"])


def test_rubin_as_in_mice():
    """mice 3.15.0: pool.scalar(c(1.2, .7, 1.9, 1.4, .95), c(.31, .28, .35, .30, .33), n = 60, k = 3)."""
    row = rubin([1.2, 0.7, 1.9, 1.4, 0.95], [0.31, 0.28, 0.35, 0.30, 0.33], 57).iloc[0]
    expected = {"estimate": 1.23, "within": 0.314, "between": 0.2095, "df": 12.179402701404923}
    assert row[list(expected)].to_dict() == pytest.approx(expected, rel=1e-12)
    assert row["se"] ** 2 == pytest.approx(0.5654, rel=1e-12)
    assert row["fmi"] == pytest.approx(0.51781367503983511, rel=1e-12)


@given(st.integers(0, 10**6))
def test_degrees_of_freedom_stay_below_the_complete_ones(seed):
    rng = np.random.default_rng(seed)
    m, nu = int(rng.integers(2, 50)), float(rng.integers(3, 500))
    row = rubin(rng.normal(0, rng.uniform(0, 2), m), rng.uniform(0.1, 1, m), nu).iloc[0]
    assert 0 < row["df"] <= nu
    assert 0 <= row["fmi"] <= 1.0001


@pytest.mark.parametrize("bad", [([1.0], [1.0]), ([1.0, np.nan], [1.0, 1.0]), ([1.0, 2.0], [1.0, -1.0])])
def test_rubin_refuses(bad):
    with pytest.raises(InputError):
        rubin(*bad, 10)
    with pytest.raises(InputError, match="of 2 rows"):
        rubin([1.0, 2.0], [1.0, 1.0], 10, names=["a", "b"])


# The tipping point


def test_p_is_alpha_at_the_tipping_point():
    filled = impute(trial(n=80, effect=-4.0), **GIVEN, m=30, rng=1)
    for alpha in (0.05, 0.01):
        found = tipping_point(filled, alpha=alpha)
        assert found.delta > 0  # the effect is negative: those who left must have risen
        assert filled.with_delta(found.delta).analyse()["p"].iloc[0] == pytest.approx(alpha, rel=1e-6)
        assert found.table.loc[found.delta, "p"] == pytest.approx(alpha, rel=1e-6)
        assert found.table["p"].iloc[0] < alpha < found.table["p"].iloc[-1]
    chosen = tipping_point(filled, deltas=[0, 1, 2])
    assert list(chosen.to_frame()["delta"]) == [0.0, 1.0, 2.0]
    assert chosen.delta == pytest.approx(tipping_point(filled).delta)
    assert "drug" in chosen._repr_html_()


def test_no_tipping_point_is_said():
    nothing = tipping_point(impute(trial(effect=0.0, seed=3), **GIVEN, m=10, rng=1))
    assert np.isnan(nothing.delta)
    assert "without any shift" in str(nothing)
    stayed = tipping_point(impute(trial(leave=0.0, effect=-4), **GIVEN, m=3, rng=1))
    assert "nobody in drug left" in str(stayed)


def test_tipping_point_of_one_arm_among_several():
    data = trial(n=90, effect=-4.0)
    ids = data["id"].str[1:].astype(int)
    data.loc[ids % 3 == 2, "arm"] = "third"
    filled = impute(data, **GIVEN, m=10, rng=1)
    with pytest.raises(InputError, match="drug, third"):
        tipping_point(filled)
    assert tipping_point(filled, arm="third").arm == "third"


# What is refused


def without(column):
    return lambda data: data.drop(columns=column)


@pytest.mark.parametrize(
    ("spoil", "change", "words"),
    [
        (without("base"), {}, "base is not a column"),
        (lambda d: pd.concat([d, d.iloc[[4]]]), {}, "a second time for P001"),
        (lambda d: d.assign(arm=["drug", *d["arm"][1:]]), {}, "not the same in all rows of P000"),
        (lambda d: d.assign(base=d["base"] + np.arange(len(d))), {}, "base is not the same"),
        (lambda d: d.assign(base=d["base"].where(d["id"] != "P003")), {}, "base is missing"),
        (lambda d: d.assign(latency="x"), {}, "latency is text"),
        (lambda d: d.assign(latency=d["latency"].fillna(np.inf)), {}, "infinite in row"),
        (lambda d: d.assign(latency=d["latency"].where(d["visit"] != "W12")), {}, "W12 without any value"),
        (lambda d: d.assign(arm="drug"), {"reference": None}, "only drug"),
        (lambda d: d.assign(visit=d["visit"].where(d["id"] != "P003")), {}, "visit is missing in row"),
        (lambda d: d, {"method": "LOCF"}, "MAR, J2R, CR, CIR"),
        (lambda d: d, {"method": {"P999": "J2R"}}, "for participant P999"),
        (lambda d: d, {"method": "J2R", "reference": None}, "reference is not said"),
        (lambda d: d, {"reference": "sham"}, "reference is 'sham'"),
        (lambda d: d, {"delta": {"sham": 1.0}}, "for arm 'sham'"),
        (lambda d: d, {"delta": float("nan")}, "delta is not finite"),
        (lambda d: d, {"m": 1}, "m is 1"),
        (lambda d: d[d["id"] < "P010"].assign(latency=lambda x: x["latency"].where(
            (x["visit"] != "W24") | (x["id"] < "P004"))), {}, "W24, which"),
        (lambda d: d.assign(latency=d["latency"].where((d["visit"] != "W24") | (d["arm"] != "drug"))), {},
         "W24, whose values the design"),
        (lambda d: d.assign(latency=d["latency"].where(d["visit"] != "W12", 7.0)), {}, "W12, whose values"),
    ],
)  # fmt: skip
def test_refuses(spoil, change, words):
    with pytest.raises(InputError, match=words):
        impute(spoil(trial()), **{**GIVEN, "m": 3, "rng": 0, **change})


def test_refuses_in_the_analysis():
    filled = impute(trial(), **GIVEN, m=3, rng=0)
    with pytest.raises(InputError, match="W04, W12, W24"):
        filled.analyse(visit="W99")
    with pytest.raises(InputError, match="'contrasts' or 'lsmeans'"):
        filled.analyse(what="means")
    with pytest.raises(InputError, match="not finite"):
        filled.analyse(lambda frame: (1.0, float("nan"), 10.0))
    with pytest.raises(InputError, match="W04, W12, W24"):
        conditional_mean(trial(), **GIVEN, at="W99")


# Does it hold what it promises?


def test_one_visit_is_enough():
    data = trial(leave=0.3)
    last = data[data["visit"] == "W24"]
    filled = impute(last, **GIVEN, method="J2R", m=20, rng=1)
    assert "at 1 visit:" in str(filled)
    assert filled.panel.missing()["never_seen"].sum() == last["latency"].isna().sum()
    exact = conditional_mean(last, **GIVEN, method="MAR")["estimate"].iloc[0]
    seen = ancova("latency ~ arm + base", last.dropna(), reference="placebo").contrasts()["estimate"].iloc[0]
    assert exact == pytest.approx(seen, rel=1e-9)  # nothing is known of those never seen


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_coverage_and_type_one_error_when_leaving_depends_on_what_was_seen():
    """500 trials of 80, a third leaves by MAR, effect -2 or 0: bands of 3 Monte Carlo errors.

    Those who stay are a selection: the analysis of completers is biased, imputation is not.
    """
    trials, held, rejected, bias, naive = 500, 0, 0, [], []
    for seed in range(trials):
        data = trial(seed=seed, n=80, leave=0.18, depends=0.5)
        row = impute(data, **GIVEN, m=20, rng=seed).analyse().iloc[0]
        held += row["ci_low"] < -2.0 < row["ci_high"]
        bias.append(row["estimate"] + 2.0)
        last = data[(data["visit"] == "W24") & data["latency"].notna()]
        naive.append(
            ancova("latency ~ arm + base", last, reference="placebo").contrasts()["estimate"].iloc[0] + 2
        )
        null = trial(seed=10_000 + seed, n=80, effect=0.0, leave=0.18, depends=0.5)
        rejected += impute(null, **GIVEN, m=20, rng=seed).analyse()["p"].iloc[0] < 0.05
    error = 3 * np.sqrt(0.05 * 0.95 / trials)
    assert abs(held / trials - 0.95) < error
    assert abs(rejected / trials - 0.05) < error
    assert abs(np.mean(bias)) < 3 * np.std(bias) / np.sqrt(trials)
    assert np.mean(naive) > 3 * np.std(naive) / np.sqrt(trials)
