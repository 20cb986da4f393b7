"""Virtual trials: they agree with the closed forms, keep their type I error, and do not depend on workers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.evidence import lesion_counts
from remyelin.trial.power import Spread, simulated_power
from remyelin.trial.power.estimators import by_participant, by_site
from remyelin.trial.power.layout import Layout
from remyelin.trial.power.worlds import World, draw, draw_visits, dropout_risk

LESIONS = Spread.of_sites(between=0.35, site=1.3, sites=30)
EYES = Spread.of_periods(2.5, 4.0)
REAL = Spread.of_sites(between=0.35, site=1.3, sites=lesion_counts(min_volume_mm3=10))

# Each with a seed of its own; 3 Monte Carlo errors: a right program fails one of 370 cases.
AGREE = [
    ("two arms", (64, 1.2, Spread.of_participant(2.4)), {}),
    ("5 an arm", (5, 3.0, Spread.of_participant(1.5)), {}),
    ("one-sided", (50, 1.2, Spread.of_participant(2.4)), {"sided": 1}),
    ("2 to 1", ((40, 80), 1.2, Spread.of_participant(2.4)), {}),
    ("a baseline", (40, 1.2, Spread.of_participant(2.4)), {"correlation": -0.6}),
    ("a baseline, 8 an arm", (8, 2.5, Spread.of_participant(2.4)), {"correlation": 0.5}),
    ("dropout", (64, 1.2, Spread.of_participant(2.4)), {"dropout": 0.2}),
    ("lesions", (33, 0.3, LESIONS), {}),
    ("lesions of real people", (25, 0.3, REAL), {}),
    ("a crossover", (40, 1.7, EYES), {"design": "crossover"}),
    ("carry-over", (40, 1.7, EYES), {"design": "crossover", "carry_over": 0.5}),
    ("paired", (53, 1.7, Spread.of_participant(4.33)), {"design": "paired"}),
]


@pytest.mark.parametrize(("name", "args", "options"), AGREE, ids=[name for name, _, _ in AGREE])
def test_the_closed_form_is_that_of_virtual_trials(name, args, options):
    seed = 100 + [each for each, _, _ in AGREE].index(name)
    found = simulated_power(*args, **options, trials=6000, seed=seed)
    assert abs(found.power - found.closed_form) < 3 * found.power_se, found
    assert abs(found.type_1 - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 6000), found
    assert found.failed == 0


def test_a_mixed_model_of_equal_numbers_is_the_closed_form():
    found = simulated_power(20, 0.4, Spread.of_sites(0.35, 1.3, 8), estimator="mixed", trials=1500, seed=7)
    assert abs(found.power - found.closed_form) < 3 * found.power_se
    assert abs(found.type_1 - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 1500)


def test_sites_as_independent_have_too_many_false_positives():
    right, wrong = (
        simulated_power(20, 0.3, LESIONS, estimator=name, trials=1500, seed=7)
        for name in ("participants", "independent")
    )
    assert right.type_1 < 0.07
    assert wrong.type_1 > 0.2
    assert "wrong" in str(wrong)


def test_carry_over_biases_what_is_estimated():
    found = simulated_power(40, 1.7, EYES, design="crossover", carry_over=0.5, trials=3000, seed=3)
    assert found.bias == pytest.approx(-0.425, abs=0.04)
    assert found.coverage < 0.92


def test_dropout_at_random_given_the_baseline_leaves_an_adjusted_estimate_unbiased():
    options = {"correlation": -0.6, "dropout": 0.25, "dropout_slope": 1.0}
    found = simulated_power(60, 1.2, Spread.of_participant(2.4), trials=4000, seed=5, **options)
    assert found.measured == pytest.approx(90, abs=0.5)
    assert abs(found.bias) < 4 * 2.4 * 0.8 * math.sqrt(2 / 45) / math.sqrt(4000)
    assert found.coverage == pytest.approx(0.95, abs=0.011)


def test_an_mmrm_with_dropout_by_the_last_value():
    found = simulated_power(
        40, 1.6, Spread.of_participant(2.4), estimator="mmrm", visit_shares=(0.5, 1.0), visit_correlation=0.7,
        dropout=0.25, dropout_slope=1.0, trials=600, seed=2,
    )  # fmt: skip
    assert abs(found.type_1 - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 600)
    assert found.power > found.closed_form - 3 * found.power_se  # no worse than the completers alone
    assert abs(found.bias) < 4 * 2.4 * math.sqrt(2 / 30) / math.sqrt(600)
    assert found.failed == 0


def test_a_trial_that_lost_an_arm_counts_as_not_significant():
    found = simulated_power(2, 30.0, Spread.of_participant(1.0), dropout=0.8, trials=400, seed=1)
    assert 0 < found.failed < 400
    assert found.power <= 1 - found.failed / 400


def test_the_order_of_batches_and_workers_does_not_matter(tmp_path):
    args = (20, 0.3, LESIONS)
    one = simulated_power(*args, trials=600, seed=9)
    assert one == simulated_power(*args, trials=600, seed=9)
    assert one != simulated_power(*args, trials=600, seed=10)
    kept = simulated_power(*args, trials=600, seed=9, out=tmp_path)
    assert kept == one
    assert len(list((tmp_path / "records").glob("*.json"))) == 3
    assert simulated_power(*args, trials=600, seed=9, out=tmp_path) == one


# ---------------------------------------------------------------- worlds


def test_sites_average_to_the_outcome_of_their_participant():
    world = World(Layout(REAL), 0.3, (15, 15))
    means = by_participant(world, 20, np.random.default_rng(4))
    # Unequal numbers: the model weighs participants, so estimates differ a little, and only a little.
    model = by_site(world, 20, np.random.default_rng(4))
    assert np.corrcoef(means.null[0], model.null[0])[0, 1] > 0.9
    np.testing.assert_allclose(
        model.alternative[0] - model.null[0], 0.3, atol=1e-6
    )  # an effect is added, whatever the noise


def test_the_spread_of_virtual_participants_is_the_one_assumed():
    world = World(Layout(REAL, correlation=0.5), 0.3, (500, 500))
    seen = draw(world, 40, np.random.default_rng(6))
    assert seen.noise.std() == pytest.approx(REAL.sd(), rel=0.03)
    r = np.corrcoef(seen.noise.ravel(), seen.baseline.ravel())[0, 1]
    assert r == pytest.approx(0.5, abs=0.02)
    assert set(np.unique(seen.counts)) == set(REAL.counts)


def test_dropout_has_its_share_and_its_slope():
    baseline = np.random.default_rng(7).normal(size=400_000)
    risk = dropout_risk(baseline, 0.2, 1.5)
    assert risk.mean() == pytest.approx(0.2, abs=0.002)
    slope = np.polyfit(baseline, np.log(risk / (1 - risk)), 1)[0]
    assert slope == pytest.approx(1.5)


def test_visits_are_correlated_and_who_leaves_stays_away():
    world = World(
        Layout(Spread.of_participant(2.0)), 1.0, (300, 300), dropout=0.3, dropout_slope=1.0,
        visit_shares=(0.3, 0.6, 1.0), visit_correlation=0.6, windows=((0.0, 0.0),) * 3,
    )  # fmt: skip
    seen = draw_visits(world, 30, np.random.default_rng(8))
    r = np.corrcoef(seen.noise[..., 0].ravel(), seen.noise[..., 2].ravel())[0, 1]
    assert r == pytest.approx(0.6, abs=0.02)
    assert (np.diff(seen.measured.astype(int), axis=2) <= 0).all()
    assert seen.measured[..., 2].mean() == pytest.approx(0.7, abs=0.06)
    left = ~seen.measured[..., 2] & seen.measured[..., 1]
    assert seen.noise[..., 1][left].mean() > 0.3  # the larger the value, the likelier to leave


def test_visits_that_are_early_or_late_see_more_or_less_of_the_effect():
    on_time = World(Layout(Spread.of_participant(2.0)), 1.0, (50, 50))
    spread = World(Layout(Spread.of_participant(2.0)), 1.0, (50, 50), windows=((-0.1, 0.1),))
    assert np.ptp(draw(on_time, 10, np.random.default_rng(1)).gain[:, 50:]) == 0
    gain = draw(spread, 400, np.random.default_rng(1)).gain[:, 50:]
    assert gain.min() == pytest.approx(0.9, abs=0.01)
    assert gain.mean() == pytest.approx(1.0, abs=0.01)


# ---------------------------------------------------------------- refused

ONE = Spread.of_participant(2.4)
BAD = [
    ({"estimator": "bayes"}, "estimator is 'bayes'"),
    ({"estimator": "mixed"}, "spread is of one value a participant"),
    ({"estimator": "independent"}, "spread is of one value a participant"),
    ({"estimator": "mmrm"}, "visit_shares is 1 visit"),
    ({"trials": 0}, "trials is 0"),
    ({"dropout": 1.0}, "dropout is 1"),
    ({"dropout": -0.1}, "dropout is -0.1"),
    ({"visit_correlation": 1.0}, "visit_correlation is 1"),
    ({"workers": 0}, "workers is 0"),
    ({"design": "factorial"}, "design is 'factorial'"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _, words in BAD])
def test_what_cannot_be_simulated_is_refused(options, words):
    with pytest.raises(InputError) as caught:
        simulated_power(20, 1.2, ONE, **{"trials": 100, **options})
    assert words in str(caught.value)
