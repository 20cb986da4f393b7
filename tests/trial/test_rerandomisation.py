"""The re-randomisation test: against enumeration, a slow twin, its own null distribution, and bad input."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.trial.linear import ancova
from remyelin.trial.procedures import Minimisation, PermutedBlocks, SimpleRandomisation, minimise
from remyelin.trial.replay import Replay
from remyelin.trial.rerandomisation import rerandomise

FORMULA = "change ~ arm + sex + baseline"
CCMR = Minimisation(("sex", "age", "relapse", "centre"), 0.8)


def trial(n: int = 52, seed: int = 1, effect: float = 0.0, arms: tuple[str, ...] = ("placebo", "drug")):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.choice(["a", "b"], n) for name in CCMR.factors})
    table["participant_id"] = [f"sub-{k:03d}" for k in range(n)]
    table["arm"] = minimise(table[list(CCMR.factors)], arms, probability=0.8, rng=rng)
    table["baseline"] = rng.normal(30, 2, n)
    table["change"] = (
        effect * (table["arm"] != arms[0])
        + (table["sex"] == "a")
        - 0.2 * table["baseline"]
        + rng.normal(0, 1, n)
    )
    return table


def eyes(people: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = people.loc[people.index.repeat(rng.integers(1, 4, len(people)))].reset_index(drop=True)
    rows["change"] += rng.normal(0, 0.5, len(rows))
    return rows


@pytest.mark.parametrize("arms", [("placebo", "drug"), ("placebo", "high", "low")])
@pytest.mark.parametrize("several_rows", [False, True])
def test_each_replicate_is_the_ancova(arms, several_rows):
    people = trial(30, arms=arms)
    data = eyes(people) if several_rows else people
    fit = ancova(FORMULA, data, reference="placebo")
    replay = Replay.of(fit, data, "participant_id", people)
    drawn = CCMR.allocate(people, len(arms), np.random.default_rng(3), 4)
    found = replay.refit(drawn)
    for k, allocation in enumerate(drawn):
        names = dict(zip(people["participant_id"], np.array(fit.arms)[allocation], strict=True))
        twin = ancova(FORMULA, data.assign(arm=data["participant_id"].map(names)), reference="placebo")
        assert_allclose(found.t[k], twin.table.loc[replay.terms, "t"], rtol=1e-9)
        assert found.f[k] == pytest.approx(twin.anova("drop").loc["arm", "f"])


def test_simple_randomisation_is_the_permutation_test():
    """Fixed numbers and no covariate: the p value over all 70 ways to choose 4 of 8."""
    table = trial(8, seed=3, effect=1.0)
    table["arm"] = ["drug", "placebo"] * 4
    t = []
    for chosen in product([0, 1], repeat=8):
        if sum(chosen) == 4:
            other = table.assign(arm=np.where(chosen, "drug", "placebo"))
            t.append(ancova("change ~ arm", other, reference="placebo").table.loc["arm[T.drug]", "t"])
    seen = ancova("change ~ arm", table, reference="placebo").table.loc["arm[T.drug]", "t"]
    exact = np.mean(np.abs(t) >= abs(seen) - 1e-9)
    found = rerandomise(
        "change ~ arm", table, PermutedBlocks((8,)), reference="placebo", rng=3, replicates=20_000
    ).table.iloc[0]
    assert found["p"] == pytest.approx(exact, abs=4 * found["p_se"])


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), shift=st.floats(-3, 3))
def test_interval_holds_what_is_not_rejected(seed, shift):
    """Taking an effect off the treated and testing gives p > alpha inside the interval, not outside."""
    table = trial(24, seed=seed, effect=0.5)
    arguments = {"procedure": CCMR, "reference": "placebo", "rng": 7, "replicates": 199}
    row = rerandomise(FORMULA, table, **arguments).table.iloc[0]
    moved = table.assign(change=table["change"] - shift * (table["arm"] == "drug"))
    p = rerandomise(FORMULA, moved, **arguments).table["p"].iloc[0]
    assert (row["ci_low"] < shift < row["ci_high"]) == (p > 0.05)
    assert row["ci_low"] <= row["estimate"] <= row["ci_high"]


@pytest.mark.slow
def test_size_under_the_null():
    """2,000 null trials, 199 allocations each: 5 % within the 99.9 % Monte Carlo band."""
    rejected = 0
    rng = np.random.default_rng(11)
    n, trials = 40, 2000
    base = trial(n, seed=1)
    fits = ancova(FORMULA, base, reference="placebo")
    replay = Replay.of(fits, base, None, None)
    q = np.linalg.qr(np.delete(fits.design.X, [1], axis=1))[0]
    for _ in range(trials):
        y = rng.exponential(size=n) ** 2
        left = y - q @ (q.T @ y)
        one = Replay(
            people=base, terms=replay.terms, arms=replay.arms, score=left, count=replay.count,
            basis=replay.basis, total=float(left @ left), rows=n,
        )  # fmt: skip
        drawn = CCMR.allocate(base, 2, rng, 200)
        t = np.abs(one.refit(drawn).t[:, 0])
        rejected += (1 + np.sum(t[1:] >= t[0] * (1 - 1e-9))) / 200 <= 0.05
    assert abs(rejected / trials - 0.05) < 3.29 * np.sqrt(0.05 * 0.95 / trials)


def test_deterministic_and_signed():
    table = trial(effect=1.0)
    one = rerandomise(FORMULA, table, CCMR, reference="placebo", rng=5, replicates=999)
    again = rerandomise(
        FORMULA, table, CCMR, reference="placebo", rng=np.random.default_rng(5), replicates=999
    )
    pd.testing.assert_frame_equal(one.table, again.table)
    other = rerandomise(FORMULA, table, CCMR, reference="drug", rng=5, replicates=999).table.iloc[0]
    row = one.table.iloc[0]
    assert other["estimate"] == pytest.approx(-row["estimate"])
    assert row["p"] == pytest.approx(other["p"], abs=0.02)
    assert "Monte Carlo SE" in str(one)
    assert "<table" in one._repr_html_()
    assert list(one.to_frame()["term"]) == ["arm[T.drug]"]


def test_three_arms():
    table = trial(60, effect=1.2, arms=("placebo", "high", "low"))
    found = rerandomise(FORMULA, table, CCMR, reference="placebo", rng=5, replicates=1999)
    assert list(found.table.index) == ["arm[T.high]", "arm[T.low]"]
    assert found.table["ci_low"].isna().all()
    assert found.p_any < 0.01


def test_participants_without_outcome_are_replayed():
    people = trial(effect=1.0)
    data = people.iloc[4:]
    found = rerandomise(
        FORMULA, data, CCMR, participant="participant_id", randomised=people, reference="placebo", rng=5,
        replicates=499,
    )  # fmt: skip
    assert found.ancova.n == len(data)
    assert found.distinct > 490


def test_flags_a_procedure_without_chance():
    table = trial(6, effect=3.0)
    table["arm"] = ["drug", "placebo"] * 3
    found = rerandomise(
        "change ~ arm", table, PermutedBlocks((2,)), reference="placebo", rng=5, replicates=500
    )
    assert found.distinct == 8
    assert "predictable" in str(found)
    low, high = found.table[["ci_low", "ci_high"]].iloc[0]
    assert (low, high) == (-np.inf, np.inf)


def test_flags_an_allocation_that_the_procedure_would_not_make():
    table = trial(60)
    table["arm"] = np.where(table["sex"] == "a", "drug", "placebo")
    table.loc[[0, 1, 2, 3], "arm"] = ["drug", "placebo", "placebo", "drug"]
    found = rerandomise("change ~ arm + baseline", table, CCMR, reference="placebo", rng=5, replicates=2000)
    assert any(flag.field == "allocation" for flag in found.flags)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"formula": "change ~ arm * baseline"}, "formula"),
        ({"procedure": Minimisation(("weight",), 0.8)}, "weight"),
        ({"procedure": "simple"}, "procedure"),
        ({"procedure": None}, "procedure"),
        ({"procedure": SimpleRandomisation}, "procedure"),
        ({"procedure": SimpleRandomisation((1, 1, 1))}, "ratio"),
        ({"data": trial().assign(arm="drug")}, "arm"),
        ({"data": trial().assign(change=np.nan)}, "change"),
        ({"data": trial().drop(columns="arm")}, "arm"),
        ({"participant": "who"}, "who"),
        ({"randomised": trial()}, "participant"),
        ({"participant": "participant_id", "randomised": trial().iloc[5:]}, "participant_id"),
        ({"participant": "participant_id", "randomised": pd.concat([trial(), trial()])}, "participant_id"),
        ({"participant": "participant_id", "randomised": trial(seed=3)}, "arm"),
        ({"participant": "participant_id", "randomised": trial().drop(columns="arm")}, "arm"),
        (
            {
                "participant": "participant_id",
                "randomised": pd.concat([trial(), trial().tail(1).assign(participant_id="x", arm="z")]),
            },
            "arm",
        ),
        ({"replicates": 1, "data": trial(), "procedure": SimpleRandomisation()}, "replicates"),
    ],
)
def test_refuses(change, field):
    given = {"formula": FORMULA, "data": trial(), "procedure": CCMR, "rng": 1, "replicates": 99} | change
    with pytest.raises(InputError) as error:
        rerandomise(given.pop("formula"), given.pop("data"), given.pop("procedure"), **given)
    assert error.value.field == field


def test_refuses_a_procedure_with_one_outcome():
    """Deterministic minimisation of one participant after the other leaves only the first to chance."""
    table = trial(20)

    class Fixed:
        factors = ()

        def allocate(self, people, arms, rng, replicates):
            return np.tile(np.arange(len(people)) % arms, (replicates, 1))

    with pytest.raises(InputError) as error:
        rerandomise(FORMULA, table, Fixed(), rng=1, replicates=99)
    assert error.value.field == "procedure"
