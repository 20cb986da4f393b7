"""Poses of a participant's images: every one seen from the space halfway between the visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.image import MTPair, Volume
from remyelin.measure.level import sample
from remyelin.measure.motion import centred, inverse, motion, twist
from remyelin.measure.registration import RANK, Kind, Registration, Side, failed, join

FloatArray = NDArray[np.floating]

# MT-off below this part of its median in the brain is air or bone, where a ratio is noise.
_SIGNAL = 0.2
_ADJUST_STEPS = 20
_ADJUST_TOLERANCE = 1e-12


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
        First MT-on to MT-off of each visit (pair ``M00:on-off``), then every pair of visits (``M00-M06``).
    """

    visits: tuple[str, ...]
    off: tuple[FloatArray, ...]
    on: tuple[FloatArray, ...]
    registrations: tuple[Registration, ...]

    def registration(self, pair: str) -> Registration:
        """The registration of a pair such as ``M00:on-off`` or ``M00-M06``."""
        return next(r for r in self.registrations if r.pair == pair)


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
    Visits are registered on MT-off, and last on their MTR maps, from which the receive field has cancelled.
    With three visits or more all pairs are registered and reconciled by least squares. A registration that
    fails leaves the header pose in its place and says so in its quality.
    """
    if not pairs:
        raise InputError("", "visits", "none", "at least one", "give the MT pair of a visit")
    offs = [_ready(p.off, p.brain) for p in pairs]
    ons = [_ready(p.on, _carried(p)) for p in pairs]
    within = [_join(off, on, f"{p.visit}:on-off") for p, off, on in zip(pairs, offs, ons, strict=True)]
    maps = [_map(off, on, w) for off, on, w in zip(offs, ons, within, strict=True)]
    between = {
        (a, b): _between((offs[a], offs[b]), (maps[a], maps[b]), f"{pairs[a].visit}-{pairs[b].visit}")
        for a, b in combinations(range(len(pairs)), 2)
    }
    off = centred(reconciled(len(pairs), between))
    on = [w.matrix @ pose for w, pose in zip(within, off, strict=True)]
    return Poses(tuple(p.visit for p in pairs), tuple(off), tuple(on), (*within, *between.values()))


def reconciled(visits: int, between: dict[tuple[int, int], Registration]) -> list[FloatArray]:
    """Poses of all visits seen from the first, least squares over all pairs.

    Parameters
    ----------
    visits
        How many.
    between
        Registration of every pair (a, b), a < b; weighted by its error, failed ones only where nothing
        else ties a visit to the rest.

    Returns
    -------
    (4, 4) for each visit: world of the first to world of the visit.
    """
    poses = [np.eye(4)] + [between[0, b].matrix for b in range(1, visits)]
    if visits <= 2:
        return poses
    pairs = list(between)
    weight = np.array(
        [min(1 / between[p].error_mm ** 2, 1e12) if between[p].quality != "fail" else 1e-9 for p in pairs]
    )
    incidence = np.zeros((len(pairs), visits))
    for row, (a, b) in enumerate(pairs):
        incidence[row, a], incidence[row, b] = -1.0, 1.0
    normal = (incidence.T * weight) @ incidence + weight.max() / visits * np.ones((visits, visits))
    for _ in range(_ADJUST_STEPS):
        # Seen from the common space: what each pair still wants, to first order pose[b] - pose[a].
        left = np.array([twist(inverse(poses[b]) @ between[a, b].matrix @ poses[a]) for a, b in pairs])
        step = np.linalg.solve(normal, (incidence.T * weight) @ left)
        poses = [p @ motion(s) for p, s in zip(poses, step, strict=True)]
        if float(np.abs(step).max()) < _ADJUST_TOLERANCE:
            break
    return poses


def _ready(volume: Volume, mask: NDArray[np.bool_]) -> Side | str:
    """The image made ready, or why it cannot be."""
    try:
        return Side(volume, mask)
    except InputError as error:
        return str(error)


def _join(fixed: Side | str, moving: Side | str, name: str, kind: Kind = "within") -> Registration:
    if isinstance(fixed, str):
        return failed(fixed, name)
    return failed(moving, name) if isinstance(moving, str) else join(fixed, moving, kind=kind, pair=name)


def _carried(pair: MTPair) -> NDArray[np.bool_]:
    """The brain mask on the grid of the MT-on image, by the headers."""
    from scipy import ndimage

    if pair.on.data.shape == pair.off.data.shape and np.allclose(pair.on.affine, pair.off.affine, atol=1e-4):
        return pair.brain
    voxel = np.linalg.inv(pair.off.affine) @ pair.on.affine
    brain = pair.brain.astype(np.float32)
    return np.asarray(
        ndimage.affine_transform(brain, voxel[:3, :3], voxel[:3, 3], output_shape=pair.on.data.shape, order=1)
        > 0.5
    )


def _map(off: Side | str, on: Side | str, within: Registration) -> Side | str:
    """The MTR map of a visit, from images smoothed alike so that its edges are true."""
    if isinstance(off, str) or isinstance(on, str):
        return "no MTR map"
    grid = off.volume
    reference = sample(off.core, grid.affine, grid.data.shape, np.eye(4))
    saturated = sample(on.core, grid.affine, grid.data.shape, within.matrix)
    lit = off.mask & (reference > _SIGNAL * np.median(reference[off.mask]))
    ratio = np.full(grid.data.shape, np.nan, np.float32)
    ratio[lit] = 100 * (1 - saturated[lit] / reference[lit])
    return _ready(Volume(ratio, grid.affine, grid.file), off.mask)


def _between(
    offs: tuple[Side | str, Side | str], maps: tuple[Side | str, Side | str], name: str
) -> Registration:
    rough = _join(*offs, name, "between")
    first, second = maps
    if rough.quality == "fail" or isinstance(first, str) or isinstance(second, str):
        return rough
    final = join(first, second, kind="between", pair=name, start=rough.matrix)
    return min(final, rough, key=lambda r: RANK[r.quality])
