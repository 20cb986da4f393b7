"""Failure modes: each makes repair worse, the more so the severer, and they add up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import biology
from remyelin.biology.lineage import STATES, advance
from remyelin.errors import InputError

HUMAN = biology.scenario("human")
MODES = tuple(biology.failure_modes())


def course(scenario, days=1825):
    """(day,) covered part of the bare axon and axons left, by the likeliest rates."""
    states = advance([scenario.parameters()], [scenario.start()], days=days, attacks=scenario.attacks)[0]
    at = {state: states[:, number] for number, state in enumerate(STATES)}
    return at["new_sheaths"] + at["survivor_sheaths"], at["axons"]


def sheathed(scenario):
    """Part of the axons there were that carry a sheath, on average."""
    covered, axons = course(scenario)
    return (covered * axons).mean()


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_makes_it_worse_and_severer_worse(mode):
    means = [sheathed(biology.fail(HUMAN, mode, severity=s)) for s in (0, 0.5, 1)]
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("mode", ["chronic-inflammation", "closed-window", "sheath-loss"])
def test_these_fail_for_good(mode):
    covered, _ = course(biology.fail(HUMAN, mode), days=3650)
    assert covered[-1] < 0.6
    assert covered[-1] == pytest.approx(covered[1825], abs=0.02)


def test_size_alone_only_delays():
    day = biology.simulate(biology.fail(HUMAN, "size"), days=1825).completion_day()
    assert biology.simulate(HUMAN, days=1825).completion_day() < day < 1825


@given(mode=st.sampled_from(MODES), severity=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_any_severity_is_a_scenario_that_can_be(mode, severity):
    failing = biology.fail(HUMAN, mode, severity=severity)
    assert (failing == HUMAN) == (severity == 0)
    assert failing.species == "human"


def test_failures_add_up():
    both = biology.fail(biology.fail(HUMAN, "debris", severity=0.3), "differentiation-block", severity=0.3)
    assert both.debris > HUMAN.debris
    assert both.inhibition > 0
    assert both.name == "human, debris, differentiation-block"
    single = [sheathed(biology.fail(HUMAN, m, severity=0.3)) for m in ("debris", "differentiation-block")]
    assert sheathed(both) < min(single)


def test_the_same_failure_twice_is_worse():
    twice = biology.fail(biology.fail(HUMAN, "no-axon", severity=0.5), "no-axon", severity=0.5)
    assert twice.axons_lost == pytest.approx(1 - 0.66**2)


def test_attacks_come_on_their_days():
    attacked = biology.fail(HUMAN, "repeated-attacks", severity=0.4)
    assert [attack.day for attack in attacked.attacks] == [180.0 * k for k in range(1, 11)]
    assert {attack.severity for attack in attacked.attacks} == {0.4}


@pytest.mark.parametrize(
    ("mode", "severity", "words"),
    [
        ("debri", 1, "one of differentiation-block.*did you mean 'debris'"),
        ("debris", -0.1, "severity of debris is -0.1"),
        ("debris", 1.1, "severity of debris is 1.1"),
        ("debris", float("nan"), "severity of debris"),
    ],
)
def test_what_cannot_be_is_named(mode, severity, words):
    with pytest.raises(InputError, match=words):
        biology.fail(HUMAN, mode, severity=severity)


@pytest.mark.parametrize(
    ("scenario", "mode", "words"),
    [
        ("human", "debris", r"first argument of fail is 'human', .* begin with biology.scenario\('human'\)"),
        (None, "debris", "first argument of fail is not given, expected a scenario"),
        (HUMAN, ["debris", "size"], "one at a time: fail"),
        (HUMAN, None, "failure mode is not given, expected one of differentiation-block"),
        (HUMAN, {}, "failure mode is of type dict"),
    ],
)
def test_what_is_no_scenario_or_no_name_is_named(scenario, mode, words):
    with pytest.raises(InputError, match=words):
        biology.fail(scenario, mode)


def test_each_mode_says_what_it_changes_and_where_that_was_read():
    for mode in biology.failure_modes().values():
        assert mode.changes
        assert bool(mode.source) == (mode.status == "seen")
        assert all(str(change).startswith(change.what) for change in mode.changes)
