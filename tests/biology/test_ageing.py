"""Age: one index, and a ratio for each rate."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import biology
from remyelin.biology.ageing import AGEING, LIFESPAN_YEARS, OLDEST_INDEX, age_index
from remyelin.biology.draws import posterior
from remyelin.biology.rates import names
from remyelin.errors import InputError


def test_the_index_is_set_by_the_ages_of_the_front() -> None:
    assert age_index("rat", 2 / 12) == pytest.approx(0)
    assert age_index("rat", 10 / 12) == pytest.approx(1)
    assert age_index("rat", 0) == 0
    assert age_index("rat", 4.5) == OLDEST_INDEX


@given(st.sampled_from(sorted(LIFESPAN_YEARS)), st.floats(0, 1.5), st.floats(0, 1.5))
def test_older_is_never_younger(species: str, a: float, b: float) -> None:
    life = LIFESPAN_YEARS[species]
    young, old = sorted((a, b))
    assert age_index(species, young * life) <= age_index(species, old * life)


@given(st.floats(0, 1))
def test_species_are_compared_by_the_part_of_life_that_has_passed(part: float) -> None:
    rat, human = age_index("rat", part * 3), age_index("human", part * 80)
    assert rat == pytest.approx(human)


def test_the_front_slows_as_published() -> None:
    known = posterior()
    front = [known.rates(index).front_mm_per_week for index in (0.0, 1.0)]
    assert front == pytest.approx([0.6, 0.38], rel=1e-3)
    assert known.rates(age_index("rat", 1.75)).front_mm_per_week == pytest.approx(0.2, rel=0.1)


def test_the_cycle_lengthens_and_then_stays() -> None:
    cycle = [posterior().rates(index).cycle_days for index in (0.0, 1.0, 3.0)]
    assert cycle == pytest.approx([9, 70, 70])


@given(st.floats(0, OLDEST_INDEX), st.integers(0, 20))
def test_age_changes_named_rates_only(index: float, draw: int) -> None:
    young, old = posterior().rates(0.0, draw), posterior().rates(index, draw)
    named = {rate for rates in AGEING.values() for rate in rates} | {"cycle_days"}
    for name in names():
        before, after = getattr(young, name), getattr(old, name)
        if name not in named:
            assert after == before or math.isnan(before)
        elif name != "cycle_days":
            assert 0 < after <= before


@pytest.mark.parametrize(("name", "months"), [("rat-young", 2), ("rat-old", 10), ("rat-aged", 21)])
def test_a_scenario_has_the_rates_of_its_age(name: str, months: int) -> None:
    made = biology.scenario(name)
    assert made.age_years == pytest.approx(months / 12)
    assert made.rates == posterior().rates(age_index("rat", months / 12))


@pytest.mark.parametrize(
    ("species", "age", "named"),
    [
        ("rat", -0.1, "age_years"),
        ("rat", 10, "age_years is 10, expected 0 to 4.5 years for a rat"),
        ("human", 121, "age_years is 121, expected 0 to 120 years for a human"),
        ("human", math.nan, "age_years"),
        ("human", math.inf, "age_years"),
        ("human", "40", "age_years"),
        ("human", None, "age_years"),
        ("human", True, "age_years"),
        ("mouse", 1, "species"),
        (3, 1, "species"),
    ],
)
def test_an_impossible_age_is_refused(species: Any, age: Any, named: str) -> None:
    with pytest.raises(InputError, match=named):
        age_index(species, age)
