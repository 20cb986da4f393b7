"""The course of a repair: how much of the bare axon is covered again, day by day, with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from remyelin.biology.ageing import age_index
from remyelin.biology.draws import posterior
from remyelin.biology.lineage import NEVER, STATES, FloatArray, advance
from remyelin.biology.scenarios import Scenario
from remyelin.biology.sheaths import MOST_SHORT, N_SHORT, Axons, Cover, myelin_state, normal_oligodendrocytes
from remyelin.biology.state import MyelinState
from remyelin.biology.treatment import Treatment
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

DRAWS = 200
LONGEST_DAYS = 40_000
MOST_AXONS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What becomes of a lesion.

    Attributes
    ----------
    scenario, treatment
        As they were given; print either to see what it is.
    time_days
        (day,) from 0.
    states
        (draw, day, state) in the order of `lineage.STATES`; the first draw is the most probable.
    seed
        Of the axons that `state` draws.

    Examples
    --------
    >>> from remyelin import biology
    >>> course = biology.simulate(biology.scenario("rat-young"), days=60)
    >>> course
    Course(rat-young: 60 days, 95 % covered on day 28)
    >>> course.scenario
    Scenario(rat-young: rat of 0.167 years, radius 0.5 mm)
    >>> 26 <= course.completion_day() <= 30
    True
    """

    scenario: Scenario
    treatment: Treatment | None
    time_days: FloatArray
    states: FloatArray
    seed: int

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
        return np.asarray(self.states[:, :, column(state)])

    def interval(self, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """(day,) bounds between which the posterior puts `level` of its mass."""
        return bounds(self.draws, level)

    def completion_day(self, level: float = 0.95) -> float:
        """When the covered part reaches `level`, by the most probable rates; infinite if it never does."""
        return float(self.completion_days(level)[0])

    def completion_days(self, level: float = 0.95) -> FloatArray:
        """(draw,) the same by every draw."""
        check_level(level)
        return np.array([reached(row, level) for row in self.draws])

    def state(self, day: float, *, draw: int = 0, n_axons: int = 1000, n_short: int = N_SHORT) -> MyelinState:
        """The myelin of single axons on one day: what `conduction.NerveBundle.from_state` reads.

        The axons are the same whichever day is asked, and a sheath, once made, stays unless it is lost. They
        are as thick as those of an optic nerve and cross the lesion at its widest. New sheaths are spread
        evenly over them: nobody has measured how uneven they are.

        Parameters
        ----------
        day
            From 0 to the last; between two days what lies between their states.
        draw
            Of the posterior; 0 is the most probable.
        n_axons
            Before the lesion; those that have died are left out.
        n_short
            New internodes in the place of one. That they are shorter is known, by how much is not: 3 is an
            assumption.

        Raises
        ------
        InputError
            For a day, draw or number that cannot be.

        Examples
        --------
        >>> from remyelin import biology
        >>> course = biology.simulate(biology.scenario("rat-young"), days=60)
        >>> round(course.state(0).bare_um.mean()), round(course.state(60).bare_um.mean())
        (1000, 0)
        """
        last = float(self.time_days[-1])
        check_number("day", day, least=0, most=last, expected=f"0 to {last:g}, the days that were simulated")
        check_number("draw", draw, least=0, most=len(self.states) - 1, whole=True)
        check_number("n_axons", n_axons, least=1, most=MOST_AXONS, whole=True)
        check_number("n_short", n_short, least=1, most=MOST_SHORT, whole=True)
        now = dict(zip(STATES, self._on(day, int(draw)), strict=True))
        radius = self.scenario.lesion_radius_mm
        axons = Axons.drawn(int(n_axons), 2e3 * radius, np.random.default_rng(self.seed))
        kept = now["surviving_oligodendrocytes"]
        again = min(1.0, now["new_sheaths"] + now["survivor_sheaths"])
        cover = Cover(kept, again, now["thickness"], now["axons"])
        normal = normal_oligodendrocytes(radius)
        # So many progenitors that, all differentiated, make the normal number of oligodendrocytes.
        progenitors = normal / self.scenario.rates.progenitor_yield
        cells = (now["new_oligodendrocytes"] * normal, kept * normal, now["progenitors"] * progenitors)
        return myelin_state(axons, cover, day=float(day), n_short=int(n_short), cells=cells)

    def _on(self, day: float, draw: int) -> list[float]:
        """The states on a day; rounding below 0 taken off."""
        rows = self.states[draw]
        return [max(0.0, float(np.interp(day, self.time_days, rows[:, k]))) for k in range(rows.shape[1])]

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
        From `biology.treat`, or none; it has to start before the last day.
    rng
        Draws the effects of the treatment and the sheaths of single axons; by default the same every time.

    Returns
    -------
    Course
        Day by day, by the most probable rates and by every draw of the posterior.

    Raises
    ------
    InputError
        For a number of days that cannot be, a scenario, treatment or generator that is none,
        or a treatment that starts after the last day.
    """
    check_asked(scenario, days, treatment, rng)
    check_begins(treatment, days)
    days = int(days)
    generator = np.random.default_rng(0) if rng is None else rng
    # Before the treatment's effects, so that the same lesion has the same axons with and without it.
    seed = int(generator.integers(2**32))
    parameters = drawn_parameters(scenario)
    start = np.repeat([scenario.start()], len(parameters), axis=0)
    treated, exposure = exposed(parameters, treatment, generator, scenario)
    states = advance(
        parameters, start, days=days, treated=treated, exposure=exposure, attacks=scenario.attacks
    )
    return Course(scenario, treatment, np.arange(days + 1, dtype=np.float64), states, seed)


_MAKERS = {
    "scenario": "biology.scenario({})",
    "treatment": "biology.treat({}, ...)",
    "rng": "numpy.random.default_rng({})",
}
_NAMES = {"scenario": "'human'", "treatment": "'clemastine'", "rng": "1"}


def check_level(level: object) -> None:
    """Refuse what is no part of a whole."""
    check_number("level", level, above=0, most=math.nextafter(1, 0), expected="between 0 and 1")


def check_asked(scenario: object, days: object, treatment: object, rng: object) -> None:
    """Refuse what cannot be simulated."""
    check_number("days", days, least=1, most=LONGEST_DAYS, whole=True)
    for name, value, kind in (
        ("scenario", scenario, Scenario),
        ("treatment", treatment, Treatment | None),
        ("rng", rng, np.random.Generator | None),
    ):
        if not isinstance(value, kind):
            named = type(value) is (int if name == "rng" else str)
            fix = _MAKERS[name].format(repr(value) if named else _NAMES[name])
            what = "a generator" if name == "rng" else f"a {name}"
            raise InputError("", name, shown(value), what, f"make one with {fix}")


def check_begins(treatment: Treatment | None, days: int) -> None:
    """Refuse a treatment of which no dose falls within the days that are simulated."""
    if treatment is not None and treatment.start_day >= days:
        found = f"{treatment.start_day:g}"
        expected = f"a day before the last of the simulation, day {days:g}"
        fix = "simulate more days or start earlier"
        raise InputError("", f"treatment {treatment.name} start_day", found, expected, fix)


def drawn_parameters(scenario: Scenario) -> FloatArray:
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
    return parameters


def exposed(
    parameters: FloatArray, treatment: Treatment | None, rng: np.random.Generator, scenario: Scenario
) -> tuple[FloatArray | None, tuple[float, float, float]]:
    """(draw, parameter) under full exposure, and when that comes; as `lineage.advance` takes them."""
    if treatment is None:
        return None, NEVER
    treated = parameters * treatment.folds(len(parameters), rng, scenario)
    return treated, (treatment.start_day, treatment.stop_day, 1 / treatment.onset_days)


def column(state: str) -> int:
    """Where one of `lineage.STATES` stands."""
    if state not in STATES:
        raise InputError("", "state", shown(state), ", ".join(STATES), did_you_mean(str(state), STATES))
    return STATES.index(state)


def bounds(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """(day,) between which the draws (draw, day) put `level` of their mass."""
    check_level(level)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def reached(covered: FloatArray, level: float) -> float:
    """The day on which (day,) `covered` reaches `level`, by a line between days; infinite if never."""
    after = int(np.argmax(covered >= level))
    if covered[after] < level:
        return math.inf
    if after == 0:
        return 0.0
    before = covered[after - 1]
    return after - 1 + float((level - before) / (covered[after] - before))
