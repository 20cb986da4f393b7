"""The catalogue: directions as read, sizes never silent, contested ones never averaged, harm that harms."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from remyelin import biology
from remyelin.biology.lineage import PARAMETERS
from remyelin.errors import InputError
from remyelin.evidence import records, tried_treatments

HUMAN = biology.scenario("human")
KNOWN = biology.known_treatments()
AGREED = [name for name, drug in KNOWN.items() if not drug.contested]
CONTESTED = [name for name, drug in KNOWN.items() if drug.contested]


def mean_cover(scenario, treatment=None, days=200):
    course = biology.simulate(scenario, days=days, treatment=treatment)
    return course.draws.mean(axis=1)


@pytest.mark.parametrize("name", AGREED)
def test_each_treatment_helps_in_the_lesion_it_is_meant_for(name):
    failing = {
        "anti-sema3a": "repulsion",
        "evobrutinib": "chronic-inflammation",
        "sephin1": "chronic-inflammation",
        "trem2-agonist": "debris",
        "opicinumab": "differentiation-block",
    }
    lesion = biology.fail(HUMAN, failing[name], severity=0.5) if name in failing else HUMAN
    gained = mean_cover(lesion, biology.treat(name, assumed=True), 400) - mean_cover(lesion, days=400)
    assert gained[0] > 0.001
    assert np.median(gained) > 0
    # What the model makes of a known direction may be against it in a few draws; not in many.
    assert (gained < -0.01).mean() < 0.05


@pytest.mark.parametrize("name", CONTESTED)
def test_a_contested_direction_must_be_chosen(name):
    with pytest.raises(InputError, match=r"contested .*expected 'helps' or 'hinders'"):
        biology.treat(name, assumed=True)
    helps, hinders = (
        biology.treat(name, assumed=True, sign=sign).folds(100, np.random.default_rng(0), HUMAN)
        for sign in ("helps", "hinders")
    )
    assert (helps >= 1).all()
    assert (hinders <= 1).all()
    assert_allclose(helps[0] * hinders[0], 1)
    chosen = biology.treat(name, assumed=True, sign="hinders") + biology.treat("gsk239512", assumed=True)
    assert "direction contested: taken to hinder" in repr(chosen)
    assert chosen.sources[0] == KNOWN[name].actions[0].against


def test_an_agreed_direction_is_not_chosen():
    with pytest.raises(InputError, match="sign is 'hinders', expected none"):
        biology.treat("gsk239512", assumed=True, sign="hinders")


def test_clemastine_kills_oligodendrocytes_where_inflammation_smoulders_and_nowhere_else():
    harm = biology.treat(
        "clemastine", effect={"differentiation_per_day": 1.0, "smouldering_death_per_day": 2.0}
    )
    smouldering = biology.fail(HUMAN, "chronic-inflammation")
    for state in ("new_oligodendrocytes", "new_sheaths"):
        plain, treated = (
            biology.simulate(smouldering, days=365, treatment=each).of(state)[:, -1] for each in (None, harm)
        )
        assert (treated < plain).all()
    calm = [biology.simulate(HUMAN, days=365, treatment=each).states for each in (None, harm)]
    assert_allclose(*calm)


def test_a_size_is_given_or_assumed_aloud():
    with pytest.raises(InputError, match="gsk239512 size is unverified"):
        biology.treat("gsk239512")
    with pytest.raises(InputError, match="half-life is unverified"):
        biology.treat("gsk239512", effect=1.5)
    assert biology.treat("gsk239512", effect=1.5, onset_days=1).status == "given"
    assumed = biology.treat("gsk239512", assumed=True)
    assert assumed.status == "unverified"
    assert "size unverified, a prior" in repr(assumed)


def test_a_half_size_needs_the_other_half():
    with pytest.raises(InputError, match=r"unverified \(smouldering_death_per_day\)"):
        biology.treat("clemastine", effect={"differentiation_per_day": 1.3})
    some = biology.treat("clemastine", effect={"differentiation_per_day": 1.3}, assumed=True)
    assert [effect.status for effect in some.effects] == ["given", "unverified"]


def test_a_combination_is_the_product_and_both_orders_are_one():
    one, other = (biology.treat(name, assumed=True) for name in ("metformin", "clemastine"))
    rng = np.random.default_rng
    both = biology.treat("metformin + clemastine", assumed=True)
    assert_allclose(both.folds(1, rng(0), HUMAN), one.folds(1, rng(0), HUMAN) * other.folds(1, rng(0), HUMAN))
    turned = biology.treat("clemastine+metformin", assumed=True)
    assert_allclose(both.folds(1, rng(0), HUMAN), turned.folds(1, rng(0), HUMAN))
    assert both.onset_days == max(one.onset_days, other.onset_days)


def test_the_catalogue_and_the_evidence_base_name_the_same_treatments_and_targets():
    rows = {row.id: row for row in records("treatments")}
    assert {row.biology for row in rows.values() if row.biology} == set(KNOWN)
    assert set(tried_treatments()) - {"virtual"} <= set(rows)
    for name, drug in KNOWN.items():
        (row,) = (row for row in rows.values() if row.biology == name)
        assert set(drug.target) <= {edge.target for edge in row.targets}
        assert all(edge.contested for edge in row.targets if edge.target in drug.target) or not drug.contested


def test_metformin_does_nothing_to_the_young():
    young = biology.scenario("rat-young")
    metformin = biology.treat("metformin", assumed=True)
    assert_allclose(mean_cover(young, metformin, 60), mean_cover(young, days=60))


def test_a_placebo_is_nothing():
    assert biology.treat("placebo").effects == ()


def test_the_dose_bends_where_the_target_fills_up():
    reached = [
        biology.treat("clemastine", assumed=True, engagement=0.5, dose=dose).engagement
        for dose in (0, 0.5, 1, 2, 1000)
    ]
    assert reached[0] == 0
    assert reached == sorted(reached)
    assert 0.45 < reached[2] < 0.5
    assert reached[4] > 0.99


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("clemastin", {}, "one of bexarotene, clemastine.*did you mean 'clemastine'"),
        ("metformin+", {"assumed": True}, "treatment '' is unknown"),
        ("clemastine", {"assumed": "no"}, "assumed is 'no', expected True or False"),
        ("metformin+clemastine", {"assumed": 1}, "assumed is 1, expected True or False"),
        ("placebo", {"stop_day": None}, "stop_day is not given"),
        (None, {}, "treatment name is not given, .*use one of bexarotene"),
        (["clemastine", "metformin"], {"assumed": True}, r"join the names: 'clemastine\+metformin'"),
        ("clemastine", {"effect": 1.5}, "a size for each"),
        ("clemastine", {"effect": {"niche": 2.0}}, "effect is 'niche'"),
        ("gsk239512", {"effect": 0.5, "onset_days": 1}, "above 1, the direction of gsk239512"),
        ("gsk239512", {"effect": (1.5, 1.0), "onset_days": 1}, "a median with low and high"),
        ("gsk239512", {"effect": float("nan"), "onset_days": 1}, "treatment effect is"),
        ("metformin", {"effect": 1.5}, "rejuvenation part"),
        ("metformin+clemastine", {"effect": 1.5}, "one for each drug"),
        ("clemastine", {"assumed": True, "dose": 2}, "dose is 2"),
        ("clemastine", {"assumed": True, "engagement": -0.1}, "engagement is -0.1"),
    ],
)
def test_what_cannot_be_is_named(name, options, words):
    with pytest.raises(InputError, match=words):
        biology.treat(name, **options)


def test_the_catalogue_prints_a_line_for_each_drug():
    lines = repr(KNOWN).splitlines()
    assert len(lines) == len(KNOWN)
    said = "Drug(clemastine: differentiation_per_day up, smouldering_death_per_day up (a harm))"
    assert said in lines
    assert max(map(len, lines)) < 200


def test_targets_and_steps_are_those_of_the_evidence_base(shared):
    base = json.loads((shared / "evidence/evidence.json").read_text())
    known = {row["id"] for kind in ("targets", "barriers") for row in base[kind]}
    steps = {row["id"] for row in base["process_steps"]}
    # Not yet in the evidence base of trials.
    new = {"BTK", "TREM2"}
    for drug in KNOWN.values():
        assert set(drug.target) <= known | new
        assert set(drug.steps) <= steps


def test_every_effect_is_on_a_parameter():
    for drug in KNOWN.values():
        assert all(action.parameter in (*PARAMETERS, "age") for action in drug.actions)
