"""What is expected of a comparison: distributions over worlds, and no single number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.virtual.published import effective, quantiles

FloatArray = npt.NDArray[np.float64]
LEVELS = (0.05, 0.5, 0.95)
# Below the first, what a forecast says is told with a warning; below the second a row has no interval.
ENOUGH, FEW = 100, 20


@dataclass(frozen=True, slots=True)
class Expected:
    """A distribution over worlds: its median and the interval of 90 %.

    Attributes
    ----------
    label, unit
        Of what.
    low, median, high
        5, 50 and 95 % of the true effect.
    worlds
        How many equally probable worlds say so.
    """

    label: str
    unit: str
    low: float
    median: float
    high: float
    worlds: float

    @property
    def few(self) -> bool:
        """Whether so few worlds say so that an interval would be chance."""
        return self.worlds < FEW

    @classmethod
    def of(cls, label: str, unit: str, values: FloatArray, weight: FloatArray) -> Expected:
        """From values that are not equally probable."""
        low, median, high = map(float, quantiles(values, weight, LEVELS))
        return cls(label, unit, low, median, high, effective(weight))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is expected of one comparison.

    Attributes
    ----------
    endpoint, arm, role
        Which; `role` ``"not in the protocol"`` for what could be measured besides.
    true, result
        The true effect, and the estimate of a trial of this size.
    se
        Standard error of the estimate, as planned.
    se_source, se_note
        Where its SD was read; and, where it is another comparison's standard error, whose.
    signal
        Median over worlds of the effect, in the direction that is looked for, over its standard error.
    success
        Probability of a significant result in that direction; None as long as the gate is closed.
    """

    endpoint: str
    arm: str
    role: str
    true: Expected
    result: Expected
    se: float
    se_source: str
    signal: float
    success: float | None
    se_note: str = ""
