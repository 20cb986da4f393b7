"""What a forecast assumes: rows that are sound, worlds that stay inside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.virtual.assumptions import (
    Assumption,
    assumptions,
    central,
    draw_worlds,
    population,
    worlds_at,
)

ROW = {
    "name": "a", "words": "w", "value": 1.0, "low": 0.5, "high": 2.0, "unit": "1", "shape": "log",
    "source": "boyd2013", "status": "seen", "interval": "ours",
}  # fmt: skip


def test_every_assumption_says_where_it_comes_from():
    for row in assumptions().values():
        assert row.source or row.status == "unverified", row.name
        assert min(len(row.words), len(row.interval), len(row.unit)) > 0


@given(st.floats(0, 1))
def test_no_draw_leaves_its_interval(part):
    for row in assumptions().values():
        assert row.low - 1e-12 <= float(row.at(part)) <= row.high + 1e-12


@pytest.mark.parametrize("name", [n for n, row in assumptions().items() if row.shape != "even"])
def test_half_of_the_draws_lie_below_the_value(name):
    row = assumptions()[name]
    assert float(row.at(0.5)) == pytest.approx(row.value)
    assert (np.diff(row.at(np.linspace(0, 1, 50))) >= 0).all()


def test_the_same_seed_draws_the_same_worlds():
    one, two, other = (draw_worlds(16, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((one[name] == two[name]).all() for name in one)
    assert (one["severity"] != other["severity"]).any()


def test_a_hypercube_has_one_draw_in_each_part():
    worlds = draw_worlds(40, np.random.default_rng(3))
    row = assumptions()["severity"]
    found = np.floor((worlds["severity"] - row.low) / (row.high - row.low) * 40)
    assert sorted(found.tolist()) == list(range(40))


def test_worlds_follow_the_order_of_the_file():
    cube = np.full((1, len(assumptions())), 0.5)
    cube[0, list(assumptions()).index("severity")] = 1.0
    assert worlds_at(cube)["severity"] == assumptions()["severity"].high


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": ""}, "source"),
        ({"status": "known"}, "status"),
        ({"shape": "round"}, "shape"),
        ({"source": "nobody1999"}, "nobody1999"),
        ({"value": 3.0}, "value"),
        ({"low": 0.0}, "value"),
    ],
)
def test_a_row_that_cannot_be_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        Assumption(**{**ROW, **change})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: central(severety=1.0), "did you mean 'severity'"),
        (lambda: central(severity=2.0), "severity is 2"),
        (lambda: draw_worlds(0, np.random.default_rng(1)), "draws is 0"),
        (lambda: population("old"), "chronic"),
    ],
)
def test_what_cannot_be_asked_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()
