"""Plaques: where lesions lie in a virtual head, and their form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remyelin.errors import InputError

from .head import Head
from .template import FLUID, GREY, white_sites
from .waves import FloatArray

PERIVENTRICULAR_MM = 8.0  # to the nearest ventricle
JUXTACORTICAL_MM = 14.0  # below the surface of the brain, which the template's sulci make uneven
ELONGATION_SD = 0.22  # log of a radius
GAP_MM = 2.5  # between the spheres around two lesions, so that a reader sees two
_BATCH, _BATCHES = 200, 50  # places tried for one lesion before the brain is called full


@dataclass(frozen=True, slots=True)
class Plaque:
    """An ellipsoid of altered tissue.

    Parameters
    ----------
    centre_mm, radii_mm
        (3,) in the head.
    axes
        (3, 3) rotation; its columns are the directions of the radii.
    """

    centre_mm: FloatArray
    radii_mm: FloatArray
    axes: FloatArray

    @property
    def volume_mm3(self) -> float:
        """Volume of the ellipsoid, mm3.

        Examples
        --------
        >>> round(Plaque(np.zeros(3), np.array([2.0, 2.0, 2.0]), np.eye(3)).volume_mm3, 1)
        33.5
        """
        return float(4 / 3 * np.pi * np.prod(self.radii_mm))

    @property
    def to_unit(self) -> FloatArray:
        """(3, 3) takes an offset from the centre to where the surface is at distance 1."""
        return np.asarray((self.axes / self.radii_mm).T)


def place(
    head: Head, volumes_mm3: Sequence[float] | FloatArray, where: Sequence[str], rng: np.random.Generator
) -> tuple[Plaque, ...]:
    """Lesions of given volumes in the white matter, none touching another.

    Parameters
    ----------
    head
        Whose white matter.
    volumes_mm3
        (lesion,).
    where
        (lesion,) ``"periventricular"``, ``"juxtacortical"``, ``"deep"`` (neither), or ``""`` (anywhere in
        white matter).
    rng
        Source of randomness.

    Returns
    -------
    tuple
        A plaque for each volume, in the given order.

    Raises
    ------
    InputError
        No place is found for a lesion beside those that are there.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> lesions = place(Head.draw(rng), [20.0, 300.0], ["deep", "periventricular"], rng)
    >>> [round(lesion.volume_mm3) for lesion in lesions]
    [20, 300]
    """
    volumes = np.asarray(volumes_mm3, float)
    shapes = np.exp(rng.normal(0, ELONGATION_SD, (len(volumes), 3)))
    radii = np.cbrt(3 * volumes / (4 * np.pi) / shapes.prod(1))[:, None] * shapes
    axes = np.linalg.qr(rng.normal(size=(len(volumes), 3, 3)))[0]
    reach = radii.max(1, initial=0)
    centres = np.empty((0, 3))
    taken: list[int] = []
    sites = {kind: _sites(kind) for kind in set(where)}
    order = np.argsort(-reach, kind="stable")  # the large ones first: they find no place later
    for k in order:
        centre = _free_place(
            head, sites[where[k]], Plaque(np.zeros(3), radii[k], axes[k]), centres, reach[taken], rng
        )
        if centre is None:
            raise InputError(
                "", "lesions", f"{len(volumes)} of {volumes.sum() / 1000:.3g} ml in all, {len(taken)} placed",
                "as many as the white matter holds without touching", "ask for fewer or smaller lesions",
            )  # fmt: skip
        centres = np.vstack([centres, centre])
        taken.append(int(k))
    back = np.argsort(taken)
    return tuple(Plaque(centres[back[k]], radii[k], axes[k]) for k in range(len(volumes)))


def _sites(kind: str) -> FloatArray:
    """Places in the template, mm."""
    sites = white_sites()
    near, shallow = sites.ventricle_mm < PERIVENTRICULAR_MM, sites.depth_mm < JUXTACORTICAL_MM
    chosen = {
        "": np.ones(len(near), bool),
        "periventricular": near,
        "juxtacortical": shallow & ~near,
        "deep": ~near & ~shallow,
    }
    if kind not in chosen:
        expected = ", ".join(name for name in chosen if name)
        raise InputError("", "place of a lesion", repr(kind), expected, "use one of these words")
    return np.asarray(sites.points_mm[chosen[kind]])


def _free_place(
    head: Head,
    sites: FloatArray,
    plaque: Plaque,
    centres: FloatArray,
    reach: FloatArray,
    rng: np.random.Generator,
) -> FloatArray | None:
    own = plaque.radii_mm.max()
    for _ in range(_BATCHES):
        tried = sites[rng.integers(len(sites), size=_BATCH)] + rng.uniform(-1, 1, (_BATCH, 3))
        points = head.from_template(tried)
        apart = np.linalg.norm(points[:, None] - centres[None], axis=-1) - reach - own
        for point in points[(apart > GAP_MM).all(1)][:10]:
            if _in_white_matter(head, plaque, point):
                return np.asarray(point)
    return None


def _in_white_matter(head: Head, plaque: Plaque, centre: FloatArray) -> bool:
    """No fluid in the lesion, and little of the cortex."""
    ball = _BALL @ (plaque.axes * plaque.radii_mm).T + centre
    tissue = head.tissue_at(ball)
    return bool(tissue[:, FLUID].mean() < 0.05 and tissue[:, GREY].mean() < 0.3)


_GRID = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 3, indexing="ij"), -1).reshape(-1, 3)
_BALL = _GRID[(_GRID**2).sum(1) <= 1.01]
