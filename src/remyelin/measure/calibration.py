"""How much of a true change the measurement shows: a known change put into the participant's own lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from remyelin.measure.image import FloatArray, MTPair, Volume
from remyelin.measure.lesion_mtr import DEGREE, ratio_pu
from remyelin.measure.shape import filled, imprint, true_shape
from remyelin.measure.spill import Interpolation, Spills, homeward
from remyelin.measure.weights import soft_masks

if TYPE_CHECKING:
    from remyelin.measure.lesions import Lesions
    from remyelin.measure.poses import Poses

# Blur of the tissue's own border, SD in voxels: a step, between, and as wide as the voxel itself.
EDGES = (0.0, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured change per true change.

    Parameters
    ----------
    slope
        Mean over the lesions: divide a change of the participant's plain mean by it.
    ci_low, ci_high
        95 %: scatter between lesions, and sharp against soft borders of the tissue.
    per_lesion
        (lesion,) slopes.
    sharp, soft
        (lesion,) slopes if the tissue changed in a step, or over a voxel.
    """

    slope: float
    ci_low: float
    ci_high: float
    per_lesion: FloatArray
    sharp: FloatArray
    soft: FloatArray


def calibrate(
    pairs: Sequence[MTPair],
    poses: Poses,
    lesions: Lesions,
    *,
    visit: int = -1,
    delta_pu: float = 1.0,
    interpolation: Interpolation = "none",
    degree: int = DEGREE,
) -> Calibration:
    """Inject a change into all lesions of one visit, measure it as `lesion_values` does, and compare.

    MT-on of the visit falls by ``delta_pu / 100`` of the lesion's MT-off, times the part of each voxel that
    lies in the lesion. That part is not known but can be drawn: the shape whose own cut at half a voxel gives
    back the mask, averaged over each voxel. What the mask cannot tell is how sharply the tissue changes at
    that border; the interval spans a step to a voxel's width.

    Parameters
    ----------
    pairs, poses, lesions, interpolation, degree
        As given to `lesion_values`.
    visit
        Index of the visit that receives the change; the last.
    delta_pu
        Size of the change. The measurement is linear in it.

    Returns
    -------
    Calibration. Slopes are NaN for lesions that the visit does not show. Mask errors of the reader are not in
    the interval: a mask drawn too wide dilutes more than is said here.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> labels = np.zeros((24, 24, 24), int)
    >>> labels[6:18, 6:18, 6:18] = 1
    >>> off = Volume(np.full(labels.shape, 900.0, np.float32), np.eye(4))
    >>> pair = MTPair("M00", off, off, labels >= 0)
    >>> poses = SimpleNamespace(off=[np.eye(4)], on=[np.eye(4)], registrations=[])
    >>> lesions = SimpleNamespace(ids=("001",), home=(0,), labels=(labels,))
    >>> found = calibrate([pair], poses, lesions)
    >>> bool(0.8 < found.soft[0] < found.slope < found.sharp[0] < 1.1)
    True
    """
    masks = soft_masks(lesions)
    own = Spills.of(pairs, poses, masks, interpolation, degree)
    visit = range(len(pairs))[visit]
    pair = pairs[visit]

    def mean(image: Volume, pose: FloatArray) -> FloatArray:
        return own.level(image, pose)[0][:, 0]

    off, on = mean(pair.off, poses.off[visit]), mean(pair.on, poses.on[visit])
    before = ratio_pu(off, on)
    shapes = [true_shape(mask) for mask in masks]
    to_home = homeward(pair.on, poses.on[visit], pairs, poses, masks)
    slopes = []
    for edge in EDGES:
        contents = [filled(shape, edge) for shape in shapes]
        changed = imprint(pair.on.data, to_home, masks, contents, -delta_pu / 100 * off)
        after = mean(Volume(changed, pair.on.affine, pair.on.file), poses.on[visit])
        slopes.append((ratio_pu(off, after) - before) / delta_pu)
    sharp, middle, soft = slopes
    return _summary(middle, sharp, soft)


def _summary(middle: FloatArray, sharp: FloatArray, soft: FloatArray) -> Calibration:
    seen = np.isfinite(middle)
    n = int(seen.sum())
    if n == 0:
        return Calibration(np.nan, np.nan, np.nan, middle, sharp, soft)
    slope = float(middle[seen].mean())
    scatter = float(stdtrit(n - 1, 0.975)) * float(middle[seen].std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
    low = slope - np.hypot(scatter, slope - soft[seen].mean())
    high = slope + np.hypot(scatter, sharp[seen].mean() - slope)
    return Calibration(slope, float(low), float(high), middle, sharp, soft)
