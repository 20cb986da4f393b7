"""A lesion with an inside: progenitors come in from its border, and how far they have to go matters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from remyelin.biology.course import (
    bounds,
    check_asked,
    check_begins,
    check_level,
    column,
    drawn_parameters,
    exposed,
    reached,
)
from remyelin.biology.lineage import STATES, FloatArray
from remyelin.biology.scenarios import Scenario
from remyelin.biology.shells import GEOMETRIES, SHELLS_PER_FOOT, Shells, foot_mm, march
from remyelin.biology.treatment import Treatment
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

# Least that may be asked for; least and most of those that are chosen.
FEWEST_SHELLS, LEAST_SHELLS, MOST_SHELLS = 8, 20, 2000


@dataclass(frozen=True, slots=True, eq=False)
class LesionCourse:
    """What becomes of a lesion, shell by shell.

    Attributes
    ----------
    scenario, treatment, geometry
        As they were given.
    time_days
        (day,) from 0.
    shells
        From the centre to the border.
    states
        (day, shell, state) in the order of `lineage.STATES`, by the most probable rates.
    covered_draws
        (draw, day) part of the bare axon of the whole lesion that is covered again, by each draw.

    Examples
    --------
    >>> from remyelin import biology
    >>> young = biology.scenario("rat-young", lesion_radius_mm=3, resident_progenitors=0)
    >>> course = biology.simulate_lesion(young, days=60)
    >>> bool(course.border[30] > course.covered[30] > course.centre[30])
    True
    """

    scenario: Scenario
    treatment: Treatment | None
    geometry: str
    time_days: FloatArray
    shells: Shells
    states: FloatArray
    covered_draws: FloatArray

    @property
    def radius_mm(self) -> FloatArray:
        """(shell,) distance of its middle from the centre."""
        return self.shells.radius_mm

    @property
    def remyelinated(self) -> FloatArray:
        """(day, shell) part of the bare axon length that is covered again."""
        return np.asarray(self.of("new_sheaths") + self.of("survivor_sheaths"))

    @property
    def covered(self) -> FloatArray:
        """(day,) the same of the whole lesion: the mean of its shells, by volume."""
        return np.asarray(self.covered_draws[0])

    @property
    def centre(self) -> FloatArray:
        """(day,) of the innermost shell."""
        return np.asarray(self.remyelinated[:, 0])

    @property
    def border(self) -> FloatArray:
        """(day,) of the outermost shell."""
        return np.asarray(self.remyelinated[:, -1])

    def of(self, state: str) -> FloatArray:
        """(day, shell) of one of `lineage.STATES`."""
        return np.asarray(self.states[:, :, column(state)])

    def completion_day(self, level: float = 0.95) -> float:
        """When `level` of the whole lesion is covered, by the most probable rates; infinite if never."""
        return float(self.completion_days(level)[0])

    def completion_days(self, level: float = 0.95) -> FloatArray:
        """(draw,) the same by every draw."""
        check_level(level)
        return self._every * np.array([reached(row, level) for row in self.covered_draws])

    def shell_completion_day(self, level: float = 0.95) -> FloatArray:
        """(shell,) when `level` of each shell is covered; infinite where it never is."""
        check_level(level)
        return self._every * np.array([reached(row, level) for row in self.remyelinated.T])

    def arrival_day(self, density: float = 0.5) -> FloatArray:
        """(shell,) when progenitors first reach a density, 1: normal; infinite where they never do."""
        check_number("density", density, above=0)
        return self._every * np.array([reached(row, density) for row in self.of("progenitors").T])

    def interval(self, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """(day,) bounds between which the draws put `level` of the covered part of the lesion."""
        return bounds(self.covered_draws, level)

    @property
    def _every(self) -> float:
        return float(self.time_days[1] - self.time_days[0])

    def __repr__(self) -> str:
        drug = "" if self.treatment is None else f", {self.treatment.name}"
        what = f"{self.geometry} of {self.scenario.lesion_radius_mm:g} mm{drug}"
        last = (
            f"day {self.time_days[-1]:g}: border {self.border[-1]:.0%}, centre {self.centre[-1]:.0%} covered"
        )
        return f"LesionCourse({self.scenario.name}, {what}; {last})"


def simulate_lesion(
    scenario: Scenario,
    *,
    days: int,
    geometry: str = "ball",
    shells: int | None = None,
    every_days: int = 1,
    treatment: Treatment | None = None,
    draws: int = 1,
    rng: np.random.Generator | None = None,
) -> LesionCourse:
    """Follow a lesion from its border to its centre.

    Each shell has the states and equations of `biology.simulate`, but no assumption of how much of the lesion
    is colonised: progenitors diffuse in from normal tissue, which keeps its density, as fast as the front of
    the scenario's rates (theory page "A lesion with an inside").

    Parameters
    ----------
    scenario
        From `biology.scenario`. A lesion in which progenitors are left (``resident_progenitors``, 5 % unless
        you say so) is repopulated from within, and its size hardly matters.
    days
        How long.
    geometry
        ``"ball"``; ``"cylinder"`` (a long lesion, as along a tract); ``"sheet"`` of twice the radius.
    shells
        How many, 8 to 2000; by default enough for the front's foot.
    every_days
        Which days are kept; `days` has to be a multiple.
    treatment
        From `biology.treat`, or none; it has to start before the last day.
    draws
        Of the posterior; the first is the most probable.
    rng
        Draws the effects of the treatment; by default the same every time.

    Raises
    ------
    InputError
        For a geometry that is unknown, a number that cannot be, a treatment that starts after the last day.

    Examples
    --------
    >>> from remyelin import biology
    >>> biology.simulate_lesion(biology.scenario("rat-young"), days=60)
    LesionCourse(rat-young, ball of 0.5 mm; day 60: border 100%, centre 100% covered)
    """
    check_asked(scenario, days, treatment, rng)
    check_begins(treatment, days)
    if geometry not in tuple(GEOMETRIES):
        fix = did_you_mean(str(geometry), GEOMETRIES)
        raise InputError("", "geometry", shown(geometry), ", ".join(GEOMETRIES), fix)
    check_number("every_days", every_days, least=1, most=days, whole=True)
    if days % every_days:
        raise InputError("", "every_days", shown(every_days), f"a divisor of {days:g} days", "correct it")
    parameters = drawn_parameters(scenario)
    check_number("draws", draws, least=1, most=len(parameters), whole=True)
    parameters = parameters[: int(draws)]
    if shells is None:
        wanted = SHELLS_PER_FOOT * scenario.lesion_radius_mm / foot_mm(parameters[0])
        shells = min(max(math.ceil(wanted), LEAST_SHELLS), MOST_SHELLS)
    check_number("shells", shells, least=FEWEST_SHELLS, most=MOST_SHELLS, whole=True)
    generator = np.random.default_rng(0) if rng is None else rng
    treated, exposure = exposed(parameters, treatment, generator, scenario)
    grid = Shells.of(scenario.lesion_radius_mm, int(shells), geometry)
    start = np.repeat([scenario.start()], len(grid.volume), axis=0)
    time_days = np.arange(0, int(days) + 1, int(every_days), dtype=np.float64)
    covered = np.empty((len(parameters), len(time_days)))
    states = np.empty(0)
    for draw in reversed(range(len(parameters))):
        states = march(
            grid,
            start,
            parameters[draw],
            days=int(days),
            every_days=int(every_days),
            treated=None if treated is None else treated[draw],
            exposure=exposure,
            attacks=scenario.attacks,
        )
        sheaths = states[:, :, STATES.index("new_sheaths")] + states[:, :, STATES.index("survivor_sheaths")]
        covered[draw] = sheaths @ grid.volume / grid.volume.sum()
    return LesionCourse(scenario, treatment, geometry, time_days, grid, states, covered)
