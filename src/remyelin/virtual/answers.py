"""What the protocol's own estimator finds in each of many virtual trials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES
from remyelin.trial.case import Study, case_of
from remyelin.trial.design import build
from remyelin.trial.formula import parse
from remyelin.trial.incomplete import fit_set
from remyelin.trial.means import differences
from remyelin.trial.people import covariates_of
from remyelin.trial.regression import average, below_median
from remyelin.trial.squares import many_least_squares

from .cohort import Cohort
from .instruments import Readings

FloatArray = npt.NDArray[np.float64]
# Coded alike whichever rows are there, and without an interaction: then a contrast is one of coefficients.
_PLAIN = re.compile(r"1|\w+|C\(\w+\)", re.ASCII)
WEIGHTED = "participant-precision-weighted-change"


@dataclass(frozen=True, slots=True)
class Answers:
    """The prespecified estimates of an endpoint.

    Attributes
    ----------
    contrasts
        As in the results.
    estimate, se, df
        (trial, contrast), NaN where a trial could not be analysed.
    participants
        (trial,) how many entered.
    """

    contrasts: tuple[str, ...]
    estimate: FloatArray
    se: FloatArray
    df: FloatArray
    participants: npt.NDArray[np.int64]


def answers(cohort: Cohort, endpoint: Endpoint) -> Answers:
    """Analyse every trial of a cohort, all at once where the endpoint is an ANCOVA of two visits.

    The numbers are those of `remyelin.trial.analyse.analyse` on the same tables, prespecified row.

    Examples
    --------
    >>> from remyelin.virtual.cohort import draw_cohort
    >>> from remyelin.virtual.premises import Premises
    >>> from remyelin.virtual.response import Response
    >>> protocol = Protocol.read("ccmr-two")
    >>> cohort = draw_cohort(protocol, 50, rng=np.random.default_rng(1), premises=Premises.read("trial"),
    ...                      response=Response.constant(latency_ms=-6))
    >>> found = answers(cohort, protocol.primary)
    >>> found.contrasts, bool(found.estimate.mean() < -3)
    (('clemastine-metformin - placebo',), True)
    """
    protocol = cohort.patients.protocol
    if not is_simple(protocol, endpoint, cohort.covariates(0)):
        return _one_by_one(cohort, endpoint, range(cohort.patients.n_trials))
    found = _all_at_once(cohort, endpoint)
    # A trial that lost an arm or a level of a covariate has a design of its own, or no answer at all.
    left = np.flatnonzero(np.isnan(found.df[:, 0]))
    if len(left):
        own = _one_by_one(cohort, endpoint, left)
        for name in ("estimate", "se", "df", "participants"):
            getattr(found, name)[left] = getattr(own, name)
    return found


def is_simple(protocol: Protocol, endpoint: Endpoint, covariates: pd.DataFrame) -> bool:
    """Whether an endpoint is one least-squares fit of one change a participant, arms not interacting.

    Examples
    --------
    >>> protocol = Protocol.read("ccmr-two")
    >>> is_simple(protocol, protocol.primary, pd.DataFrame())
    True
    """
    events = endpoint.estimand.event_days if endpoint.estimand else {}
    return (
        protocol.trial.design == "parallel"
        and endpoint.estimator == "ancova"
        and len(endpoint.visits) == 2
        and not endpoint.of_sites
        and (endpoint.missing, endpoint.weighting) == ("none", "none")
        and endpoint.covariance in (None, "classical")
        and endpoint.own_set != "per-protocol"
        and not events
        and not (endpoint.select == "submedian" and endpoint.summary == WEIGHTED)
        and set(covariates_of(endpoint)) <= set(covariates.columns)
        and all(_PLAIN.fullmatch(str(term)) for term in parse(endpoint.formula)[1])
    )


def _all_at_once(cohort: Cohort, endpoint: Endpoint) -> Answers:
    protocol, people = cohort.patients.protocol, cohort.patients.people
    values = _participant_values(cohort, endpoint)
    response, _, columns, _ = parse(endpoint.formula)
    known = np.isfinite(values[response])
    if "baseline" in columns:
        known &= np.isfinite(values["baseline"])
    rows = {name: value[known] for name, value in values.items()}
    covariates = cohort.covariates()
    rows |= {name: covariates[name].to_numpy()[known.ravel()] for name in covariates_of(endpoint)}
    arms = cohort.patients.arms[known]
    table = pd.DataFrame(rows).assign(arm=pd.Categorical(arms, categories=list(protocol.compared)))
    design = build(endpoint.formula, table, "arm", protocol.compared[0])
    X = np.zeros((*people.arm.shape, design.X.shape[1]))
    X[known] = design.X
    index, L = differences(design, "arm")
    fit = many_least_squares(X, values[response], known & _both_arms(known, people.arm)[:, None], L)
    df = np.repeat(fit.df[:, None], len(L), axis=1)
    return Answers(tuple(str(name) for name in index), fit.estimate, fit.se, df, known.sum(axis=1))


def _both_arms(known: npt.NDArray[np.bool_], arm: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """(trial,) whether anyone of every arm is left."""
    there = [(known & (arm == k)).any(axis=1) for k in range(int(arm.max()) + 1)]
    return np.asarray(np.all(there, axis=0))


def _participant_values(cohort: Cohort, endpoint: Endpoint) -> dict[str, FloatArray]:
    """`baseline`, `change` and `value` of each participant, (trial, participant), as the endpoint sums up."""
    readings = {each.measure: each for each in cohort.readings}
    visits = [visit.id for visit in cohort.patients.protocol.visit]
    first, last = (visits.index(name) for name in (endpoint.visits[0], endpoint.visits[-1]))
    own = readings[endpoint.measure]
    start = readings[MEASURES[endpoint.measure].change_of or endpoint.measure]
    baseline = _flat(start, start.usable)[..., first]
    follow_up = _flat(own, own.usable)[..., last]
    change = follow_up if start is not own else follow_up - baseline
    used = np.isfinite(change)
    if endpoint.select == "submedian":
        used &= below_median(baseline)[0]
    weight = used.astype(np.float64)
    if endpoint.summary == WEIGHTED:
        se = _flat(own, own.se)
        variance = se[..., last] ** 2 + (se[..., first] ** 2 if start is own else 0.0)
        weight = np.where(used & (variance > 0), 1 / np.where(variance > 0, variance, 1.0), 0.0)
    shape = cohort.patients.people.arm.shape
    mean = average(change, used, weight)
    level = average(baseline, used & np.isfinite(baseline), weight)
    found = {"baseline": level, "change": mean, "value": level + mean}
    return {name: value.reshape(shape) for name, value in found.items()}


def _flat(readings: Readings, values: FloatArray) -> FloatArray:
    """(trial * participant, site, visit)."""
    return values.reshape(-1, *values.shape[2:])


def _one_by_one(cohort: Cohort, endpoint: Endpoint, trials: Sequence[int] | npt.NDArray[np.intp]) -> Answers:
    """Each trial through its tables, as a real one."""
    protocol = cohort.patients.protocol
    first, *others = protocol.compared
    names = tuple(f"{name} - {first}" for name in others)
    numbers = np.full((3, len(trials), len(names)), np.nan)
    participants = np.zeros(len(trials), dtype=np.int64)
    for row, trial in enumerate(int(each) for each in trials):
        study = Study(
            cohort.measurements(trial), protocol, cohort.allocation(trial), cohort.covariates(trial), None
        )
        try:
            case, _ = case_of(study, endpoint)
            fitted = fit_set(case, protocol, endpoint.own_set)
        except (InputError, RefuseRun):
            continue
        participants[row] = fitted.n_participants
        for name, contrast in fitted.contrasts.iterrows():
            numbers[:, row, names.index(str(name))] = contrast[["estimate", "se", "df"]]
    return Answers(names, numbers[0], numbers[1], np.asarray(numbers[2]), participants)
