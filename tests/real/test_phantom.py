"""The phantom of the fault collection, whose truth is known: NAWM 40 pu, lesion 28 then 31 pu."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from remyelin.measure.drift import normalise
from remyelin.measure.lesions import VisitMask, label_lesions
from remyelin.measure.mtr import mtr_map
from remyelin.measure.segmentation import Tissue
from remyelin.measure.shells import lesion_shells
from remyelin.measure.tissue import nawm_mask, tissue_values
from remyelin.measure.voxels import change_threshold, changed_fractions


@pytest.fixture(scope="module")
def faults(shared):
    path = shared / "faults" / "faults.py"
    if not path.is_file():
        pytest.skip("the fault collection is not in the shared folder")
    spec = importlib.util.spec_from_file_location("faults", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("subject", ["01", "02", "03", "04"])
def test_known_truth_is_measured(faults, subject):
    recorded = {visit: faults.phantom(subject, visit) for visit in ("M00", "M06")}
    mtr = {visit: mtr_map(off, on) for visit, (off, on, _) in recorded.items()}
    masks = {visit: mask > 0 for visit, (_, _, mask) in recorded.items()}
    edge, affine = faults.ZOOM, faults.affine()

    lesions = label_lesions([VisitMask(visit, mask, affine) for visit, mask in masks.items()])
    assert lesions.ids == ("001",)
    assert [event.kind for event in lesions.events] == ["first", "persistent"]
    assert lesions.volumes_mm3[0, 0] == masks["M00"].sum() * np.prod(edge)

    inside = lesions.labels[0] == 1
    values = np.array([[mtr[visit][inside].mean() for visit in ("M00", "M06")]])
    np.testing.assert_allclose(
        values, [[28.0, 31.0]], atol=0.15
    )  # 4 in 1000 noise over the voxels of a lesion

    head = recorded["M00"][0] > 800
    white = head & ~inside
    tissue = Tissue(white | inside, np.zeros_like(head), np.zeros_like(head))
    nawm = nawm_mask(tissue, inside, edge, clear_mm=2.0, erode_mm=2.0)
    assert nawm.sum() > 200
    means = [tissue_values(mtr[visit], {"nawm": nawm})["nawm"] for visit in ("M00", "M06")]
    for mean in means:
        assert abs(mean.mean - 40.0) < 4 * mean.se
        assert mean.se == pytest.approx(100 * 0.004 * np.hypot(1, 0.6) / np.sqrt(nawm.sum()), rel=0.2)

    result = normalise(
        values, np.full((1, 2), 0.05), method="nawm", visits=["M00", "M06"],
        reference=[mean.mean for mean in means], reference_se=[mean.se for mean in means],
    )  # fmt: skip
    np.testing.assert_allclose(result.values[0], [28.0, 31.0], atol=0.2)

    shells = lesion_shells(lesions.labels[0], edge, rim_mm=1.5, perilesional_mm=3.0, tissue=head)
    assert mtr["M00"][shells.perilesional == 1].mean() == pytest.approx(40.0, abs=0.15)

    change = mtr["M06"] - mtr["M00"]
    limits = change_threshold(change[nawm], false_positive_rate=0.05, source="nawm")
    fractions = changed_fractions(change, lesions.labels[0], limits, n_lesions=1)
    assert fractions.remyelinated[0] > 0.95  # 3 pu, of a noise of about 0.66 pu, in every voxel
    assert abs(fractions.demyelinated[0]) < 0.06
