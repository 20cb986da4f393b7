"""How much of a drug's target is reached: repeated doses, one compartment, first-order elimination."""

from __future__ import annotations

import math
from dataclasses import dataclass

from remyelin.errors import InputError
from remyelin.number import check_number


@dataclass(frozen=True, slots=True)
class Kinetics:
    """A drug's half-life and the time between doses, with where they were read.

    Examples
    --------
    >>> clemastine = Kinetics(half_life_hours=21.3, every_hours=12)
    >>> round(clemastine.onset_days, 2)
    1.28
    """

    half_life_hours: float
    every_hours: float
    source: str = ""
    status: str = "given"

    def __post_init__(self) -> None:
        for name in ("half_life_hours", "every_hours"):
            check_number(f"kinetics {name}", getattr(self, name), above=0)

    @property
    def onset_days(self) -> float:
        """Time in which two thirds of the mean level come, and go again after the stop."""
        return self.half_life_hours / 24 / math.log(2)

    def engagement(self, occupancy: float, dose: float = 1.0) -> float:
        """Mean part of the target that is reached between two doses in the steady state.

        Parameters
        ----------
        occupancy
            Part that is reached at the mean level of the trial's dose, 0 to 1.
        dose
            In multiples of the trial's dose.

        Returns
        -------
        float
            With level `c` in units of what reaches half of the target, the mean of ``c / (1 + c)`` over the
            interval; below `occupancy`, the more so the more the level swings.

        Examples
        --------
        >>> steady, swinging = Kinetics(500, 12), Kinetics(7, 24)
        >>> round(steady.engagement(0.8), 3), round(swinging.engagement(0.8), 3)
        (0.8, 0.741)
        """
        level = relative_level(occupancy, dose)
        if not 0 < level < math.inf:
            return float(level > 0)
        fall = math.log(2) * self.every_hours / self.half_life_hours
        peak = level * fall / -math.expm1(-fall)
        return math.log((1 + peak) / (1 + peak * math.exp(-fall))) / fall


def relative_level(occupancy: float, dose: float) -> float:
    """The drug's level over that which reaches half of the target.

    Raises
    ------
    InputError
        For an occupancy or dose that cannot be, or another dose where all of the target is reached.
    """
    check_number("engagement", occupancy, least=0, most=1)
    check_number("dose", dose, least=0)
    if occupancy == 1:
        if dose not in (0, 1):
            expected = "1 where all of the target is reached"
            fix = "give the engagement at the trial's dose, below 1, so that the dose can be followed"
            raise InputError("", "dose", f"{dose:g}", expected, fix)
        return math.inf if dose else 0.0
    return dose * occupancy / (1 - occupancy)
