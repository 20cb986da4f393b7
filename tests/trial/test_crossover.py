"""What must hold for every crossover, and what it must refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from remyelin.errors import InputError
from remyelin.trial.periods import crossover, remaining_effect
from remyelin.trial.periods.components import blocks
from remyelin.trial.periods.reml import fit_reml

FORMULA = "latency_ms ~ treatment + period + sequence"
MODELS = ("participant-period", "nested", "grizzle", "gee")


def trial(n: int = 24, seed: int = 1, effect: float = -1.7, lasting: float = 0.0) -> pd.DataFrame:
    """Two eyes in two periods; the drug first in every other participant."""
    rng = np.random.default_rng(seed)
    first = np.arange(n) % 2 == 0
    level = rng.normal(120, 10, (n, 1)) + rng.normal(0, 6, (n, 2))
    y = level[..., None] + rng.normal(0, 2.5, (n, 1, 2)) + rng.normal(0, 4, (n, 2, 2))
    drug = np.stack([first, ~first], axis=1)
    y = y + effect * drug[:, None, :] + 0.5 * np.array([0, 1])
    y[first, :, 1] += lasting * effect
    person, eye, period = (each.ravel() for each in np.indices(y.shape))
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in person],
            "eye": np.array(["OD", "OS"])[eye],
            "period": period + 1,
            "treatment": np.where(drug[person, period], "drug", "placebo"),
            "sequence": np.where(first, "AB", "BA")[person],
            "base_ms": (level + rng.normal(0, 3, level.shape))[person, eye],
            "age": rng.normal(40, 8, n)[person],
            "latency_ms": y.ravel(),
        }
    )


def fit(data, formula=FORMULA, **options):
    return crossover(formula, data, **({"eye": "eye", "reference": "placebo"} | options))


def gaps(data: pd.DataFrame, seed: int, share: float = 0.15) -> pd.DataFrame:
    return data[np.random.default_rng(seed).uniform(size=len(data)) > share]


def grizzle(data: pd.DataFrame) -> tuple[float, float, float]:
    """Treatment t, carry-over t and estimate from the participants' means, by scipy."""
    wide = data.groupby(["participant_id", "sequence", "period"])["latency_ms"].mean().unstack()
    first = wide.index.get_level_values("sequence") == "AB"
    change, total = (wide[2] - wide[1]).to_numpy(), (wide[1] + wide[2]).to_numpy()
    effect = stats.ttest_ind(change[~first], change[first])
    carry = stats.ttest_ind(total[first], total[~first])
    return effect.statistic, carry.statistic, (change[~first].mean() - change[first].mean()) / 2


@pytest.mark.parametrize("model", ["participant-period", "grizzle"])
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 30))
def test_complete_data_give_the_exact_t_test(model, seed, n):
    data = trial(n, seed)
    ours = fit(data, model=model)
    effect, carry, estimate = grizzle(data)
    row = ours.contrasts().iloc[0]
    assert row["estimate"] == pytest.approx(estimate, rel=1e-8)
    assert row["t"] == pytest.approx(effect, rel=1e-6)
    assert row["df"] == pytest.approx(n - 2, rel=1e-6)
    assert ours.carry_over().loc["carry-over", "t"] == pytest.approx(carry, rel=1e-6, abs=1e-9)


def test_nested_takes_the_changes_of_eyes_as_independent():
    """Complete data: the treatment's t test of lme4's patient/eye model is that of the eyes' changes."""
    data = trial(30, 4)
    wide = data.pivot_table(
        index=["participant_id", "eye", "sequence"], columns="period", values="latency_ms"
    )
    first = wide.index.get_level_values("sequence") == "AB"
    change = (wide[2] - wide[1]).to_numpy()
    row = fit(data, model="nested").contrasts().iloc[0]
    assert row["t"] == pytest.approx(stats.ttest_ind(change[~first], change[first]).statistic, rel=1e-6)
    assert row["df"] == pytest.approx(58)


def test_dense_twin():
    """The kernel against the likelihood written out with whole matrices, at its maximum and beside it."""
    data = gaps(trial(12, 3), 5)
    ours = fit(data, se=np.linspace(0.5, 3, len(data)))
    design, known = ours.design, ours.spec.known
    person = pd.factorize(design.data["participant_id"])[0]
    same = person[:, None] == person
    signs = [
        np.where(np.equal.outer(*(design.data[name].to_numpy(str),) * 2), 0.5, -0.5)
        for name in ("eye", "period")
    ]
    parts = [same * 0.25, same * signs[0] * 0.5, same * signs[1] * 0.5, same * signs[0] * signs[1]]

    def deviance(theta):
        V = sum(t * G for t, G in zip(theta, parts, strict=True)) + np.diag(known)
        W = np.linalg.inv(V)
        A = design.X.T @ W @ design.X
        left = design.y - design.X @ np.linalg.solve(A, design.X.T @ W @ design.y)
        return (
            (len(design.y) - 4) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1]
            + left @ W @ left
        )  # fmt: skip

    best = ours.fit.reml.theta
    assert ours.fit.deviance == pytest.approx(deviance(best), rel=1e-10)
    for k in range(4):
        for step in (0.99, 1.01):
            moved = best.copy()
            moved[k] *= step
            assert deviance(moved) > deviance(best)


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-1000, 1000))
def test_follows_unit_rows_and_names(model, seed, scale, shift):
    data = gaps(trial(20, seed), seed, 0.05)
    one = fit(data, model=model).contrasts().iloc[0]
    moved = data.assign(latency_ms=data["latency_ms"] * scale + shift).sample(frac=1, random_state=seed)
    moved["participant_id"] = moved["participant_id"].str.replace("sub", "person")
    moved["eye"] = moved["eye"].map({"OD": "right", "OS": "left"})
    other = fit(moved, model=model).contrasts().iloc[0]
    assert_allclose(other[["estimate", "se"]], scale * one[["estimate", "se"]].to_numpy(float), rtol=1e-4)
    assert other["df"] == pytest.approx(one["df"], rel=1e-4)
    turned = fit(data, model=model, reference="drug").contrasts().iloc[0]
    assert turned["estimate"] == pytest.approx(-one["estimate"], rel=1e-5)


def test_sequence_is_derived_where_no_column_has_it():
    data = gaps(trial(), 2)
    one, other = fit(data), fit(data.drop(columns="sequence"))
    assert list(other.table.index)[-1] == "sequence[T.placebo-first]"
    assert_allclose(one.table.to_numpy(), other.table.to_numpy(), rtol=1e-8)
    short = fit(data.drop(columns="sequence"), "latency_ms ~ treatment + period")
    assert_allclose(short.carry_over().to_numpy(), one.carry_over().to_numpy(), rtol=1e-6)
    delayed = fit(data, estimand="delayed-treatment", baseline="base_ms")
    assert_allclose(delayed.carry_over().to_numpy(), one.carry_over().to_numpy(), rtol=1e-6)


def test_one_eye_a_participant():
    data = trial().query("eye == 'OD'")
    ours = fit(data, eye=None)
    effect, _, _ = grizzle(data)
    assert ours.contrasts()["t"].iloc[0] == pytest.approx(effect, rel=1e-8)
    assert list(ours.fit.variance_components.index) == ["participant", "participant x period"]
    assert fit(data).contrasts()["t"].iloc[0] == pytest.approx(effect, rel=1e-8)
    first = fit(data, eye=None, estimand="first-period", model="nested").contrasts().iloc[0]
    twin = stats.ttest_ind(
        *(data.query(f"period == 1 and treatment == '{t}'")["latency_ms"] for t in ("drug", "placebo"))
    )
    assert first["t"] == pytest.approx(twin.statistic, rel=1e-8)


def test_precision_weighting():
    """An eye that is known to be noisy counts for less; equal errors change nothing in complete data."""
    data = trial(40, 3)
    plain = fit(data).contrasts().iloc[0]
    equal = fit(data, se=np.full(len(data), 0.5)).contrasts().iloc[0]
    assert equal["t"] == pytest.approx(plain["t"], rel=1e-6)
    rng = np.random.default_rng(1)
    se = np.exp(rng.uniform(0, np.log(12), len(data)))
    noisy = data.assign(latency_ms=data["latency_ms"] + rng.normal(0, se), se_ms=se)
    assert fit(noisy, se="se_ms").contrasts()["se"].iloc[0] < fit(noisy).contrasts()["se"].iloc[0]


def test_variance_that_the_measurement_explains_is_zero():
    data = trial(40, 3)
    ours = fit(data, se=np.full(len(data), 9.0))
    assert ours.fit.variance_components.loc["eye x period", "variance"] == 0
    assert np.isfinite(ours.contrasts()[["estimate", "se", "p"]]).all(axis=None)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_estimands(model, df):
    data = trial(40, 8)
    table = fit(data, f"{FORMULA} + age", baseline="base_ms", model=model, df=df).estimands()
    assert list(table.index) == [
        "crossover", "baseline-adjusted", "first-period", "delayed-treatment",
        "delayed-treatment, period-adjusted",
    ]  # fmt: skip
    assert list(table["formula"]) == [
        "latency_ms ~ treatment + period + sequence + age",
        "latency_ms ~ treatment + period + age + base_ms",
        "latency_ms ~ treatment + age + base_ms",
        "latency_ms ~ exposed + age + base_ms",
        "latency_ms ~ exposed + period + age + base_ms",
    ]
    for name in table.index:
        one = fit(data, f"{FORMULA} + age", baseline="base_ms", model=model, df=df, estimand=name)
        assert one.contrasts().iloc[0]["estimate"] == pytest.approx(table.loc[name, "estimate"], rel=1e-8)
        assert one.lsmeans().shape == (2, 7)
    without = fit(data, model=model, df=df).estimands()
    assert "baseline-adjusted" not in without.index


def test_estimands_when_the_effect_lasts():
    """A lasting effect, hardly any noise: the crossover shows half, the others all of it."""
    rng = np.random.default_rng(2)
    data = trial(200, 4, effect=0.0)
    drug = data["treatment"] == "drug"
    since = drug | ((data["sequence"] == "AB") & (data["period"] == 2))
    data["latency_ms"] = 120 - 4.0 * since + rng.normal(0, 0.2, len(data))
    ours = fit(data)
    found = ours.estimands()["estimate"]
    assert found["crossover"] == pytest.approx(-2, abs=0.1)
    for name in ("first-period", "delayed-treatment", "delayed-treatment, period-adjusted"):
        assert found[name] == pytest.approx(-4, abs=0.1)
    carry = ours.carry_over()
    assert carry.loc["carry-over", "estimate"] == pytest.approx(-4, abs=0.1)
    assert carry.loc["error of the crossover", "estimate"] == pytest.approx(2, abs=0.05)
    assert ours.losses().loc[1.0, "effect"] == pytest.approx(-4, abs=0.1)
    assert ours.losses().loc[0.5, "shown"] == 0.75
    assert "the test sees it" in str(ours)


def test_remaining_effect():
    assert_allclose(remaining_effect(1.7, [0, 0.5, 1]), [1.7, 1.275, 0.85])
    with pytest.raises(InputError):
        remaining_effect(1.7, 1.2)


def test_result_prints_and_gives_itself_again():
    data = trial()
    ours = fit(data, model="nested")
    shown = ours.contrasts()["estimate"].iloc[0]
    told = f"a quarter of it is lost ({shown:+.3g} stands for {shown / 0.75:+.3g})"
    assert told in str(ours)
    assert any(flag.field == "model" for flag in ours.flags)
    assert "<table" in ours._repr_html_()
    assert list(ours.to_frame()["term"]) == list(ours.table.index)
    row = ours.contrast([0, 1, 0, 0], ["effect"])
    assert_allclose(row.to_numpy()[0], ours.table.loc["treatment[T.drug]"], rtol=1e-8)
    assert list(ours.contrast([[0, 1, 0, 0]]).index) == ["L1"]
    assert not fit(data, estimand="first-period").flags


def test_only_the_first_period():
    data = trial().query("period == 1")
    with pytest.raises(InputError, match="first-period"):
        fit(data)
    alone = fit(data, estimand="first-period")
    assert list(alone.estimands().index) == ["first-period"]
    for what in (alone.carry_over, alone.losses):
        with pytest.raises(InputError, match="two periods"):
            what()
    one = alone.contrasts().iloc[0]
    whole = fit(trial(), estimand="first-period").contrasts().iloc[0]
    assert_allclose(one.to_numpy(float), whole.to_numpy(float), rtol=1e-10)


def broken(**change):
    return trial().assign(**change)


def same_twice(data):
    who = data["participant_id"] == "sub-03"
    return data.assign(treatment=data["treatment"].mask(who, "drug"))


def two_in_one(data):
    here = (data["participant_id"] == "sub-03") & (data["eye"] == "OS")
    return data.assign(
        treatment=data["treatment"].mask(here, data["treatment"].map({"drug": "placebo", "placebo": "drug"}))
    )


@pytest.mark.parametrize(
    ("data", "options", "field"),
    [
        (trial().query("sequence == 'AB'"), {}, "sequence"),
        (trial().query("period == 2"), {}, "period"),
        (broken(period=np.arange(96) % 3), {}, "period"),
        (same_twice(trial()), {}, "treatment"),
        (two_in_one(trial()), {}, "treatment"),
        (pd.concat([trial(), trial().head(1)]), {}, "participant_id, eye, period"),
        (trial(), {"eye": None}, "participant_id, period"),
        (broken(treatment=np.where(np.arange(96) == 5, "durg", trial()["treatment"])), {}, "treatment"),
        (broken(eye=trial()["participant_id"] + trial()["eye"]), {}, "eye"),
        (broken(eye=trial()["eye"].mask(np.arange(96) == 3)), {}, "eye"),
        (trial().drop(columns="eye"), {}, "eye"),
        (trial().drop(columns="period"), {}, "period"),
        (broken(unit=np.where(np.arange(96) < 4, "s", "ms")), {}, "unit"),
        (broken(latency_ms=trial()["latency_ms"].mask(np.arange(96) == 3)), {}, "latency_ms"),
        (broken(sequence=np.where(np.arange(96) // 4 == 3, "AB", trial()["sequence"])), {}, "sequence"),
        (broken(sequence="AB"), {}, "sequence"),
        (broken(latency_ms=100.0), {}, "latency_ms"),
        (
            broken(latency_ms=trial().groupby(["participant_id", "period"])["latency_ms"].transform("mean")),
            {},
            "latency_ms",
        ),
        (trial(), {"reference": "sugar"}, "reference"),
        (trial(), {"model": "exact"}, "model"),
        (trial(), {"df": "z"}, "df"),
        (trial(), {"estimand": "two-stage"}, "estimand"),
        (trial(), {"se": "se_ms"}, "se_ms"),
        (trial(), {"se": -np.ones(96)}, "se"),
        (trial(), {"formula": "latency_ms ~ treatment"}, "formula"),
        (trial(), {"formula": "latency_ms ~ period"}, "formula"),
        (trial(), {"formula": f"{FORMULA} + base_ms", "baseline": "base_ms"}, "formula"),
        (broken(exposed=np.arange(96) % 7), {"formula": f"{FORMULA} + exposed"}, "formula"),
        (trial(), {"baseline": "before_ms"}, "before_ms"),
        (trial(3), {"formula": f"{FORMULA} + age"}, "participant_id"),
        (pd.concat([trial().query("period == 1"), trial().query("period == 2").assign(
            participant_id=lambda d: d["participant_id"] + "b")]), {}, "period"),
        (trial(), {"baseline": "eye", "model": "grizzle", "estimand": "baseline-adjusted"}, "eye"),
    ],
)  # fmt: skip
def test_refuses(data, options, field):
    arguments = {"formula": FORMULA, "eye": "eye", "reference": "placebo"} | options
    if "baseline" in arguments:
        arguments = {"estimand": "baseline-adjusted"} | arguments
    with pytest.raises(InputError) as error:
        crossover(arguments.pop("formula"), data, **arguments)
    assert error.value.field == field


def test_too_few_pairs_of_eyes_to_tell_the_variances_apart():
    data = trial(8)
    single = (data["eye"] == "OD") | ((data["participant_id"] == "sub-00") & (data["period"] == 1))
    with pytest.raises(InputError, match="grizzle"):
        fit(data[single])
    assert np.isfinite(fit(data[single], model="grizzle").contrasts()["p"]).all()


def test_kernel_gives_up_where_nothing_is_known():
    """One row a participant and two variances: nothing tells them apart."""
    X, y = np.ones((6, 1)), np.arange(6.0)
    laid = blocks(X, y, np.zeros(6), np.arange(6), None, np.zeros(6, dtype=np.intp))
    with pytest.raises(np.linalg.LinAlgError):
        fit_reml(laid)
