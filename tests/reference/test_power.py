"""Against R 4.2.2 (power.t.test, power.prop.test, rpact 3.3.4): stats/f_group_sequential.json."""

from __future__ import annotations

import json

import pytest

from remyelin.trial.power import Spread, sample_size, sample_size_proportions, trial_power

# What the reference promises; the widest gap seen is 5e-9.
REL = 1e-5
SD = 6.5  # stated for power_means; power_t_test has the same, and an effect of 3
DESIGNS = "group-sequential designs are tested in test_sequential.py"
NOT_HERE = {
    "designs": DESIGNS,
    "sample_size_means": DESIGNS,
    "sample_size_rates": DESIGNS,
    "power_means": DESIGNS,
    "alpha": "a setting",
    "beta": "a setting",
    "versions": "what made the file",
    "split": "what made the file",
}
COVERED = {
    *("power_t_test_n", "power_t_test_power", "power_prop_test_n"),
    *("fixed_means_two_sided_t", "fixed_rates_two_sided"),
}


@pytest.fixture(scope="module")
def pinned(shared):
    return json.loads((shared / "reference/stats/f_group_sequential.json").read_text())


def test_every_entry_is_covered_or_named(pinned):
    assert set(pinned) == COVERED | set(NOT_HERE)


def test_participants_of_a_t_test(pinned):
    found = sample_size(3.0, Spread.of_participant(SD), power=0.8).exact
    assert found == pytest.approx(pinned["power_t_test_n"], rel=REL)
    assert 2 * found == pytest.approx(pinned["fixed_means_two_sided_t"]["n"], rel=REL)


def test_power_of_a_t_test(pinned):
    # The file does not say of how many: 41 an arm is the only whole number that gives it.
    assert trial_power(41, 3.0, Spread.of_participant(SD)) == pytest.approx(
        pinned["power_t_test_power"], rel=REL
    )


def test_participants_of_two_proportions(pinned):
    # Nor of which rates: in steps of 0.05 only 0.35 and 0.55 give it, and their mirror image.
    found = sample_size_proportions(0.35, 0.55, power=0.8)
    assert found == pytest.approx(pinned["power_prop_test_n"], rel=REL)
    assert 2 * found == pytest.approx(pinned["fixed_rates_two_sided"]["n"], rel=REL)
