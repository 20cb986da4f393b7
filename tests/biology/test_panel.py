"""Experiments: those of the calibration and those kept for checks, by the shipped posterior."""

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.draws import posterior
from remyelin.biology.experiments import (
    Experiment,
    control_days,
    controls,
    experiments,
    log_ratios,
    read_experiments,
    setting,
)
from remyelin.biology.rates import names
from remyelin.errors import InputError
from remyelin.evidence.load import read_data

DIRECTED = [name for name, each in experiments().items() if each.expected]
CHECKS = [name for name in DIRECTED if experiments()[name].used_for == "check"]


@pytest.fixture(scope="module")
def ratios():
    known = posterior().known()
    found = log_ratios(known, control_days(known), list(experiments().values()))
    return dict(zip(experiments(), found.T, strict=True))


@pytest.mark.parametrize("name", DIRECTED)
def test_the_most_probable_draw_has_the_right_sign(name, ratios):
    assert experiments()[name].agrees(ratios[name])[0]


@pytest.mark.parametrize("name", DIRECTED)
def test_most_draws_have_the_right_sign(name, ratios):
    # "same" is a band of 10 %, not a side: a tail of the draws lies outside.
    least = 0.8 if experiments()[name].expected == "same" else 0.97
    assert experiments()[name].agrees(ratios[name]).mean() >= least


def test_the_panel_of_the_papers_is_whole():
    assert {"debris", "depletion", "pdgf", "phagocytes-restored", "differentiation-restored"} <= set(DIRECTED)
    assert {"rxr-gamma-loss", "lingo-1-loss", "metformin-old", "depletion"} <= set(CHECKS)


def test_metformin_leaves_the_young_as_they_are(ratios):
    # By construction: it is a way back to the young.
    assert np.abs(ratios["metformin-young"]).max() < 1e-12


def test_an_experiment_is_the_scenario_it_says():
    known = posterior().known()
    parameters, start = setting(known, experiments()["debris"])
    lesion = biology.scenario("rat-young", debris=3)
    assert parameters[0] == pytest.approx(lesion.parameters(), rel=1e-12)
    assert start[0] == pytest.approx(lesion.start())


def test_restored_rates_are_those_of_the_young():
    known = posterior().known()
    parameters, _ = setting(known, experiments()["phagocytes-restored"])
    young, old = posterior().rates(0.0, 5), posterior().rates(1.0, 5)
    got = dict(zip(names(), parameters[5], strict=False))
    assert got["clearance_per_day"] == pytest.approx(young.clearance_per_day)
    assert got["differentiation_per_day"] == pytest.approx(old.differentiation_per_day)


def test_excess_is_what_is_above_one():
    known = posterior().known()
    parameters, _ = setting(known, experiments()["pdgf"])
    got = dict(zip(names(), parameters[0], strict=False))
    assert got["progenitor_peak"] - 1 == pytest.approx(1.5 * (known["progenitor_peak"][0] - 1))


def test_what_is_not_finished_is_not_fast():
    known = {name: value[:1] for name, value in posterior().known().items()}
    slow = known | {"differentiation_per_day": np.array([1e-3])}
    assert control_days(slow)["young"][0] > 70
    never = Experiment(
        "x", "x", "young", "slower", "check", "unverified", folds={"integration_per_day": 1e-9}
    )
    assert log_ratios(known, control_days(known), [never])[0, 0] > np.log(70 / 28)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"expected": "quicker"}, "expected 'quicker'"),
        ({"animals": "aged"}, "animals 'aged'"),
        ({"status": "guessed"}, "status 'guessed'"),
        ({"used_for": "show"}, "used_for 'show'"),
        ({"source": "nobody1900"}, "nobody1900"),
        ({"folds": {"speed": 2}}, "rate 'speed'"),
        ({"fold": {"niche": 2}}, "with 'fold', unknown"),
        ({"words": None}, "without words"),
        ({"status": "unverified", "used_for": "calibration"}, "unverified, yet used"),
    ],
)
def test_a_bad_experiment_says_what_is_wrong(row, words):
    whole = {**read_data("biology_targets.toml")["experiment"]["debris"], **row}
    whole = {key: value for key, value in whole.items() if value is not None}
    with pytest.raises(InputError) as caught:
        read_experiments({"experiment": {"x": whole}})
    assert words in str(caught.value)


def test_controls_are_as_seen():
    assert [(row.completion_day, row.sd) for row in controls().values()] == [(28, 1), (63, 2)]
    assert all(row.status == "seen" for row in controls().values())
