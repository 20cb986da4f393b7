"""Scan-rescan error: what is put in comes out, and the interval holds it as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.measure.rescan import Floor, rescan_error, same_day


def simulate(rng, *, people=20, lesions=10, sd=0.6, shared=0.0, scans=2):
    owner = np.repeat(np.arange(people), lesions)
    together = rng.normal(0, shared, (people, scans))[owner]
    truth = rng.normal(30, 3, (len(owner), 1))
    return truth + together + rng.normal(0, sd, (len(owner), scans)), owner


def test_pairs_by_hand():
    error = rescan_error([[10.0, 12.0], [20.0, 19.0], [30.0, 30.0]], ["a", "b", "c"]).overall
    assert error.sd == pytest.approx(np.sqrt((4 + 1 + 0) / 6))  # sum of squared differences / 2 n
    assert error.sdc == pytest.approx(1.96 * np.sqrt(2) * error.sd)
    assert error.shift == pytest.approx(1 / 3)
    assert (error.n_lesions, error.n_participants) == (3, 3)


@given(
    scans=arrays(float, (8, 3), elements=st.floats(20, 40)), shift=st.floats(-10, 10), gain=st.floats(0.5, 2)
)
@settings(max_examples=40, deadline=None)
def test_level_of_a_lesion_is_irrelevant_and_units_scale(scans, shift, gain):
    if np.ptp(scans, axis=1).max() < 1e-3:
        return
    levels = shift * np.arange(8)[:, None]
    one = rescan_error(scans, range(8)).overall
    other = rescan_error(gain * (scans + levels), range(8)).overall
    assert_allclose(
        [other.sd, other.sd_high, other.sdc], np.array([one.sd, one.sd_high, one.sdc]) * gain, rtol=1e-6
    )
    assert other.df == pytest.approx(one.df, rel=1e-4)


def test_participants_in_any_order_and_missing_scans():
    scans, owner = simulate(np.random.default_rng(1), scans=3)
    scans[::3, 2] = np.nan
    scans[1, :2] = np.nan  # one value: no repeat
    turned = np.random.default_rng(2).permutation(len(owner))
    one = rescan_error(scans, owner).overall
    other = rescan_error(scans[turned], owner[turned]).overall
    assert_allclose([one.sd, one.df, one.shift], [other.sd, other.df, other.shift], rtol=1e-10)
    assert one.n_lesions == len(owner) - 1


@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_interval_covers_the_truth(shared):
    rng = np.random.default_rng(7)
    truth = np.hypot(0.6, shared)
    covered = naive = 0
    for _ in range(300):
        error = rescan_error(*simulate(rng, shared=shared)).overall
        covered += error.sd_low <= truth <= error.sd_high
        naive += abs(error.sd / truth - 1) < 1.96 / np.sqrt(2 * 200)  # 200 lesions taken as independent
    assert covered / 300 >= 0.90  # 20 participants: the sandwich is a little short of 95 %
    if shared:
        assert naive / 300 < 0.80


def test_shift_between_first_and_second_scan_is_shown():
    scans, owner = simulate(np.random.default_rng(4), shared=0.3)
    scans[:, 1] += 1.0
    error = rescan_error(scans, owner).overall
    assert abs(error.shift - 1.0) < 3 * error.shift_se
    assert error.shift_se == pytest.approx(np.sqrt((2 * 0.3**2 + 2 * 0.6**2 / 10) / 20), rel=0.4)


@pytest.mark.parametrize("floor", [0.0, 0.5, 1.0])
def test_floor_and_slope_are_found(floor):
    rng = np.random.default_rng(11)
    volume = rng.uniform(10, 400, 1500)
    sd = np.sqrt(floor**2 + 4.0**2 / volume)
    scans = 30 + rng.normal(0, 1, (1500, 2)) * sd[:, None]
    result = rescan_error(scans, np.repeat(range(100), 15), volume_mm3=volume, edges_mm3=(30, 100))
    assert result.floor.floor == pytest.approx(floor, abs=0.12)
    assert_allclose(result.floor.sd(volume), sd, rtol=0.2)  # widest at the few lesions of 10 mm3
    small, middle, large = result.by_size
    assert small.sd > middle.sd > large.sd
    assert sum(part.n_lesions for part in result.by_size) == 1500
    assert (small.low_mm3, small.high_mm3, large.low_mm3, large.high_mm3) == (0, 30, 100, np.inf)


@pytest.mark.parametrize("floor", [0.0, 0.5, 1.0])
def test_floor_interval_covers_the_truth(floor):
    rng = np.random.default_rng(13)
    covered = 0
    for _ in range(40):
        volume = rng.uniform(10, 300, 120)
        scans = 30 + rng.normal(0, 1, (120, 2)) * np.sqrt(floor**2 + 4.0**2 / volume)[:, None]
        found = rescan_error(scans, range(120), volume_mm3=volume).floor
        covered += found.floor_low <= floor <= found.floor_high
    assert covered / 40 >= 0.88  # 36 of 40 or more: 98 % of runs if the coverage is 95 %


def test_what_cannot_be_known_is_not_given():
    scans, owner = simulate(np.random.default_rng(1), people=2, lesions=5)
    assert rescan_error(scans, owner).floor is None
    alike = rescan_error(scans, owner, volume_mm3=np.full(10, 20.0), edges_mm3=(50,))
    assert alike.floor is None
    empty = alike.by_size[1]
    assert (empty.n_lesions, empty.df) == (0, 0)
    assert np.isnan([empty.sd, empty.sdc, empty.shift]).all()
    one_person = rescan_error(scans, ["a"] * 10).overall
    assert one_person.df == 10
    assert np.isnan(one_person.shift_se)


def test_same_day():
    assert same_day([0.0, None, 0.0, 182, 0]) == ((0, 2, 4),)
    assert same_day([0, 1, float("nan"), None]) == ()


def test_floor_of_a_large_lesion_is_the_floor():
    assert Floor(0.5, 0.4, 0.6, 4.0).sd([1e12, 16.0]).tolist() == pytest.approx([0.5, np.sqrt(1.25)])


@pytest.mark.parametrize(
    ("scans", "options", "says"),
    [
        ([[1.0, np.nan]], {}, "rescan_sd_pu"),
        ([1.0, 2.0], {}, "repeated scans is none"),
        ([[1.0, 2.0]], {"volume_mm3": [1.0, 2.0]}, "[1, 1, 2] entries"),
        ([[1.0, 2.0]], {"volume_mm3": [0.0]}, "volume_mm3 is 0"),
        ([[1.0, 2.0]], {"edges_mm3": (30,)}, "rising volumes"),
        ([[1.0, 2.0]], {"volume_mm3": [9.0], "edges_mm3": (30, 10)}, "rising volumes"),
    ],
)
def test_mistakes_are_named(scans, options, says):
    with pytest.raises(InputError) as error:
        rescan_error(scans, ["a"], **options)
    assert says in str(error.value)
