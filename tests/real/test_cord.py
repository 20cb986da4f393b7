"""The published MTR of a real spinal cord (Spinal Cord Toolbox testing data)."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.measure.mtr import mtr_map, mtsat_map

nib = pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def cord(shared):
    folder = shared / "data" / "mri" / "cord_mt"
    if not folder.is_dir():
        pytest.skip("the cord recordings are not in the folder of real data")

    def load(name, *, raw=False):
        image = nib.load(folder / f"{name}.nii.gz")
        return np.asarray(image.dataobj) if raw else image.get_fdata()

    return load


def test_reproduces_the_published_mtr(cord):
    mtr = mtr_map(cord("mt0_reg_slicereg_goldstandard"), cord("mt1"))
    published = cord("mtr")
    known = np.isfinite(published)
    assert known.sum() == 7367
    assert np.isfinite(mtr[known]).all()
    assert np.abs(mtr - published)[known].max() <= 1e-4
    white = cord("mt1_wmseg") > 0.5
    assert mtr[white].mean() == pytest.approx(31.63, abs=0.01)


def test_stored_integers_give_the_same(cord):
    off, on = cord("mt0_reg_slicereg_goldstandard", raw=True), cord("mt1", raw=True)
    known = np.isfinite(cord("mtr"))
    whole = mtr_map(np.rint(off).astype(np.int16), np.rint(on).astype(np.int16))
    real = mtr_map(np.rint(off).astype(np.float64), np.rint(on).astype(np.float64))
    np.testing.assert_array_equal(whole[known], real[known])


def test_mtsat_of_the_cord_is_finite_and_consistent(cord):
    """The T1-weighted image here is MT-off / 1.5 (said upstream), so R1 is one number known beforehand."""
    off, on = cord("mt0_reg_slicereg_goldstandard"), cord("mt1")
    inside = (cord("mt1_seg") > 0.5) & (off > 0) & (on > 0)
    result = mtsat_map(on, off, off / 1.5, tr_s=(0.030, 0.030, 0.015), flip_deg=(9, 9, 15))
    assert np.isfinite(result.mtsat_pu[inside]).all()
    r1 = result.r1_per_s[inside]
    assert np.ptp(r1) < 1e-9 * r1[0]
    # With one R1, MTsat follows from MTR alone: delta = (A a / off / (1 - MTR) - 1) R1 TR - a^2 / 2.
    angle, weight = np.deg2rad(9), r1[0] * 0.030
    kept = 1 - mtr_map(off, on)[inside] / 100
    expected = 100 * (((angle**2 / 2 + weight) / weight / kept - 1) * weight - angle**2 / 2)
    np.testing.assert_allclose(result.mtsat_pu[inside], expected, rtol=1e-9, atol=1e-9)
