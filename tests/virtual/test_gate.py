"""Whether forecasts may print a probability of success: the scores, the rule, the record."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import norm, t

from remyelin.errors import InputError
from remyelin.evidence.load import records
from remyelin.virtual.assumptions import draw_worlds
from remyelin.virtual.gate import Judged, crps, gate, judge, log_score, others_mean, verdict
from remyelin.virtual.published import (
    effective,
    follow_published,
    predicted,
    published,
    quantiles,
    results_of,
    weights,
)

ROW = Judged("a", -1.0, 0.5, -1.2, 1.0, -2.0, 1.5, -1.0, -1.5, 0.3, 0.6, 50.0)


def test_the_verdict_on_record_follows_from_its_scores():
    found = gate()
    gain = np.array([row.model_log - row.mean_log for row in found.judged])
    half = t.ppf(0.95, len(gain) - 1) * gain.std(ddof=1) / math.sqrt(len(gain))
    assert (found.low, found.high) == pytest.approx((gain.mean() - half, gain.mean() + half))
    better = np.mean([row.mean_crps - row.model_crps for row in found.judged]) > 0
    assert found.open == (gain.mean() - half > 0 and better)
    assert {row.trial for row in found.judged} == {"rebuild", "ccmr-two", "ccmr-one", "renew"}


def test_the_record_is_about_the_results_that_are_published():
    latencies = [each for each in published() if each.measure == "p100_latency_ms"]
    for row, each in zip(gate().judged, latencies, strict=True):
        assert (row.trial, row.estimate) == (each.trial, each.estimate)
        assert row.se == pytest.approx(each.se, rel=1e-5)


def test_the_competitor_on_record_is_computed_anew():
    latencies = [each for each in published() if each.measure == "p100_latency_ms"]
    for row in gate().judged:
        others = [each for each in latencies if each.trial != row.trial]
        mean, sd = others_mean([o.estimate for o in others], [o.se for o in others], row.se)
        assert (mean, sd) == pytest.approx((row.mean_mean, row.mean_sd), rel=1e-4)
        assert norm(mean, sd).logpdf(row.estimate) == pytest.approx(row.mean_log, rel=1e-4)


@pytest.mark.slow
def test_the_record_is_computed_anew():
    for found, row in zip(judge(draw_worlds(4096, np.random.default_rng(2026))), gate().judged, strict=True):
        assert found.model_log == pytest.approx(row.model_log, rel=1e-4)
        assert found.model_crps == pytest.approx(row.model_crps, rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "may"),
    [
        ([ROW, ROW, ROW], True),
        ([replace(ROW, model_log=-1.6)] * 3, False),
        ([ROW, replace(ROW, model_log=-3.0), ROW], False),  # better in the mean of two, but who knows
        ([replace(ROW, model_crps=0.7)] * 3, False),
    ],
)
def test_the_gate_opens_only_for_what_is_surely_better(rows, may):
    found = verdict(rows)
    assert found.open == may
    assert str(found).startswith("Open" if may else "Closed")
    json.dumps(found.to_dict())


def test_one_result_is_no_contest():
    with pytest.raises(InputError, match="1 results"):
        verdict([ROW])


@given(st.floats(-5, 5), st.floats(0.2, 3), st.floats(0.1, 0.9))
def test_the_scores_of_a_mixture(found, sd, part):
    means, weight = np.array([-1.0, 2.0]), np.array([part, 1 - part])
    density = part * norm(-1, sd).pdf(found) + (1 - part) * norm(2, sd).pdf(found)
    assert log_score(found, means, weight, sd) == pytest.approx(math.log(density))

    def below(x):
        return part * norm(-1, sd).cdf(x) + (1 - part) * norm(2, sd).cdf(x)

    low, high = (np.linspace(*ends, 20_001) for ends in ((-40, found), (found, 40)))
    expected = trapezoid(below(low) ** 2, low) + trapezoid((1 - below(high)) ** 2, high)
    assert crps(found, means, weight, sd) == pytest.approx(expected, abs=1e-4)


# ---------------------------------------------------------------- published results


def test_standard_errors_follow_from_what_is_published():
    found = {each.result: each for each in published()}
    assert found["rebuild-p100-crossover"].se == pytest.approx(1.2 / 1.96, rel=1e-3)
    assert found["ccmr-two-p100"].se == pytest.approx(1.15 / 1.96, rel=1e-3)
    assert found["ccmr-one-p100"].se == pytest.approx(4.66 / norm.isf(0.007))
    assert found["renew-p100-itt-w24"].se == pytest.approx(14.3 / 2 / 1.96, rel=1e-3)
    assert found["ccmr-one-submedian-mtr"].se == pytest.approx(0.16 / norm.isf(0.27))


def test_nothing_unverified_is_calibrated_on():
    names = {each.result for each in published()}
    used = [record for record in records("results") if record.id in names]
    assert len(used) == len(names)
    assert {record.status for record in used} == {"seen"}
    assert not [record.id for record in used if {"estimate", "low", "high", "p"} & set(record.unverified)]


def test_a_result_draws_the_worlds_towards_itself():
    worlds = draw_worlds(96, np.random.default_rng(1))
    rebuild = results_of(["rebuild"])
    followed = follow_published(rebuild, worlds)
    before, after = weights([], followed, worlds), weights(rebuild, followed, worlds)
    effect = predicted(rebuild[0], followed, worlds)
    assert abs(after @ effect + 1.7) < abs(before @ effect + 1.7)
    assert effective(after) < effective(before) == pytest.approx(followed["rebuild"].possible.sum())
    assert (after[~followed["rebuild"].possible] == 0).all()


def test_a_trial_without_results_is_named():
    with pytest.raises(InputError, match="did you mean 'rebuild'"):
        results_of(["rebuilt"])


def test_no_world_is_no_answer():
    worlds = draw_worlds(2, np.random.default_rng(1))
    followed = follow_published(results_of(["renew"]), worlds)
    for each in followed.values():
        for arm in each.arms.values():
            arm.lesion_mm[:] = 1e9
    with pytest.raises(InputError, match="none possible"):
        weights([], followed, worlds)


@given(st.lists(st.floats(-9, 9), min_size=3, max_size=9, unique=True))
def test_equal_weights_give_ordinary_quantiles(values):
    array = np.array(values)
    weight = np.full(len(array), 1 / len(array))
    found = quantiles(array, weight, [0.0, 0.5, 1.0])
    assert found == pytest.approx([array.min(), np.median(array), array.max()])
