"""What a treatment does to a lesion and to an eye: the change against untreated, by age and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.number import check_number
from remyelin.virtual.assumptions import Worlds, draw_worlds, population
from remyelin.virtual.reading import NERVE_MM, bare_delay_ms, delay_ratio, lesion_mm, mtr_of_myelin
from remyelin.virtual.repair import Course, Exposure, follow

FloatArray = npt.NDArray[np.float64]
MOST_DAYS = 3650
MOST = {
    "latency_ms": 30.0,
    "mtr_pu": 10.0,
}  # either way: more than a delay, and than all the myelin of a lesion
_DRAWS = 200


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
        If shapes disagree, a value is not a finite number, an effect is beyond 30 ms or 10 pu either way, or
        ages or days do not rise.
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
            values = _numbers(name, getattr(self, name))
            good = values.shape == wanted and np.isfinite(values).all()
            if not good or (len(wanted) == 1 and not (np.diff(values) > 0).all()):
                expected = f"finite numbers of shape {wanted}" + ", rising" * (len(wanted) == 1)
                raise InputError("", f"response {name}", f"of shape {values.shape}", expected, "correct it")
            object.__setattr__(self, name, values)
            for value in (values.min(), values.max()) if name in MOST and values.size else ():
                check_number(
                    name, float(value), least=-MOST[name], most=MOST[name], fix="give a smaller effect"
                )

    @classmethod
    def constant(cls, latency_ms: float = 0.0, mtr_pu: float = 0.0) -> Response:
        """The truth is given: the same at every age and on every day after the first.

        Raises
        ------
        InputError
            What is no number, or beyond 30 ms or 10 pu either way.

        Examples
        --------
        >>> Response.constant(latency_ms=-1.2).latency_ms
        array([[-1.2]])
        """
        for name, value in (("latency_ms", latency_ms), ("mtr_pu", mtr_pu)):
            check_number(name, value, least=-MOST[name], most=MOST[name], fix="give a smaller effect")
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


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What one arm shows against the same lesions untreated, in every world.

    Attributes
    ----------
    latency_ms, mtr_pu
        (world, day) change of a delayed eye's P100 latency, and of a lesion's MTR.
    untreated_latency_ms
        (world, day) change of a delayed eye without treatment since baseline.
    lesion_mm
        (world,) length of the optic nerve's lesion that the delay at baseline asks for.
    """

    latency_ms: FloatArray
    mtr_pu: FloatArray
    untreated_latency_ms: FloatArray
    lesion_mm: FloatArray

    @property
    def possible(self) -> npt.NDArray[np.bool_]:
        """(world,) whether the nerve can hold that lesion; where not, the delayed eye has healed."""
        return np.asarray(self.lesion_mm <= NERVE_MM)


def _numbers(name: str, values: object) -> FloatArray:
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different length
        found = np.array("")
    if found.dtype.kind not in "fiu":
        raise InputError("", f"response {name}", "not numbers", "an array of numbers", "correct it")
    return found.astype(np.float64)


def response(
    treatment: str | None,
    *,
    age_years: npt.ArrayLike = 40.0,
    day: npt.ArrayLike = (0, 30, 60, 90, 182, 365),
    assumptions: Worlds | None = None,
    lesions: str = "chronic",
) -> Response:
    """What a treatment of known target does, by biology, conduction and signal.

    Parameters
    ----------
    treatment
        As in a protocol; None for placebo.
    age_years, day
        (age,) of people at baseline and (day,) since; days are whole numbers, 0 to 3650.
    assumptions
        Worlds of `draw_worlds` or `central`; by default 200 drawn, calibrated on no trial.
        The mean is over those that are possible.
    lesions
        ``"chronic"`` or ``"acute"``.

    Raises
    ------
    InputError
        For a treatment whose target is not known, a day before baseline, or lesions of another kind.

    Examples
    --------
    >>> found = response("bexarotene", age_years=[30, 50], day=[0, 90, 182])
    >>> found.latency_ms.shape, bool((found.latency_ms[:, 1:] < 0).all())
    ((2, 3), True)
    """
    worlds = draw_worlds(_DRAWS, np.random.default_rng(0)) if assumptions is None else assumptions
    ages, days = np.atleast_1d(np.asarray(age_years, float)), np.atleast_1d(np.asarray(day, float))
    each = [
        changes(worlds, [Exposure(treatment)], days=days, age_years=float(age), lesions=lesions)[0]
        for age in ages
    ]
    return Response(
        ages,
        days,
        np.array([_mean(found.latency_ms, found.possible) for found in each]),
        np.array([_mean(found.mtr_pu, found.possible) for found in each]),
    )


def _mean(changed: FloatArray, possible: npt.NDArray[np.bool_]) -> FloatArray:
    """(day,) over the worlds that are possible, or over all if none is."""
    return np.asarray(changed[possible if possible.any() else slice(None)].mean(axis=0))


def changes(
    worlds: Worlds, exposures: Sequence[Exposure], *, days: npt.ArrayLike, age_years: float, lesions: str
) -> list[Changes]:
    """What each exposure changes against no treatment, world by world.

    The delay at baseline is a fact of the people in the trial, not an outcome: the lesion is taken as long as
    that delay asks for. A world in which that is longer than the nerve contradicts the delayed eye
    (`Changes.possible`); its lesion is taken as long as the nerve.

    Raises
    ------
    InputError
        For a day that is not a whole number from 0 to 3650, or an unknown treatment.
    """
    wanted = _days(days)
    untreated, *treated = follow(
        worlds, [Exposure(None), *exposures], days=wanted, age_years=age_years, lesions=lesions
    )
    plain = _delay_ratio(untreated, worlds)
    nerve_ms = worlds[population(lesions)["delay"]] * worlds["repairable_part"]
    per_mm = bare_delay_ms(worlds["nav_fraction"]) / lesion_mm()
    asked = nerve_ms / np.maximum(plain[:, 0], 1e-6) / per_mm
    bare_ms = np.minimum(asked, NERVE_MM) * per_mm
    mtr = _mtr(untreated)
    return [
        Changes(
            bare_ms[:, None] * (_delay_ratio(each, worlds) - plain),
            worlds["mtr_gain"][:, None] * (_mtr(each) - mtr),
            bare_ms[:, None] * (plain - plain[:, :1]),
            asked,
        )
        for each in treated
    ]


def _days(days: npt.ArrayLike) -> list[int]:
    wanted = np.atleast_1d(np.asarray(days, dtype=np.float64))
    good = np.isfinite(wanted) & (wanted >= 0) & (wanted <= MOST_DAYS) & (wanted == np.round(wanted))
    if not good.all():
        expected = f"whole days from 0, the baseline, to {MOST_DAYS}"
        fix = "give the day since baseline; before it there is no treatment"
        raise InputError("", "day", f"{wanted[~good][0]:g}", expected, fix)
    return [int(each) for each in wanted]


def _delay_ratio(course: Course, worlds: Worlds) -> FloatArray:
    """(world, day) mean delay over lesions, relative to that of bare ones."""
    ratio = delay_ratio(
        course.covered,
        course.thickness,
        nav_fraction=worlds["nav_fraction"][:, None],
        short_internodes=worlds["short_internodes"][:, None],
    )
    return np.asarray((course.part[..., None] * ratio).sum(axis=0))


def _mtr(course: Course) -> FloatArray:
    """(world, day) mean MTR over lesions."""
    return np.asarray((course.part[..., None] * mtr_of_myelin(course.myelin)).sum(axis=0))


def _place(points: FloatArray, values: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """The grid point below each value, and how far it lies towards the next one."""
    position = np.interp(values, points, np.arange(len(points)))
    low = np.clip(np.floor(position).astype(np.int64), 0, max(len(points) - 2, 0))
    return low, np.asarray(position - low)
