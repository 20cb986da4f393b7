"""A head with lesions, in a pose, to the noise-free signal of an image, and to a lesion mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contrast import NAMES, Contrasts
from .head import GRID_MM, Head
from .plaque import Plaque
from .scanner import Fields, Scanner
from .waves import FloatArray


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scanner without noise sees of a head in a pose.

    Parameters
    ----------
    signal
        (contrast, x, y, z) with the sensitivity of the coil.
    brain
        (x, y, z) the brain, its fluid too.
    filled
        (x, y, z) part of the voxel that a lesion fills.
    label
        (x, y, z) which lesion, 1 for the first plaque, 0 where there is none.
    """

    signal: NDArray[np.float32]
    brain: NDArray[np.bool_]
    filled: NDArray[np.float32]
    label: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Scene:
    """A person in the scanner at one visit.

    Parameters
    ----------
    head, plaques
        The anatomy, with all lesions that the person ever has.
    present
        (n,) indices of the plaques that are there at this visit.
    bound
        (plaque,) mean bound fraction of each lesion.
    contrasts
        Signals by bound fraction and transmit field.
    scanner, fields
        How images are made at this session.
    """

    head: Head
    plaques: Sequence[Plaque]
    present: NDArray[np.int64]
    bound: FloatArray
    contrasts: Contrasts
    scanner: Scanner
    fields: Fields

    def seen(self, pose: FloatArray, *names: str) -> Seen:
        """What there is in a pose.

        Parameters
        ----------
        pose
            (4, 4) head mm to scanner mm.
        names
            Contrasts, of `contrast.NAMES`.

        Returns
        -------
        Seen
        """
        from .render import Atlas, Frame, Signals, lesion_image, tissue_image

        maps, shape, fields = self.head.template, self.scanner.shape, self.fields
        to_scanner = self.scanner.affine
        to_head = (np.linalg.inv(pose) @ to_scanner)[:3]
        frame = Frame(to_head, to_scanner[:3].copy(), fields.b1, fields.receive)
        spread = 1 / self.head.scale
        atlas = Atlas(maps.tissue, maps.brain, maps.near, maps.origin_mm, self.head.warp, GRID_MM, spread)
        chosen = [NAMES.index(name) for name in names]
        white, other = self.contrasts.white[chosen], np.ascontiguousarray(self.contrasts.other[:, chosen])
        signals = Signals(white, other, self.contrasts.axes, self.contrasts.white_bound)
        out, brain = np.zeros((len(names), *shape), np.float32), np.zeros(shape, np.bool_)
        tissue_image(out, brain, frame, atlas, signals, round(self.scanner.voxel_mm))
        filled, label = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
        centres, units = _geometry(self.plaques)
        places = _places(centres, to_head)
        rim = self.contrasts.rim_of(self.bound)
        lesion_image(out, filled, label, self.present, frame, places, units, self.bound, rim, signals)
        return Seen(out, brain, filled, label)


def _places(points_mm: FloatArray, to_head: FloatArray) -> FloatArray:
    """Voxel indices (n, 3) of points of the head."""
    return np.asarray((points_mm - to_head[:, 3]) @ np.linalg.inv(to_head[:, :3]).T)


def _geometry(plaques: Sequence[Plaque]) -> tuple[FloatArray, FloatArray]:
    centres = np.array([plaque.centre_mm for plaque in plaques]).reshape(-1, 3)
    units = np.array([plaque.to_unit for plaque in plaques]).reshape(-1, 3, 3)
    return centres, units
