"""Shells: distances that a pencil would measure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from remyelin.errors import InputError
from remyelin.measure.shells import lesion_shells

edges = st.tuples(*3 * [st.sampled_from([0.5, 0.9, 1.0, 1.3, 3.0])])
few_labels = arrays(np.int64, (6, 5, 5), elements=st.sampled_from([0, 0, 0, 0, 1, 2]))


def naive_distance(target, point, edge):
    """Distance from a voxel centre to the nearest of many boxes, box by box."""
    gap = np.maximum(np.abs(np.argwhere(target) - point) - 0.5, 0) * edge
    return np.sqrt((gap**2).sum(axis=1)).min(initial=np.inf)


@given(labels=few_labels, edge=edges, rim=st.sampled_from([0.6, 1.0, 1.7]), reach=st.sampled_from([0.7, 2.0]))
@settings(max_examples=60, deadline=None)
def test_every_voxel_agrees_with_the_slow_twin(labels, edge, rim, reach):
    shells = lesion_shells(labels, edge, rim_mm=rim, perilesional_mm=reach)
    for point in np.ndindex(labels.shape):
        label = labels[point]
        if label:
            deep = naive_distance(labels == 0, point, edge) >= rim
            expected = (label if deep else 0, 0 if deep else label, 0)
        else:
            out = [naive_distance(labels == k, point, edge) for k in (1, 2)]
            near = 1 + int(out[1] < out[0] - 1e-9)
            expected = (0, 0, near if min(out) <= reach else 0)
        assert (shells.core[point], shells.rim[point], shells.perilesional[point]) == expected


@given(labels=few_labels, edge=edges)
@settings(max_examples=40, deadline=None)
def test_core_and_rim_are_the_lesion_and_the_rest_is_outside(labels, edge):
    kept = labels.copy()
    tissue = np.ones(labels.shape, bool)
    tissue[0] = False
    shells = lesion_shells(labels, edge, rim_mm=1.0, perilesional_mm=2.0, tissue=tissue)
    assert_array_equal(shells.core + shells.rim, labels)
    assert ((shells.core == 0) | (shells.rim == 0)).all()
    assert (shells.perilesional[(labels > 0) | ~tissue] == 0).all()
    assert_array_equal(labels, kept)


def test_millimetres_not_voxels():
    labels = np.zeros((13, 13, 7), int)
    labels[3:10, 3:10, 2:5] = 1  # 7 x 7 x 3 voxels of 1 x 1 x 3 mm
    shells = lesion_shells(labels, (1, 1, 3), rim_mm=2, perilesional_mm=1)
    assert (shells.core > 0).sum() == 3 * 3 * 1  # in z the outer slices lie 1.5 mm deep
    assert_array_equal(np.argwhere(shells.core).min(axis=0), [5, 5, 3])
    assert (shells.perilesional[:, :, [1, 5]] == 0).all()  # their centres lie 1.5 mm outside
    assert shells.perilesional[2, 6, 3] == 1


def test_unselected_lesions_are_neither_perilesional_nor_a_border():
    labels = np.zeros((12, 7, 7), int)
    labels[2:5, 2:5, 2:5] = 1
    everything = labels > 0
    everything[5:8, 2:5, 2:5] = True  # a second lesion beside it, not selected
    shells = lesion_shells(labels, (1, 1, 1), rim_mm=1, perilesional_mm=1, lesion_mask=everything)
    assert (shells.perilesional[everything] == 0).all()
    assert shells.core[3:5, 3, 3].tolist() == [1, 1]  # the face towards the other lesion counts as inside
    alone = lesion_shells(labels, (1, 1, 1), rim_mm=1, perilesional_mm=1)
    assert alone.core[3:5, 3, 3].tolist() == [1, 0]


def test_small_lesion_has_no_core_and_no_lesion_no_shells():
    labels = np.zeros((5, 5, 5), int)
    nothing = lesion_shells(labels, (1, 1, 1), rim_mm=1, perilesional_mm=1)
    assert not any(part.any() for part in (nothing.core, nothing.rim, nothing.perilesional))
    labels[2, 2, 2] = 3
    shells = lesion_shells(labels, (1, 1, 1), rim_mm=1, perilesional_mm=0.5)
    assert not shells.core.any()
    assert shells.rim[2, 2, 2] == 3
    assert set(np.unique(shells.perilesional)) == {0, 3}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rim_mm": 0, "perilesional_mm": 1}, "rim_mm is 0"),
        ({"rim_mm": 1, "perilesional_mm": np.inf}, "above 0 mm"),
        ({"rim_mm": 1, "perilesional_mm": 1, "tissue": np.ones((2, 2, 2), bool)}, "(2, 2, 2)"),
    ],
)
def test_mistakes_are_named(options, says):
    with pytest.raises(InputError) as error:
        lesion_shells(np.ones((3, 3, 3), int), (1, 1, 1), **options)
    assert says in str(error.value)
