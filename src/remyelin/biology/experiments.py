"""Experiments that moved the repair of a lesion, and the days they take by the lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from remyelin.biology.ageing import AGEING, factors
from remyelin.biology.lineage import PARAMETERS, STATES, FloatArray, advance
from remyelin.biology.rates import Rates, names
from remyelin.biology.scenarios import SCENARIOS, Scenario
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import STATUSES, read_data, source

FILE = "evidence/biology_targets.toml"
LEVEL = 0.95
# Long enough for the slowest plausible repair; beyond, the days grow with what is still bare.
HORIZON_DAYS = {"young": 70, "old": 110}
DIRECTIONS = ("slower", "faster", "same", "")
USES = ("calibration", "check")


@dataclass(frozen=True, slots=True)
class Control:
    """A repair whose days were observed.

    Parameters
    ----------
    name, words
        ``"young"`` or ``"old"``, and of whom.
    index
        Of age, see `ageing.age_index`.
    completion_day, sd
        When 95 % of the bare axon is covered again.
    source, status, used_for, note
        As in `evidence`; ``"calibration"`` or ``"check"``.
    """

    name: str
    words: str
    index: float
    completion_day: float
    sd: float
    source: str
    status: str
    used_for: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A change of the rates, and where it moved the repair.

    Parameters
    ----------
    name, words, animals
        What was done, to the ``"young"`` or the ``"old"``.
    folds, excess_folds, restored, debris
        Rates that are multiplied; rates of which the part above 1 is multiplied; rates of the old that go the
        given part of the way back to the young; debris on day 0.
    expected
        ``"slower"``, ``"faster"``, ``"same"`` (by less than 10 %), or empty where nobody has seen it.
    margin, sd
        In the likelihood: a log ratio of days beyond the margin costs nothing.
    source, status, used_for, note
        As for a `Control`.
    """

    name: str
    words: str
    animals: str
    expected: str
    used_for: str
    status: str
    source: str = ""
    folds: Mapping[str, float] = field(default_factory=dict)
    excess_folds: Mapping[str, float] = field(default_factory=dict)
    restored: Mapping[str, float] = field(default_factory=dict)
    debris: float = 1.0
    margin: float = 0.0
    sd: float = 1.0
    note: str = ""

    def shortfall(self, log_ratio: FloatArray) -> FloatArray:
        """By how many `sd` a log ratio of days misses what was seen, `margin` included; 0 where it does not.

        Examples
        --------
        >>> import numpy as np
        >>> experiments()["debris"].shortfall(np.log([1.0, 1.3]))
        array([2., 0.])
        """
        if self.expected == "same":
            short = np.abs(log_ratio) - self.margin
        else:
            short = self.margin - log_ratio * {"slower": 1, "faster": -1}[self.expected]
        return np.asarray(np.maximum(short, 0) / self.sd)

    def agrees(self, log_ratio: FloatArray) -> FloatArray:
        """Whether a log ratio of days has the direction that was seen; ``"same"`` is less than 10 %."""
        if self.expected == "same":
            return np.asarray(np.abs(np.expm1(log_ratio)) < 0.1)
        return np.asarray(log_ratio > 0 if self.expected == "slower" else log_ratio < 0)


@cache
def controls() -> Mapping[str, Control]:
    """What was observed of the young and of the old.

    Examples
    --------
    >>> controls()["old"].completion_day
    63
    """
    found = {name: Control(name, **row) for name, row in read_data("biology_targets.toml")["control"].items()}
    for row in found.values():
        _check(row.name, row.status, row.source, row.used_for)
    return found


@cache
def experiments() -> Mapping[str, Experiment]:
    """The experiments of the evidence base.

    Examples
    --------
    >>> [name for name, each in experiments().items() if each.expected == "same"]
    ['pdgf']
    """
    return read_experiments(read_data("biology_targets.toml"))


def read_experiments(data: Mapping[str, Any]) -> dict[str, Experiment]:
    """Experiments from tables such as those of `evidence/biology_targets.toml`.

    Raises
    ------
    InputError
        For a row that is incomplete, or of an unknown rate, direction, status, source or use.
    """
    found = {}
    known = Experiment.__dataclass_fields__
    for name, row in data["experiment"].items():
        for key in row:
            if key not in known:
                raise _wrong(name, f"with '{key}', unknown", "a known key", did_you_mean(key, known))
        missing = [key for key in ("words", "animals", "expected", "used_for", "status") if key not in row]
        if missing:
            raise _wrong(name, f"without {missing[0]}", "a complete row", f"add {missing[0]}")
        made = Experiment(name=name, **row)
        _check(name, made.status, made.source, made.used_for)
        _one_of(name, "expected", made.expected, DIRECTIONS)
        _one_of(name, "animals", made.animals, HORIZON_DAYS)
        for rate in (*made.folds, *made.excess_folds, *made.restored):
            _one_of(name, "rate", rate, names())
        found[name] = made
    return found


def log_ratios(
    known: Mapping[str, FloatArray], days: Mapping[str, FloatArray], chosen: Sequence[Experiment]
) -> FloatArray:
    """(draw, experiment) logarithm of the days of an experiment over those of its control.

    Parameters
    ----------
    known
        (draw,) of each rate of the young, and of each ratio of ageing as ``ageing.`` and its name.
    days
        (draw,) of each control, from `completion_days`.
    chosen
        The experiments.
    """
    if not chosen:
        return np.zeros((len(next(iter(known.values()))), 0))
    after = completion_days(known, chosen)
    return np.log(after / np.stack([days[each.animals] for each in chosen], axis=1))


def control_days(
    known: Mapping[str, FloatArray], chosen: Sequence[Control] | None = None
) -> dict[str, FloatArray]:
    """(draw,) days of each control, or of those chosen."""
    rows = list(controls().values()) if chosen is None else chosen
    plain = [Experiment(row.name, row.words, row.name, "", "", "") for row in rows]
    return dict(zip([row.name for row in rows], completion_days(known, plain).T, strict=True))


def completion_days(known: Mapping[str, FloatArray], chosen: Sequence[Experiment]) -> FloatArray:
    """(draw, experiment) days until 95 % of the bare axon is covered, by draws of the rates.

    A repair that is not complete within the horizon gets the horizon, longer by what is still bare.
    """
    count = len(next(iter(known.values())))
    out = np.empty((count, len(chosen)))
    for animals, horizon in HORIZON_DAYS.items():
        columns = [i for i, each in enumerate(chosen) if each.animals == animals]
        if columns:
            settings = [setting(known, chosen[i]) for i in columns]
            parameters, start = (np.concatenate(part) for part in zip(*settings, strict=True))
            states = advance(parameters, start, days=horizon)
            covered = (
                states[:, :, STATES.index("new_sheaths")] + states[:, :, STATES.index("survivor_sheaths")]
            )
            out[:, columns] = _reached(covered).reshape(len(columns), count).T
    return out


def setting(known: Mapping[str, FloatArray], experiment: Experiment) -> tuple[FloatArray, FloatArray]:
    """(draw, parameter) and (draw, state) on day 0, of an experiment by draws of the rates."""
    young = {name: np.asarray(known[name]) for name in names()}
    ratios = {key: known[f"ageing.{key}"] for key in AGEING}
    cycle = known["ageing.cycle_old_days"] / young["cycle_days"]
    index = controls()[experiment.animals].index
    rates = young | {rate: young[rate] * f for rate, f in factors(ratios, index, cycle).items()}
    for name, part in experiment.restored.items():
        rates[name] = rates[name] ** (1 - part) * young[name] ** part
    for name, fold in experiment.folds.items():
        rates[name] = rates[name] * fold
    for name, fold in experiment.excess_folds.items():
        rates[name] = 1 + (rates[name] - 1) * fold
    values = np.stack([rates[name] for name in names()], axis=1)
    species, age, radius = SCENARIOS[f"rat-{experiment.animals}"]
    lesion = Scenario("", species, age, Rates(*values[0].tolist()), radius, debris=experiment.debris)
    parameters = np.empty((len(values), len(PARAMETERS)))
    parameters[:, : values.shape[1]] = values
    parameters[:, values.shape[1] :] = lesion.parameters()[values.shape[1] :]
    return parameters, np.repeat([lesion.start()], len(values), axis=0)


def _reached(covered: FloatArray) -> FloatArray:
    """(lesion,) day on which `LEVEL` is reached, linear between days."""
    lesion = np.arange(len(covered))
    after = np.argmax(covered >= LEVEL, axis=1)
    before = covered[lesion, after - 1]
    rise = covered[lesion, after] - before
    with np.errstate(divide="ignore", invalid="ignore"):
        day = after - 1 + (LEVEL - before) / rise
    late = (covered.shape[1] - 1) * (1 + 3 * (LEVEL - covered[:, -1]))
    return np.asarray(np.where(covered.max(axis=1) >= LEVEL, day, late))


def _check(name: str, status: str, source_id: str, used_for: str) -> None:
    _one_of(name, "status", status, STATUSES)
    _one_of(name, "used_for", used_for, USES)
    if status != "unverified":
        source(source_id)
    elif used_for == "calibration":
        raise _wrong(
            name, "unverified, yet used for the calibration", "a target that was seen", "read its source"
        )


def _one_of(name: str, key: str, value: str, known: Mapping[str, Any] | Sequence[str]) -> None:
    if value not in known:
        raise _wrong(name, f"of {key} '{value}'", "a known one", did_you_mean(value, [k for k in known if k]))


def _wrong(name: str, found: str, expected: str, fix: str) -> InputError:
    return InputError(FILE, name, found, expected, fix)
