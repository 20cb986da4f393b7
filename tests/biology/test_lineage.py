"""The equations: what must hold whatever the rates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import biology
from remyelin.biology.draws import posterior
from remyelin.biology.equations import Parameters, State, colonised, receptive, supply, turnover
from remyelin.biology.lineage import PARAMETERS, STATES, advance
from remyelin.biology.rates import Rates, names
from remyelin.evidence.load import read_data

YOUNG = posterior().rates(0.0)


def drawn_rates(draw: st.DrawFn) -> Rates:
    """Rates within the ranges that were believed before the calibration."""
    given_ = {}
    for name, row in read_data("biology.toml")["rate"].items():
        low, high = row.get("low", row["value"]), row.get("high", row["value"])
        given_[name] = draw(st.floats(low, high)) if low < high else float(low)
    return Rates(**given_)


@st.composite
def scenarios(draw: st.DrawFn) -> biology.Scenario:
    plain = biology.scenario("rat-young", rates=drawn_rates(draw))
    attacks = draw(st.lists(st.builds(biology.Attack, st.integers(1, 89), st.floats(0.01, 1)), max_size=3))
    return plain.changed(
        lesion_radius_mm=draw(st.floats(0.1, 5)),
        oligodendrocytes_lost=draw(st.floats(0, 1)),
        axons_lost=draw(st.floats(0, 1)),
        debris=draw(st.floats(0, 5)),
        resident_progenitors=draw(st.floats(0, 1.5)),
        inhibition=draw(st.floats(0, 10)),
        smouldering=draw(st.floats(0, 1)),
        demand_driven=draw(st.booleans()),
        receptive_days=draw(st.one_of(st.just(math.inf), st.floats(5, 500))),
        sheath_loss_per_day=draw(st.floats(0, 0.05)),
        oligodendrocyte_death_per_day=draw(st.floats(0, 0.05)),
        attacks=tuple(attacks),
    )


def run(scenario: biology.Scenario, days: int = 90) -> dict[str, np.ndarray]:
    found = advance([scenario.parameters()], [scenario.start()], days=days, attacks=scenario.attacks)[0]
    return dict(zip(STATES, found.T, strict=True))


def slope(values: dict[str, float], state: dict[str, float], t: float = 40.0) -> dict[str, float]:
    p = Parameters(**{name: float(value) for name, value in values.items()})
    change = turnover(State(**state), p, supply(p), colonised(t, p), receptive(t, p))
    return dict(zip(STATES, change, strict=True))


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_states_stay_where_they_can_be(scenario: biology.Scenario) -> None:
    found = run(scenario)
    for name, values in found.items():
        assert np.isfinite(values).all(), name
        assert (values >= -1e-9).all(), name
    for name in ("phagocytes", "thickness", "axons", "surviving_oligodendrocytes"):
        assert (found[name] <= 1 + 1e-9).all(), name
    assert (found["new_sheaths"] + found["survivor_sheaths"] <= 1 + 1e-6).all()
    assert (np.diff(found["axons"]) <= 1e-12).all()
    peak = max(scenario.rates.progenitor_peak, scenario.resident_progenitors)
    assert (found["progenitors"] <= peak + 1e-6).all()


state_values = st.fixed_dictionaries(
    {
        "phagocytes": st.floats(0, 1),
        "debris": st.floats(0, 3),
        "progenitors": st.floats(0, 3),
        "premyelinating": st.floats(0, 3),
        "new_oligodendrocytes": st.floats(0, 1.5),
        "surviving_oligodendrocytes": st.floats(0, 1),
        "new_sheaths": st.floats(0, 0.6),
        "survivor_sheaths": st.floats(0, 0.4),
        "thickness": st.floats(0, 1),
        "axons": st.floats(0, 1),
    }
)


@given(scenarios(), state_values, st.floats(0, 200))
@settings(max_examples=60, deadline=None)
def test_every_cell_that_differentiates_is_accounted_for(
    scenario: biology.Scenario, state: dict[str, float], t: float
) -> None:
    """Differentiated = premyelinating + integrated + died, and each from its own equation."""
    p = dict(zip(PARAMETERS, scenario.parameters(), strict=True))
    change = slope(p, state, t)
    active = state["phagocytes"] / (state["phagocytes"] + 0.1)
    growth = math.log(2) / p["cycle_days"] + p["proliferation_per_day"] * active
    born = (
        growth * state["progenitors"] * (1 - state["progenitors"] / (1 + (p["progenitor_peak"] - 1) * active))
    )
    arrived = 2 * p["front_mm_per_week"] / 7 / p["lesion_radius_mm"] * (1 - state["progenitors"])
    differentiated = born + arrived - change["progenitors"]
    died = p["premyelinating_death_per_day"] * state["premyelinating"]
    dying = p["oligodendrocyte_death_per_day"] + p["smouldering_death_per_day"] * p["smouldering"]
    integrated = p["progenitor_yield"] * (
        change["new_oligodendrocytes"] + dying * state["new_oligodendrocytes"]
    )
    assert change["premyelinating"] + integrated + died == pytest.approx(differentiated, rel=1e-9, abs=1e-9)
    assert differentiated >= -1e-12
    assert integrated >= -1e-12


def test_cells_are_conserved_while_none_is_born_or_dies() -> None:
    scenario = biology.scenario("rat-young", premyelinating_death_per_day=0, differentiation_per_day=0)
    start = dict(zip(STATES, scenario.start(), strict=True)) | {"premyelinating": 4.0}
    found = advance([scenario.parameters()], [list(start.values())], days=80)[0]
    of = dict(zip(STATES, found.T, strict=True))
    total = of["premyelinating"] + scenario.rates.progenitor_yield * of["new_oligodendrocytes"]
    assert of["new_oligodendrocytes"][-1] > 0.1
    assert total == pytest.approx(4.0, abs=1e-9)


@pytest.mark.parametrize("by", ["new_sheaths", "survivor_sheaths"])
def test_an_intact_tissue_stays_intact(by: str) -> None:
    scenario = biology.scenario("rat-young", debris=0, resident_progenitors=1)
    start = dict(zip(STATES, scenario.start(), strict=True))
    start |= {"phagocytes": 0.0, by: 1.0, "thickness": YOUNG.thickness_end, "new_oligodendrocytes": 1.0}
    found = advance([scenario.parameters()], [list(start.values())], days=365)[0]
    of = dict(zip(STATES, found.T, strict=True))
    for name in ("phagocytes", "debris"):
        assert of[name] == pytest.approx(0, abs=1e-12), name
    for name in (by, "axons", "new_oligodendrocytes"):
        assert of[name] == pytest.approx(1, abs=1e-9), name
    assert of["thickness"] == pytest.approx(YOUNG.thickness_end)


def test_a_smaller_step_changes_nothing_to_speak_of() -> None:
    scenario = biology.scenario("rat-young")
    coarse = advance([scenario.parameters()], [scenario.start()], days=60)
    fine = advance([scenario.parameters()], [scenario.start()], days=60, step_days=0.025)
    assert np.abs(coarse - fine).max() < 1e-5


def test_a_lesion_does_not_feel_its_neighbours() -> None:
    made = [biology.scenario(name) for name in ("rat-young", "human", "rat-old")]
    together = advance([each.parameters() for each in made], [each.start() for each in made], days=50)
    for row, each in zip(together, made, strict=True):
        assert row == pytest.approx(advance([each.parameters()], [each.start()], days=50)[0], abs=1e-13)


def test_an_attack_takes_its_part_of_sheaths_and_cells() -> None:
    scenario = biology.scenario("rat-young", oligodendrocytes_lost=0.5)
    plain = run(scenario, 61)
    hit = run(scenario.changed(attacks=(biology.Attack(60, 0.8),)), 61)
    for name in ("new_oligodendrocytes", "surviving_oligodendrocytes"):
        assert hit[name][:61] == pytest.approx(plain[name][:61])
        assert hit[name][61] == pytest.approx(0.2 * plain[name][61], abs=0.02), name
    # Of the whole lesion, a fifth of what was covered: what survivors had kept falls as well.
    before, after = (_covered(each, 61) for each in (plain, hit))
    assert after == pytest.approx(0.2 * before, abs=0.02)
    assert hit["debris"][61] > plain["debris"][61] + 0.5
    everything = run(scenario.changed(attacks=(biology.Attack(60, 1.0),)), 61)
    assert everything["surviving_oligodendrocytes"][61] == 0


def _covered(states: dict[str, np.ndarray], day: int) -> float:
    kept = states["surviving_oligodendrocytes"][day]
    return float(kept + (1 - kept) * (states["new_sheaths"][day] + states["survivor_sheaths"][day]))


def test_an_attack_on_intact_tissue_leaves_what_it_spares() -> None:
    attacks = (biology.Attack(30, 0.6),)
    found = run(biology.scenario("rat-young", oligodendrocytes_lost=0, debris=0, attacks=attacks), 31)
    assert _covered(found, 30) == 1
    assert _covered(found, 31) == pytest.approx(0.4, abs=0.03)


def test_two_attacks_may_be_given_in_any_order() -> None:
    attacks = (biology.Attack(30, 0.4), biology.Attack(50, 0.6))
    one = run(biology.scenario("rat-young", attacks=attacks))
    other = run(biology.scenario("rat-young", attacks=attacks[::-1]))
    assert all((one[name] == other[name]).all() for name in STATES)


# What each named change does to the covered part on day 20 of a young rat's lesion.
@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"debris": 3.0}, -1),
        ({"inhibition": 2.0}, -1),
        ({"smouldering": 0.5}, -1),
        ({"recruitment_per_day": 0.1}, -1),
        ({"clearance_per_day": 1.0}, 1),
        ({"differentiation_per_day": 5.0}, 1),
        ({"premyelinating_death_per_day": 2.0}, -1),
        ({"receptive_days": 10.0}, -1),
        ({"lesion_radius_mm": 10.0}, -1),
        ({"sheath_loss_per_day": 0.05}, -1),
        ({"demand_driven": True}, -1),
        ({"oligodendrocytes_lost": 0.3}, 1),
    ],
    ids=str,
)
def test_each_mode_pulls_the_way_it_should(changes: dict[str, Any], sign: int) -> None:
    plain, changed = run(biology.scenario("rat-young")), run(biology.scenario("rat-young", **changes))
    covered = [each["new_sheaths"][20] + each["survivor_sheaths"][20] for each in (plain, changed)]
    assert sign * (covered[1] - covered[0]) > 0.002


def test_every_rate_is_read() -> None:
    """A rate that changes nothing anywhere would be a dead knob."""
    scenario = biology.scenario(
        "rat-young", smouldering=0.3, oligodendrocytes_lost=0.7, oligodendrocyte_death_per_day=0.001,
        sheath_loss_per_day=0.001, receptive_days=200,
    )  # fmt: skip
    plain = np.array(list(run(scenario, 40).values()))
    for name in names():
        changed = scenario.changed(**{name: 1.3 * getattr(scenario.rates, name)})
        assert np.abs(np.array(list(run(changed, 40).values())) - plain).max() > 1e-7, name


def test_axons_die_only_where_myelin_was_lost():
    gone = {lost: 1 - _axons_left(lost) for lost in (0.0, 0.1, 1.0)}
    assert gone[0.0] == 0
    assert 0 < gone[0.1] < 0.15 * gone[1.0]


def _axons_left(lost):
    scenario = biology.scenario("rat-old", oligodendrocytes_lost=lost, debris=lost)
    return biology.simulate(scenario, days=200).of("axons")[0, -1]
