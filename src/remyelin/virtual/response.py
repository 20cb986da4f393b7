"""What a treatment does to a lesion and to an eye: the change against untreated, by age and day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Response:
    """Change against untreated, on a grid of ages and days of treatment.

    Parameters
    ----------
    age_years, day
        (age,) and (day,), rising.
    latency_ms
        (age, day) change of the P100 of an eye with an old lesion, ms; negative is faster.
    mtr_pu
        (age, day) change of a lesion's MTR, pu.
    """

    age_years: FloatArray
    day: FloatArray
    latency_ms: FloatArray
    mtr_pu: FloatArray

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
