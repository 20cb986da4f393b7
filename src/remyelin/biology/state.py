"""The state of myelin in one lesion on one day: what biology makes, and conduction and signal read."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MyelinState:
    """One day of one lesion.

    Parameters
    ----------
    day
        Trial day; negative before baseline.
    diameter_um
        (axon,) inner diameter of each surviving axon, without its myelin.
    g_ratio
        (axon,) inner over outer diameter where there is myelin, above 0 and at most 1; 1 for an axon that is
        bare all along.
    bare_um
        (axon,) length without myelin inside the lesion.
    internode_um
        (internode,) lengths of the internodes inside the lesion, those of axon 0 first.
    internode_offset
        (axon + 1,) axon ``k`` has ``internode_um[internode_offset[k]:internode_offset[k + 1]]``.
    myelin_fraction
        Myelin of the lesion relative to before the lesion: 0 bare, 1 as it was.
    axon_survival
        Part of the axons that is left, 0 to 1.
    new_oligodendrocytes, surviving_oligodendrocytes, progenitors
        Cells in the lesion, 0 or more (a model of means may give parts of a cell).

    Raises
    ------
    InputError
        If shapes disagree or a value cannot be.

    Examples
    --------
    >>> state = MyelinState(
    ...     day=0, diameter_um=[0.8, 1.2], g_ratio=[0.75, 1.0], bare_um=[100, 300], internode_um=[90, 110],
    ...     internode_offset=[0, 2, 2], myelin_fraction=0.4, axon_survival=0.9, new_oligodendrocytes=12,
    ...     surviving_oligodendrocytes=5, progenitors=40)
    >>> state.internodes(0), state.internodes(1)
    (array([ 90., 110.]), array([], dtype=float64))
    """

    day: float
    diameter_um: FloatArray
    g_ratio: FloatArray
    bare_um: FloatArray
    internode_um: FloatArray
    internode_offset: IntArray
    myelin_fraction: float
    axon_survival: float
    new_oligodendrocytes: float
    surviving_oligodendrocytes: float
    progenitors: float

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, _array(name, getattr(self, name)))
        for name in _BOUNDS:
            _check_bounds(name, getattr(self, name))
        axons = len(self.diameter_um)
        for name in ("g_ratio", "bare_um"):
            if len(getattr(self, name)) != axons:
                raise _wrong(
                    name, f"of length {len(getattr(self, name))}", f"one value for each of {axons} axons"
                )
        self._check_offsets(axons)

    @property
    def n_axons(self) -> int:
        """How many axons are left."""
        return len(self.diameter_um)

    def internodes(self, axon: int) -> FloatArray:
        """(internode,) lengths in um of the internodes of one axon; empty if it is bare."""
        if not 0 <= axon < self.n_axons:
            raise _wrong("axon", str(axon), f"0 to {self.n_axons - 1}")
        return self.internode_um[self.internode_offset[axon] : self.internode_offset[axon + 1]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MyelinState) and all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    def _check_offsets(self, axons: int) -> None:
        offset = self.internode_offset
        expected = f"{axons + 1} numbers that rise from 0 to {len(self.internode_um)}"
        if len(offset) != axons + 1 or offset[0] != 0 or offset[-1] != len(self.internode_um):
            raise _wrong("internode_offset", f"of length {len(offset)}", expected)
        if (np.diff(offset) < 0).any():
            raise _wrong("internode_offset", "falling", expected)


_ARRAYS = ("diameter_um", "g_ratio", "bare_um", "internode_um", "internode_offset")
# Lowest and highest value, and whether the lowest itself is allowed.
_BOUNDS: dict[str, tuple[float, float, bool]] = {
    "day": (-np.inf, np.inf, True),
    "diameter_um": (0, np.inf, False),
    "g_ratio": (0, 1, False),
    "bare_um": (0, np.inf, True),
    "internode_um": (0, np.inf, False),
    "myelin_fraction": (0, 1, True),
    "axon_survival": (0, 1, True),
    "new_oligodendrocytes": (0, np.inf, True),
    "surviving_oligodendrocytes": (0, np.inf, True),
    "progenitors": (0, np.inf, True),
}


def _array(name: str, values: object) -> FloatArray | IntArray:
    array: FloatArray | IntArray = np.array(values, dtype=np.float64)
    if array.ndim != 1:
        raise _wrong(name, f"of {array.ndim} dimensions", "one dimension")
    if name == "internode_offset":
        if not (np.isfinite(array) & (array % 1 == 0)).all():
            raise _wrong(name, "not whole numbers", "positions in internode_um")
        array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def _check_bounds(name: str, values: FloatArray | float) -> None:
    low, high, closed = _BOUNDS[name]
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    right = np.isfinite(array) & (array <= high) & ((array >= low) if closed else (array > low))
    if not right.all():
        limits = f"{'at least' if closed else 'above'} {low:g}" + (
            "" if np.isinf(high) else f" and at most {high:g}"
        )
        raise _wrong(name, f"{array[~right][0]:g}", f"finite, {limits}" if np.isfinite(low) else "finite")


def _wrong(name: str, found: str, expected: str) -> InputError:
    return InputError("", f"MyelinState {name}", found, expected, "correct what made this state")
