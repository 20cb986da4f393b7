"""MTR of lesions: no invented change, and standard errors that are true."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from remyelin.errors import InputError
from remyelin.measure.image import Volume
from remyelin.measure.lesion_mtr import DEGREE, lesion_values, ratio_pu

NOISE = 17.0  # 2 % of white matter


def measured(trial, **options):
    return lesion_values(trial.pairs, trial.poses, trial.lesions, **options)


def change(values):
    return values.mtr_pu[:, 1] - values.mtr_pu[:, 0]


@pytest.fixture(scope="module")
def quiet(still):
    return measured(still)


def test_no_change_is_invented(quiet):
    found = change(quiet)
    assert abs(found.mean()) < 0.08  # 1 % of the contrast of the balls
    assert found.std() < 0.12


def test_level_is_that_of_the_voxels_of_the_mask(still, quiet):
    level, labels = quiet.mtr_pu[:, 0], still.lesions.labels[0]
    off, on = still.truth[0].signals(still.truth[0].content(np.linalg.inv(still.poses.off[0])))
    index = np.arange(1, labels.max() + 1)
    true = ratio_pu(ndimage.mean(off, labels, index), ndimage.mean(on, labels, index))
    # Between the voxels of the mask, some of them half filled, and the lesion itself.
    assert ((level < true + 0.2) & (level > still.truth[0].mtr_pu - 0.2)).all()


def test_change_is_seen_and_more_in_larger_lesions(risen):
    found, radius = change(measured(risen)), risen.truth[0].radius
    assert ((found > 0.5) & (found < 1.2)).all()
    assert found[radius > 3].mean() > found[radius < 2].mean()


@pytest.mark.parametrize(("interpolation", "degree"), [("none", DEGREE), ("none", 4), ("halfway", DEGREE)])
def test_standard_errors_are_true(still, interpolation, degree):
    """200 noisy pairs of lesions: SD of error / se, with a standard error of 5 %."""
    z, quiet = [], change(measured(still, interpolation=interpolation, degree=degree))
    for seed in range(3):
        values = measured(
            still.noisy(np.random.default_rng(seed), NOISE), interpolation=interpolation, degree=degree
        )
        z.append((change(values) - quiet) / np.hypot(*values.se_pu.T))
    assert len(np.concatenate(z)) > 200
    assert 0.85 < np.std(z) < 1.15
    assert abs(np.mean(z)) < 0.2


def test_error_against_the_truth_is_within_the_standard_error(still):
    values = measured(still.noisy(np.random.default_rng(9), NOISE))
    z = change(values) / np.hypot(*values.se_pu.T)
    assert 0.8 < z.std() < 1.2


def test_registration_error_shifts_values_as_much_as_it_says(still):
    rng, error_mm, shifts = np.random.default_rng(3), 0.05, []
    known = SimpleNamespace(**vars(still.poses))
    known.registrations = [SimpleNamespace(pair=r.pair, error_mm=error_mm) for r in still.poses.registrations]
    values = lesion_values(still.pairs, known, still.lesions)
    for _ in range(4):
        wrong = SimpleNamespace(off=list(known.off), on=list(known.on), registrations=known.registrations)
        push, slip = (_shift(rng.normal(0, error_mm / np.sqrt(3), 3)) for _ in range(2))
        wrong.off[1], wrong.on[1] = push @ known.off[1], slip @ push @ known.on[1]
        shifts.append(lesion_values(still.pairs, wrong, still.lesions).mtr_pu[:, 1] - values.mtr_pu[:, 1])
    assert_allclose(
        np.sqrt(np.mean(np.square(shifts)) / np.mean(values.se_registration_pu[:, 1] ** 2)), 1, atol=0.6
    )
    assert (
        values.se_registration_pu[:, 0].mean() < values.se_registration_pu[:, 1].mean()
    )  # home does not move


def _shift(mm):
    matrix = np.eye(4)
    matrix[:3, 3] = mm
    return matrix


def test_partial_volume_matters_more_in_small_lesions(still, quiet):
    se, radius = quiet.se_partial_volume_pu[:, 0], still.truth[0].radius
    depth = 40 - still.truth[0].mtr_pu
    assert (se[radius < 2] / depth[radius < 2]).mean() > 1.2 * (se[radius > 3] / depth[radius > 3]).mean()


def test_halves_have_independent_noise(still, quiet):
    off = []
    for seed in range(4):
        noisy = measured(still.noisy(np.random.default_rng(seed), NOISE))
        for v in (0, 1):
            off.append(
                [noisy.half_a_pu[:, v] - quiet.half_a_pu[:, v], noisy.half_b_pu[:, v] - quiet.half_b_pu[:, v]]
            )
    a, b = np.concatenate(off, axis=1)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    assert np.std([a, b]) > 1.2 * quiet.se_noise_pu.mean()  # each has half of the voxels


def test_halves_average_to_the_whole(quiet):
    assert_allclose((quiet.half_a_pu + quiet.half_b_pu) / 2, quiet.mtr_pu, atol=2)


@settings(max_examples=3, deadline=None)
@given(gain=st.floats(0.01, 100), field=st.floats(0.5, 2))
def test_scanner_gain_does_not_matter(still, quiet, gain, field):
    first, second = still.pairs
    scaled = replace(
        second,
        off=Volume(gain * second.off.data, second.off.affine),
        on=Volume(gain * second.on.data, second.on.affine),
    )
    first = replace(
        first,
        off=Volume(field * first.off.data, first.off.affine),
        on=Volume(field * first.on.data, first.on.affine),
    )
    again = lesion_values([first, scaled], still.poses, still.lesions)
    assert_allclose(again.mtr_pu, quiet.mtr_pu, atol=1e-3)


def test_interpolation_invents_changes(still, quiet):
    halfway = measured(still, interpolation="halfway")
    assert (
        change(halfway).std() > 3 * change(quiet).std()
    )  # each image is smoothed as its voxels happen to lie


def test_any_visit_can_be_home(still, quiet):
    later = SimpleNamespace(**{**vars(still.lesions), "home": (1,) * len(still.lesions.ids)})
    values = lesion_values(still.pairs, still.poses, later)
    assert abs(change(values).mean()) < 0.08
    assert_allclose(values.mtr_pu, quiet.mtr_pu, atol=2)


def test_one_visit_is_enough(still, quiet):
    alone = SimpleNamespace(
        off=still.poses.off[:1], on=still.poses.on[:1], registrations=still.poses.registrations[:1]
    )
    lesions = SimpleNamespace(**{**vars(still.lesions), "labels": still.lesions.labels[:1]})
    assert_array_equal(lesion_values(still.pairs[:1], alone, lesions).mtr_pu[:, 0], quiet.mtr_pu[:, 0])


def test_the_same_bits_every_time(still, quiet):
    first, second = quiet, measured(still)
    for name in ("mtr_pu", "se_pu", "half_a_pu", "half_b_pu", "voxels"):
        assert_array_equal(getattr(first, name), getattr(second, name))


def test_lesion_at_the_edge_of_the_view_is_told(still):
    cut = still.pairs[1]
    shorter = replace(cut, on=Volume(cut.on.data[:20], cut.on.affine))
    values = lesion_values([still.pairs[0], shorter], still.poses, still.lesions)
    gone = still.truth[0].centre[:, 0] > 30
    assert np.isnan(values.mtr_pu[gone, 1]).all()
    assert (values.covered[gone, 1] == 0).all()
    assert_allclose(values.covered[:, 0], 1, atol=0.01)


def test_without_signal_there_is_no_ratio():
    assert_array_equal(
        ratio_pu(np.array([100.0, 0.0, -1.0]), np.array([60.0, 5.0, 5.0])), [40, np.nan, np.nan]
    )


@pytest.mark.parametrize(
    ("options", "field"), [({"interpolation": "cubic"}, "interpolation"), ({"degree": 12}, "degree")]
)
def test_unknown_options_are_refused(still, options, field):
    with pytest.raises(InputError) as refused:
        measured(still, **options)
    assert refused.value.field == field


def test_visits_must_agree(still):
    with pytest.raises(InputError) as refused:
        lesion_values(still.pairs[:1], still.poses, still.lesions)
    assert refused.value.field == "visits"
