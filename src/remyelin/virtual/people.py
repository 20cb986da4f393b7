"""People of a trial: age, sex, duration of disease, when they come, when they leave, what they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol

from .premises import Premises, trial_facts

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ADULT_YEARS = 16.0  # multiple sclerosis of adults


@dataclass(frozen=True)
class People:
    """Participants of many trials, (trial, participant) each.

    Attributes
    ----------
    arm
        Position of the arm in the protocol.
    age_years, female, duration_years
        At the first visit.
    day
        (trial, participant, visit) days since the first visit.
    attends
        (trial, participant, visit) whether they come.
    left_day
        When they leave the trial; infinite for those who stay.
    adherence
        Part of the full effect that they get.
    lesions_mean
        Lesions a person, where it was read of this trial.
    """

    arm: npt.NDArray[np.int64]
    age_years: FloatArray
    female: BoolArray
    duration_years: FloatArray
    day: FloatArray
    attends: BoolArray
    left_day: FloatArray
    adherence: FloatArray
    lesions_mean: float | None = None


def is_acute(protocol: Protocol) -> bool:
    """Whether the trial compares an eye with its fellow: after acute optic neuritis.

    Examples
    --------
    >>> is_acute(Protocol.read("renew")), is_acute(Protocol.read("ccmr-two"))
    (True, False)
    """
    return any(endpoint.measure == "p100_fellow_difference_ms" for endpoint in protocol.endpoint)


def draw_people(
    protocol: Protocol, premises: Premises, trials: int, per_arm: tuple[int, ...], rng: np.random.Generator
) -> People:
    """Draw people and randomise them: arms of fixed size, in an order of its own in each trial."""
    check_visits(protocol)
    shape = (trials, sum(per_arm))
    who, when, what = rng.spawn(3)
    arms = np.repeat(np.arange(len(per_arm)), per_arm)
    facts = trial_facts(protocol.trial.id)
    acute = "acute_" if is_acute(protocol) else ""
    age = _between(
        who,
        shape,
        premises[f"{acute}age_mean_years"],
        premises["age_sd_years"],
        facts.get("age_low_years", premises["age_low_years"]),
        facts.get("age_high_years", premises["age_high_years"]),
    )
    duration = gamma_of(who, shape, premises["duration_mean_years"], premises["duration_sd_years"])
    if acute:  # a first attack
        duration = np.zeros(shape)
    day, attends, left = _visits(protocol, premises, shape, facts, when)
    return People(
        arm=what.permuted(np.broadcast_to(arms, shape), axis=1),
        age_years=age,
        female=who.uniform(size=shape) < premises[f"{acute}female_part"],
        duration_years=np.minimum(duration, np.maximum(age - ADULT_YEARS, 0.0)),
        day=day,
        attends=attends,
        left_day=left,
        adherence=_part(what, shape, premises["adherence"]),
        lesions_mean=facts.get("lesions"),
    )


def check_visits(protocol: Protocol) -> None:
    """RefuseRun for a visit before the first one: virtual patients begin there."""
    first = protocol.visit[0]
    for visit in protocol.visit[1:]:
        early = visit.window_days[0] if visit.window_days else 0.0
        if visit.day + early <= first.day:
            raise RefuseRun(
                "", f"visit '{visit.id}' day", f"{visit.day + early:g}, before the baseline {first.id}",
                f"a day after {first.day:g}", "put visits in their order; virtual patients begin at baseline",
            )  # fmt: skip


def _visits(
    protocol: Protocol,
    premises: Premises,
    shape: tuple[int, int],
    facts: Mapping[str, float],
    rng: np.random.Generator,
) -> tuple[FloatArray, BoolArray, FloatArray]:
    first = protocol.visit[0].day
    planned = np.array([visit.day - first for visit in protocol.visit])
    windows = [visit.window_days or (0.0, 0.0) for visit in protocol.visit[1:]]
    shifts = [np.rint(rng.uniform(early, late, size=shape)) for early, late in windows]
    day = planned + np.stack([np.zeros(shape), *shifts], axis=-1)
    stated = protocol.plan.dropout if protocol.plan else None
    dropout = facts.get("dropout", premises["dropout"]) if stated is None else stated
    if premises.rows["dropout"].status == "given":
        dropout = premises["dropout"]
    leaves = rng.uniform(size=shape) < dropout
    left = np.where(leaves, rng.uniform(0, planned[-1], size=shape), np.inf)
    missed = rng.uniform(size=day.shape) < premises["visit_missed"]
    missed[..., 0] = False
    return day, (planned < left[..., None]) & ~missed, left


def _between(
    rng: np.random.Generator, shape: tuple[int, int], mean: float, sd: float, low: float, high: float
) -> FloatArray:
    """Normal between two limits, by the inverse of its distribution: one draw each."""
    from scipy.special import ndtr, ndtri

    ends = ndtr((np.array([low, high]) - mean) / sd)
    return np.asarray(mean + sd * ndtri(rng.uniform(ends[0], ends[1], size=shape)))


def gamma_of(rng: np.random.Generator, shape: tuple[int, ...], mean: float, sd: float) -> FloatArray:
    """Gamma-distributed numbers of this mean and SD."""
    if sd == 0 or mean == 0:
        return np.full(shape, mean)
    return rng.gamma((mean / sd) ** 2, sd**2 / mean, size=shape)


def _part(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> FloatArray:
    """Parts with this mean: all, or a beta distribution that is densest near all."""
    if mean in (0.0, 1.0):
        return np.full(shape, mean)
    return rng.beta(5 * mean, 5 * (1 - mean), size=shape)
