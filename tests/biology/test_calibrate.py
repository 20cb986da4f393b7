"""The calibration: its prior, its density, its mode."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from remyelin.biology.calibrate import calibration, fit, prior
from remyelin.biology.experiments import experiments
from remyelin.evidence.load import read_data

TINY = {"ensembles": 2, "walkers": 4, "steps": 4, "forget": 2, "draws": 5}


@pytest.fixture(scope="module")
def problem():
    return calibration()


@pytest.fixture(scope="module")
def found(problem):
    return fit(problem, **TINY, seed=1)


def test_prior_is_the_interval_of_the_evidence():
    believed = prior()
    row = read_data("biology.toml")["rate"]["niche"]
    i = believed.names.index("niche")
    limits = np.exp(believed.centre[i] + believed.spread[i] * np.array([-1.95996, 0, 1.95996]))
    # The limits are rounded: the median lies within a few per cent of their geometric mean.
    assert limits == pytest.approx([row["low"], row["value"], row["high"]], rel=0.1)


def test_rates_that_no_target_reads_are_left_to_the_prior(problem):
    left = set(problem.prior.names) - set(problem.names)
    assert {"thickness_end", "survivor_repair_per_day", "axon_loss_per_day", "smouldering_effect"} <= left
    assert {"niche", "ageing.phagocytes", "coverage"} <= set(problem.names)


def test_density_is_prior_and_residuals(problem):
    rng = np.random.default_rng(2)
    z = 0.3 * rng.standard_normal((6, len(problem.names)))
    z[:, [n.startswith("ageing.") for n in problem.names]] -= 0.5
    expected = -0.5 * (z**2).sum(axis=1) - 0.5 * (problem.residuals(z) ** 2).sum(axis=1)
    assert problem.log_density(z, np.full(6, -np.inf)) == pytest.approx(expected, rel=1e-12)
    # Given up below the least that matters, and the same above it.
    least = np.where(np.arange(6) % 2, expected + 1, expected - 1)
    partly = problem.log_density(z, least)
    assert np.isneginf(partly[1::2]).all()
    assert partly[::2] == pytest.approx(expected[::2], rel=1e-12)


def test_density_is_nought_outside_the_bounds(problem):
    z = np.zeros((2, len(problem.names)))
    z[0, problem.names.index("ageing.phagocytes")] = 5
    z[1, problem.names.index("niche")] = 7
    assert np.isneginf(problem.log_density(z, np.full(2, -np.inf))).all()


def test_mode_is_no_lower_than_its_neighbours(problem):
    where, density = problem.mode(np.full(len(problem.names), -0.1))
    assert np.abs(problem.residuals(where[None])).max() < 0.2
    near = where + 0.05 * np.random.default_rng(3).standard_normal((20, len(where)))
    assert (problem.log_density(near, np.full(20, -np.inf)) < density).all()


def test_mode_with_a_rate_held(problem):
    i = problem.names.index("niche")
    where, density = problem.mode(np.zeros(len(problem.names)), held={i: 1.5})
    assert where[i] == 1.5
    assert density < problem.mode(np.zeros(len(problem.names)))[1]


def test_first_draw_covers_the_controls_on_their_days(problem, found):
    logs = np.log(found.posterior.draws[:1])
    z = ((logs - problem.prior.centre) / problem.prior.spread)[:, list(problem.read)]
    assert np.abs(problem.residuals(z)[0, :2]).max() < 0.01


def test_same_seed_same_file(problem, found):
    path = Path(__file__).parents[2] / "benchmarks/biology/calibrate.py"
    spec = importlib.util.spec_from_file_location("benchmark_calibrate", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.text(found) == script.text(fit(problem, **TINY, seed=1))


def test_likelihood_holds_only_what_is_for_calibration(problem):
    assert {each.name for each in problem.experiments} == {
        name for name, each in experiments().items() if each.used_for == "calibration"
    }
