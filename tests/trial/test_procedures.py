"""Allocation: minimisation against a slow twin and its own probabilities; blocks; what is refused."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from remyelin.errors import InputError
from remyelin.trial.linear import ancova
from remyelin.trial.procedures import Minimisation, PermutedBlocks, SimpleRandomisation, minimise
from remyelin.trial.replay import Replay
from remyelin.trial.rerandomisation import rerandomise

FACTORS = ("sex", "age", "on", "site")


def people(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: rng.choice(["a", "b"], n) for name in FACTORS})


def chances(table: pd.DataFrame, before: list[int], arms: int, procedure: Minimisation) -> np.ndarray:
    """Pocock and Simon's probabilities of the next participant, written out."""
    values = table[list(procedure.factors)].to_numpy()
    row = values[len(before)]
    sums = []
    for k in range(arms):
        total = 0.0
        for f, weight in enumerate(procedure.weights or [1.0] * len(procedure.factors)):
            same = [arm for i, arm in enumerate(before) if values[i, f] == row[f]]
            counts = [same.count(j) + (j == k) for j in range(arms)]
            spread = max(counts) - min(counts) if procedure.imbalance == "range" else np.var(counts, ddof=1)
            total += weight * spread
        sums.append(total)
    ranked = [procedure.probability] + [(1 - procedure.probability) / (arms - 1)] * (arms - 1)
    place = np.argsort(np.argsort(np.round(sums, 9), kind="stable"), kind="stable")
    out = np.array([ranked[each] for each in place])
    for value in set(np.round(sums, 9)):
        tie = np.round(sums, 9) == value
        out[tie] = out[tie].mean()
    return out


def distribution(table: pd.DataFrame, arms: int, procedure: Minimisation) -> dict[tuple[int, ...], float]:
    """The probability of every allocation of a tiny trial."""
    found = {}
    for whole in product(range(arms), repeat=len(table)):
        p = 1.0
        for i, arm in enumerate(whole):
            p *= chances(table, list(whole[:i]), arms, procedure)[arm]
        found[whole] = p
    return found


@pytest.mark.parametrize(
    ("arms", "procedure"),
    [
        (2, Minimisation(("sex", "age"), 0.8)),
        (2, Minimisation(("sex", "age"), 0.8, (1.0, 3.0), "variance")),
        (3, Minimisation(("sex", "age"), 0.7)),
        (3, Minimisation(("sex", "age"), 0.7, imbalance="variance")),
    ],
)
def test_minimisation_has_the_probabilities_of_pocock_and_simon(arms, procedure):
    table = people(6 if arms == 2 else 4, seed=1)
    expected = distribution(table, arms, procedure)
    assert sum(expected.values()) == pytest.approx(1)
    n = 40_000
    drawn = procedure.allocate(table, arms, np.random.default_rng(5), n)
    keys, counts = np.unique(drawn, axis=0, return_counts=True)
    seen = dict(zip(map(tuple, keys.tolist()), counts, strict=True))
    assert set(seen) <= {key for key, p in expected.items() if p > 0}
    likely = [key for key, p in expected.items() if n * p >= 5]
    observed = np.array([seen.get(key, 0) for key in likely] + [0.0])
    wanted = np.array([n * expected[key] for key in likely] + [0.0])
    observed[-1], wanted[-1] = n - observed.sum(), n - wanted.sum()
    kept = wanted > 1e-6
    assert chisquare(observed[kept], wanted[kept]).pvalue > 1e-4


def test_deterministic_minimisation_leaves_only_ties_to_chance():
    table = people(40, seed=3)
    drawn = Minimisation(FACTORS, 1.0).allocate(table, 2, np.random.default_rng(1), 50)
    for name, level in product(FACTORS, ["a", "b"]):
        here = drawn[:, (table[name] == level).to_numpy()]
        assert np.all(np.abs(2 * here.sum(axis=1) - here.shape[1]) <= 4)
    for row in drawn[:2]:
        for i in range(len(table)):
            assert chances(table, row[:i].tolist(), 2, Minimisation(FACTORS, 1.0))[row[i]] > 0


def test_minimisation_balances_more_than_chance():
    table = people(52, seed=2)
    uneven = {}
    for name, procedure in {"minimised": Minimisation(FACTORS, 0.8), "simple": SimpleRandomisation()}.items():
        drawn = procedure.allocate(table, 2, np.random.default_rng(1), 2000)
        uneven[name] = np.mean(
            [np.abs(2 * drawn[:, table[f] == "a"].sum(axis=1) - (table[f] == "a").sum()) for f in FACTORS]
        )
    assert uneven["minimised"] < 0.45 * uneven["simple"]


def test_same_seed_same_allocation():
    table = people(30).set_axis([f"sub-{k:02d}" for k in range(30)])
    one = minimise(table, ["drug", "placebo"], probability=0.8, rng=4)
    assert one.index.equals(table.index)
    assert one.equals(minimise(table, ["drug", "placebo"], probability=0.8, rng=np.random.default_rng(4)))
    assert not one.equals(minimise(table, ["drug", "placebo"], probability=0.8, rng=5))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), n=st.integers(1, 60), sizes=st.sampled_from([(3,), (3, 6), (6, 9)]))
def test_complete_blocks_keep_the_ratio(seed, n, sizes):
    table = people(n, seed)
    drawn = PermutedBlocks(sizes, ("sex", "age"), ratio=(2, 1)).allocate(
        table, 2, np.random.default_rng(seed), 20
    )
    for _, rows in table.groupby(["sex", "age"]).indices.items():
        second = np.cumsum(drawn[:, rows] == 1, axis=1)
        expected = np.arange(1, len(rows) + 1) / 3
        assert np.all(np.abs(second - expected) <= max(sizes) / 3)
        if len(sizes) == 1 and len(rows) >= sizes[0]:
            assert np.all(second[:, sizes[0] - 1] == sizes[0] // 3)


def test_blocks_draw_every_order_alike():
    drawn = PermutedBlocks((4,)).allocate(people(4), 2, np.random.default_rng(8), 12_000)
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 6
    assert chisquare(counts).pvalue > 1e-4


def test_simple_randomisation_keeps_the_ratio():
    drawn = SimpleRandomisation((3, 1)).allocate(people(50), 2, np.random.default_rng(8), 2000)
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.006)


def test_rerandomisation_agrees_with_enumeration():
    """All 2^8 allocations of 8 participants, each with its probability."""
    procedure = Minimisation(("sex", "age"), 0.8)
    table = people(8, seed=5)
    draw = np.random.default_rng(5)
    table["arm"] = minimise(table[["sex", "age"]], ["placebo", "drug"], probability=0.8, rng=draw)
    table["baseline"] = draw.normal(size=8)
    table["change"] = 1.5 * (table["arm"] == "drug") + draw.normal(size=8)
    every = distribution(table, 2, procedure)
    fit = ancova("change ~ arm + baseline", table, reference="placebo")
    replay = Replay.of(fit, table, None, None)
    t = np.abs(replay.refit(np.array(list(every))).t[:, 0])
    exact = sum(
        p
        for p, each in zip(every.values(), t, strict=True)
        if each >= abs(fit.table.loc["arm[T.drug]", "t"]) - 1e-9
    )
    found = rerandomise(
        "change ~ arm + baseline", table, procedure, reference="placebo", rng=3, replicates=40_000
    )
    row = found.table.iloc[0]
    assert abs(row["p"] - exact) < 4 * row["p_se"]
    assert sum(every.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"probability": 0.4}, "probability"),
        ({"probability": 1.2}, "probability"),
        ({"weights": [1.0]}, "weights"),
        ({"weights": [1.0, 0.0, 1.0, 1.0]}, "weights"),
        ({"imbalance": "sum"}, "imbalance"),
        ({"arms": ["drug"]}, "arms"),
        ({"arms": ["drug", "drug"]}, "arms"),
        ({"factors": people(10).assign(sex=None)}, "sex"),
        ({"factors": people(200).assign(age=np.arange(200.0))}, "age"),
        ({"factors": people(10)[[]]}, "factors"),
    ],
)
def test_minimise_refuses(change, field):
    given = {"factors": people(10), "arms": ["drug", "placebo"], "probability": 0.8, "rng": 1} | change
    with pytest.raises(InputError) as error:
        minimise(given.pop("factors"), given.pop("arms"), **given)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("procedure", "field"),
    [
        (PermutedBlocks(()), "sizes"),
        (PermutedBlocks((3,)), "sizes"),
        (PermutedBlocks((4,), ratio=(1, 1, 1)), "ratio"),
        (PermutedBlocks((4,), ("weight",)), "weight"),
        (SimpleRandomisation((1, 1, 1)), "ratio"),
    ],
)
def test_other_procedures_refuse(procedure, field):
    with pytest.raises(InputError) as error:
        procedure.allocate(people(8), 2, np.random.default_rng(1), 1)
    assert error.value.field == field


@pytest.mark.parametrize("ratio", [{"drug": 1}, "12", 2, (0, 1), (1.5, 1), (True, 1), ("1", "2"), {1, 2}])
@pytest.mark.parametrize("make", [SimpleRandomisation, lambda ratio: PermutedBlocks((4,), ratio=ratio)])
def test_a_ratio_is_whole_numbers_in_order(make, ratio):
    with pytest.raises(InputError, match="the reference first") as error:
        make(ratio)
    assert error.value.field == "ratio"
    assert "(1, 2)" in error.value.fix


def test_the_first_of_a_ratio_is_the_first_arm():
    drawn = SimpleRandomisation((1, 3)).allocate(people(4000), 2, np.random.default_rng(1), 1)
    assert drawn.mean() == pytest.approx(0.75, abs=0.03)
    blocks = PermutedBlocks((4,), ratio=(1, 3)).allocate(people(40), 2, np.random.default_rng(1), 5)
    assert (blocks.sum(axis=1) == 30).all()
