"""What a treatment does to a lesion and to an eye: the change against untreated, by age and day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Change against untreated, on a grid of ages and days of treatment.

    Parameters
    ----------
    age_years, day
        (age,) and (day,), rising.
    latency_ms
        (age, day) change of the P100 of a delayed eye, ms; negative is faster.
    mtr_pu
        (age, day) change of a lesion's MTR, pu.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or ages or days do not rise.
    """

    age_years: FloatArray
    day: FloatArray
    latency_ms: FloatArray
    mtr_pu: FloatArray

    def __post_init__(self) -> None:
        shape = tuple(len(np.atleast_1d(axis)) for axis in (self.age_years, self.day))
        for name, wanted in (
            ("age_years", shape[:1]),
            ("day", shape[1:]),
            ("latency_ms", shape),
            ("mtr_pu", shape),
        ):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            good = values.shape == wanted and np.isfinite(values).all()
            if not good or (len(wanted) == 1 and not (np.diff(values) > 0).all()):
                expected = f"finite numbers of shape {wanted}" + ", rising" * (len(wanted) == 1)
                raise InputError("", f"response {name}", f"of shape {values.shape}", expected, "correct it")
            object.__setattr__(self, name, values)

    @classmethod
    def constant(cls, latency_ms: float = 0.0, mtr_pu: float = 0.0) -> Response:
        """The truth is given: the same at every age and on every day after the first.

        Examples
        --------
        >>> Response.constant(latency_ms=-1.2).latency_ms
        array([[-1.2]])
        """
        one = np.zeros(1)
        return cls(one, one, np.full((1, 1), latency_ms), np.full((1, 1), mtr_pu))

    def latency_at(self, age_years: FloatArray, day: FloatArray) -> FloatArray:
        """Change of the latency at these ages and days of treatment, ms; the two are broadcast.

        Linear between the points of the grid, constant beyond its ends, and 0 before treatment begins.

        Examples
        --------
        >>> Response.constant(latency_ms=-1.2).latency_at(np.array([30.0, 50.0]), np.array([0.0, 90.0]))
        array([ 0. , -1.2])
        """
        return self._at(self.latency_ms, age_years, day)

    def mtr_at(self, age_years: FloatArray, day: FloatArray) -> FloatArray:
        """Change of the MTR at these ages and days of treatment, pu; see `latency_at`.

        Examples
        --------
        >>> Response.constant(mtr_pu=0.2).mtr_at(np.array(40.0), np.array([0.0, 180.0]))
        array([0. , 0.2])
        """
        return self._at(self.mtr_pu, age_years, day)

    def _at(self, grid: FloatArray, age_years: FloatArray, day: FloatArray) -> FloatArray:
        age, elapsed = np.broadcast_arrays(age_years, day)
        row, across = _place(self.age_years, age)
        column, along = _place(self.day, elapsed)
        right, below = np.minimum(column + 1, len(self.day) - 1), np.minimum(row + 1, len(self.age_years) - 1)
        here = (1 - along) * grid[row, column] + along * grid[row, right]
        there = (1 - along) * grid[below, column] + along * grid[below, right]
        return np.where(elapsed > 0, (1 - across) * here + across * there, 0.0)


def _place(points: FloatArray, values: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """The grid point below each value, and how far it lies towards the next one."""
    position = np.interp(values, points, np.arange(len(points)))
    low = np.clip(np.floor(position).astype(np.int64), 0, max(len(points) - 2, 0))
    return low, np.asarray(position - low)
