"""Lesions of many worlds, treated and not: how far they are covered, by day, reason of failure and world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.biology import Drug, known_treatments, scenario
from remyelin.biology.ageing import LIFESPAN_YEARS, age_index
from remyelin.biology.draws import posterior
from remyelin.biology.failure import failed
from remyelin.biology.kinetics import relative_level
from remyelin.biology.lineage import PARAMETERS, STATES, advance
from remyelin.biology.rates import names
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data
from remyelin.protocol.parts import PLACEBO
from remyelin.virtual.assumptions import Worlds, population

FloatArray = npt.NDArray[np.float64]
MODES = ("progenitor-depletion", "differentiation-block")
HEALING = "healing"
# Chronic lesions are followed from the nearest of these ages: those of one go through the solver together.
LESION_DAYS = (365, 548, 730, 1096, 1461, 2192, 2922)
# Twice the lineage's own step: its error is 6e-7 here (tests), far below anything else.
STEP_DAYS = 0.2
# The rates that a rejuvenating drug gives back.
_AGED = ("differentiation_per_day", "proliferation_per_day")
_LEAST_DAY = 1


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Lesions of one arm from baseline on.

    Attributes
    ----------
    part
        (mode, world) how many of the lesions are of each kind; sums to 1 over kinds.
    covered, thickness, axons
        (mode, world, day) part of the bare length that is covered, thickness of new sheaths, axons left.
    """

    part: FloatArray
    covered: FloatArray
    thickness: FloatArray
    axons: FloatArray

    @property
    def myelin(self) -> FloatArray:
        """(mode, world, day) myelin relative to before the lesion."""
        return np.minimum(1.0, self.axons * self.covered * self.thickness)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A treatment and the days of the trial on which it is taken; ``None`` as treatment is none.

    `dose` is in multiples of that of the catalogue.
    """

    treatment: str | None
    start_day: float = 0.0
    stop_day: float = np.inf
    dose: float = 1.0


def drugs_of(treatment: str | None) -> tuple[Drug, ...]:
    """The drugs of a protocol's treatment; none for placebo.

    Raises
    ------
    InputError
        For a treatment whose target is not known: nothing can be said of what it does.

    Examples
    --------
    >>> [drug.name for drug in drugs_of("clemastine+metformin")]
    ['clemastine', 'metformin']
    """
    wanted = [part.strip() for part in (treatment or PLACEBO).split("+")]
    known = known_treatments()
    for name in wanted:
        if name not in known and name != PLACEBO:
            nearest = did_you_mean(name, known)
            given = "to give an effect, `remyelin simulate` has --latency-ms and --mtr-pu"
            fix = nearest if nearest.endswith("?") else f"name one whose target is known; {given}"
            expected = f"a treatment with a known target: {', '.join(known)}"
            raise InputError("", "treatment", f"'{name}', whose target is not known", expected, fix)
    return tuple(known[name] for name in wanted if name != PLACEBO)


def follow(
    worlds: Worlds, exposures: Sequence[Exposure], *, days: Sequence[int], age_years: float, lesions: str
) -> list[Course]:
    """Follow the same lesions under each exposure.

    Parameters
    ----------
    worlds
        From `assumptions`.
    exposures
        One for each arm.
    days
        Of the trial, from 0.
    age_years
        Of the people at baseline.
    lesions
        ``"chronic"`` or ``"acute"``.
    """
    about = population(lesions)
    modes = (*MODES, HEALING) if lesions == "acute" else MODES
    age = _lesion_days(worlds, about.get("lesion_days"))
    plain = _parameters(worlds, age_years - age / 365.25)
    treated = [_treated(plain, worlds, each) for each in exposures]
    count, last = len(age), max(days)
    shape = (len(modes), count, len(days))
    out = [Course(_parts(worlds, modes), *(np.empty(shape) for _ in range(3))) for _ in exposures]
    for k, mode in enumerate(modes):
        values, start = _failing(plain, worlds, mode)
        for begin in np.unique(age):
            rows = np.flatnonzero(age == begin)
            at = [int(begin) + day for day in days]
            for arm, (folds, onset_days) in enumerate(treated):
                states = advance(
                    values[rows],
                    start[rows],
                    days=int(begin) + max(last, _LEAST_DAY),
                    treated=values[rows] * folds[rows],
                    exposure=(
                        begin + exposures[arm].start_day,
                        begin + exposures[arm].stop_day,
                        1 / onset_days,
                    ),
                    step_days=STEP_DAYS,
                )[:, at]
                sheaths = (
                    states[..., STATES.index("new_sheaths")] + states[..., STATES.index("survivor_sheaths")]
                )
                out[arm].covered[k, rows] = np.clip(sheaths, 0.0, 1.0)
                out[arm].thickness[k, rows] = states[..., STATES.index("thickness")]
                out[arm].axons[k, rows] = states[..., STATES.index("axons")]
    return out


def _lesion_days(worlds: Worlds, given: int | None) -> npt.NDArray[np.int64]:
    """(world,) the age of the lesion at baseline."""
    if given is not None:
        return np.full(len(worlds["lesion_years"]), given, dtype=np.int64)
    apart = np.abs(np.log(worlds["lesion_years"] * 365.25)[:, None] - np.log(LESION_DAYS))
    nearest: npt.NDArray[np.int64] = np.take(np.asarray(LESION_DAYS), np.argmin(apart, axis=1))
    return nearest


def _parts(worlds: Worlds, modes: Sequence[str]) -> FloatArray:
    healing = worlds["healing_part"] if HEALING in modes else np.zeros_like(worlds["healing_part"])
    depleted = worlds["depleted_part"]
    known = {MODES[0]: depleted * (1 - healing), MODES[1]: (1 - depleted) * (1 - healing), HEALING: healing}
    return np.array([known[mode] for mode in modes])


def _parameters(worlds: Worlds, age_years: FloatArray) -> FloatArray:
    """(world, parameter) of a lesion that does not fail, at the age when it was made."""
    known, base = posterior(), scenario("human").parameters()
    draws = _draws(worlds)
    out = np.repeat([base], len(draws), axis=0)
    for row, draw in enumerate(draws):
        index = _index(age_years[row], worlds["life_years"][row])
        out[row, : len(names())] = known.rates(index, int(draw)).values()
    out[:, PARAMETERS.index("lesion_radius_mm")] = worlds["lesion_radius_mm"]
    return out


def _draws(worlds: Worlds) -> npt.NDArray[np.int64]:
    count = len(posterior().draws)
    which: npt.NDArray[np.int64] = np.minimum(worlds["lineage"] * count, count - 1).astype(np.int64)
    return which


def _index(age_years: float, life_years: float) -> float:
    return age_index("human", age_years * LIFESPAN_YEARS["human"] / life_years)


def _failing(plain: FloatArray, worlds: Worlds, mode: str) -> tuple[FloatArray, FloatArray]:
    """(world, parameter) and (world, state) of lesions that fail in one way."""
    values = plain.copy()
    start = np.repeat([scenario("human").start()], len(plain), axis=0)
    if mode == HEALING:
        return values, start
    if mode == MODES[0]:
        # Lesions with few progenitors are mostly chronic active (Boyd 2013); the others are taken as calm.
        values[:, PARAMETERS.index("smouldering")] = worlds["smouldering"]
    progenitors = STATES.index("progenitors")
    before = {name: values[:, k] for k, name in enumerate(PARAMETERS)}
    before["resident_progenitors"] = start[:, progenitors]
    for name, column in failed(before, mode, worlds["severity"]).items():
        if name == "resident_progenitors":
            start[:, progenitors] = column
        else:
            values[:, PARAMETERS.index(name)] = column
    return values, start


def _treated(plain: FloatArray, worlds: Worlds, exposure: Exposure) -> tuple[FloatArray, float]:
    """(world, parameter) what full exposure multiplies each parameter by, and the days in which it comes."""
    folds, onset_days = np.ones_like(plain), []
    prior = read_data("biology_treatments.toml")["prior"]
    for drug in drugs_of(exposure.treatment):
        level = relative_level(
            1.0 if drug.engagement is None else drug.engagement, _dose(drug, exposure.dose)
        )
        reached = 1.0 if np.isinf(level) else level / (1 + level)
        power = reached * worlds["dose_taken"]
        onset_days.append(prior["onset_days"] if drug.kinetics is None else drug.kinetics.onset_days)
        for action in drug.actions:
            if action.way == "back":
                folds *= _given_back(plain, worlds) ** power[:, None]
                continue
            sign = np.where(worlds["contested_helps"] > 0.5, 1.0, -1.0) if drug.contested else 1.0
            fold = worlds["treatment_effect"] ** (sign * power * worlds["treatment_own"])
            folds[:, PARAMETERS.index(action.parameter)] *= fold if action.way == "up" else 1 / fold
    return folds, max(onset_days, default=1.0)


def _dose(drug: Drug, dose: float) -> float:
    """Another dose can be followed only where it is known what the usual one reaches."""
    return 1.0 if drug.engagement is None else dose


def _given_back(plain: FloatArray, worlds: Worlds) -> FloatArray:
    """(world, parameter) what a rejuvenating drug multiplies by: a part of what age has taken."""
    known, out = posterior(), np.ones_like(plain)
    young = np.array([known.rates(0.0, int(draw)).values() for draw in _draws(worlds)])
    for name in _AGED:
        column = PARAMETERS.index(name)
        out[:, column] = (young[:, names().index(name)] / plain[:, column]) ** worlds["age_part"]
    return out
