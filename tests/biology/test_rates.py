"""Rates: what may be one, and nothing else."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.biology.draws import posterior
from remyelin.biology.lineage import CONDITIONS, PARAMETERS
from remyelin.biology.rates import POSITIVE, Rates, names
from remyelin.errors import InputError
from remyelin.evidence.load import STATUSES, read_data, source

GOOD = posterior().rates(0.0)
WRONG: list[Any] = [-1.0, -1e-12, math.nan, "0.5", None, True, [1.0], 1j]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("value", WRONG, ids=str)
def test_every_rate_refuses_what_is_none(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"rate {name} is"):
        replace(GOOD, **{name: value})


@pytest.mark.parametrize("name", names())
def test_only_a_window_may_be_infinite(name: str) -> None:
    if name == "receptive_days":
        assert replace(GOOD, receptive_days=math.inf).receptive_days == math.inf
    else:
        with pytest.raises(InputError, match=f"rate {name} is inf"):
            replace(GOOD, **{name: math.inf})


@pytest.mark.parametrize("name", names())
def test_zero_is_a_rate_where_nothing_is_divided_by_it(name: str) -> None:
    if name in (*POSITIVE, "progenitor_peak"):
        with pytest.raises(InputError, match=f"rate {name} is 0"):
            replace(GOOD, **{name: 0})
    else:
        assert getattr(replace(GOOD, **{name: 0}), name) == 0


def test_the_peak_is_above_the_normal_density() -> None:
    with pytest.raises(InputError, match="progenitor_peak is 1, expected a finite number above 1"):
        replace(GOOD, progenitor_peak=1)


def test_the_order_is_that_of_the_kernel() -> None:
    assert (*names(), *CONDITIONS) == PARAMETERS
    assert dict(zip(names(), GOOD.values(), strict=True)) == {name: getattr(GOOD, name) for name in names()}


@given(st.sampled_from(names()), st.floats(0.1, 10))
def test_scaling_multiplies_one_rate(name: str, factor: float) -> None:
    if name == "progenitor_peak":
        factor = max(1.0, factor)
    scaled = GOOD.scaled({name: factor})
    assert getattr(scaled, name) == getattr(GOOD, name) * factor
    assert replace(scaled, **{name: getattr(GOOD, name)}) == GOOD


def test_an_unknown_rate_is_named_with_the_one_meant() -> None:
    with pytest.raises(InputError, match="did you mean 'niche'"):
        GOOD.scaled({"nich": 2.0})


def test_rates_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        GOOD.niche = 2.0  # type: ignore[misc]


def test_every_rate_stands_in_the_evidence_with_unit_status_and_source() -> None:
    rows = read_data("biology.toml")["rate"]
    assert set(rows) == set(names())
    for name, row in rows.items():
        assert row["unit"], name
        assert row["status"] in (*STATUSES, "off"), name
        if row["status"] == "seen":
            source(row["source"])
        if "low" in row:
            assert row["low"] <= row["value"] <= row["high"], name


def test_every_draw_makes_rates() -> None:
    for draw in range(len(posterior().draws)):
        assert isinstance(posterior().rates(1.0, draw), Rates)
