"""The submedian endpoint: who is picked, what selection does, and what each correction leaves of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.trial.floor import ErrorFloor, error_floor
from remyelin.trial.regression import below_median, expected_regression, normal_regression_pu
from remyelin.trial.submedian import submedian_change

lesion_values = arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(10, 60) | st.just(np.nan)
)


def scans(seed: int = 1, n: int = 2000, lesions: int = 30, sd: float = 1.0, effect: float = 0.0):
    """Baseline, follow-up and a second baseline of lesions with a between-lesion SD of 3 pu."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(31, 3, (n, lesions))
    return tuple(truth + shift + rng.normal(0, sd, truth.shape) for shift in (0, effect, 0))


@settings(deadline=None, max_examples=30)
@given(lesion_values)
def test_the_picked_lie_strictly_below_the_median(values):
    picked, median, _ = below_median(values)
    for row, below, middle in zip(values, picked, median, strict=True):
        seen = row[np.isfinite(row)]
        assert (np.isnan(middle) and not seen.size) or middle == pytest.approx(np.median(seen))
        assert_allclose(np.sort(row[below]), np.sort(seen[seen < middle]))


@settings(deadline=None, max_examples=30)
@given(lesion_values)
def test_the_cut_of_a_lesion_is_where_it_changes_side(values):
    """Moved just below its own cut a lesion is picked, just above it is not, whatever its value was."""
    _, _, cut = below_median(values)
    for person, lesion in np.argwhere(np.isfinite(values)):
        if np.isfinite(values[person]).sum() < 2:
            continue
        for step, side in ((-1e-6, True), (1e-6, False)):
            moved = values[[person]].copy()
            moved[0, lesion] = cut[person, lesion] + step
            assert below_median(moved)[0][0, lesion] == side


@settings(deadline=None, max_examples=30)
@given(lesion_values, st.floats(-5, 5), st.integers(0, 100))
def test_a_change_of_all_lesions_is_returned_as_it_is(values, shift, seed):
    change = submedian_change(values, values + shift, floor=ErrorFloor.given(1.0)).frame
    picked = change["n_used"] > 0
    assert_allclose(change.loc[picked, "plain_pu"], shift, atol=1e-9)
    assert_allclose(change.loc[picked, "weighted_pu"], shift, atol=1e-9)
    assert (change.loc[~picked, "reason"] != "").all()
    order = np.random.default_rng(seed).permutation(values.shape[1])
    again = submedian_change(values[:, order], values[:, order] + shift, floor=ErrorFloor.given(1.0)).frame
    pd.testing.assert_frame_equal(again, change, rtol=1e-9, atol=1e-9)


def test_one_lesion_is_said_not_dropped():
    change = submedian_change([30.0], [31.0], floor=ErrorFloor.given(1.0))
    assert len(change.frame) == 1
    assert "median of one" in change.frame["reason"][0]
    assert np.isnan(change.frame["plain_pu"][0])


def test_ties_and_losses_are_counted():
    row = submedian_change([30.0, 31.0, 31.0, 31.0, 33.0, np.nan], [np.nan, 1, 1, 1, 1, 30.0]).frame.iloc[0]
    assert (row["n_lesions"], row["n_selected"], row["n_at_median"], row["n_used"]) == (5, 1, 3, 0)
    assert "measured at follow-up" in row["reason"]
    same = submedian_change([30.0, 30.0], [31.0, 31.0]).frame.iloc[0]
    assert "none lies below" in same["reason"]
    assert "no lesion" in submedian_change([np.nan], [31.0]).frame["reason"][0]


def test_the_median_is_that_of_all_lesions_with_a_baseline():
    """Loss to follow-up comes after baseline, so it must not move who is picked."""
    whole = submedian_change([28.0, 29, 30, 31, 32], [28.5, 29.5, 30, 31, 32]).frame.iloc[0]
    lost = submedian_change([28.0, 29, 30, 31, 32], [28.5, 29.5, np.nan, np.nan, np.nan]).frame.iloc[0]
    assert whole["plain_pu"] == lost["plain_pu"] == 0.5
    assert lost["median_pu"] == 30


def test_the_closed_form_is_the_simulated_rise():
    y0, y1, _ = scans(lesions=200)
    rise = submedian_change(y0, y1).frame["plain_pu"].mean()
    assert rise == pytest.approx(normal_regression_pu(1.0, 3.0), abs=0.01)


@pytest.mark.parametrize("prior", ["any", "pooled", "participant"])
@pytest.mark.parametrize("effect", [0.0, 0.5])
def test_the_expected_rise_is_removed(prior, effect):
    y0, y1, _ = scans(effect=effect)
    frame = submedian_change(y0, y1, floor=ErrorFloor.given(1.0), prior=prior).frame
    assert frame["plain_pu"].mean() - effect > 0.2
    assert frame["corrected_pu"].mean() == pytest.approx(effect, abs=0.02)
    assert frame["weighted_corrected_pu"].mean() == pytest.approx(effect, abs=0.02)


def test_a_second_baseline_removes_it_without_any_model():
    y0, y1, again = scans()
    frame = submedian_change(y0, y1, correction="second-baseline", second_baseline=again).frame
    assert frame["corrected_pu"].mean() == pytest.approx(0, abs=0.02)
    assert frame["corrected_pu"].std() < frame["plain_pu"].std()  # two baselines are also less noisy


@pytest.mark.parametrize(("floor", "left"), [(0.0, 0.0), (1.0, 0.24)])
def test_cross_fitting_leaves_what_the_voxels_share(floor, left):
    rng = np.random.default_rng(4)
    truth = rng.normal(31, 3, (2000, 30))
    shared = truth + rng.normal(0, 1, truth.shape) * floor
    a, b = (shared + rng.normal(0, np.sqrt(2) * 0.7, truth.shape) for _ in range(2))
    y1 = truth + rng.normal(0, np.hypot(floor, 0.7), truth.shape)
    change = submedian_change(
        (a + b) / 2, y1, se_baseline=0.7, se_follow_up=0.7, floor=ErrorFloor.given(floor),
        correction="cross-fit", half_a=a, half_b=b,
    )  # fmt: skip
    assert change.frame["corrected_pu"].mean() == pytest.approx(left, abs=0.02)
    assert change.frame["left_pu"].mean() == pytest.approx(left, abs=0.02)
    assert "stays" in change.assumes


@pytest.mark.parametrize("sign", [1, -1])
def test_a_skewed_distribution_needs_the_shape(sign):
    rng = np.random.default_rng(5)
    truth = 31 + sign * rng.exponential(3, (2000, 30))
    y0, y1 = (truth + rng.normal(0, 1, truth.shape) for _ in range(2))
    left = {
        prior: submedian_change(y0, y1, floor=ErrorFloor.given(1.0), prior=prior)
        for prior in ("any", "pooled")
    }
    assert left["any"].frame["corrected_pu"].mean() == pytest.approx(0, abs=0.02)
    assert left["pooled"].frame["corrected_pu"].mean() > 0.05
    assert left["any"].shape > 1 + 3 * left["any"].shape_se


def test_few_lesions_keep_the_normal_shape():
    y0, y1, _ = scans(n=3, lesions=10)
    assert submedian_change(y0, y1, floor=ErrorFloor.given(1.0)).shape == 1.0


def test_unequal_noise_makes_a_false_effect_only_before_correction():
    quiet, loud = scans(seed=6, sd=0.5), scans(seed=7, sd=1.5)
    error = np.repeat([[0.5], [1.5]], 2000, axis=0) * np.ones(30)
    y0, y1 = (np.vstack(pair) for pair in zip(quiet[:2], loud[:2], strict=True))
    frame = submedian_change(y0, y1, se_baseline=error, se_follow_up=error).frame
    false = frame[["plain_pu", "corrected_pu"]].groupby(np.arange(4000) < 2000).mean()
    difference = false.loc[False] - false.loc[True]
    assert difference["plain_pu"] > 0.4
    assert difference["corrected_pu"] == pytest.approx(0, abs=0.03)


def test_the_error_of_the_floor_is_passed_on():
    y0, y1, _ = scans(n=50)
    exact = submedian_change(y0, y1, floor=ErrorFloor(1.0)).frame
    known_badly = submedian_change(y0, y1, floor=ErrorFloor(1.0, 0.1, 10, 400)).frame
    assert (exact["floor_se_pu"] == 0).all()
    slope = submedian_change(y0, y1, floor=ErrorFloor(1.01)).frame["rtm_pu"] - exact["rtm_pu"]
    assert_allclose(known_badly["floor_se_pu"].mean(), slope.mean() * 10, rtol=0.02)


def test_errors_of_the_mean_are_those_of_its_lesions():
    frame = submedian_change(
        [28.0, 29, 31, 32], [28.0, 29, 31, 32], se_baseline=[0.3, 0.4, 1, 1], se_follow_up=[0.3, 0.4, 1, 1]
    ).frame.iloc[0]
    assert frame["plain_se_pu"] == pytest.approx(np.sqrt(2 * (0.09 + 0.16)) / 2)
    assert frame["weighted_se_pu"] == pytest.approx(np.sqrt(1 / (1 / 0.18 + 1 / 0.32)))
    spread = submedian_change([28.0, 29, 31, 32], [28.2, 29.6, 31, 32]).frame.iloc[0]
    assert spread["plain_se_pu"] == pytest.approx(np.std([0.2, 0.6], ddof=1) / np.sqrt(2))


def test_without_any_error_the_rise_is_not_guessed():
    frame = submedian_change(*scans(n=3)[:2]).frame
    assert frame["rtm_pu"].isna().all()
    assert frame["reason"].str.contains("error of its lesions is not known").all()


def test_a_participant_with_unknown_errors_does_not_touch_the_others():
    y0, y1, _ = scans(n=20)
    error = np.ones_like(y0)
    error[3, 2] = np.nan
    frame = submedian_change(y0, y1, se_baseline=error, se_follow_up=error).frame
    others = np.arange(20) != 3
    alone = submedian_change(y0[others], y1[others], se_baseline=1.0, se_follow_up=1.0).frame
    assert np.isnan(frame["rtm_pu"][3])
    assert_allclose(frame.loc[others, "rtm_pu"], alone["rtm_pu"], rtol=1e-9)


def test_two_lesions_have_no_variance_of_their_own():
    frame = submedian_change(
        [30.0, 32.0], [30.0, 32.0], floor=ErrorFloor.given(1.0), prior="participant"
    ).frame
    assert "two lesions" in frame["reason"][0]


def test_the_rise_of_a_weighted_mean_without_weight_is_missing():
    found = expected_regression(
        np.array([[30.0, 32.0]]), np.ones((1, 2)), np.zeros((1, 2)), np.ones((1, 2)), "pooled"
    )
    assert np.isnan(found.rtm_pu[0])


def test_the_result_prints_itself():
    y0, y1, _ = scans(n=60)
    change = submedian_change(y0, y1, floor=ErrorFloor.given(1.0))
    assert "60 of 60 participants" in str(change)
    assert "normal" in change.assumes
    assert change._repr_html_().count("<table") == 1
    assert change.to_frame() is not change.frame


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"follow_up": [1.0]}, "follow_up"),
        ({"correction": "none"}, "correction"),
        ({"prior": "flat"}, "prior"),
        ({"se_baseline": [-1.0, 1.0]}, "se_baseline"),
        ({"correction": "second-baseline"}, "second_baseline"),
        ({"correction": "cross-fit", "half_a": [1.0, 2.0]}, "half_a and half_b"),
        ({"half_a": [1.0]}, "half_a"),
    ],
)
def test_what_cannot_be_used_is_named(options, field):
    given = {"follow_up": [30.0, 31.0]} | options
    with pytest.raises(InputError) as caught:
        submedian_change([30.0, 31.0], **given)
    assert caught.value.field == field


def test_the_floor_is_found_without_bias_and_its_error_is_right():
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        truth = rng.normal(31, 3, (10, 20))
        drift = rng.normal(0, 2, (10, 1))  # of a whole scan: it moves the median too
        first, second = truth + rng.normal(0, 1, (2, 10, 20)) * np.hypot(0.8, 0.5)
        second = np.where(rng.random((10, 20)) < 0.1, np.nan, second + drift)
        found.append(error_floor(first, second, np.full((10, 20), 0.5), np.full((10, 20), 0.5)))
    variances = np.array([each.variance_pu2 for each in found])
    assert variances.mean() == pytest.approx(0.64, abs=0.02)
    assert np.mean([each.variance_se_pu2 for each in found]) == pytest.approx(variances.std(), rel=0.15)


def test_a_floor_needs_three_people():
    with pytest.raises(InputError, match="at least 3"):
        error_floor([[1.0, 2.0]] * 2, [[1.0, 2.0]] * 2, [[0.1, 0.1]] * 2, [[0.1, 0.1]] * 2)
    with pytest.raises(InputError, match="rescan_sd_pu"):
        ErrorFloor.given(-1.0)
    assert "taken as exact" in str(ErrorFloor.given(0.5))
