"""Lesions of real people: the counts stand as they were counted, and have a source."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.evidence import lesion_counts


def test_twenty_people():
    every, three, ten = (np.array(lesion_counts("open-ms", least)) for least in (0, 3, 10))
    assert len(every) == len(three) == len(ten) == 20
    assert (every >= three).all()
    assert (three >= ten).all()
    assert (every.min(), np.median(every), every.max()) == (19, 85, 419)
    assert lesion_counts(min_volume_mm3=5) == lesion_counts(min_volume_mm3=3)


@pytest.mark.slow
def test_they_are_those_of_the_masks(shared):
    import nibabel as nib
    from scipy import ndimage

    for name, all_of_them, large in (("patient07", 40, 23), ("patient18", 21, 14)):
        image = nib.load(shared / f"data/mri/ms_lesion_masks/{name}_gt.nii.gz")
        labels, n = ndimage.label(np.asarray(image.dataobj) > 0, np.ones((3, 3, 3)))
        volumes = np.bincount(labels.ravel())[1:] * np.prod(image.header.get_zooms()[:3])
        index = int(name.removeprefix("patient")) - 1
        assert (n, (volumes >= 10).sum()) == (all_of_them, large)
        assert (lesion_counts()[index], lesion_counts(min_volume_mm3=10)[index]) == (all_of_them, large)


def test_an_unknown_group_is_told_the_known():
    with pytest.raises(InputError, match="did you mean 'open-ms'"):
        lesion_counts("open_ms")
