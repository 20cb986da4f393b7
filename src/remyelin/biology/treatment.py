"""What a treatment does to the lineage: which parameters it multiplies, by how much, when, how surely."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from remyelin.biology.ageing import age_index
from remyelin.biology.draws import posterior
from remyelin.biology.lineage import PARAMETERS, FloatArray
from remyelin.biology.rates import names
from remyelin.biology.scenarios import Scenario
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

# From the median to the limit of a 95 % interval, in standard deviations.
TO_LIMIT = 1.959963984540054
# From the surest to the least sure; `given` is what the user gave.
STATUSES = ("seen", "derived", "given", "unverified")


@dataclass(frozen=True, slots=True)
class Effect:
    """Full exposure multiplies one parameter.

    Parameters
    ----------
    parameter
        A rate or a condition of `lineage.PARAMETERS`.
    fold, low, high
        Median and 95 %: log-normal, each side with its own width. If the interval does not cross 1, no draw
        does: a direction that is known is never averaged with its opposite.
    source, status
        Where the direction was read, and whether the size was: ``"seen"``, ``"derived"``, ``"given"`` by the
        user or ``"unverified"``, a prior.
    harm
        Whether this is a wanted effect or a harm.
    engagement
        Part of this effect that is reached.

    Examples
    --------
    >>> print(Effect("differentiation_per_day", 1.5, 1.0, 2.25))
    differentiation_per_day x 1.5 (1 to 2.25), given
    """

    parameter: str
    fold: float
    low: float
    high: float
    source: str = ""
    status: str = "given"
    harm: bool = False
    engagement: float = 1.0

    def __post_init__(self) -> None:
        if self.parameter not in PARAMETERS:
            fix = did_you_mean(self.parameter, PARAMETERS)
            raise InputError("", "effect parameter", repr(self.parameter), "a rate or condition", fix)
        if not 0 < self.low <= self.fold <= self.high < math.inf:
            found = f"{self.fold:g} ({self.low:g} to {self.high:g})"
            raise InputError("", "effect fold", found, "0 < low <= fold <= high", "correct the effect")

    def folds(self, count: int, rng: np.random.Generator, scenario: Scenario) -> FloatArray:
        """(draw, parameter) what this effect multiplies each parameter by; the first draw is the median."""
        drawn = np.log(self.fold) + _normal(
            count, rng, np.log(self.low / self.fold), np.log(self.high / self.fold)
        )
        if self.low >= 1:
            drawn = np.maximum(drawn, 0.0)
        if self.high <= 1:
            drawn = np.minimum(drawn, 0.0)
        out = np.ones((count, len(PARAMETERS)))
        out[:, PARAMETERS.index(self.parameter)] = np.exp(self.engagement * drawn)
        return out

    def __str__(self) -> str:
        harm = ", a harm" if self.harm else ""
        return f"{self.parameter} x {_size(self.fold, self.low, self.high)}{harm}{_standing(self)}"


@dataclass(frozen=True, slots=True)
class Rejuvenation:
    """Full exposure gives progenitors back a part of what age has taken from their rates.

    A rate that age has multiplied by `a` is multiplied by ``a ** -part``: nothing where age changed nothing.

    Parameters
    ----------
    part, low, high
        Median and 95 % of the part, between 0 and 1.
    rates
        Which of the rates of `ageing.AGEING`.
    source, status, engagement
        As in `Effect`.

    Examples
    --------
    >>> print(Rejuvenation(0.5, 0.1, 0.9))
    0.5 (0.1 to 0.9) of what age took from differentiation_per_day, proliferation_per_day, given
    """

    part: float
    low: float
    high: float
    rates: tuple[str, ...] = ("differentiation_per_day", "proliferation_per_day")
    source: str = ""
    status: str = "given"
    harm: bool = False
    engagement: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.part <= self.high <= 1:
            found = f"{self.part:g} ({self.low:g} to {self.high:g})"
            raise InputError("", "rejuvenation part", found, "0 <= low <= part <= high <= 1", "correct it")
        unknown = [name for name in self.rates if name not in names()]
        if unknown:
            raise InputError(
                "", "rejuvenation rate", repr(unknown[0]), "a rate", did_you_mean(unknown[0], names())
            )

    def folds(self, count: int, rng: np.random.Generator, scenario: Scenario) -> FloatArray:
        """(draw, parameter) what each parameter is multiplied by; each draw has its own effect of age."""
        known = posterior()
        index = age_index(scenario.species, scenario.age_years)
        which = [names().index(name) for name in self.rates]
        young, aged = (
            np.array([known.rates(at, draw).values() for draw in range(count)])[:, which]
            for at in (0.0, index)
        )
        part = self.part + _normal(count, rng, self.low - self.part, self.high - self.part)
        part = np.clip(part, 0.0, 1.0)
        out = np.ones((count, len(PARAMETERS)))
        out[:, which] = (young / aged) ** (self.engagement * part[:, None])
        return out

    def __str__(self) -> str:
        rates = ", ".join(self.rates)
        return f"{_size(self.part, self.low, self.high)} of what age took from {rates}{_standing(self)}"


@dataclass(frozen=True, slots=True, repr=False)
class Treatment:
    """A treatment as the lineage feels it.

    Parameters
    ----------
    name
        Of the drug or procedure.
    effects
        On which parameters; independent of one another, and multiplied where two meet in one parameter.
    start_day, stop_day
        Of the lesion's life; infinite (``math.inf``, not None) for never stopped.
    onset_days
        Time in which two thirds of the effect come, and go again after the stop.
    engagement
        Part of the target that is reached, 0 to 1: the folds are raised to this power.
    contested
        Which direction was chosen where works disagree, and what speaks for either; empty where they agree.

    Raises
    ------
    InputError
        For days or an engagement that cannot be.

    Examples
    --------
    >>> faster = Effect("differentiation_per_day", 1.5, 1.2, 2)
    >>> Treatment("mine", (faster,), start_day=30)
    Treatment(mine, from day 30)
      differentiation_per_day x 1.5 (1.2 to 2), given
    """

    name: str
    effects: tuple[Effect | Rejuvenation, ...]
    start_day: float = 0.0
    stop_day: float = math.inf
    onset_days: float = 1.0
    engagement: float = 1.0
    contested: str = ""

    def __post_init__(self) -> None:
        check_number(f"treatment {self.name} start_day", self.start_day, least=0)
        check_number(f"treatment {self.name} onset_days", self.onset_days, above=0)
        check_number(f"treatment {self.name} engagement", self.engagement, least=0, most=1)
        stop = self.stop_day
        number = isinstance(stop, Real) and not isinstance(stop, bool)
        if not number or not stop > self.start_day:
            expected = f"a day after the start on day {self.start_day:g}, or math.inf for never"
            fix = "leave it out, or correct it"
            raise InputError("", f"treatment {self.name} stop_day", shown(stop), expected, fix)

    def folds(self, count: int, rng: np.random.Generator, scenario: Scenario) -> FloatArray:
        """(draw, parameter) what each parameter is multiplied by under full exposure; first the median."""
        out = np.ones((count, len(PARAMETERS)))
        for effect in self.effects:
            out *= effect.folds(count, rng, scenario) ** self.engagement
        return out

    @property
    def status(self) -> str:
        """Of the least sure effect; ``"unverified"`` if one is a prior."""
        return max((effect.status for effect in self.effects), key=STATUSES.index, default="given")

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of `evidence` where the directions were read."""
        return tuple(dict.fromkeys(effect.source for effect in self.effects if effect.source))

    def __add__(self, other: Treatment) -> Treatment:
        """Both at once: effects multiply, and all come as slowly as those of the slower one."""
        if (self.start_day, self.stop_day) != (other.start_day, other.stop_day):
            found, expected = f"other days than {self.name}", "the same start and stop"
            raise other._wrong("time", found, expected)
        effects = tuple(
            replace(effect, engagement=effect.engagement * each.engagement)
            for each in (self, other)
            for effect in each.effects
        )
        onset = max(self.onset_days, other.onset_days)
        contested = "; ".join(each.contested for each in (self, other) if each.contested)
        return Treatment(
            f"{self.name}+{other.name}", effects, self.start_day, self.stop_day, onset, contested=contested
        )

    def __repr__(self) -> str:
        until = "" if self.stop_day == math.inf else f" to {self.stop_day:g}"
        reached = "" if self.engagement == 1 else f", {self.engagement:.0%} of the target"
        lines = [f"Treatment({self.name}, from day {self.start_day:g}{until}{reached})"]
        lines += [str(effect) for effect in self.effects]
        if self.contested:
            lines.append(f"direction contested: {self.contested}")
        return "\n  ".join(lines)

    def _wrong(self, field: str, found: str, expected: str) -> InputError:
        return InputError("", f"treatment {self.name} {field}", found, expected, "correct it")


def _normal(count: int, rng: np.random.Generator, below: float, above: float) -> FloatArray:
    """(draw,) around 0, 95 % from `below` to `above`, the first 0."""
    drawn = rng.standard_normal(count) / TO_LIMIT
    drawn[0] = 0.0
    return np.where(drawn < 0, -drawn * below, drawn * above)


def _size(middle: float, low: float, high: float) -> str:
    return f"{middle:.3g}" + ("" if low == high else f" ({low:.3g} to {high:.3g})")


def _standing(effect: Effect | Rejuvenation) -> str:
    reached = "" if effect.engagement == 1 else f", {effect.engagement:.0%} reached"
    size = "size unverified, a prior" if effect.status == "unverified" else effect.status
    return f"{reached}, {size}" + (f"; direction from {effect.source}" if effect.source else "")
