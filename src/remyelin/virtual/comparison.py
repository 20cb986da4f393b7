"""What the arms of a protocol are given, and what their comparison estimates, world by world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.evidence.load import read_data
from remyelin.protocol import Arm, Endpoint, Protocol
from remyelin.protocol.parts import PLACEBO
from remyelin.virtual.assumptions import Worlds, population
from remyelin.virtual.exposure import courses
from remyelin.virtual.repair import Exposure, drugs_of
from remyelin.virtual.response import Changes, changes

FloatArray = npt.NDArray[np.float64]
LATENCY, MTR = "p100_latency_ms", "mtr_pu"
# Which of the two a measure is: what moves P100 moves its shift and its difference from the other eye alike.
FOLLOWED: Mapping[str, str] = MappingProxyType(
    {LATENCY: LATENCY, "vep_shift_ms": LATENCY, "p100_fellow_difference_ms": LATENCY, MTR: MTR}
)
EYES = ("both", "delayed", "affected")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a protocol does not say of its people.

    Attributes
    ----------
    lesions
        ``"chronic"`` or ``"acute"``.
    eyes
        Which are analysed: ``"both"``, or those that are ``"delayed"`` or ``"affected"``.
    dose
        In multiples of the dose of the catalogue.
    """

    lesions: str = "chronic"
    eyes: str = "both"
    dose: float = 1.0

    @classmethod
    def of(cls, protocol: Protocol, lesions: str | None = None) -> Setting:
        """Of a packaged protocol what was read, of another the defaults; `lesions` goes before.

        Examples
        --------
        >>> Setting.of(Protocol.read("renew"))
        Setting(lesions='acute', eyes='affected', dose=10.0)
        """
        row = read_data("virtual_assumptions.toml")["trial"].get(protocol.trial.id, {})
        wanted = lesions or row.get("population", "chronic")
        population(wanted)
        return cls(wanted, row.get("eyes", "both"), row.get("dose", 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The arms of a protocol in every world.

    Attributes
    ----------
    protocol, setting
        What was followed.
    day
        (day,) since baseline.
    arms
        By id.
    possible
        (world,) whether the delayed eye is possible.
    """

    protocol: Protocol
    setting: Setting
    day: tuple[int, ...]
    arms: Mapping[str, Changes]

    @property
    def possible(self) -> npt.NDArray[np.bool_]:
        """(world,) whether a delayed eye is possible there."""
        return next(iter(self.arms.values())).possible

    def effects(
        self, measure: str, worlds: Worlds, day: int, eyes: str | None = None
    ) -> dict[str, FloatArray]:
        """(world,) what each comparison with the reference estimates, by arm (crossover: by treatment).

        Parameters
        ----------
        measure
            ``"p100_latency_ms"`` or ``"mtr_pu"``.
        worlds
            Those that were followed.
        day
            Of the visit; a crossover uses the ends of its periods.
        eyes
            As in `Setting`; by default that of the setting.
        """
        share = np.ones(len(self.possible))
        if measure == LATENCY and (eyes or self.setting.eyes) == "both":
            share = worlds["delayed_part"]
        if self.protocol.trial.design == "crossover":
            return {self.protocol.compared[1]: share * self._crossover(measure)}
        assert self.protocol.reference is not None
        reference = self._at(self.protocol.reference.id, measure, day)
        others = [arm.id for arm in self.protocol.arm if arm.id != self.protocol.reference.id]
        return {name: share * (self._at(name, measure, day) - reference) for name in others}

    def _at(self, arm: str, measure: str, day: float) -> FloatArray:
        table = self.arms[arm].latency_ms if measure == LATENCY else self.arms[arm].mtr_pu
        return np.asarray(table[:, self.day.index(round(day))])

    def _crossover(self, measure: str) -> FloatArray:
        """Mean change of the periods under treatment less that of those under placebo.

        What is left from an earlier period is in it, as it is in the published estimate.
        """
        days = {visit.id: visit.day for visit in self.protocol.visit}
        cells: dict[bool, list[FloatArray]] = {True: [], False: []}
        for arm in self.protocol.arm:
            for period, given in zip(self.protocol.period, arm.sequence, strict=True):
                gained = self._at(arm.id, measure, days[period.end]) - self._at(
                    arm.id, measure, days[period.start]
                )
                cells[given != PLACEBO].append(gained)
        return np.asarray(np.mean(cells[True], axis=0) - np.mean(cells[False], axis=0))


def exposures_of(protocol: Protocol, dose: float = 1.0) -> dict[str, Exposure]:
    """What each arm is given, by its id.

    Raises
    ------
    InputError
        For a treatment whose target is not known, or an arm with several treatments one after another.

    Examples
    --------
    >>> exposures_of(Protocol.read("rebuild"))["placebo-first"]
    Exposure(treatment='clemastine', start_day=90.0, stop_day=150.0, dose=1.0)
    """
    return {arm.id: _exposure(arm, protocol, dose) for arm in protocol.arm}


def _exposure(arm: Arm, protocol: Protocol, dose: float) -> Exposure:
    if not arm.sequence:
        drugs_of(arm.treatment)
        return Exposure(None if arm.is_placebo else arm.treatment, dose=dose)
    given = courses(protocol, arm)
    if not given:
        return Exposure(None)
    if len(given) > 1:
        found = ", ".join(arm.sequence)
        expected = "one treatment, in periods that follow one another"
        fix = "forecast a trial of one treatment"
        raise InputError("", f"arm '{arm.id}' sequence", found, expected, fix)
    (course,), begin = given, protocol.visit[0].day
    drugs_of(course.treatment)
    days = {visit.id: visit.day for visit in protocol.visit}
    stop = begin + course.end_day
    if stop == days[protocol.period[-1].end] and protocol.trial.design != "crossover":
        stop = np.inf
    return Exposure(course.treatment, begin + course.start_day, stop, dose)


def follow_arms(
    protocol: Protocol,
    worlds: Worlds,
    *,
    setting: Setting,
    days: Sequence[int] = (),
    age_years: float | None = None,
) -> Followed:
    """Follow every arm of a protocol in every world.

    Parameters
    ----------
    protocol
        With treatments whose targets are known.
    worlds
        From `assumptions`.
    setting
        Of its people.
    days
        Besides those of the visits.
    age_years
        Of the people; by default the mean of such trials.
    """
    about: Mapping[str, Any] = population(setting.lesions)
    age = about["age_years"] if age_years is None else age_years
    at = tuple(sorted({0, *days, *visit_days(protocol).values()}))
    exposures = exposures_of(protocol, setting.dose)
    treated = {name: given for name, given in exposures.items() if given.treatment}
    distinct = list(dict.fromkeys(treated.values()))
    if not distinct:
        fix = 'write treatment = "..." in an arm'
        raise InputError("", "arm treatment", "placebo in every arm", "an arm with a treatment", fix)
    found = dict(
        zip(
            distinct,
            changes(worlds, distinct, days=at, age_years=age, lesions=setting.lesions),
            strict=True,
        )
    )
    first = found[distinct[0]]
    none = Changes(
        np.zeros_like(first.latency_ms),
        np.zeros_like(first.mtr_pu),
        first.untreated_latency_ms,
        first.lesion_mm,
    )
    arms = {name: found[given] if given.treatment else none for name, given in exposures.items()}
    return Followed(protocol, setting, at, arms)


def visit_days(protocol: Protocol) -> dict[str, int]:
    """Days of the visits since the last before treatment, day 0; earlier ones, of screening, are left out."""
    return {visit.id: round(visit.day) for visit in protocol.visit if visit.day >= 0}


def last_day(protocol: Protocol, endpoint: Endpoint) -> int:
    """The day on which an endpoint is compared.

    Raises
    ------
    InputError
        If that is not after the baseline.
    """
    day = next(visit.day for visit in protocol.visit if visit.id == endpoint.visits[-1])
    if not day > 0:
        found = f"'{endpoint.visits[-1]}' on day {day:g}"
        expected = "a visit after day 0, the baseline, on which treatment begins"
        raise InputError(
            "", f"endpoint '{endpoint.id}' visits", found, expected, "correct the day of the visit"
        )
    return round(day)
