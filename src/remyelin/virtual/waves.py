"""Smooth random fields as sums of plane waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random field of unit variance.

    Parameters
    ----------
    vectors
        (wave, 3) in rad/mm.
    phases
        (wave,) in rad.
    """

    vectors: FloatArray
    phases: FloatArray

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int, shortest_mm: float, longest_mm: float) -> Waves:
        """`n` waves in random directions with wavelengths between two limits, in mm.

        Examples
        --------
        >>> field = Waves.draw(np.random.default_rng(1), 12, 60, 140)
        >>> bool(abs(field(np.zeros(3))) < np.sqrt(2 * 12))
        True
        """
        direction = rng.normal(size=(n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        number = 2 * np.pi / rng.uniform(shortest_mm, longest_mm, size=(n, 1))
        return cls(direction * number, rng.uniform(0, 2 * np.pi, n))

    def __call__(self, points: FloatArray) -> FloatArray:
        """The field at `points` (..., 3) in mm, (...)."""
        angle = points @ self.vectors.T + self.phases
        return np.asarray(np.sqrt(2 / len(self.phases)) * np.cos(angle).sum(-1))
