"""A section of tissue, cell by cell: nothing is lost or doubled, and the front is as fast as was measured."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.chance import bits, high, low, whole
from remyelin.biology.lattice import (
    BORN,
    DIFFERENTIATED,
    FREE,
    INTEGRATED,
    LIVE,
    LOST,
    NOBODY,
    OLIGODENDROCYTES_LOST,
    PROGENITOR,
    RIM,
    SPARE,
    UNSUCCESSFUL,
    grain,
    normal_tissue,
)
from remyelin.biology.section_counts import COUNTS
from remyelin.biology.section_kernel import run
from remyelin.biology.section_law import hops_per_day, law, progenitors_per_site
from remyelin.biology.section_start import with_lesion
from remyelin.errors import InputError


@pytest.fixture(scope="module")
def young():
    return biology.scenario("rat-young")


@pytest.fixture(scope="module")
def section(young):
    return biology.simulate_section(young, days=60, width_mm=2)


def test_splitmix_gives_the_known_values():
    # The first outputs of the seed 1234567, as published with the reference implementation and widely quoted.
    state = np.array([1234567], np.uint64)
    assert [int(bits(state)) for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    draws = [np.uint64(bits(state)) for _ in range(4000)]
    assert np.mean([low(z) for z in draws]) == pytest.approx(0.5, abs=0.02)
    assert np.bincount([high(z, 8) for z in draws]).min() > 400
    assert np.mean([whole(state, 1.3) for _ in range(4000)]) == pytest.approx(1.3, abs=0.03)


def test_normal_tissue_has_a_sheath_on_every_axon_and_cells_as_counted():
    tissue = normal_tissue(100, 100, 0.03, np.array([1], np.uint64))
    open_ = tissue.occupant != -2
    assert open_.sum() == 100 * 100
    assert (tissue.owner[open_] >= 0).all()
    oligodendrocytes = (tissue.kind == 4).sum()
    assert oligodendrocytes * 1e9 / (2000 * 2000 * 10) == pytest.approx(55_500, rel=0.03)
    sheaths = np.bincount(tissue.owner[open_].ravel(), minlength=len(tissue.kind))[tissue.kind == 4]
    assert sheaths.mean() == pytest.approx(grain().sheaths, rel=0.03)
    assert 5 < sheaths.min() < sheaths.max() < 40


def ran(scenario, days, seed=3):
    """The tissue itself after some days, the counts, and how many oligodendrocytes there were on day 0."""
    state = np.array([seed], np.uint64)
    rules = law(scenario, 100, 1.0)
    tissue = with_lesion(scenario, 100, rules.width, state)
    before = [int((tissue.kind == kind).sum()) for kind in range(5)]
    attacks = scenario.attacks
    counts = np.zeros((days + 1, len(COUNTS)))
    none = np.zeros((0, len(tissue.occupant)), np.uint8)
    run(
        tissue,
        rules,
        state,
        24,
        np.array([*(a.day for a in attacks), np.inf]),
        np.array([*(a.severity for a in attacks), 0.0]),
        np.array([], np.int64),
        counts,
        none,
        none,
    )
    return tissue, counts, before


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"oligodendrocytes_lost": 0.5, "survivor_repair_per_day": 0.1},
        {"smouldering": 0.5, "sheath_loss_per_day": 0.01},
        {"attacks": (biology.Attack(20, 0.7),)},
    ],
    ids=["plain", "survivors", "smouldering", "attack"],
)
def test_no_cell_is_lost_or_doubled(young, changes):
    tissue, counts, before = ran(young.changed(**changes), 40)
    there = np.flatnonzero(tissue.kind != NOBODY)
    # One cell a site, and every site knows its cell.
    assert len(set(tissue.place[there].tolist())) == len(there)
    assert (tissue.occupant[tissue.place[there]] == there).all()
    assert (tissue.occupant >= 0).sum() == len(there)
    assert tissue.tally[SPARE] + len(there) == len(tissue.kind)
    assert len(set(tissue.name[there].tolist())) == len(there)
    # The list of the live and the crowds of the tiles are those of the cells.
    live = tissue.live[: tissue.tally[LIVE]]
    assert set(live.tolist()) == set(np.flatnonzero((tissue.kind == 1) | (tissue.kind == 2)).tolist())
    progenitors = np.flatnonzero(tissue.kind == PROGENITOR)
    crowd = np.bincount(tissue.tile[tissue.place[progenitors]], minlength=len(tissue.crowd))
    assert (crowd == tissue.crowd).all()
    # Cells balance.
    tally, after = tissue.tally, [int((tissue.kind == kind).sum()) for kind in range(5)]
    assert after[1] == before[1] + tally[BORN] - tally[LOST] - tally[DIFFERENTIATED]
    assert after[2] == before[2] + tally[DIFFERENTIATED] - tally[INTEGRATED] - tally[UNSUCCESSFUL]
    assert after[3] + after[4] == before[4] + tally[INTEGRATED] - tally[OLIGODENDROCYTES_LOST]
    # Axons balance, each sheath has a living oligodendrocyte, and bare ones are counted where they are near.
    axons = counts[:, [COUNTS.index(n) for n in COUNTS if n.endswith(("axons", "sheaths"))]].sum(axis=1)
    assert (axons == axons[0]).all()
    owners = tissue.owner[tissue.owner >= 0]
    assert (tissue.kind[owners] >= 3).all()
    bare = (tissue.owner == -1).sum(axis=1)
    inside = np.flatnonzero(tissue.lesion)
    assert (tissue.near[inside] == bare[inside[:, None] + tissue.reach].sum(axis=1)).all()
    assert (tissue.occupant[tissue.lesion > 0] >= FREE).all()


def test_the_same_seed_gives_the_same_section(young):
    one, two, other = (
        biology.simulate_section(young, days=12, width_mm=2, rng=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    assert np.array_equal(one.counts, two.counts)
    assert one.axons.equals(two.axons)
    assert np.array_equal(one.cells, two.cells)
    assert not np.array_equal(one.counts, other.counts)
    again = biology.simulate_section(young, days=12, width_mm=2, keep_days=[0, 5, 12])
    assert again.kept_days == (0, 5, 12)
    assert np.array_equal(again.counts, biology.simulate_section(young, days=12, width_mm=2).counts)


def test_the_table_of_axons_is_that_of_the_counts(section):
    table = section.axons
    kinds = table.covered_by.value_counts()
    for what, column in (("bare", "bare_axons"), ("new cell", "new_sheaths"), ("dead", "lost_axons")):
        assert kinds.get(what, 0) == section.count(column)[-1]
    new = table[table.covered_by == "new cell"]
    assert (new.cell >= 0).all()
    assert new.since_day.between(0, 60).all()
    assert ((new.g_ratio > 0.79) & (new.g_ratio < 1)).all()
    assert (table[table.covered_by == "bare"].g_ratio == 1).all()
    assert table.axon.is_unique
    # No cell holds more sheaths than it can make.
    assert new.groupby("cell").size().max() <= section.scenario.rates.coverage * grain().sheaths + 1
    assert new.thickness.mean() == pytest.approx(section.of("thickness")[-1], abs=0.01)


def test_the_section_goes_with_the_lineage(young, section):
    """Same rates: the fields agree exactly but for the step, the sheaths within what few cells can."""
    lineage = biology.simulate(young, days=60)
    for field in ("phagocytes", "debris"):
        np.testing.assert_allclose(section.of(field), lineage.of(field)[0], atol=0.01)
    half = [float(np.interp(0.5, each.remyelinated, each.time_days)) for each in (section, lineage)]
    assert half[0] == pytest.approx(half[1], abs=5)
    assert section.remyelinated[0] == 0
    assert section.remyelinated[-1] > 0.95


def test_a_larger_lesion_takes_longer(young):
    """Where no progenitors are resident, they must come from the border."""
    small, large = (
        biology.simulate_section(young.changed(lesion_radius_mm=radius, resident_progenitors=0.0), days=40)
        for radius in (0.5, 1.5)
    )
    assert large.remyelinated[21] < small.remyelinated[21] - 0.05
    assert large.completion_day(0.5) > small.completion_day(0.5)


def test_normal_tissue_stays_normal(young):
    away = biology.simulate_section(young.changed(lesion_radius_mm=0.05), days=60, width_mm=4)
    density = away.count("all_progenitors")[20:].mean() / 200**2 / progenitors_per_site(young.rates)
    assert density == pytest.approx(1, abs=0.06)
    assert away.count("premyelinating").max() < 5


def test_nothing_lost_nothing_to_cover(young):
    whole_tissue = biology.simulate_section(young.changed(oligodendrocytes_lost=0.0), days=5, width_mm=2)
    assert (whole_tissue.remyelinated == 1).all()
    assert (whole_tissue.of("axons") == 1).all()


def test_the_front_of_the_young_is_that_of_the_rates(young):
    found = biology.section_front_mm_per_week(young)
    assert found == pytest.approx(0.6, rel=0.1)
    assert found == biology.section_front_mm_per_week(young)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "speed"), [("rat-young", 0.6), ("rat-old", 0.38), ("rat-aged", 0.2)])
def test_fronts_at_three_ages(name, speed):
    found = biology.front_speed_mm_per_week(biology.scenario(name), model="section")
    assert found == pytest.approx(speed, rel=0.1)


def test_hops_go_with_the_square_of_a_fast_front(young):
    rates = [young.changed(front_mm_per_week=speed).rates for speed in (3.5, 7)]
    slow, fast = map(hops_per_day, rates)
    assert fast / slow == pytest.approx(4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width_mm": 1.6}, "1.8 to 16"),
        ({"width_mm": 3.1}, "in steps of 0.2"),
        ({"width_mm": "4"}, "width_mm is '4'"),
        ({"days": 0}, "days is 0"),
        ({"hours_per_step": 5}, "whole part of 24"),
        ({"hours_per_step": 24}, "take shorter steps"),
        ({"rng": 3}, "a generator"),
        ({"keep_days": [70]}, "keep_days is 70"),
        ({"scenario": "rat-young"}, "a scenario"),
    ],
)
def test_what_cannot_be_is_refused(young, changes, words):
    asked = {"scenario": young, "days": 60, "width_mm": 4, **changes}
    with pytest.raises(InputError, match=words):
        biology.simulate_section(asked.pop("scenario"), **asked)


def test_a_day_of_a_section_as_a_state_of_myelin(section):
    first, last = section.state(0), section.state(60, n_axons=1000)
    assert first.bare_um.sum() > 5 * last.bare_um.sum()
    assert last.axon_survival == section.of("axons")[60]
    assert last.new_oligodendrocytes == section.count("new_oligodendrocytes")[60]
    assert first.progenitors < 40
    with pytest.raises(InputError, match="day is 61"):
        section.state(61)


def test_other_questions_that_cannot_be_answered(young, section):
    with pytest.raises(InputError, match="did you mean 'bare_axons'"):
        section.count("bare_axon")
    with pytest.raises(InputError, match="kept"):
        section.on(61)
    with pytest.raises(InputError, match="die out"):
        biology.simulate_section(young.changed(progenitor_yield=30), days=5)
    with pytest.raises(InputError, match="hops a day"):
        biology.section_front_mm_per_week(young.changed(proliferation_per_day=0, cycle_days=1e300))
    assert RIM >= 2
    assert "95 % covered on day" in repr(section)
