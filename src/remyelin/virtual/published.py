"""Published results of trials: what a model says of them, and how much they say of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data, records
from remyelin.evidence.outcome import Result
from remyelin.evidence.study import study_of
from remyelin.protocol import Protocol
from remyelin.virtual.assumptions import Worlds
from remyelin.virtual.comparison import Followed, Setting, follow_arms

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Published:
    """One result, with its standard error.

    Attributes
    ----------
    result, trial, measure
        Ids of the record and of the packaged protocol, and ``"p100_latency_ms"`` or ``"mtr_pu"``.
    estimate, se, unit
        Treatment less placebo.
    day, eyes
        Of the comparison; a crossover has its periods. `eyes` as in `Setting`, if others than the trial's.
    """

    result: str
    trial: str
    measure: str
    estimate: float
    se: float
    unit: str
    day: int = 0
    eyes: str | None = None

    @property
    def name(self) -> str:
        """``trial, MTR`` or ``trial, P100``."""
        return f"{self.trial}, {'MTR' if self.measure == 'mtr_pu' else 'P100'}"


@cache
def published() -> tuple[Published, ...]:
    """Every result on which forecasts are calibrated and judged.

    Examples
    --------
    >>> first = published()[0]
    >>> first.name, first.estimate, round(first.se, 3)
    ('rebuild, P100', -1.7, 0.612)
    """
    known = {record.id: record.verified() for record in records("results")}
    return tuple(_published(row, known[row["result"]]) for row in read_data("forecast_trials.toml")["result"])


def _published(row: Mapping[str, Any], record: Result) -> Published:
    """A record with what a model has to know besides."""
    study = study_of(record, record.trial)
    assert study is not None
    return Published(
        record.id,
        record.trial,
        row["measure"],
        study.effect,
        study.se,
        record.unit,
        row.get("day", 0),
        row.get("eyes"),
    )


def results_of(trials: Sequence[str]) -> tuple[Published, ...]:
    """The results of these trials.

    Raises
    ------
    InputError
        For a trial that has none.
    """
    known = list(dict.fromkeys(each.trial for each in published()))
    for name in trials:
        if name not in known:
            expected = f"a trial with a result to calibrate on: {', '.join(known)}"
            raise InputError("", "calibrate", repr(name), expected, did_you_mean(name, known))
    return tuple(each for each in published() if each.trial in trials)


def follow_published(results: Iterable[Published], worlds: Worlds) -> dict[str, Followed]:
    """The arms of the trials of these results, in every world."""
    return {name: _followed(name, worlds) for name in dict.fromkeys(each.trial for each in results)}


def _followed(name: str, worlds: Worlds) -> Followed:
    protocol = Protocol.read(name)
    return follow_arms(protocol, worlds, setting=Setting.of(protocol))


def predicted(result: Published, followed: Mapping[str, Followed], worlds: Worlds) -> FloatArray:
    """(world,) the true effect that each world has for a result."""
    effects = followed[result.trial].effects(result.measure, worlds, result.day, result.eyes)
    return next(iter(effects.values()))


def weights(results: Iterable[Published], followed: Mapping[str, Followed], worlds: Worlds) -> FloatArray:
    """(world,) how probable each world is once these results are known; sums to 1.

    The likelihood of a result is normal about a world's effect with the result's standard error. A world in
    which no delayed eye is possible has none.

    Examples
    --------
    >>> from remyelin.virtual.assumptions import draw_worlds
    >>> worlds = draw_worlds(64, np.random.default_rng(1))
    >>> rebuild = results_of(["rebuild"])
    >>> known = weights(rebuild, follow_published(rebuild, worlds), worlds)
    >>> known.shape, round(float(known.sum()), 9)
    ((64,), 1.0)
    """
    log = np.zeros(len(next(iter(worlds.values()))))
    for each in followed.values():
        log[~each.possible] = -np.inf
    for result in results:
        log -= 0.5 * ((result.estimate - predicted(result, followed, worlds)) / result.se) ** 2
    if not np.isfinite(log).any():
        expected = "one world or more in which a delayed eye is possible"
        raise InputError("", "draws", f"{len(log)}, none possible", expected, "draw more worlds")
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def effective(weight: FloatArray) -> float:
    """How many equally probable worlds would say as much."""
    return float(1 / (weight**2).sum())


def quantiles(values: FloatArray, weight: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Quantiles of values that are not equally probable.

    Examples
    --------
    >>> quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.1, 0.1, 0.8]), [0.5])
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(levels, below, values[order])
