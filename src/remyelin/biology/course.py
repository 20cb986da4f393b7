"""The course of a repair: how much of the bare axon is covered again, day by day, with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from remyelin.biology.ageing import age_index
from remyelin.biology.draws import posterior
from remyelin.biology.lineage import PARAMETERS, STATES, FloatArray, advance
from remyelin.biology.scenarios import Scenario
from remyelin.biology.treatment import Treatment
from remyelin.errors import InputError

DRAWS = 200
LONGEST_DAYS = 40_000


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What becomes of a lesion.

    Attributes
    ----------
    scenario, treatment
        As they were given.
    time_days
        (day,) from 0.
    states
        (draw, day, state) in the order of `lineage.STATES`; the first draw is the most probable.

    Examples
    --------
    >>> from remyelin import biology
    >>> course = biology.simulate(biology.scenario("rat-young"), days=60)
    >>> 26 <= course.completion_day() <= 30
    True
    """

    scenario: Scenario
    treatment: Treatment | None
    time_days: FloatArray
    states: FloatArray

    @property
    def remyelinated(self) -> FloatArray:
        """(day,) part of the bare axon length that is covered again, by the most probable rates."""
        return np.asarray(self.draws[0])

    @property
    def draws(self) -> FloatArray:
        """(draw, day) the same by every draw of the posterior."""
        return np.asarray(self.of("new_sheaths") + self.of("survivor_sheaths"))

    def of(self, state: str) -> FloatArray:
        """(draw, day) of one of `lineage.STATES`."""
        return np.asarray(self.states[:, :, STATES.index(state)])

    def interval(self, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """(day,) bounds between which the posterior puts `level` of its mass."""
        low, high = np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def completion_day(self, level: float = 0.95) -> float:
        """When the covered part reaches `level`, by the most probable rates; infinite if it never does."""
        return float(self.completion_days(level)[0])

    def completion_days(self, level: float = 0.95) -> FloatArray:
        """(draw,) the same by every draw."""
        if not 0 < level < 1:
            raise InputError("", "level", f"{level:g}", "between 0 and 1", "correct it")
        return np.array([_reached(row, level) for row in self.draws])

    def __repr__(self) -> str:
        day = self.completion_day()
        done = (
            f"95 % covered on day {day:.0f}" if math.isfinite(day) else f"{self.remyelinated[-1]:.0%} covered"
        )
        drug = "" if self.treatment is None else f", {self.treatment.name}"
        return f"Course({self.scenario.name}{drug}: {len(self.time_days) - 1} days, {done})"


def simulate(
    scenario: Scenario,
    *,
    days: int,
    treatment: Treatment | None = None,
    rng: np.random.Generator | None = None,
) -> Course:
    """Follow a lesion.

    Parameters
    ----------
    scenario
        From `biology.scenario`.
    days
        How long.
    treatment
        From `biology.treatment`, or none.
    rng
        Draws the effects of the treatment and the sheaths of single axons; by default the same every time.

    Returns
    -------
    Course
        Day by day, by the most probable rates and by every draw of the posterior.

    Raises
    ------
    InputError
        For a number of days that cannot be.
    """
    if not 1 <= days <= LONGEST_DAYS or days != int(days):
        raise InputError("", "days", f"{days!r}", f"a whole number from 1 to {LONGEST_DAYS}", "correct it")
    generator = np.random.default_rng(0) if rng is None else rng
    parameters = _drawn(scenario)
    start = np.repeat([scenario.start()], len(parameters), axis=0)
    treated, exposure = None, (math.inf, math.inf, 1.0)
    if treatment is not None:
        treated = parameters * treatment.folds(len(parameters), generator)
        exposure = (treatment.start_day, treatment.stop_day, 1 / treatment.onset_days)
    states = advance(
        parameters, start, days=int(days), treated=treated, exposure=exposure, attacks=scenario.attacks
    )
    return Course(scenario, treatment, np.arange(days + 1, dtype=np.float64), states)


def _drawn(scenario: Scenario) -> FloatArray:
    """(draw, parameter) of the scenario: each draw of the posterior relative to the most probable one."""
    known = posterior()
    index = age_index(scenario.species, scenario.age_years)
    count = min(DRAWS, len(known.draws))
    rates = np.array([known.rates(index, draw).values() for draw in range(count)])
    centre = np.array(scenario.parameters())
    parameters = np.repeat(centre[None], count, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(np.isfinite(rates / rates[0]), rates / rates[0], 1.0)
    parameters[:, : rates.shape[1]] *= relative
    assert parameters.shape[1] == len(PARAMETERS)
    return parameters


def _reached(covered: FloatArray, level: float) -> float:
    after = int(np.argmax(covered >= level))
    if covered[after] < level:
        return math.inf
    if after == 0:
        return 0.0
    before = covered[after - 1]
    return after - 1 + float((level - before) / (covered[after] - before))
