"""What the protocol's own estimator finds in each of many virtual trials."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Endpoint, Protocol
from remyelin.trial.case import Study, case_of
from remyelin.trial.design import build
from remyelin.trial.fits import Fitted, fit_rows
from remyelin.trial.formula import parse
from remyelin.trial.incomplete import fit_set
from remyelin.trial.means import differences
from remyelin.trial.people import covariates_of
from remyelin.trial.squares import many_least_squares

from .cohort import Cohort
from .rows import WEIGHTED, all_rows, participant_means

FloatArray = npt.NDArray[np.float64]
# Coded alike whichever rows are there, and without an interaction: then a contrast is one of coefficients.
_PLAIN = re.compile(r"1|\w+|C\(\w+\)", re.ASCII)


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
    >>> from remyelin.protocol import Protocol
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
    if not from_arrays(cohort, endpoint):
        return _through_tables(cohort, endpoint)
    if not is_simple(cohort, endpoint):
        return _one_by_one(cohort, endpoint, range(cohort.patients.n_trials))
    found = _all_at_once(cohort, endpoint)
    # A trial that lost an arm or a level of a covariate has a design of its own, or no answer at all.
    left = np.flatnonzero(np.isnan(found.df[:, 0]))
    if len(left):
        own = _one_by_one(cohort, endpoint, left)
        for name in ("estimate", "se", "df", "participants"):
            getattr(found, name)[left] = getattr(own, name)
    return found


def from_arrays(cohort: Cohort, endpoint: Endpoint) -> bool:
    """Whether the rows of an endpoint follow from its values: nothing imputed, nor left out by an event."""
    events = endpoint.estimand.event_days if endpoint.estimand else {}
    change_of_all = endpoint.select == "all" and len(endpoint.visits) == 2
    return (
        (endpoint.missing, endpoint.weighting) == ("none", "none")
        and endpoint.own_set != "per-protocol"
        and not events
        and not (endpoint.own_set == "completers" and endpoint.by_likelihood)
        and (endpoint.summary != WEIGHTED or change_of_all)
        and set(covariates_of(endpoint)) <= set(cohort.covariates(0).columns)
    )


def is_simple(cohort: Cohort, endpoint: Endpoint) -> bool:
    """Whether an endpoint is one least-squares fit of one change a participant, arms not interacting."""
    return (
        cohort.patients.protocol.trial.design == "parallel"
        and endpoint.estimator == "ancova"
        and len(endpoint.visits) == 2
        and not endpoint.of_sites
        and endpoint.covariance in (None, "classical")
        and all(_PLAIN.fullmatch(str(term)) for term in parse(endpoint.formula)[1])
    )


def _all_at_once(cohort: Cohort, endpoint: Endpoint) -> Answers:
    protocol, people = cohort.patients.protocol, cohort.patients.people
    baseline, change, _ = participant_means(cohort, endpoint)
    values = {"baseline": baseline[..., 0], "change": change[..., 0]}
    values["value"] = values["baseline"] + values["change"]
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


def _one_by_one(cohort: Cohort, endpoint: Endpoint, trials: Iterable[Any]) -> Answers:
    """Each trial by itself: rows from arrays, and the estimator's own fit."""
    protocol, wanted = cohort.patients.protocol, [int(each) for each in trials]
    rows = dict(iter(all_rows(cohort, endpoint).groupby("trial")))

    def fit(trial: int) -> Fitted:
        if trial not in rows:
            raise InputError("", "measurements", "none that can be used", "changes", "measure more")
        return fit_rows(endpoint, rows[trial].drop(columns="trial"), protocol, weighted=False)

    return _collected(protocol, wanted, fit)


def _through_tables(cohort: Cohort, endpoint: Endpoint) -> Answers:
    """Each trial through its tables, as a real one."""
    protocol = cohort.patients.protocol

    def fit(trial: int) -> Fitted:
        tables = (cohort.measurements(trial), protocol, cohort.allocation(trial), cohort.covariates(trial))
        case, _ = case_of(Study(*tables, None), endpoint)
        return fit_set(case, protocol, endpoint.own_set)

    return _collected(protocol, range(cohort.patients.n_trials), fit)


def _collected(protocol: Protocol, trials: Sequence[int], fit: Callable[[int], Fitted]) -> Answers:
    """The contrasts of each fit; nothing where a trial cannot be fitted."""
    first, *others = protocol.compared
    names = tuple(f"{name} - {first}" for name in others)
    numbers = np.full((3, len(trials), len(names)), np.nan)
    participants = np.zeros(len(trials), dtype=np.int64)
    for row, trial in enumerate(trials):
        try:
            fitted = fit(trial)
        except (InputError, RefuseRun):
            continue
        participants[row] = fitted.n_participants
        for name, contrast in fitted.contrasts.iterrows():
            numbers[:, row, names.index(str(name))] = contrast[["estimate", "se", "df"]]
    return Answers(names, numbers[0], numbers[1], np.asarray(numbers[2]), participants)
