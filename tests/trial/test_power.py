"""Closed forms of sample size: published figures, properties, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.evidence import lesion_counts, parameter
from remyelin.trial.power import (
    Spread,
    detectable_effect,
    power_proportions,
    sample_size,
    sample_size_proportions,
    trial_power,
)
from remyelin.trial.power.counts import site_counts
from remyelin.trial.power.noncentral import t_power

LESIONS = Spread.of_sites(between=0.35, site=1.3, sites=30)
EYES = Spread.of_periods(2.5, 4.0)

effects = st.floats(0.05, 5.0)
sds = st.floats(0.2, 10.0)


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("effect", "sd", "n80", "n90"), [(1.2, 2.4, 64, 86), (2.5, 4.33, 49, 65), (5.0, 12.4, 98, 131)]
)
def test_two_arms(effect, sd, n80, n90):
    spread = Spread.of_participant(sd)
    assert sample_size(effect, spread, power=0.8).n == (n80, n80)
    assert sample_size(effect, spread, power=0.9).n == (n90, n90)


def test_lesions_in_patients_and_as_if_independent():
    size = sample_size(0.3, LESIONS)
    assert size.n == (33, 33)
    assert size.naive == (11, 11)
    assert size.naive_power == pytest.approx(0.35, abs=0.005)
    assert "lesions taken as independent: 11 an arm, 22 in all, whose true power is 0.35" in str(size)


def test_two_eyes_in_a_crossover_and_as_if_independent():
    size = sample_size(1.7, EYES, design="crossover")
    assert (size.total, sum(size.naive)) == (80, 62)
    assert "WARNING" not in str(size)


def test_carry_over_is_warned_of_with_the_loss():
    size = sample_size(1.7, EYES, design="crossover", carry_over=0.5)
    assert size.total == 80
    assert size.left == pytest.approx(1.275)
    assert size.power_left == pytest.approx(0.56, abs=0.005)
    assert "WARNING: a carry-over of 50 % leaves an effect of 1.275 (lost: 0.425) and a power of 0.56" in str(
        size
    )
    needed = sample_size(1.275, EYES, design="crossover")
    assert trial_power(needed.n, 1.7, EYES, design="crossover", carry_over=0.5) >= 0.8


def test_published_sd_of_one_outcome_differ_27_fold_in_participants():
    small, large = (
        parameter("p100_change_sd", of="participant").value,
        parameter("p100_change_sd", of="eye").value,
    )
    ratio = (
        sample_size(1.2, Spread.of_participant(large)).exact
        / sample_size(1.2, Spread.of_participant(small)).exact
    )
    assert ratio == pytest.approx(26.5, abs=0.5)


# ---------------------------------------------------------------- exactness


@pytest.mark.parametrize("df", [2, 5, 18, 126, 5000])
@pytest.mark.parametrize("ncp", [0.0, 0.5, 2.0, 5.0])
def test_the_noncentral_t_by_integration(df, ncp):
    from scipy import integrate, stats

    critical = stats.t.ppf(0.975, df)
    sd = math.sqrt(2 * df)

    def tail(x):
        return stats.norm.sf(critical * math.sqrt(x / df) - ncp) * stats.chi2.pdf(x, df)

    expected = integrate.quad(tail, max(0.0, df - 12 * sd), df + 14 * sd + 60, points=[df], limit=300)[0]
    assert t_power(ncp, df).item() == pytest.approx(expected, abs=1e-9)


def test_very_many_participants_do_not_break_the_series():
    values = t_power(np.linspace(-5, 200, 400), 2e6)
    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-12).all()
    assert values[-1] == 1


def test_no_effect_leaves_half_of_a_two_sided_alpha():
    assert t_power(0.0, 30).item() == pytest.approx(0.025)
    assert t_power(0.0, 30, sided=1).item() == pytest.approx(0.05)


def test_unequal_numbers_of_lesions():
    """By hand: three patients with 2, 5 and 20 lesions."""
    spread = Spread.of_sites(1.0, 2.0, [2, 5, 20])
    assert spread.variance("mean") == pytest.approx(1 + 4 * (1 / 2 + 1 / 5 + 1 / 20) / 3)
    own = [1 + 4 / m for m in (2, 5, 20)]
    assert spread.variance("mixed") == pytest.approx(3 / sum(1 / each for each in own))
    mean, cv, icc = 9.0, np.std([2, 5, 20]) / 9, 1 / 5
    expected = 5 * (1 + ((1 + cv**2) * mean - 1) * icc) / mean  # Eldridge 2006
    assert spread.variance("pooled") == pytest.approx(expected)
    assert spread.design_effect("pooled") == pytest.approx(1 + ((1 + cv**2) * mean - 1) * icc)


def test_equal_numbers_make_the_three_alike():
    assert LESIONS.variance("mean") == pytest.approx(0.35**2 + 1.3**2 / 30)
    assert LESIONS.variance("mixed") == pytest.approx(LESIONS.variance("mean"))
    assert LESIONS.variance("pooled") == pytest.approx(LESIONS.variance("mean"))
    assert LESIONS.design_effect() == pytest.approx(1 + 29 * LESIONS.icc)


def test_pooled_variance_in_virtual_patients():
    """The variance of the mean of all lesions, whatever the numbers of the patients, by simulation."""
    rng = np.random.default_rng(5)
    spread = Spread.of_sites(0.5, 1.3, lesion_counts())
    n, trials = 40, 4000
    m = rng.choice(spread.counts, size=(trials, n))
    means = 0.5 * rng.normal(size=m.shape) + 1.3 / np.sqrt(m) * rng.normal(size=m.shape)
    pooled = (m * means).sum(1) / m.sum(1)
    assert n * pooled.var() == pytest.approx(spread.variance("pooled"), rel=0.1)
    assert n * means.mean(1).var() == pytest.approx(spread.variance("mean"), rel=0.1)


def test_lognormal_counts_have_their_mean_and_cv():
    counts = np.array(site_counts(60, cv=0.5))
    assert counts.mean() == pytest.approx(60, rel=0.01)
    assert counts.std() / counts.mean() == pytest.approx(0.5, rel=0.05)


def test_a_mean_that_is_no_whole_number():
    assert np.mean(site_counts(32.9)) == pytest.approx(32.9)
    assert set(site_counts(32.9)) == {32, 33}


def test_two_eyes_by_their_correlation():
    one = Spread.of_participant(12.4).variance()
    for icc, share in ((0.0, 0.5), (0.5, 0.75), (1.0, 1.0)):
        spread = Spread.of_icc(12.4, icc, 2, unit="eye")
        assert spread.variance() == pytest.approx(share * one)


def test_allocation_two_to_one():
    size = sample_size(1.2, Spread.of_participant(2.4), allocation=2.0)
    assert size.n[1] == 2 * size.n[0]
    assert size.total == pytest.approx(128 * 9 / 8, abs=2)  # (1 + r)^2 / 4 r


def test_a_baseline_takes_variance_out():
    plain, adjusted = (sample_size(1.2, Spread.of_participant(2.4), correlation=r).exact for r in (0.0, 0.6))
    assert adjusted / plain == pytest.approx(0.64, abs=0.02)


def test_paired_differences():
    size = sample_size(1.7, Spread.of_participant(4.33), design="paired")
    crossover = sample_size(1.7, Spread.of_participant(4.33), design="crossover")
    assert len(size.n) == 1
    assert crossover.total - size.total in (0, 1, 2)  # one degree of freedom more for the period


def test_dropout_is_recruited_on_top():
    size = sample_size(1.2, Spread.of_participant(2.4), dropout=0.2)
    assert (size.n, size.recruit) == ((64, 64), (80, 80))
    assert "recruit 80 an arm" in str(size)


# ---------------------------------------------------------------- properties


@given(effect=effects, sd=sds, power=st.floats(0.1, 0.99))
@example(effect=5.0, sd=0.2, power=0.8)
@example(effect=0.0546875, sd=9.0, power=0.96875)
def test_a_size_has_its_power_and_one_less_has_not(effect, sd, power):
    assume(effect / sd > 0.006)  # below, a million may not be enough
    spread = Spread.of_participant(sd)
    size = sample_size(effect, spread, power=power)
    assert size.power >= power - 1e-9
    if size.n[0] > 2:
        assert trial_power(size.n[0] - 1, effect, spread) < power


@given(sd=sds, n=st.integers(5, 500), power=st.floats(0.3, 0.99))
def test_the_detectable_effect_is_found_with_its_power(sd, n, power):
    effect = detectable_effect(n, Spread.of_participant(sd), power=power)
    assert trial_power(n, effect, Spread.of_participant(sd)) == pytest.approx(power, abs=1e-6)


@given(effect=effects, sd=sds, factor=st.floats(0.01, 100.0))
def test_units_do_not_matter(effect, sd, factor):
    one = sample_size(effect, Spread.of_participant(sd)).exact
    other = sample_size(factor * effect, Spread.of_participant(factor * sd)).exact
    assert other == pytest.approx(one, rel=1e-6)


@given(effect=effects, sd=sds)
def test_the_sign_of_the_effect_does_not_matter(effect, sd):
    spread = Spread.of_participant(sd)
    assert sample_size(-effect, spread).n == sample_size(effect, spread).n
    assert trial_power(20, -effect, spread) == trial_power(20, effect, spread)


@settings(max_examples=40)
@given(between=st.floats(0.05, 2.0), site=st.floats(0.05, 4.0), more=st.integers(1, 60), m=st.integers(1, 60))
def test_more_sites_never_need_more_participants(between, site, more, m):
    few, many = (Spread.of_sites(between, site, k) for k in (m, m + more))
    assert sample_size(0.5, many).exact <= sample_size(0.5, few).exact + 1e-6
    assert many.variance() >= between**2


@given(
    between=st.floats(0.05, 2.0), site=st.floats(0.05, 4.0), counts=st.lists(st.integers(1, 200), min_size=2)
)
def test_weighing_by_what_is_known_is_never_worse(between, site, counts):
    spread = Spread.of_sites(between, site, counts)
    assert spread.variance("mixed") <= spread.variance("mean") * (1 + 1e-9)
    assert spread.variance("mixed") <= spread.variance("pooled") * (1 + 1e-9)


@given(sd=sds, part=st.floats(0.0, 1.0), factor=st.floats(0.0, 1.0))
def test_measuring_better_never_needs_more(sd, part, factor):
    spread = Spread.of_participant(sd, measurement=part * sd)
    if part * (1 - factor) < 0.99:
        better = spread.with_measurement(factor)
        assert better.variance() <= spread.variance() * (1 + 1e-9)
        assert better.variance() == pytest.approx(sd**2 * (1 - part**2 * (1 - factor**2)), rel=1e-6)


def test_lesions_weighed_by_their_own_error():
    spread = Spread.of_sites(0.3, 1.5, 20, measurement=1.2)
    same = spread.weighted([1.0, 1.0])
    assert same.variance() == pytest.approx(spread.variance())
    better = spread.weighted([0.2, 1.8])
    own = [1.5**2 - 1.2**2 + 1.2**2 * each for each in (0.2, 1.8)]
    assert better.site**2 == pytest.approx(2 / (1 / own[0] + 1 / own[1]))
    assert better.variance() < spread.variance()


def test_proportions_are_alike_from_both_sides():
    assert sample_size_proportions(0.35, 0.55) == pytest.approx(sample_size_proportions(0.65, 0.45))
    assert power_proportions(96, 0.35, 0.55) >= 0.8


# ---------------------------------------------------------------- evidence


def test_an_sd_of_the_evidence_base_brings_its_unit_and_source():
    spread = Spread.from_evidence("p100_change_sd", of="participant")
    assert (spread.between, spread.unit) == (2.4, "participant")
    assert "cc2a" in spread.source


def test_the_sd_of_an_eye_is_not_that_of_a_participant():
    with pytest.raises(InputError, match="sites is not given for the SD of one eye"):
        Spread.from_evidence("p100_change_sd", of="eye")
    with pytest.raises(InputError, match="icc is not given for the SD of one eye"):
        Spread.from_evidence("p100_change_sd", of="eye", sites=2)
    assert Spread.from_evidence("p100_change_sd", of="eye", sites=1).variance() == pytest.approx(12.4**2)


def test_an_sd_that_was_only_recalled_is_no_default():
    with pytest.raises(InputError, match="unverified"):
        Spread.from_evidence("submedian_mtr_change_sd", arm="placebo")
    recalled = Spread.from_evidence("submedian_mtr_change_sd", arm="placebo", allow_unverified=True)
    assert "unverified" in recalled.source


# ---------------------------------------------------------------- refused

OK = Spread.of_participant(2.4)
BAD = [
    (lambda: sample_size(0.0, OK), "effect is 0"),
    (lambda: sample_size(math.nan, OK), "effect is nan"),
    (lambda: sample_size(1e-6, OK), "effect is so small"),
    (lambda: sample_size(1.2, OK, power=0.03), "power is 0.03"),
    (lambda: sample_size(1.2, OK, power=1.0), "power is 1"),
    (lambda: sample_size(1.2, OK, alpha=0.0), "alpha is 0"),
    (lambda: sample_size(1.2, OK, sided=3), "sided is 3"),
    (lambda: sample_size(1.2, OK, design="factorial"), "design is 'factorial'"),
    (lambda: sample_size(1.2, OK, summary="median"), "summary is 'median'"),
    (lambda: sample_size(1.2, OK, dropout=1.0), "dropout is 1"),
    (lambda: sample_size(1.2, OK, correlation=1.0), "correlation is 1"),
    (lambda: sample_size(1.2, OK, allocation=0.0), "allocation is 0"),
    (lambda: sample_size(1.2, OK, design="paired", allocation=2.0), "allocation is 2"),
    (lambda: sample_size(1.2, OK, carry_over=0.5), "carry_over is 0.5"),
    (lambda: sample_size(1.2, OK, design="crossover", carry_over=50), "carry_over is 50"),
    (lambda: Spread.of_participant(-2.4), "sd is -2.4"),
    (lambda: Spread.of_participant(0.0), "sd is 0"),
    (lambda: Spread.of_participant(math.inf), "sd is inf"),
    (lambda: Spread.of_participant(2.4, measurement=3.0), "measurement SD is 3"),
    (lambda: Spread.of_sites(-0.1, 1.0, 3), "between SD is -0.1"),
    (lambda: Spread.of_sites(0.0, 0.0, 3), "SD is 0"),
    (lambda: Spread.of_sites(0.3, 1.3, 0), "sites is 0"),
    (lambda: Spread.of_sites(0.3, 1.3, []), "sites is less than 1"),
    (lambda: Spread.of_sites(0.3, 1.3, 5, cv=-1), "CV -1"),
    (lambda: Spread.of_icc(12.4, 1.2, 2), "icc is 1.2"),
    (lambda: trial_power(1, 1.2, OK), "n is 1"),
    (lambda: trial_power((5, 5, 5), 1.2, OK), "n is 3 groups"),
    (lambda: trial_power((0, 5), 1.2, OK), "n is 0 + 5"),
    (lambda: detectable_effect(20, OK, power=0.0), "power is 0"),
    (lambda: sample_size_proportions(0.35, 0.35), "p2 is 0.35, the same as p1"),
    (lambda: sample_size_proportions(35.0, 55.0), "p1 is 35"),
    (lambda: power_proportions(-4, 0.3, 0.5), "n, alpha, sided is -4"),
]


@pytest.mark.parametrize(("call", "words"), BAD, ids=[words for _, words in BAD])
def test_what_is_no_plan_is_refused_by_name(call, words):
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.fix
