"""Scenarios: named, changed, and refused where they cannot be."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import biology
from remyelin.biology.lineage import PARAMETERS, STATES
from remyelin.biology.scenarios import SCENARIOS
from remyelin.errors import InputError

FIELDS = {
    "lesion_radius_mm": 50,
    "oligodendrocytes_lost": 1,
    "axons_lost": 1,
    "debris": 20,
    "resident_progenitors": 5,
    "inhibition": 1e3,
    "smouldering": 1,
}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_says_what_it_is(name: str) -> None:
    made = biology.scenario(name)
    assert made.name == name
    assert len(made.parameters()) == len(PARAMETERS)
    assert len(made.start()) == len(STATES)
    assert dict(zip(STATES, made.start(), strict=True))["surviving_oligodendrocytes"] == 0
    with pytest.raises(FrozenInstanceError):
        made.debris = 2  # type: ignore[misc]


def test_older_rats_are_slower() -> None:
    fronts = [biology.scenario(name).rates.front_mm_per_week for name in ("rat-young", "rat-old", "rat-aged")]
    assert fronts[0] > fronts[1] > fronts[2]


@given(st.sampled_from(sorted(FIELDS)), st.floats(0.01, 1))
def test_a_change_changes_one_field(field: str, part: float) -> None:
    plain = biology.scenario("rat-young")
    changed = plain.changed(**{field: part * FIELDS[field]})
    assert getattr(changed, field) == part * FIELDS[field]
    assert replace(changed, **{field: getattr(plain, field)}) == plain
    assert changed == biology.scenario("rat-young", **{field: part * FIELDS[field]})


def test_a_change_reaches_the_equations() -> None:
    made = biology.scenario(
        "human", niche=0.7, inhibition=2, smouldering=0.3, demand_driven=True, lesion_radius_mm=3,
        oligodendrocytes_lost=0.4, axons_lost=0.2, debris=0.5, resident_progenitors=0.1,
    )  # fmt: skip
    read = dict(zip(PARAMETERS, made.parameters(), strict=True))
    assert read["niche"] == 0.7
    assert [read[key] for key in ("lesion_radius_mm", "inhibition", "smouldering", "demand_driven")] == [
        3, 2, 0.3, 1,
    ]  # fmt: skip
    start = dict(zip(STATES, made.start(), strict=True))
    assert start["surviving_oligodendrocytes"] == pytest.approx(0.6)
    assert [start[key] for key in ("axons", "debris", "progenitors")] == [0.8, 0.5, 0.1]


def test_another_age_takes_its_rates_along() -> None:
    older = biology.scenario("human", age_years=65)
    assert older.rates != biology.scenario("human").rates
    assert biology.scenario("human").changed(age_years=65).rates == older.rates
    by_hand = biology.scenario("human", niche=2.0, front_mm_per_week=1.0)
    aged = by_hand.changed(age_years=65)
    assert aged.rates.niche == 2.0
    slower = older.rates.front_mm_per_week / biology.scenario("human").rates.front_mm_per_week
    assert aged.rates.front_mm_per_week == pytest.approx(slower)
    assert biology.scenario("human", age_years=65, front_mm_per_week=1.0).rates.front_mm_per_week == 1.0


def test_the_same_age_changes_nothing() -> None:
    made = biology.scenario("human", niche=2.0)
    assert made.changed(age_years=made.age_years) == made


@pytest.mark.parametrize("name", ["humen", "", "rat", 3, None, ["human"], math.nan])
def test_an_unknown_scenario_is_refused_with_the_known(name: Any) -> None:
    with pytest.raises(InputError, match="rat-young, rat-old, rat-aged, human"):
        biology.scenario(name)


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("value", [-0.1, 1e9, math.nan, math.inf, "1", None, True, [1]], ids=str)
def test_a_field_that_cannot_be_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"scenario {field} is"):
        biology.scenario("human", **{field: value})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lesion_radius_mm": 0}, "lesion_radius_mm is 0, expected 0.05 to 50, in millimetres"),
        ({"age_years": "old"}, "age_years is 'old', expected 0 to 120 years for a human"),
        ({"age_years": 300}, "age_years is 300"),
        ({"age_years": math.nan}, "age_years is nan"),
        ({"demand_driven": 1}, "demand_driven is 1, expected True or False"),
        ({"attacks": 3}, "attacks is 3, expected a tuple of biology.Attack"),
        ({"lesion_radius_mm": 0.0016}, "lesion_radius_mm is 0.0016, expected 0.05 to 50, in millimetres"),
        ({"lesion_radius_mm": 1600}, "lesion_radius_mm is 1600, expected 0.05 to 50, in millimetres"),
        (
            {"attacks": (30,)},
            r"attacks is a tuple with 30, .* Fix: write biology.Attack\(30\) in place of 30",
        ),
        ({"attacks": ((30, 1.0),)}, r"a tuple with \(30, 1.0\), .* write biology.Attack\(30, 1.0\) in place"),
        ({"attacks": ("soon",)}, r"a tuple with 'soon', .* write biology.Attack\(day\)"),
        ({"attacks": biology.Attack(30)}, r"one attack alone, .* write attacks=\(biology.Attack\(30, 1\),\)"),
        ({"age": 50}, "did you mean 'age_years'"),
        ({"radius": 2}, "did you mean 'lesion_radius_mm'"),
        ({"zzz": 1}, "Fix: use one of name, age_years, rates, lesion_radius_mm, oligodendrocytes_lost"),
        ({"rates": 3}, "rates is 3, expected biology.Rates"),
        ({"species": "rat"}, "species is 'rat', expected a scenario of that species"),
        ({"debri": 1}, "did you mean 'debris'"),
        ({"nich": 1}, "did you mean 'niche'"),
        ({"niche": "wide"}, "rate niche is 'wide'"),
        ({"niche": -1}, "rate niche is -1"),
        ({"clearance_per_day": math.inf}, "rate clearance_per_day is inf"),
    ],
)
def test_a_change_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        biology.scenario("human", **changes)


@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        ({}, "human of 40 years, radius 1.6 mm"),
        ({"debris": 5, "smouldering": 0.3}, "human of 40 years, radius 1.6 mm, debris 5, smouldering 0.3"),
        ({"age_years": 60, "niche": 2}, "human of 60 years, radius 1.6 mm, niche 2"),
        ({"attacks": (biology.Attack(3), biology.Attack(5))}, "human of 40 years, radius 1.6 mm, 2 attacks"),
        ({"demand_driven": True}, "human of 40 years, radius 1.6 mm, demand-driven"),
        (
            {"rates": biology.scenario("rat-young").rates},
            "human of 40 years, radius 1.6 mm, 6 rates of its own",
        ),
    ],
)
def test_a_scenario_prints_what_is_not_usual(changes: dict[str, Any], printed: str) -> None:
    assert repr(biology.scenario("human", **changes)) == f"Scenario(human: {printed})"


@pytest.mark.parametrize(
    ("day", "severity", "said"),
    [
        (0, 1, "attack day is 0"),
        (-3, 1, "attack day"),
        (math.nan, 1, "attack day"),
        (math.inf, 1, "attack day"),
        ("30", 1, "attack day"),
        (30, 0, "attack severity is 0"),
        (30, 1.1, "attack severity"),
        (30, math.nan, "attack severity"),
        (30, "all", "attack severity"),
    ],
)
def test_an_attack_that_cannot_be_is_refused(day: Any, severity: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        biology.Attack(day, severity)
