"""An analytic head, a second opinion beside `remyelin.virtual`: its true MTR is known at every point.

Shapes are analytic functions of position in the frame of the head, so a scan in any pose is computed from the
head itself; no template, no table and no code of the package is in it. Lengths are mm, MTR is percent units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

# Values of a phantom, not evidence about people: MTR in pu, MT-off signal relative to white matter.
MTR_PU = {"wm": 40.0, "gm": 32.0, "deep": 35.0, "csf": 3.0, "scalp": 6.0, "skull": 4.0}
SIGNAL = {"wm": 1.0, "gm": 1.12, "deep": 1.06, "csf": 0.72, "scalp": 1.05, "skull": 0.05, "lesion": 1.10}
CORTEX_MM = 3.0
SKULL_MM, SCALP_MM = 4.0, 9.0  # outer surfaces, from the pia


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random field: a sum of plane waves, unit variance.

    `vectors` (wave, 3) in rad/mm, `phases` (wave,) in rad.
    """

    vectors: FloatArray
    phases: FloatArray

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int, shortest_mm: float, longest_mm: float) -> Waves:
        """Waves in random directions with wavelengths between two limits."""
        direction = rng.normal(size=(n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        number = 2 * np.pi / rng.uniform(shortest_mm, longest_mm, size=(n, 1))
        return cls(direction * number, rng.uniform(0, 2 * np.pi, n))

    def __call__(self, points: FloatArray) -> FloatArray:
        """The field at `points` (..., 3)."""
        angle = points @ self.vectors.T + self.phases
        return np.asarray(np.sqrt(2 / len(self.phases)) * np.cos(angle).sum(-1))

    def zero_distance(self, points: FloatArray) -> FloatArray:
        """First-order distance to the nearest zero of the field, mm."""
        angle = points @ self.vectors.T + self.phases
        value = np.abs(np.cos(angle).sum(-1))
        slope = np.linalg.norm(np.sin(angle) @ self.vectors, axis=-1)
        return np.asarray(value / np.maximum(slope, 1e-3))


@dataclass(frozen=True, slots=True)
class VirtualLesion:
    """An ellipsoidal plaque. Inside, MTR rises from core to rim around its mean.

    Parameters
    ----------
    centre_mm, radii_mm
        (3,) in the frame of the head.
    axes
        (3, 3) rotation; its columns are the directions of the radii.
    onset
        Index of the first visit that shows the lesion.
    """

    centre_mm: FloatArray
    radii_mm: FloatArray
    axes: FloatArray
    onset: int = 0

    @property
    def volume_mm3(self) -> float:
        """Volume of the ellipsoid."""
        return float(4 / 3 * np.pi * np.prod(self.radii_mm))

    def radius_squared(self, points: FloatArray) -> FloatArray:
        """0 in the centre, 1 on the surface: `points` (..., 3) in head mm give (...)."""
        local = (points - self.centre_mm) @ self.axes / self.radii_mm
        return np.asarray((local**2).sum(-1))


@dataclass(frozen=True, slots=True)
class Head:
    """The anatomy of one virtual participant.

    `brain_mm` (3,) are the semi-axes of the pial surface, `ventricle` scales the lateral ventricles, `sulci`
    places the cortical folds, `heterogeneity` is the field of normal-appearing white matter.
    """

    brain_mm: FloatArray
    ventricle: float
    sulci: Waves
    heterogeneity: Waves
    heterogeneity_pu: float = 1.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Head:
        """A random head.

        Examples
        --------
        >>> import numpy as np
        >>> head = Head.draw(np.random.default_rng(1))
        >>> fractions = head.fractions(np.array([[20.0, 0.0, 14.0]]), voxel_mm=2.0)
        >>> sorted(fractions) == sorted(MTR_PU)
        True
        """
        size = np.array([47.0, 57.0, 44.0]) * rng.normal(1, 0.02) * rng.normal(1, 0.015, 3)
        return cls(size, rng.uniform(0.85, 1.3), Waves.draw(rng, 14, 22, 34), Waves.draw(rng, 8, 20, 60))

    def outer_csf_distance(self, points: FloatArray) -> FloatArray:
        """Depth below the nearest outer CSF surface (pia, sulci, fissure), mm; negative in that CSF."""
        depth = -_ellipsoid_distance(points, self.brain_mm)
        inside = depth > -1
        sulcus = np.full(depth.shape, np.inf)
        near = points[inside]
        # A sulcus narrows with depth and ends 13 mm below the pia.
        fold = np.maximum(self.sulci.zero_distance(near) - 0.9, depth[inside] - 13)
        fissure = np.maximum(np.abs(near[:, 0]) - 0.8, 9 - near[:, 2])
        fissure = np.maximum(fissure, 9 - np.abs(near[:, 2] - 9))
        front_back = np.maximum(np.abs(near[:, 0]) - 0.8, 34 - np.abs(near[:, 1] + 2))
        sulcus[inside] = np.minimum(np.minimum(fold, fissure), front_back)
        return np.asarray(np.minimum(depth, sulcus))

    def ventricle_distance(self, points: FloatArray) -> FloatArray:
        """Distance to the ventricles, mm; negative inside."""
        mirrored = points.copy()
        mirrored[..., 0] = np.abs(mirrored[..., 0])
        k = self.ventricle
        arch = mirrored - np.array([7.0, 2.0, 5.0])
        arch[..., 2] += 0.009 * arch[..., 1] ** 2
        arch[..., 0] -= 0.006 * arch[..., 1] ** 2
        lateral = _ellipsoid_distance(arch, k * np.array([4.0, 25.0, 4.5]))
        third = _ellipsoid_distance(points - np.array([0.0, 2.0, -4.0]), k * np.array([1.6, 10.0, 7.0]))
        return np.minimum(lateral, third)

    def fractions(self, points: FloatArray, voxel_mm: float) -> dict[str, FloatArray]:
        """Tissue fractions of voxels centred at `points` (n, 3): name to (n,); what is left to 1 is air.

        The boundary is blurred over one voxel along its normal, which is the box integral of a flat face.
        """
        pial = _ellipsoid_distance(points, self.brain_mm)
        scalp = _inside(pial - SCALP_MM, voxel_mm)
        skull = _inside(pial - SKULL_MM, voxel_mm)
        cavity = _inside(pial - 1.5, voxel_mm)
        outer = self.outer_csf_distance(points)
        brain = np.minimum(_inside(-outer, voxel_mm), cavity)
        below_cortex = np.minimum(_inside(CORTEX_MM - outer, voxel_mm), brain)
        ventricle = np.minimum(_inside(self.ventricle_distance(points), voxel_mm), brain)
        mirrored = np.abs(points[:, :1]) * [1, 0, 0] + points * [0, 1, 1]
        nuclei = np.minimum(
            _ellipsoid_distance(mirrored - [10.0, -8.0, -4.0], np.array([6.0, 10.0, 6.0])),
            _ellipsoid_distance(mirrored - [19.0, 8.0, -3.0], np.array([4.0, 11.0, 7.0])),
        )
        deep = _inside(nuclei, voxel_mm) * below_cortex
        deep = np.minimum(deep, below_cortex - np.minimum(ventricle, below_cortex))
        gm = (brain - below_cortex) * (1 - ventricle)
        wm = np.maximum(brain - gm - deep - ventricle, 0)
        return {
            "wm": wm,
            "gm": gm,
            "deep": deep,
            "csf": np.maximum(cavity - gm - deep - wm, 0),
            "skull": skull - cavity,
            "scalp": scalp - skull,
        }


def draw_lesions(
    head: Head, n: int, rng: np.random.Generator, *, onset: int = 0
) -> tuple[VirtualLesion, ...]:
    """`n` lesions that do not touch: periventricular, deep white matter, juxtacortical and some cortical.

    Volumes are log-normal, median 260 mm3, kept between 90 and 2,400 mm3: in voxels of 2 mm, as many as real
    lesions have at 1 mm.
    """
    lesions: list[VirtualLesion] = []
    while len(lesions) < n:
        volume = float(np.clip(rng.lognormal(np.log(260), 0.8), 90, 2400))
        shape = np.exp(rng.normal(0, 0.22, 3))
        radii = (3 * volume / (4 * np.pi) / shape.prod()) ** (1 / 3) * shape
        centre = rng.uniform(-1, 1, 3) * head.brain_mm
        axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        lesion = VirtualLesion(centre, radii, axes)
        if _fits(head, lesion, lesions, rng):
            lesions.append(lesion)
    return tuple(lesions)


def _fits(head: Head, lesion: VirtualLesion, others: list[VirtualLesion], rng: np.random.Generator) -> bool:
    radius = float(lesion.radii_mm.max())
    centre = lesion.centre_mm[None]
    outer = float(head.outer_csf_distance(centre)[0])
    ventricle = float(head.ventricle_distance(centre)[0])
    chance = 1.0 if ventricle < radius + 5 else 0.35 if outer > CORTEX_MM + 2 else 0.06
    room = outer > 0.8 * float(lesion.radii_mm.min()) and ventricle > 0.7 * radius
    free = all(
        np.linalg.norm(lesion.centre_mm - o.centre_mm) > radius + float(o.radii_mm.max()) + 4 for o in others
    )
    return bool(room and free and rng.uniform() < chance)


def _ellipsoid_distance(points: FloatArray, radii: FloatArray) -> FloatArray:
    """First-order signed distance to an ellipsoid around the origin, mm; exact on its surface."""
    k = np.sqrt(((points / radii) ** 2).sum(-1))
    slope = np.sqrt(((points / radii**2) ** 2).sum(-1))
    return np.asarray(k * (k - 1) / np.maximum(slope, 1e-6))


def _inside(distance: FloatArray, voxel_mm: float) -> FloatArray:
    return np.asarray(np.clip(0.5 - distance / voxel_mm, 0, 1))
