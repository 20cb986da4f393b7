"""Tissue classes, where lesions lie in them, and their mean values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import uniform_filter1d

from remyelin.errors import InputError
from remyelin.measure.segmentation import Tissue, tissue_classes
from remyelin.measure.tissue import TissueValue, check_tissue, lesion_tissue, nawm_mask, tissue_values

CODES = np.arange(12).reshape(2, 2, 3)


def read(*rows):
    return tissue_classes(CODES, rows, file="sub-01_dseg.nii.gz")


def codes(mask):
    return CODES[mask].tolist()


def test_fsl_numbers_are_read_by_their_names():
    tissue = read(
        {"index": "1", "name": "CSF"},
        {"index": "2", "name": "Gray Matter"},
        {"index": "3", "name": "white_matter"},
    )
    assert (codes(tissue.csf), codes(tissue.grey), codes(tissue.white)) == ([1], [2], [3])
    assert tissue.flags == ()


def test_several_classes_of_one_kind_and_what_is_no_tissue():
    tissue = read(
        {"index": "2", "name": "Left-Cerebral-White-Matter"},
        {"index": "3", "name": "Left-Cerebral-Cortex"},
        {"index": "4", "name": "Left-Lateral-Ventricle"},
        {"index": "5", "name": "WM-hypointensities"},
        {"index": "6", "name": "non-white matter"},
        {"index": "7", "name": "thalamus", "abbreviation": "sgm"},
        {"index": "8", "name": "Kerngebiet", "mapping": "9"},
        {"index": "9", "name": "white matter", "mapping": "7"},  # the table itself says: lesion
    )
    assert codes(tissue.white) == [2]
    assert codes(tissue.grey) == [3, 7, 8]
    assert codes(tissue.csf) == [4]


def test_without_a_table_the_codes_of_bids_and_a_flag():
    tissue = tissue_classes(CODES, None, file="sub-01_dseg.nii.gz")
    assert (codes(tissue.grey), codes(tissue.white), codes(tissue.csf)) == ([1, 8, 9], [2], [3])
    (flag,) = tissue.flags
    assert (flag.file, flag.field, flag.found, flag.quality) == (
        "sub-01_dseg.nii.gz",
        "dseg.tsv",
        "missing",
        "flag",
    )


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"index": "1", "name": "tumour"}], "without white matter (tumour)"),
        ([{"index": "1.5", "name": "white matter"}], "index is '1.5'"),
        ([{"name": "white matter"}], "index is ''"),
    ],
)
def test_tables_that_cannot_be_read(rows, says):
    with pytest.raises(InputError) as error:
        read(*rows)
    assert says in str(error.value)
    assert error.value.facts()["file"] == "sub-01_dseg.nii.gz"


def test_wrong_order_of_mtr_fails_the_segmentation():
    def value(mean):
        return TissueValue(mean, 0.1, 1.0, 100)

    assert check_tissue({"wm": value(40.0), "gm": value(32.0), "csf": value(3.0)}) == []
    assert check_tissue({"wm": value(40.0), "csf": value(3.0), "gm": value(np.nan)}) == []
    (flag,) = check_tissue({"wm": value(3.0), "gm": value(40.0), "csf": value(32.0)}, file="dseg")
    assert flag.quality == "fail"
    assert flag.found == "wm 3.0 pu, gm 40.0 pu, csf 32.0 pu"


def test_class_and_depth_of_lesions():
    shape = (12, 8, 6)
    x = np.indices(shape)[0]
    grey, csf = x < 4, x >= 10
    labels = np.zeros(shape, int)
    labels[2:6, 2:4, 2:4] = 1  # half grey
    labels[7:9, 2:4, 2:4] = 2
    labels[10:12, 6:8, 2:4] = 4  # a lesion that the segmentation takes for CSF; 3 is not on this grid
    around = np.zeros(shape, int)
    around[6, 2:4, 2:4] = 1
    found = lesion_tissue(
        labels, around, Tissue(~grey & ~csf, grey, csf), (2.0, 1.0, 1.0), n_lesions=4
    )  # fmt: skip
    assert_allclose(found.gm_fraction, [0.5, 0.0, np.nan, np.nan])
    assert_allclose(found.gm_fraction_around, [0.0, np.nan, np.nan, np.nan])
    # Layers 2..5 lie 8..5 voxels of 2 mm from layer 10; the black hole is no ventricle.
    assert_allclose(found.distance_to_csf_mm[:2], [13.0, 5.0])
    assert np.isnan(found.distance_to_csf_mm[2])
    assert_allclose(found.distance_to_csf_mm[3], 1.0)
    none = lesion_tissue(labels, around, Tissue(~grey, grey, csf & False), (1, 1, 1), n_lesions=4)
    assert np.isnan(none.distance_to_csf_mm).all()


@given(
    white=arrays(bool, (6, 5, 4), elements=st.sampled_from([True, True, True, False])),
    lesion=arrays(bool, (6, 5, 4), elements=st.sampled_from([False] * 8 + [True])),
    clear=st.sampled_from([0.0, 1.0, 1.5, 3.0]),
    erode=st.sampled_from([0.0, 1.0, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_nawm_agrees_with_the_slow_twin(white, lesion, clear, erode):
    edge = np.array([1.0, 1.0, 1.5])
    nawm = nawm_mask(Tissue(white, ~white, ~white), lesion, edge, clear_mm=clear, erode_mm=erode)

    def nearest(target, point):
        return np.sqrt((((np.argwhere(target) - point) * edge) ** 2).sum(axis=1)).min(initial=np.inf)

    for point in np.ndindex(white.shape):
        far = nearest(lesion, point) > clear + 1e-9
        deep = white[point] and nearest(~white, point) > erode + 1e-9
        assert nawm[point] == (far and deep and not lesion[point])


def test_nawm_of_nothing_is_empty_and_grids_must_agree():
    none = np.zeros((4, 4, 4), bool)
    assert not nawm_mask(Tissue(none, none, none), none, (1, 1, 1), clear_mm=1, erode_mm=1).any()
    with pytest.raises(InputError):
        nawm_mask(Tissue(none, none, none), none[:3], (1, 1, 1), clear_mm=1, erode_mm=1)


@pytest.mark.parametrize("smooth", [False, True])
def test_standard_error_of_a_tissue_mean_is_the_spread_of_repeats(smooth):
    rng = np.random.default_rng(3)
    slope = np.linspace(-4, 4, 24)[:, None, None]  # anatomy, the same in every repeat
    mask = np.ones((24, 24, 24), bool)
    means, errors = [], []
    for _ in range(60):
        image = 40 + slope + rng.normal(0, 2, mask.shape)
        if smooth:  # as linear interpolation half way between voxels does
            for axis in range(3):
                image = uniform_filter1d(image, 2, axis=axis, mode="wrap")
        value = tissue_values(image, {"nawm": mask})["nawm"]
        means.append(value.mean)
        errors.append(value.se)
    spread = np.std(means, ddof=1)  # of 60: itself known to 9 %
    assert np.mean(errors) == pytest.approx(spread, rel=0.3)
    assert np.mean(errors) < 0.05  # the anatomy, SD 2.4 pu, does not enter


def test_undefined_voxels_and_empty_tissue_do_not_count():
    mtr = np.full((4, 4, 4), 30.0)
    mtr[0] = np.nan
    whole, none = (tissue_values(mtr, {"t": np.full(mtr.shape, b)})["t"] for b in (True, False))
    assert (whole.mean, whole.se, whole.sd, whole.n_voxels) == (30.0, 0.0, 0.0, 48)
    assert none.n_voxels == 0
    assert np.isnan([none.mean, none.se, none.sd]).all()
    assert_array_equal(np.isnan(mtr).sum(), 16)
    single = np.zeros(mtr.shape, bool)
    single[2, 2, 2] = True
    assert np.isnan(tissue_values(mtr, {"t": single})["t"].se)
