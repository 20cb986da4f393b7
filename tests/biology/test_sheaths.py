"""Sheaths of single axons: as long as the lineage says, drawn once, made once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import biology
from remyelin.biology.lineage import STATES
from remyelin.biology.sheaths import (
    Axons,
    Cover,
    myelin_state,
    node_um,
    normal_oligodendrocytes,
    pitch_um,
    thin_g_ratio,
)
from remyelin.biology.state import MyelinState
from remyelin.errors import InputError

part = st.floats(0, 1)
covers = st.builds(Cover, kept=part, again=part, thickness=st.floats(0.01, 1), survival=part)


def axons(n: int = 40, lesion_um: float = 1000.0, seed: int = 3) -> Axons:
    return Axons.drawn(n, lesion_um, np.random.default_rng(seed))


def on(drawn: Axons, cover: Cover, n_short: int = 3) -> MyelinState:
    return myelin_state(drawn, cover, day=1.0, n_short=n_short, cells=(1.0, 2.0, 3.0))


def of_axons(state: MyelinState, lengths: Any) -> np.ndarray:
    axon = np.repeat(np.arange(state.n_axons), np.diff(state.internode_offset))
    return np.bincount(axon, lengths, state.n_axons)


@settings(deadline=None)  # the first draw imports scipy
@given(covers, st.integers(1, 50), st.floats(50, 9000), st.integers(1, 8), st.integers(0, 2**32))
def test_every_axon_is_as_long_as_its_internodes_were(
    cover: Cover, n: int, lesion_um: float, n_short: int, seed: int
) -> None:
    drawn = axons(n, lesion_um, seed)
    state = on(drawn, cover, n_short)
    left = drawn.left(cover.survival)
    whole = left.internodes * pitch_um(left.diameter_um)
    covered = of_axons(state, state.internode_um + node_um())
    assert covered + state.bare_um == pytest.approx(whole, rel=1e-12)
    assert ((state.g_ratio == 1) == (np.diff(state.internode_offset) == 0)).all()
    # At least one internode, else within one of the length of the lesion.
    assert (whole > lesion_um - pitch_um(left.diameter_um)).all()
    assert (whole < lesion_um + 2 * pitch_um(left.diameter_um)).all()


@settings(deadline=None)
@given(covers, st.integers(1, 8))
def test_what_is_covered_is_right_to_one_internode(cover: Cover, n_short: int) -> None:
    drawn = axons()
    state = on(drawn, cover, n_short)
    left = drawn.left(cover.survival)
    pitch = pitch_um(left.diameter_um)
    lost = (1 - cover.kept) * left.internodes
    expected = lost * (1 - cover.again) * pitch
    # One short internode from the new ones, and one whole from what was kept.
    assert (np.abs(state.bare_um - expected) <= pitch / n_short + pitch + 1e-9).all()


@settings(deadline=None)
@given(part, part, part, part, part)
def test_a_sheath_that_was_made_stays(first: float, second: float, kept: float, x: float, y: float) -> None:
    early, late = sorted((first, second))
    more, fewer = sorted((x, y), reverse=True)
    drawn = axons()
    before, after = on(drawn, Cover(kept, early, 0.3, more)), on(drawn, Cover(kept, late, 0.4, fewer))
    still = np.isin(before.diameter_um, after.diameter_um)
    assert still.sum() == after.n_axons
    made, then = np.diff(before.internode_offset)[still], np.diff(after.internode_offset)
    assert (then >= made).all()
    assert (after.bare_um <= before.bare_um[still]).all()


def test_nothing_kept_nothing_made_is_bare_and_all_kept_is_as_it_was() -> None:
    drawn = axons()
    bare = on(drawn, Cover(0.0, 0.0, 0.15, 1.0))
    assert len(bare.internode_um) == 0
    assert (bare.g_ratio == 1).all()
    assert bare.myelin_fraction == 0
    intact = on(drawn, Cover(1.0, 0.0, 0.15, 1.0))
    assert (intact.bare_um == 0).all()
    assert intact.g_ratio == pytest.approx(0.79)
    assert intact.myelin_fraction == 1
    axon = np.repeat(np.arange(40), np.diff(intact.internode_offset))
    assert intact.internode_um + node_um() == pytest.approx(pitch_um(drawn.diameter_um)[axon])


def test_no_axon_left_is_an_empty_state() -> None:
    none = on(axons(), Cover(0.0, 0.5, 0.5, 0.0))
    assert none.n_axons == 0
    assert none.axon_survival == 0
    assert none.myelin_fraction == 0


def test_new_sheaths_are_thin_and_short() -> None:
    state = on(axons(), Cover(0.0, 1.0, 0.5, 1.0))
    assert state.g_ratio == pytest.approx(1 / (1 + 0.5 * (1 / 0.79 - 1)))
    assert np.diff(state.internode_offset) == pytest.approx(3 * axons().internodes)
    assert state.myelin_fraction == pytest.approx(0.5)
    assert thin_g_ratio(np.array([0.0, 1.0])) == pytest.approx([1.0, 0.79])


def test_myelin_counts_what_survived_what_is_new_and_who_is_gone() -> None:
    assert Cover(0.4, 0.5, 0.6, 0.9).myelin_fraction == pytest.approx(0.9 * (0.4 + 0.6 * 0.5 * 0.6))


def test_axons_die_in_an_order_of_their_own() -> None:
    drawn = axons(2000)
    gone = drawn.left(0.7)
    assert len(gone.diameter_um) == 1400
    # No source says by how much thin axons go first: here they do not.
    assert gone.diameter_um.mean() == pytest.approx(drawn.diameter_um.mean(), rel=0.03)


@pytest.fixture(scope="module")
def young() -> biology.Course:
    return biology.simulate(biology.scenario("rat-young"), days=60)


@pytest.mark.parametrize(("name", "days"), [("rat-young", 60), ("rat-old", 90), ("human", 300)])
def test_axons_add_up_to_the_course(name: str, days: int) -> None:
    course = biology.simulate(biology.scenario(name), days=days)
    for day in np.linspace(0, days, 7).round():
        state = course.state(day)
        covered = (state.internode_um + node_um()).sum()
        found = covered / (covered + state.bare_um.sum())
        assert found == pytest.approx(course.remyelinated[int(day)], abs=0.01)
        assert abs(state.n_axons / 1000 - state.axon_survival) <= 0.001


def test_days_do_not_depend_on_the_days_asked_before(young: biology.Course) -> None:
    first = young.state(20)
    for day in (0, 59.5, 3):
        young.state(day)
    assert young.state(20) == first
    again = biology.simulate(biology.scenario("rat-young"), days=60)
    assert again.state(20) == first
    other = biology.simulate(biology.scenario("rat-young"), days=60, rng=np.random.default_rng(8))
    assert other.state(20) != first
    assert other.remyelinated == pytest.approx(young.remyelinated)


def test_a_treated_lesion_has_the_same_axons(young: biology.Course) -> None:
    drug = biology.Treatment("faster", (biology.Effect("differentiation_per_day", 2, 1.5, 3),))
    treated = biology.simulate(biology.scenario("rat-young"), days=60, treatment=drug)
    assert (treated.state(0).diameter_um == young.state(0).diameter_um).all()
    assert treated.state(15).bare_um.sum() < young.state(15).bare_um.sum()


def test_cells_are_counted_in_the_lesion(young: biology.Course) -> None:
    state, normal = young.state(30), normal_oligodendrocytes(0.5)
    row = dict(zip(STATES, young.states[0, 30], strict=True))
    assert normal == pytest.approx(55_500 * 4 / 3 * np.pi * 0.125)
    assert state.new_oligodendrocytes == pytest.approx(row["new_oligodendrocytes"] * normal)
    assert state.surviving_oligodendrocytes == 0
    per_cell = normal / young.scenario.rates.progenitor_yield
    assert state.progenitors == pytest.approx(row["progenitors"] * per_cell)


def test_survivors_keep_their_sheaths() -> None:
    half = biology.scenario("rat-young", oligodendrocytes_lost=0.5)
    start = biology.simulate(half, days=5).state(0)
    whole = of_axons(start, start.internode_um + node_um()) + start.bare_um
    assert start.bare_um.sum() / whole.sum() == pytest.approx(0.5, abs=0.02)
    assert start.myelin_fraction == pytest.approx(0.5)
    assert start.surviving_oligodendrocytes == pytest.approx(0.5 * normal_oligodendrocytes(0.5))


def test_an_attack_takes_sheaths_away() -> None:
    struck = biology.scenario("rat-young", attacks=(biology.Attack(50, 0.7),))
    course = biology.simulate(struck, days=60)
    assert course.state(49).bare_um.sum() < 0.05 * course.state(0).bare_um.sum()
    assert course.state(51).bare_um.sum() > 0.5 * course.state(0).bare_um.sum()


def test_draws_differ(young: biology.Course) -> None:
    bare = [young.state(14, draw=draw, n_axons=200).bare_um.sum() for draw in (0, 3, 7)]
    assert len(set(bare)) == 3


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        ({"day": -1}, "day"),
        ({"day": 61}, "day"),
        ({"day": float("nan")}, "day"),
        ({"day": "20"}, "day"),
        ({"day": None}, "day"),
        ({"day": 5, "draw": -1}, "draw"),
        ({"day": 5, "draw": 10**6}, "draw"),
        ({"day": 5, "n_axons": 0}, "n_axons"),
        ({"day": 5, "n_axons": 2.5}, "n_axons"),
        ({"day": 5, "n_short": 0}, "n_short"),
        ({"day": 5, "n_short": "3"}, "n_short"),
    ],
)
def test_what_cannot_be_is_refused_by_name(young: biology.Course, given_: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        young.state(**given_)


def test_fewer_axons_are_a_coarser_picture_of_the_same_lesion(young: biology.Course) -> None:
    for n in (1, 10, 3000):
        assert young.state(10, n_axons=n).myelin_fraction == young.state(10).myelin_fraction


def test_a_cover_is_what_it_says() -> None:
    assert replace(Cover(0, 1, 0.5, 1), thickness=1.0).myelin_fraction == 1
