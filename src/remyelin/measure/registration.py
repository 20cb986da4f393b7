"""Rigid registration of one pair of images, with a figure for its quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.capture import Coarse, capture, coarse, shift
from remyelin.measure.image import Volume
from remyelin.measure.level import Level, level
from remyelin.measure.mask import Mask, grown, head_mask
from remyelin.measure.motion import angle_deg, displacement_mm, inverse, motion, twist
from remyelin.measure.refine import evaluate, refine

FloatArray = NDArray[np.floating]
Kind = Literal["within", "between"]

# A lesion of 10 voxels has a noise of about 0.7 pu; half a voxel of misregistration at its edge, where MTR
# falls by 8 pu over a voxel, does as much. A tenth of that is where registration starts to be seen.
ERROR_FLAG_MM = 0.15
ERROR_FAIL_MM = 0.5
# What no scatter shows, because it is the same in both directions: the two contrasts put the same edge at
# slightly different places. Root mean square of the error that is left in benchmarks/mtr/registration.py.
BIAS_MM = 0.015
# Nobody moves further in a head coil between two scans of one session; between visits the table and the
# head may lie anywhere in the field of view, but a turn this wide is a wrong orientation in the header.
PLAUSIBLE = {"within": (15.0, 15.0), "between": (80.0, 40.0)}
# Below half, what is compared is no longer the same part of the body.
OVERLAP_FLAG = 0.9
OVERLAP_FAIL = 0.5
# Less than a twentieth of the variation within blocks explained: the images show different things.
EXPLAINED_FAIL = 0.05
# Margin kept from the edge of a mask: the ring where skull and fluid move against the brain, and where a
# third tissue (air) would join the two that one block can model.
_INSET_MM = 2.0
_INSET_KEEPS = 0.4
_OUTSET_MM = 4.0
_MIDDLE_MM = 2.5
# Log-likelihood per voxel; images that lie well by their headers may lose this much to the average of the
# two directions without being called worse.
_NO_WORSE = 1e-3
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
        of the two directions, and the part that contrast hides.
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


class Side:
    """One image made ready for registration in either role; what costs time is made once, when asked for.

    Parameters
    ----------
    volume
        The image; not finite where undefined.
    mask
        (x, y, z) bool, brain or head; `head_mask` if None.

    Raises
    ------
    InputError
        If the image has no signal to register.
    """

    def __init__(self, volume: Volume, mask: Mask | None = None) -> None:
        self.volume = volume
        self.mask = head_mask(volume) if mask is None else mask
        defined = np.isfinite(volume.data)
        seen = volume.data[self.mask & defined]
        if seen.size == 0:
            raise InputError(
                volume.file, "brain mask", "empty", "the brain", "draw it on the grid of the image"
            )
        if float(np.ptp(seen)) == 0.0:
            raise InputError(
                volume.file,
                "signal",
                "the same in every voxel of the mask",
                "contrast",
                "export the image again",
            )

    @cached_property
    def core(self) -> Level:
        """Full resolution, inside the mask: brain tissue only."""
        inset = grown(self.mask, -_INSET_MM, self.volume.affine)
        thin = inset.sum() < _INSET_KEEPS * self.mask.sum()
        return level(self.volume, self.mask if thin else inset)

    @cached_property
    def outline(self) -> Level:
        """Full resolution, with the edge of the mask and what lies just outside."""
        return level(self.volume, grown(self.mask, _OUTSET_MM, self.volume.affine))

    @cached_property
    def middle(self) -> Level:
        """Lower resolution, for the way from the coarse pose to the fine one."""
        return level(self.volume, grown(self.mask, _OUTSET_MM, self.volume.affine), _MIDDLE_MM)

    @cached_property
    def coarse(self) -> Coarse:
        """A few thousand voxels, for the search from far away."""
        return coarse(self.volume, self.mask)


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
        return failed(str(error), pair)
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
    return Registration(np.eye(4), "fail", reason, float("inf"), nan, 0.0, 0.0, nan, nan, nan, pair)


def _approach(fixed: Side, moving: Side, kind: Kind) -> FloatArray:
    """To within a fraction of a voxel, from the header pose or (between visits) from centre upon centre."""
    starts: list[FloatArray] = [np.eye(4)]
    if kind == "between":
        starts.append(shift(moving.coarse.centroid_mm - fixed.coarse.centroid_mm))
    # The header pose runs along: where the coarse search is led astray, it wins.
    ends = [
        refine(fixed.middle, moving.middle, s)
        for s in (capture(fixed.coarse, moving.coarse, starts), np.eye(4))
    ]
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
        float(np.sqrt(scatter**2 + (apart / 2) ** 2 + BIAS_MM**2)),
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
        return replace(found, matrix=np.eye(4), quality="fail", reason=f"{fault}; the header pose is used")
    return _doubted(found)


def _fault(found: Registration, worse: bool, kind: Kind) -> str:
    far, wide = PLAUSIBLE[kind]
    if found.overlap < OVERLAP_FAIL:
        return f"only {found.overlap:.0%} of the head lies in the other image"
    if found.moved_mm > far or found.turned_deg > wide:
        return f"moved {found.moved_mm:.0f} mm and {found.turned_deg:.0f} degrees, more than is plausible"
    if worse:
        return "the images are not more alike than by their headers"
    if found.similarity < EXPLAINED_FAIL:
        return f"the images have little in common ({found.similarity:.0%} of variation explained)"
    if not found.error_mm <= ERROR_FAIL_MM:
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
