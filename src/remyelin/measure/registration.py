"""Rigid registration of one pair of images, with a figure for its quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.capture import capture
from remyelin.measure.image import Volume
from remyelin.measure.level import Level
from remyelin.measure.mask import Mask
from remyelin.measure.motion import angle_deg, displacement_mm, inverse, motion, twist
from remyelin.measure.refine import evaluate, refine
from remyelin.measure.side import Side

FloatArray = NDArray[np.floating]
Kind = Literal["within", "between"]

# A lesion of 10 voxels has a noise of about 0.7 pu; half a voxel of misregistration at its edge, where MTR
# falls by 8 pu over a voxel, does as much. A tenth of that is where registration starts to be seen.
ERROR_FLAG_MM = 0.15
ERROR_FAIL_MM = 0.5
# What no scatter shows, because it is the same in both directions: unlike contrasts put the same edge at
# slightly different places, and so do unlike receive fields. Measured: benchmarks/mtr/registration.py.
BIAS_MM = {"within": 0.015, "between": 0.006}
# Nobody moves further in a head coil between two scans of one session; between visits the table and the
# head may lie anywhere in the field of view, but a turn this wide is a wrong orientation in the header.
PLAUSIBLE = {"within": (15.0, 15.0), "between": (80.0, 45.0)}
# Below half, what is compared is no longer the same part of the body.
OVERLAP_FLAG = 0.9
OVERLAP_FAIL = 0.5
# Less than a twentieth of the variation within blocks explained: the images show different things.
EXPLAINED_FAIL = 0.05
_MIDDLE_STOP_MM = 0.02
# Log-likelihood per voxel; images that lie well by their headers may lose this much to the average of the
# two directions without being called worse.
_NO_WORSE = 1e-3
_HEADER_POSE = "; the header pose is used"
RANK = {"pass": 0, "flag": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Registration:
    """How one image lies to another, and how far to trust it.

    Parameters
    ----------
    matrix
        (4, 4) world mm of the fixed image to world mm of the moving image.
    quality
        ``pass``, ``flag`` (look at it) or ``fail`` (the header pose is used instead).
    reason
        Why not ``pass``, in words; else empty.
    error_mm
        Root mean square error of position expected over the mask: scatter between blocks, disagreement
        of the two directions, and the part that contrast hides. After a ``fail`` this and the next are of
        the search that failed, NaN if there was none.
    inverse_mm
        Mean distance between a point and itself after going there and back.
    moved_mm, turned_deg
        Mean displacement of the mask, and angle, from the header pose.
    similarity_before, similarity
        Part of the variation within blocks that the other image explains, at the header pose and now.
    overlap
        Part of the mask that lies inside the other image.
    pair
        For example ``M00:on-off`` or ``M00-M06``.
    """

    matrix: FloatArray
    quality: str
    reason: str
    error_mm: float
    inverse_mm: float
    moved_mm: float
    turned_deg: float
    similarity_before: float
    similarity: float
    overlap: float
    pair: str = ""

    def __str__(self) -> str:
        state = f"{self.quality} ({self.reason})" if self.reason else self.quality
        return (
            f"{self.pair}: {state}, error {self.error_mm:.3f} mm, moved {self.moved_mm:.2f} mm and "
            f"{self.turned_deg:.2f} deg, explained {self.similarity:.3f} (was {self.similarity_before:.3f})"
        )


def rigid(
    fixed: Volume,
    moving: Volume,
    *,
    mask: Mask | None = None,
    moving_mask: Mask | None = None,
    kind: Kind = "between",
    pair: str = "",
) -> Registration:
    """Rigid motion from the space of one image to that of another.

    Parameters
    ----------
    fixed, moving
        Images of the same head, of like or unlike contrast.
    mask, moving_mask
        (x, y, z) bool on the grid of each: what is compared. None: the head as found by `head_mask`.
    kind
        ``within`` a visit (motion is small) or ``between`` visits (the head may lie anywhere).
    pair
        Name for messages.

    Returns
    -------
    Registration. Exchanging the images and masks gives the inverse motion. If the search does not make
    the images more alike than their headers do, or ends somewhere implausible, the header pose is
    returned with quality ``fail``.

    Notes
    -----
    Three steps, each in both directions: mutual information on a coarse grid (`capture`), then least
    squares with block-wise regression at 2.5 mm and at full resolution (`refine`). The two directions are
    averaged in the Lie algebra, which makes the result symmetric. One thread, no random numbers: the same
    bits in every run.

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> image = gaussian_filter(np.random.default_rng(0).normal(size=(24, 24, 24)), 2).astype(np.float32)
    >>> here, there = np.eye(4), np.eye(4)
    >>> there[0, 3] = 0.7  # the same image, 0.7 mm further to the right
    >>> inside = np.ones(image.shape, bool)
    >>> found = rigid(Volume(image, here), Volume(image, there), mask=inside, moving_mask=inside)
    >>> found.quality, round(float(found.matrix[0, 3]), 3)
    ('pass', 0.7)
    """
    try:
        sides = Side(fixed, mask), Side(moving, moving_mask)
    except InputError as error:
        return failed(f"{error.field} is {error.found}", pair)
    return join(*sides, kind=kind, pair=pair)


def join(
    fixed: Side, moving: Side, *, kind: Kind, pair: str = "", start: FloatArray | None = None
) -> Registration:
    """Register two images that are ready; `start`, if given, takes the place of the coarse search.

    The tissue inside the mask is tried first. Where it is too plain to tell the pose (a phantom, a cord),
    the outline is added.
    """
    if start is None:
        there, back = _approach(fixed, moving, kind), _approach(moving, fixed, kind)
    else:
        there, back = start, inverse(start)
    found = _both_ways(fixed.core, moving.core, there, back, kind, pair)
    if found.quality == "pass":
        return found
    wider = _both_ways(fixed.outline, moving.outline, there, back, kind, pair)
    return min(found, wider, key=lambda r: (RANK[r.quality], r.error_mm))


def failed(reason: str, pair: str = "") -> Registration:
    """The header pose, because nothing better could be found."""
    nan = float("nan")
    return Registration(np.eye(4), "fail", reason + _HEADER_POSE, nan, nan, 0.0, 0.0, nan, nan, nan, pair)


def settled(found: Registration, matrix: FloatArray, error_mm: float, points: FloatArray) -> Registration:
    """A registration after it has been reconciled with others that form loops with it.

    Parameters
    ----------
    found
        As it was by itself.
    matrix, error_mm
        As they are now.
    points
        (n, 3) points in mm.
    """
    lost = found.quality == "fail"
    if lost and not error_mm <= ERROR_FAIL_MM:
        return found
    now = replace(
        found,
        matrix=matrix,
        error_mm=error_mm,
        moved_mm=float(displacement_mm(matrix, points).mean()),
        turned_deg=angle_deg(matrix),
    )
    if lost:
        reason = found.reason.replace(_HEADER_POSE, "; the pose comes from the participant's other images")
        return replace(now, quality="flag", reason=reason)
    if error_mm > ERROR_FAIL_MM:
        return replace(
            now, quality="fail", reason=f"registrations contradict one another by {error_mm:.2f} mm"
        )
    return now if now.quality == "flag" else _doubted(now)


def _approach(fixed: Side, moving: Side, kind: Kind) -> FloatArray:
    """To within a fraction of a voxel, from the header pose or (between visits) from centre upon centre."""
    # The header pose runs along: where the coarse search is led astray, it wins.
    begins = (capture(fixed.coarse, moving.coarse, far=kind == "between"), np.eye(4))
    ends = [refine(fixed.middle, moving.middle, begin, _MIDDLE_STOP_MM) for begin in begins]
    return min(ends, key=lambda fit: fit.objective).matrix


def _both_ways(
    fixed: Level, moving: Level, there: FloatArray, back: FloatArray, kind: Kind, pair: str
) -> Registration:
    forth, home = refine(fixed, moving, there), refine(moving, fixed, back)
    before = evaluate(fixed, moving, np.eye(4))
    matrix = motion((twist(forth.matrix) - twist(home.matrix)) / 2)
    after = evaluate(fixed, moving, matrix)
    points = fixed.points_mm
    apart = float(displacement_mm(home.matrix @ forth.matrix, points).mean())
    scatter = (forth.error_mm(points) + home.error_mm(moving.points_mm)) / 2
    found = Registration(
        matrix,
        "pass",
        "",
        float(np.sqrt(scatter**2 + (apart / 2) ** 2 + BIAS_MM[kind] ** 2)),
        apart,
        float(displacement_mm(matrix, points).mean()),
        angle_deg(matrix),
        before.explained,
        after.explained,
        min(forth.overlap, home.overlap),
        pair,
    )
    fault = _fault(found, after.objective > before.objective + _NO_WORSE, kind)
    if fault:
        return replace(found, matrix=np.eye(4), quality="fail", reason=fault + _HEADER_POSE)
    return _doubted(found)


def _fault(found: Registration, worse: bool, kind: Kind) -> str:
    far, wide = PLAUSIBLE[kind]
    if not np.isfinite(found.error_mm):
        return "too few voxels with contrast to tell the pose"
    if found.overlap < OVERLAP_FAIL:
        return f"only {found.overlap:.0%} of the head lies in the other image"
    if found.moved_mm > far or found.turned_deg > wide:
        return f"moved {found.moved_mm:.0f} mm and {found.turned_deg:.0f} degrees, more than is plausible"
    if worse:
        return "the images are not more alike than by their headers"
    if found.similarity < EXPLAINED_FAIL:
        return f"the images have little in common ({found.similarity:.0%} of variation explained)"
    if found.error_mm > ERROR_FAIL_MM:
        return f"the pose is uncertain by {found.error_mm:.2f} mm"
    return ""


def _doubted(found: Registration) -> Registration:
    if found.error_mm > ERROR_FLAG_MM:
        return replace(found, quality="flag", reason=f"the pose is uncertain by {found.error_mm:.2f} mm")
    if found.overlap < OVERLAP_FLAG:
        return replace(
            found, quality="flag", reason=f"{1 - found.overlap:.0%} of the head is outside the other image"
        )
    return found
