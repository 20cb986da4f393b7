"""What a trial is likely to show, as a distribution, and which assumption decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import InputError
from remyelin.number import check_number, several
from remyelin.protocol import Protocol
from remyelin.virtual.asked import Asked, asked_of
from remyelin.virtual.assumptions import Worlds, assumptions, draw_worlds, population
from remyelin.virtual.comparison import Followed, Setting, exposures_of, follow_arms
from remyelin.virtual.expected import ENOUGH, Answer, Expected, FloatArray
from remyelin.virtual.gate import Gate, gate
from remyelin.virtual.published import effective, follow_published, published, quantiles, results_of, weights
from remyelin.virtual.sensitivity import Moved, check_base, explained, sobol

DAYS = (30, 60, 90, 120, 182, 270, 365)
AGES = (30.0, 40.0, 50.0)
_THIRDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """The answer of `forecast`.

    Attributes
    ----------
    protocol, setting, age_years
        What was asked: of which trial and people.
    draws, seed, calibrated_on, worlds_left
        Worlds that were drawn, on which trials they were calibrated, and how many equally probable ones that
        left.
    answers
        The primary comparison first.
    left_out
        Endpoints that no model of myelin reaches.
    visits, ages, severities
        The primary effect by day (not in a crossover), age, and severity of failure.
    best_day
        The first visit with nearly all of the largest median effect; empty if there is none, or too few
        worlds are left.
    moved
        Assumptions by what they do to the primary effect over its standard error.
    gate
        Whether forecasts may print a probability of success.
    """

    protocol: Protocol
    setting: Setting
    age_years: float
    draws: int
    seed: int
    calibrated_on: tuple[str, ...]
    worlds_left: float
    answers: tuple[Answer, ...]
    left_out: tuple[str, ...]
    visits: tuple[Expected, ...]
    best_day: str
    ages: tuple[Expected, ...]
    severities: tuple[Expected, ...]
    moved: tuple[Moved, ...]
    gate: Gate

    exit_code = 0

    @property
    def enough(self) -> bool:
        """Whether enough worlds are left for more than a first look."""
        return self.worlds_left >= ENOUGH

    @property
    def most_informative(self) -> Answer | None:
        """The comparison whose effect is largest against its own standard error; None of too few worlds."""
        own = [each for each in self.answers if not each.se_note]
        return max(own, key=lambda each: each.signal) if own and self.enough else None

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        best = self.most_informative
        return {
            "protocol": self.protocol.trial.id,
            "lesions": self.setting.lesions,
            "eyes": self.setting.eyes,
            "age_years": self.age_years,
            "draws": self.draws,
            "seed": self.seed,
            "calibrated_on": list(self.calibrated_on),
            "worlds_left": self.worlds_left,
            "answers": [asdict(each) for each in self.answers],
            "enough_worlds": self.enough,
            "most_informative": best.endpoint if best else None,
            "left_out": list(self.left_out),
            "visits": [asdict(each) for each in self.visits],
            "best_day": self.best_day,
            "ages": [asdict(each) for each in self.ages],
            "severities": [asdict(each) for each in self.severities],
            "moved": [each.to_dict() for each in self.moved],
            "assumptions": {name: str(row) for name, row in assumptions().items()},
            "gate": self.gate.to_dict(),
        }

    def __str__(self) -> str:
        from remyelin.virtual.forecast_text import said

        return said(self)


def forecast(
    protocol: Protocol | Path | str,
    *,
    draws: int = 2048,
    seed: int = 2026,
    calibrate: Sequence[str] | None = None,
    lesions: str | None = None,
    base: int = 128,
) -> Forecast:
    """Forecast a trial from the target of its treatment.

    Parameters
    ----------
    protocol
        A protocol, its file, or the name of a packaged one.
    draws
        Worlds, in each of which every assumption has another value.
    seed
        Of all that is drawn: the same seed gives the same forecast.
    calibrate
        Trials on whose published results the worlds are calibrated, never the trial that is forecast; by
        default all others that have one. ``()`` leaves what animals say.
    lesions
        ``"chronic"`` or ``"acute"``; by default that of a packaged trial, else chronic.
    base
        Points of the sensitivity analysis, a power of 2; 0 leaves it out.

    Raises
    ------
    InputError
        For a treatment whose target is not known, endpoints that no model of myelin reaches, a visit that is
        not after baseline, calibration on the trial itself, or a number that cannot be.
    RefuseRun
        For a protocol that cannot be read.

    Examples
    --------
    >>> found = forecast("ccmr-two", draws=64, calibrate=(), base=0)
    >>> found.answers[0].endpoint, found.answers[0].success
    ('p100-latency', None)
    """
    check_number("seed", seed, least=0, whole=True)
    if base:
        check_base(base)
    plan = protocol if isinstance(protocol, Protocol) else Protocol.read(protocol)
    setting = Setting.of(plan, lesions)
    exposures_of(plan, setting.dose)
    asked, left_out = asked_of(plan, setting)
    trials = _calibration(plan, calibrate)
    rng = np.random.default_rng(seed)
    worlds = draw_worlds(draws, rng)
    days = () if plan.trial.design == "crossover" else DAYS
    followed = follow_arms(plan, worlds, setting=setting, days=days)
    results = results_of(trials)
    weight = weights(results, {plan.trial.id: followed, **follow_published(results, worlds)}, worlds)
    error = rng.standard_normal(draws)
    verdict = gate()
    answers = tuple(_answer(each, followed, worlds, weight, error, verdict.open) for each in asked)
    first = asked[0]
    visits = tuple(_expected(f"day {day}", first, followed, worlds, weight, day) for day in days)
    return Forecast(
        plan, setting, population(setting.lesions)["age_years"], draws, seed, trials, effective(weight),
        answers, left_out, visits, _best(visits, first) if effective(weight) >= ENOUGH else "",
        _by_age(plan, setting, first, worlds, weight), _by_severity(first, followed, worlds, weight),
        tuple(_moved(plan, setting, first, base, seed, (followed, worlds, weight))), verdict,
    )  # fmt: skip


def _calibration(protocol: Protocol, given: Sequence[str] | None) -> tuple[str, ...]:
    every = tuple(dict.fromkeys(each.trial for each in published()))
    if given is None:
        return tuple(name for name in every if name != protocol.trial.id)
    trials = tuple(dict.fromkeys(several(given)))
    results_of(trials)
    if protocol.trial.id in trials:
        found = f"{protocol.trial.id}, the trial that is forecast"
        expected = (
            "other trials: calibrated on its own result, it would be predicted from what is known of it"
        )
        raise InputError("", "calibrate", found, expected, "leave it out")
    return trials


def _answer(
    asked: Asked, followed: Followed, worlds: Worlds, weight: FloatArray, error: FloatArray, may: bool
) -> Answer:
    effect = asked.effect(followed, worlds)
    se = asked.se * worlds["sd_factor"]
    success = float(weight @ asked.power(effect, se)) if may else None
    true = Expected.of("true effect", asked.unit, effect, weight)
    result = Expected.of("result", asked.unit, effect + se * error, weight)
    signal = float(quantiles(asked.sign * effect / se, weight, [0.5])[0])
    return Answer(
        asked.endpoint,
        asked.arm,
        asked.role,
        true,
        result,
        asked.se,
        asked.se_source,
        signal,
        success,
        asked.se_note,
    )


def _expected(
    label: str, asked: Asked, followed: Followed, worlds: Worlds, weight: FloatArray, day: int | None = None
) -> Expected:
    effect = replace(asked, day=asked.day if day is None else day).effect(followed, worlds)
    return Expected.of(label, asked.unit, effect, weight)


def _best(visits: Sequence[Expected], asked: Asked) -> str:
    """The first visit with nearly all of the largest median effect; the error is taken as the same."""
    if not visits:
        return ""
    gains = [asked.sign * each.median for each in visits]
    if max(gains) <= 0:
        return ""
    return next(each.label for each, gain in zip(visits, gains, strict=True) if gain >= 0.95 * max(gains))


def _by_age(
    protocol: Protocol, setting: Setting, asked: Asked, worlds: Worlds, weight: FloatArray
) -> tuple[Expected, ...]:
    """In a quarter of the worlds, with the weights that they have."""
    rows = slice(0, max(1, len(weight) // 4))
    some: Mapping[str, FloatArray] = {name: values[rows] for name, values in worlds.items()}
    out = []
    for age in AGES:
        followed = follow_arms(protocol, some, setting=setting, age_years=age)
        own = np.where(followed.possible, weight[rows], 0.0)
        if own.sum() > 0:
            out.append(_expected(f"{age:g} years", asked, followed, some, own / own.sum()))
    return tuple(out)


def _by_severity(
    asked: Asked, followed: Followed, worlds: Worlds, weight: FloatArray
) -> tuple[Expected, ...]:
    row = assumptions()["severity"]
    edges = np.linspace(row.low, row.high, _THIRDS + 1)
    out = []
    for low, high in pairwise(edges.tolist()):
        inside = (worlds["severity"] >= low) & (worlds["severity"] <= high)
        own = np.where(inside, weight, 0.0)
        if own.sum() > 0:
            label = f"severity {low:.2f} to {high:.2f}"
            out.append(_expected(label, asked, followed, worlds, own / own.sum()))
    return tuple(out)


def _moved(
    protocol: Protocol,
    setting: Setting,
    asked: Asked,
    base: int,
    seed: int,
    calibrated: tuple[Followed, Worlds, FloatArray],
) -> list[Moved]:
    if not base:
        return []
    followed, worlds, weight = calibrated
    signal = asked.effect(followed, worlds) / (asked.se * worlds["sd_factor"])

    def answer(drawn: Worlds) -> FloatArray:
        own = follow_arms(protocol, drawn, setting=setting)
        return asked.effect(own, drawn) / (asked.se * drawn["sd_factor"])

    return [
        replace(row, calibrated=explained(worlds[row.name], signal, weight))
        for row in sobol(answer, base=base, seed=seed)
    ]
