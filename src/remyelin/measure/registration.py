"""Rigid registration of one pair of images, with a figure for its quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.capture import capture
from remyelin.measure.image import Volume
from remyelin.measure.level import Level
from remyelin.measure.mask import Mask
from remyelin.measure.motion import angle_deg, displacement_mm, motion, twist
from remyelin.measure.refine import Fit, evaluate, refine
from remyelin.measure.side import Side
from remyelin.measure.verdict import FINEST_MM, PLAUSIBLE, RANK, Kind, Registration, failed, judged

__all__ = ["Registration", "join", "rigid"]

FloatArray = NDArray[np.floating]

# What no scatter shows, because it is the same in both directions: unlike contrasts put the same edge at
# slightly different places, and so do unlike receive fields. Measured: benchmarks/mtr/registration.py.
# In voxels, because what is not resolved makes it.
BIAS_VOXELS = {"within": 0.015, "between": 0.006}
_MIDDLE_STOP_MM = 0.02
# Tissue inside the mask that tells the pose no better than this is plain, and the outline is looked at too.
_PLAIN_VOXELS = 0.05
# Log-likelihood per voxel; images that lie well by their headers may lose this much to the average of the
# two directions without being called worse.
_NO_WORSE = 1e-3


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


def join(fixed: Side, moving: Side, *, kind: Kind, pair: str = "") -> Registration:
    """Register two images that are ready.

    The tissue inside the mask is tried first. Where it is too plain to tell the pose (a phantom, a cord),
    the outline is added.
    """
    ways = _approach(fixed, moving, kind), _approach(moving, fixed, kind)
    edge = max(FINEST_MM, min(float(s.volume.voxel_mm.min()) for s in (fixed, moving)))
    found = _both_ways(fixed.core, moving.core, ways, kind, edge)
    if found.quality != "pass" or found.error_mm > _PLAIN_VOXELS * edge:
        wider = _both_ways(fixed.outline, moving.outline, ways, kind, edge)
        found = min(found, wider, key=lambda r: (RANK[r.quality], r.error_mm))
    return replace(found, pair=pair)


def _approach(fixed: Side, moving: Side, kind: Kind) -> FloatArray:
    """To within a fraction of a voxel, from the header pose or (between visits) from centre upon centre."""
    # The header pose runs along: where the coarse search is led astray, it wins.
    begins = (capture(fixed.coarse, moving.coarse, far=kind == "between"), np.eye(4))
    ends = [refine(fixed.middle, moving.middle, begin, _MIDDLE_STOP_MM) for begin in begins]
    best = min(ends, key=lambda fit: fit.objective)
    if not _likely(best, fixed.middle, kind):
        # Far away there is less to disagree about: an end nearer by that explains more is the better one.
        near = [fit for fit in ends if _likely(fit, fixed.middle, kind) and fit.explained > best.explained]
        best = near[0] if near else best
    return best.matrix


def _likely(fit: Fit, fixed: Level, kind: Kind) -> bool:
    furthest, widest = PLAUSIBLE[kind]
    return _mean_mm(fit.matrix, fixed.points_mm) < furthest and angle_deg(fit.matrix) < widest


def _both_ways(
    fixed: Level, moving: Level, ways: tuple[FloatArray, FloatArray], kind: Kind, edge_mm: float
) -> Registration:
    forth, home = refine(fixed, moving, ways[0]), refine(moving, fixed, ways[1])
    before = evaluate(fixed, moving, np.eye(4))
    matrix = motion((twist(forth.matrix) - twist(home.matrix)) / 2)
    after = evaluate(fixed, moving, matrix)
    error_mm, inverse_mm = _errors(fixed, moving, forth, home, kind)
    found = Registration(
        matrix,
        "pass",
        "",
        error_mm,
        inverse_mm,
        _mean_mm(matrix, fixed.points_mm),
        angle_deg(matrix),
        before.explained,
        after.explained,
        min(forth.overlap, home.overlap),
        voxel_mm=edge_mm,
    )
    return judged(found, kind, worse=after.objective > before.objective + _NO_WORSE)


def _errors(fixed: Level, moving: Level, forth: Fit, home: Fit, kind: Kind) -> tuple[float, float]:
    """Expected error and inverse inconsistency in mm, each from both sides: exchange must not change it."""
    here, there = fixed.points_mm, moving.points_mm
    apart = (_mean_mm(home.matrix @ forth.matrix, here) + _mean_mm(forth.matrix @ home.matrix, there)) / 2
    scatter = (forth.error_mm(here) + home.error_mm(there)) / 2
    bias = BIAS_VOXELS[kind] * (fixed.voxel_mm + moving.voxel_mm) / 2
    return float(np.sqrt(scatter**2 + (apart / 2) ** 2 + bias**2)), apart


def _mean_mm(matrix: FloatArray, points: FloatArray) -> float:
    return float(displacement_mm(matrix, points).mean())
