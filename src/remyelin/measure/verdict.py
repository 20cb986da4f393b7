"""What became of a registration, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.motion import angle_deg, displacement_mm

FloatArray = NDArray[np.floating]
Kind = Literal["within", "between"]

# A lesion of 10 voxels has a noise of about 0.7 pu; half a voxel of misregistration at its edge, where MTR
# falls by 8 pu over a voxel, does as much. At a third of that registration starts to be seen. Of the finest
# edge of a voxel, but of no less than 1 mm: what borders a lesion is no sharper than that.
ERROR_FLAG_VOXELS = 0.15
ERROR_FAIL_VOXELS = 0.5
FINEST_MM = 1.0
# Nobody moves further in a head coil between two scans of one session; between visits the table and the
# head may lie anywhere in the field of view, but a turn this wide is a wrong orientation in the header.
PLAUSIBLE = {"within": (15.0, 15.0), "between": (80.0, 45.0)}
# Below half, what is compared is no longer the same part of the body.
OVERLAP_FLAG = 0.9
OVERLAP_FAIL = 0.5
# Less than a twentieth of the variation within blocks explained: the images show different things.
EXPLAINED_FAIL = 0.05
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
    voxel_mm
        By what an error is judged: the finest edge of a voxel of either image, 1 mm if that is finer.
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
    voxel_mm: float = FINEST_MM

    def __str__(self) -> str:
        state = f"{self.quality} ({self.reason})" if self.reason else self.quality
        return (
            f"{self.pair}: {state}, error {self.error_mm:.3f} mm, moved {self.moved_mm:.2f} mm and "
            f"{self.turned_deg:.2f} deg, explained {self.similarity:.3f} (was {self.similarity_before:.3f})"
        )


def failed(reason: str, pair: str = "") -> Registration:
    """The header pose, because nothing better could be looked for."""
    nan = float("nan")
    return Registration(np.eye(4), "fail", reason + _HEADER_POSE, nan, nan, 0.0, 0.0, nan, nan, nan, pair)


def judged(found: Registration, kind: Kind, *, worse: bool = False) -> Registration:
    """The quality of what a search found; the header pose in its place if that is ``fail``.

    Parameters
    ----------
    found
        Of quality ``pass``, to be judged by its figures.
    kind
        ``within`` a visit or ``between`` visits.
    worse
        Whether the images are less alike than by their headers.
    """
    fault = _fault(found, kind, worse)
    if fault:
        error_mm = found.error_mm if np.isfinite(found.error_mm) else float("nan")
        return replace(
            found, matrix=np.eye(4), error_mm=error_mm, quality="fail", reason=fault + _HEADER_POSE
        )
    doubt = _doubt(found)
    return replace(found, quality="flag", reason=doubt) if doubt else found


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
    limit = ERROR_FAIL_VOXELS * found.voxel_mm
    if lost and not error_mm <= limit:
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
    if error_mm > limit:
        return replace(
            now, quality="fail", reason=f"registrations contradict one another by {error_mm:.2f} mm"
        )
    doubt = found.reason or _doubt(now)
    return replace(now, quality="flag", reason=doubt) if doubt else now


def _fault(found: Registration, kind: Kind, worse: bool) -> str:
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
    if found.error_mm > ERROR_FAIL_VOXELS * found.voxel_mm:
        return f"the pose is uncertain by {found.error_mm:.2f} mm"
    return ""


def _doubt(found: Registration) -> str:
    if found.error_mm > ERROR_FLAG_VOXELS * found.voxel_mm:
        return f"the pose is uncertain by {found.error_mm:.2f} mm"
    if found.overlap < OVERLAP_FLAG:
        return f"{1 - found.overlap:.0%} of the head is outside the other image"
    return ""
