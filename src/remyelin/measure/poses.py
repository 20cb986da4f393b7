"""Poses of a participant's images: every one seen from the space halfway between the visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.image import MTPair, Volume
from remyelin.measure.motion import centred, displacement_mm, inverse, motion, twist
from remyelin.measure.registration import join
from remyelin.measure.side import Side
from remyelin.measure.verdict import Kind, Registration, failed, settled

FloatArray = NDArray[np.floating]

# What is known of a pose that only headers tell.
_LOOSE_MM = 1e4
_ADJUST_STEPS = 30
_ADJUST_TOLERANCE = 1e-13


@dataclass(frozen=True, slots=True)
class Poses:
    """Where every image of a participant lies.

    Parameters
    ----------
    visits
        Labels, in the order of `off` and `on`.
    off, on
        (4, 4) halfway world mm to the world mm of the MT-off and MT-on image of each visit.
    registrations
        First MT-on to MT-off of each visit (pair ``M00:on-off``), then every pair of visits (``M00-M06``);
        their matrices and errors are those of the poses, after all have been reconciled.
    """

    visits: tuple[str, ...]
    off: tuple[FloatArray, ...]
    on: tuple[FloatArray, ...]
    registrations: tuple[Registration, ...]

    def registration(self, pair: str) -> Registration:
        """The registration of a pair such as ``M00:on-off`` or ``M00-M06``."""
        return next(r for r in self.registrations if r.pair == pair)


@dataclass(frozen=True, slots=True)
class Link:
    """A registration between two of several images, by their number."""

    fixed: int
    moving: int
    found: Registration

    @property
    def error_mm(self) -> float:
        """Its error, or that of a guess if it failed."""
        return _LOOSE_MM if self.found.quality == "fail" else self.found.error_mm


def register_participant(pairs: Sequence[MTPair]) -> Poses:
    """Register all images of a participant into the space halfway between the visits.

    Parameters
    ----------
    pairs
        MT-off, MT-on and brain mask of each visit, one or more.

    Returns
    -------
    Poses. Halfway is the matrix square root for two visits and the log-Euclidean mean for more, so that no
    visit is interpolated more than another; one visit: its own MT-off space.

    Raises
    ------
    InputError
        If there is no visit.

    Notes
    -----
    MT-on is registered to MT-off in each visit, and of each pair of visits MT-off to MT-off and MT-on to
    MT-on. Images of like contrast find one another to a few micrometres, so these loops correct the small
    error that unlike contrast leaves within a visit; that they close is a check on all of them. A
    registration that fails leaves the header pose in its place, unless others tie the image to the rest.
    """
    if not pairs:
        raise InputError("", "visits", "none", "at least one", "give the MT pair of a visit")
    n = len(pairs)
    sides = [_ready(p.off, p.brain) for p in pairs] + [_ready(p.on, _carried(p)) for p in pairs]
    links = [_link(sides, v, n + v, "within", f"{p.visit}:on-off") for v, p in enumerate(pairs)]
    for a, b in combinations(range(n), 2):
        name = f"{pairs[a].visit}-{pairs[b].visit}"
        links += [_link(sides, a, b, "between", name), _link(sides, n + a, n + b, "between", f"{name}:on")]
    points = next((s.core.points_mm for s in sides if isinstance(s, Side)), np.zeros((1, 3)))
    poses, error_mm = reconciled(2 * n, links, points)
    off = centred(poses[:n])
    to_first = inverse(poses[0]) @ off[0]
    final = tuple(
        settled(
            k.found, poses[k.moving] @ inverse(poses[k.fixed]), float(error_mm[k.fixed, k.moving]), points
        )
        for k in links
        if not k.found.pair.endswith(":on")
    )
    return Poses(tuple(p.visit for p in pairs), tuple(off), tuple(p @ to_first for p in poses[n:]), final)


def reconciled(images: int, links: Sequence[Link], points: FloatArray) -> tuple[list[FloatArray], FloatArray]:
    """Poses that fit all registrations between several images best.

    Parameters
    ----------
    images
        How many.
    links
        Registrations between them, weighted by their error; one that failed (the header pose) counts only
        where nothing before it in the list, and nothing that did not fail, ties its images together.
    points
        (n, 3) points in mm over which the errors hold.

    Returns
    -------
    (4, 4) for each image: world of the first to world of the image; and the (images, images) error in mm
    of each relative to each, enlarged where the loops do not close as well as the errors promise
    (Birge 1932, doi:10.1103/PhysRev.40.207).

    Examples
    --------
    >>> def link(a, b, shift):
    ...     pose = np.eye(4)
    ...     pose[0, 3] = shift
    ...     return Link(a, b, Registration(pose, "pass", "", 0.1, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0))
    >>> poses, error_mm = reconciled(3, [link(0, 1, 1.0), link(1, 2, 1.0), link(0, 2, 2.3)], np.zeros((1, 3)))
    >>> [round(float(p[0, 3]), 3) for p in poses]
    [0.0, 1.1, 2.2]
    """
    links = _needed(images, links)
    weight = np.array([1 / k.error_mm**2 for k in links])
    incidence = np.zeros((len(links), images))
    for row, k in enumerate(links):
        incidence[row, k.fixed], incidence[row, k.moving] = -1.0, 1.0
    # Images have no absolute place; the first keeps still.
    spread = np.zeros((images, images))
    normal = (incidence.T * weight) @ incidence
    spread[1:, 1:] = np.linalg.inv(normal[1:, 1:])
    poses: list[FloatArray] = [np.eye(4)] * images
    for _ in range(_ADJUST_STEPS):
        wanted = np.array([twist(_gap(k, poses)) for k in links])
        step = spread @ (incidence.T * weight) @ wanted
        poses = [p @ motion(s) for p, s in zip(poses, step, strict=True)]
        if float(np.abs(step).max()) < _ADJUST_TOLERANCE:
            break
    variance = np.diag(spread)[:, None] + np.diag(spread)[None, :] - 2 * spread
    return poses, np.sqrt(np.maximum(variance, 0.0)) * _strain(links, poses, points)


def _needed(images: int, links: Sequence[Link]) -> list[Link]:
    """All sound links, and of the others as few as hold all images together."""
    group = list(range(images))
    kept = []
    for k in sorted(links, key=lambda k: k.found.quality == "fail"):
        old, new = group[k.fixed], group[k.moving]
        if k.found.quality == "fail" and old == new:
            continue
        group = [new if g == old else g for g in group]
        kept.append(k)
    return kept


def _strain(links: Sequence[Link], poses: Sequence[FloatArray], points: FloatArray) -> float:
    """How much less well the loops close than the errors promise; at least 1."""
    sound = [k for k in links if k.found.quality != "fail"]
    free = len(sound) - (len(poses) - 1)
    if free < 1:
        return 1.0
    misfit = sum((float(displacement_mm(_gap(k, poses), points).mean()) / k.error_mm) ** 2 for k in sound)
    return max(1.0, float(np.sqrt(misfit / free)))


def _gap(link: Link, poses: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(inverse(poses[link.moving]) @ link.found.matrix @ poses[link.fixed])


def _ready(volume: Volume, mask: NDArray[np.bool_]) -> Side | str:
    """The image made ready, or why it cannot be."""
    try:
        return Side(volume, mask)
    except InputError as error:
        return f"{error.file}: {error.field} is {error.found}".removeprefix(": ")


def _link(sides: Sequence[Side | str], fixed: int, moving: int, kind: Kind, name: str) -> Link:
    a, b = sides[fixed], sides[moving]
    if isinstance(a, str):
        return Link(fixed, moving, failed(a, name))
    return Link(fixed, moving, failed(b, name) if isinstance(b, str) else join(a, b, kind=kind, pair=name))


def _carried(pair: MTPair) -> NDArray[np.bool_]:
    """The brain mask on the grid of the MT-on image, by the headers."""
    from scipy import ndimage

    if pair.on.data.shape == pair.off.data.shape and np.allclose(pair.on.affine, pair.off.affine, atol=1e-4):
        return pair.brain
    voxel = np.linalg.inv(pair.off.affine) @ pair.on.affine
    brain = pair.brain.astype(np.float32)
    shape = pair.on.data.shape
    return np.asarray(
        ndimage.affine_transform(brain, voxel[:3, :3], voxel[:3, 3], output_shape=shape, order=1) > 0.5
    )
