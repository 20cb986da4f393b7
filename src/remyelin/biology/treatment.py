"""What a treatment does to the lineage: from target to changed rates, with an uncertain effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from remyelin.biology.lineage import PARAMETERS, FloatArray
from remyelin.errors import InputError, did_you_mean

# From the median to the limit of a 95 % interval, in standard deviations.
TO_LIMIT = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Effect:
    """Full exposure multiplies one parameter: median `fold`, 95 % from `low` to `high` (log-normal)."""

    parameter: str
    fold: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.parameter not in PARAMETERS:
            fix = did_you_mean(self.parameter, PARAMETERS)
            raise InputError("", "effect parameter", repr(self.parameter), "a rate or condition", fix)
        if not 0 < self.low <= self.fold <= self.high < math.inf:
            found = f"{self.fold:g} ({self.low:g} to {self.high:g})"
            raise InputError("", "effect fold", found, "0 < low <= fold <= high", "correct the effect")


@dataclass(frozen=True, slots=True)
class Treatment:
    """A treatment as the lineage feels it.

    Parameters
    ----------
    name
        Of the drug or procedure.
    effects
        On which parameters; independent of one another.
    start_day, stop_day
        Of the lesion's life; infinite for never stopped.
    onset_days
        Time in which two thirds of the effect come, and go again after the stop: what pharmacokinetics leave.
    engagement
        Part of the target that is reached at the dose, 0 to 1.
    """

    name: str
    effects: tuple[Effect, ...]
    start_day: float = 0.0
    stop_day: float = math.inf
    onset_days: float = 1.0
    engagement: float = 1.0

    def folds(self, count: int, rng: np.random.Generator) -> FloatArray:
        """(draw, parameter) what each parameter is multiplied by under full exposure; first the median."""
        out = np.ones((count, len(PARAMETERS)))
        for effect in self.effects:
            spread = math.log(effect.high / effect.low) / (2 * TO_LIMIT)
            drawn = math.log(effect.fold) + spread * rng.standard_normal(count)
            drawn[0] = math.log(effect.fold)
            out[:, PARAMETERS.index(effect.parameter)] *= np.exp(self.engagement * drawn)
        return out
