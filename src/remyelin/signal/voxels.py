"""A tissue and the transmitted field, laid out voxel by voxel for compiled loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError

from .tissue import Tissue, numbers

FloatArray = NDArray[np.float64]

_B1 = (0.1, 3.0)


@dataclass(frozen=True, slots=True)
class Voxels:
    """Values of a tissue and the field, (voxel,) each, and the `shape` that they came in."""

    shape: tuple[int, ...]
    ratio: FloatArray
    free_r1: FloatArray
    bound_r1: FloatArray
    exchange: FloatArray
    t2_free_s: FloatArray
    t2_bound_us: FloatArray
    water: FloatArray
    b1: FloatArray

    @classmethod
    def of(cls, tissue: Tissue, b1: ArrayLike) -> Voxels:
        """A tissue under a field of `b1` times the nominal one; InputError if they do not fit."""
        if not isinstance(tissue, Tissue):
            fix = "give white_matter(myelin_fraction) or Tissue(bound_fraction, t1_s)"
            raise InputError("", "tissue", f"of type {type(tissue).__name__}", "a Tissue", fix)
        field = _checked(b1)
        given = (
            tissue.bound_ratio,
            tissue.free_r1_per_s,
            1 / tissue.t1_bound_s,
            tissue.exchange_per_s,
            tissue.t2_free_s,
            tissue.t2_bound_us,
            tissue.water,
        )
        own = np.broadcast_shapes(*(np.shape(value) for value in given))
        try:
            shape = np.broadcast_shapes(field.shape, own)
        except ValueError:
            words = f"of shape {field.shape}, the tissue of {own}"
            fix = "give one value or one a voxel"
            raise InputError("", "b1", words, "shapes that broadcast", fix) from None
        return cls(shape, *(np.broadcast_to(value, shape).reshape(-1) for value in (*given, field)))

    def part(self, some: slice) -> Voxels:
        """Some of the voxels."""
        names = [name for name in Voxels.__slots__ if name != "shape"]
        values = [getattr(self, name)[some] for name in names]
        return Voxels(values[0].shape, *values)


def _checked(b1: ArrayLike) -> FloatArray:
    return numbers("b1", b1, *_B1, fix="give it relative to the nominal field, 1 where that is reached")
