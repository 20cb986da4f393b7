"""Which component of a mask is which lesion, from one visit to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

RANK = {6: 1, 18: 2, 26: 3}
# Centres of the eight octants of a voxel: volume overlap between turned grids to an eighth of a voxel.
_OCTANTS = np.stack(np.meshgrid(*3 * [[-0.25, 0.25]], indexing="ij"), axis=-1).reshape(-1, 3)


class Track:
    """The lesions found so far: where each was first seen, its voxels, parts and partners at every visit.

    Visits are numbered by the caller; `to_common[v]` is the (4, 4) map from voxel index at visit `v` to world
    mm in the common (halfway) space. `label_lesions` is the public face.
    """

    def __init__(
        self, to_common: Sequence[FloatArray], edge_mm: Sequence[FloatArray], overlap: float
    ) -> None:
        self.to_common, self.edge_mm, self.overlap = to_common, edge_mm, overlap
        self.voxel_mm3 = [float(abs(np.linalg.det(m[:3, :3]))) for m in to_common]
        self.home: list[int] = []
        self.parts: dict[tuple[int, int], int] = {}
        self.partners: dict[tuple[int, int], set[int]] = {}
        self.voxels: dict[int, IndexArray] = {}
        self.lesion: dict[int, IndexArray] = {}
        self._images: dict[int, NDArray[np.int32]] = {}

    def add(self, v: int, mask: NDArray[np.bool_], connectivity: int) -> None:
        """Take in the components of visit `v`, which must be later than all visits before."""
        component, voxels = _components(mask, connectivity)
        parents = self._parents(v, component, voxels)
        lesion = np.zeros(len(voxels), np.intp)
        for c in range(int(component.max(initial=-1)) + 1):
            mine = component == c
            owners = parents.get(c, [])
            if not owners:
                owners = [len(self.home)]
                self.home.append(v)
            lesion[mine] = owners[0] if len(owners) == 1 else self._divide(v, voxels[mine], owners)
            for k in owners:
                self.parts[k, v] = self.parts.get((k, v), 0) + 1
                self.partners.setdefault((k, v), set()).update(set(owners) - {k})
        self.voxels[v], self.lesion[v] = voxels, lesion
        self._images[v] = np.zeros(mask.shape, np.int32)
        self._images[v][tuple(voxels.T)] = lesion + 1

    def volumes_mm3(self, kept: dict[int, NDArray[np.bool_]] | None = None) -> FloatArray:
        """(lesion, visit), of all voxels or of those kept; NaN where the visit has no mask."""
        volumes = np.full((len(self.home), len(self.to_common)), np.nan)
        for v, lesion in self.lesion.items():
            counted = lesion if kept is None else lesion[kept[v]]
            volumes[:, v] = np.bincount(counted, minlength=len(self.home)) * self.voxel_mm3[v]
        return volumes

    def _parents(self, v: int, component: IndexArray, voxels: IndexArray) -> dict[int, list[int]]:
        """For each component, the earlier lesions with which it shares enough volume."""
        points = (voxels[:, None, :] + _OCTANTS).reshape(-1, 3)
        owner = np.repeat(component, len(_OCTANTS))
        size_mm3 = np.bincount(component) * self.voxel_mm3[v]
        volumes, n = self.volumes_mm3(), len(self.home)
        found: dict[int, set[int]] = {}
        for u, image in self._images.items():
            # Rounded first, so that a grid without motion is met without the noise of the matrices.
            index = np.rint(np.round(self._map(v, u, points), 9)).astype(np.intp)
            inside = ((index >= 0) & (index < image.shape)).all(axis=1)
            there = image[tuple(index[inside].T)].astype(np.intp)
            hit = there > 0
            codes, counts = np.unique(owner[inside][hit] * n + there[hit] - 1, return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
                c, k = divmod(code, n)
                shared_mm3 = count * self.voxel_mm3[v] / len(_OCTANTS)
                if shared_mm3 >= self.overlap * min(size_mm3[c], volumes[k, u]):
                    found.setdefault(c, set()).add(k)
        return {c: sorted(owners) for c, owners in found.items()}

    def _divide(self, v: int, voxels: IndexArray, owners: list[int]) -> IndexArray:
        """The owner that was, at any earlier visit, nearest to each voxel."""
        from scipy.spatial import cKDTree

        edge = self.edge_mm[v]
        distances = []
        for k in owners:
            where = [
                self._map(u, v, self.voxels[u][lesion == k].astype(np.float64))
                for u, lesion in self.lesion.items()
            ]
            distances.append(cKDTree(np.concatenate(where) * edge).query(voxels * edge)[0])
        # A voxel halfway between two goes to the first, whatever the last digit of the matrices.
        nearest: IndexArray = np.asarray(owners)[np.argmin(np.round(np.array(distances, float), 6), axis=0)]
        return nearest

    def _map(self, source: int, target: int, points: FloatArray) -> FloatArray:
        matrix = np.linalg.inv(self.to_common[target]) @ self.to_common[source]
        mapped: FloatArray = points @ matrix[:3, :3].T + matrix[:3, 3]
        return mapped


def _components(mask: NDArray[np.bool_], connectivity: int) -> tuple[IndexArray, IndexArray]:
    """Component of each lesion voxel, numbered by first voxel in raster order, and the voxels (n, 3)."""
    from scipy import ndimage

    image, _ = ndimage.label(mask, ndimage.generate_binary_structure(3, RANK[connectivity]))
    _, first, raw = np.unique(image[mask], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[raw], np.argwhere(mask)
