"""The estimators of an endpoint, on many virtual trials at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from remyelin.trial.power.noncentral import FloatArray
from remyelin.trial.power.worlds import BoolArray, Outcomes, World, draw, draw_visits
from remyelin.trial.squares import many_least_squares

Fit = tuple[FloatArray, FloatArray, FloatArray]
"""Estimate, standard error, degrees of freedom: (trial,) each, NaN where there was no fit."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same virtual trials without and with the effect."""

    null: Fit
    alternative: Fit
    measured: FloatArray


def by_participant(world: World, trials: int, rng: np.random.Generator) -> Pair:
    """Least squares on one outcome a participant, with the baseline where it is correlated.

    Two arms, or the two sequences of a crossover (the effect is half their difference), or one group.
    """
    seen = draw(world, trials, rng)
    X = _design(world, seen)
    scale = 0.5 if world.layout.design == "crossover" else 1.0
    null, alternative = (
        _scaled(_least_squares(X, y, seen.measured), scale) for y in (seen.noise, seen.noise + seen.gain)
    )
    return Pair(null, alternative, seen.measured.sum(axis=1))


def by_site(world: World, trials: int, rng: np.random.Generator) -> Pair:
    """A mixed model of all sites: random intercepts of participants, Kenward-Roger."""
    from remyelin.trial.mixed.batch import fit_each

    seen = draw(world, trials, rng)
    rows = _sites(world, seen, rng)
    X = _design(world, seen)[rows.trial, rows.person]
    contrast = np.zeros(X.shape[1])
    contrast[1] = 1.0
    fits = [
        fit_each(X, rows.person, y, rows.trial, contrast, threads=1)
        for y in (rows.noise, rows.noise + seen.gain[rows.trial, rows.person])
    ]
    scale = 0.5 if world.layout.design == "crossover" else 1.0
    null, alternative = (_scaled((fit.estimate, fit.se_kr, fit.df_kr), scale) for fit in fits)
    return Pair(null, alternative, seen.measured.sum(axis=1))


def sites_as_independent(world: World, trials: int, rng: np.random.Generator) -> Pair:
    """Least squares on all sites as if each were a participant: wrong, and shown to be."""
    seen = draw(world, trials, rng)
    rows = _sites(world, seen, rng)
    group = world.second[rows.person]
    gain = seen.gain[rows.trial, rows.person]
    scale = 0.5 if world.layout.design == "crossover" else 1.0
    null, alternative = (
        _scaled(_two_samples(y, rows.trial, group, trials), scale) for y in (rows.noise, rows.noise + gain)
    )
    return Pair(null, alternative, seen.measured.sum(axis=1))


def by_visit(world: World, trials: int, rng: np.random.Generator) -> Pair:
    """MMRM, unstructured, Kenward-Roger (linear, as SAS): the difference at the last visit."""
    from remyelin.trial.repeated.trials import fit_trials

    seen = draw_visits(world, trials, rng)
    visits, people = len(world.visit_shares), sum(world.n)
    subject, visit = np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)
    at = (visit[:, None] == np.arange(visits)).astype(np.float64)
    X = np.hstack([at, at * world.second[subject][:, None]])
    contrast = np.zeros(2 * visits)
    contrast[-1] = 1.0
    there = seen.measured.reshape(trials, -1)
    fits = []
    for y in (seen.noise, seen.noise + seen.gain):
        Y = np.where(there, y.reshape(trials, -1), np.nan)
        fit = fit_trials(Y, X, subject, visit, contrast)
        fits.append((fit.estimate[:, 0], fit.se[:, 0], fit.df[:, 0]))
    return Pair(fits[0], fits[1], seen.measured[..., -1].sum(axis=1))


ESTIMATORS: dict[str, Callable[[World, int, np.random.Generator], Pair]] = {
    "participants": by_participant,
    "mixed": by_site,
    "mmrm": by_visit,
    "independent": sites_as_independent,
}


@dataclass(frozen=True, slots=True)
class _Sites:
    """Rows of measured sites: the trial, the participant, the outcome without effect."""

    trial: np.ndarray
    person: np.ndarray
    noise: FloatArray


def _sites(world: World, seen: Outcomes, rng: np.random.Generator) -> _Sites:
    """Sites whose mean is the participant's outcome that was drawn: their deviations from it sum to 0."""
    counts = np.where(seen.measured, seen.counts, 0)
    people = sum(world.n)
    owner = np.repeat(np.arange(counts.size), counts.ravel())
    own = np.sqrt(1 - world.layout.correlation**2) * world.layout.spread.site
    deviation = own * rng.normal(size=len(owner))
    mean = np.bincount(owner, deviation, minlength=counts.size) / np.maximum(counts.ravel(), 1)
    noise = seen.noise.ravel()[owner] + deviation - mean[owner]
    return _Sites(owner // people, owner % people, noise)


def _design(world: World, seen: Outcomes) -> FloatArray:
    """(trial, participant, coefficient): intercept, second group, baseline where it is correlated."""
    columns = [np.ones(seen.noise.shape)]
    if world.layout.groups == 2:
        columns.append(np.broadcast_to(world.second.astype(np.float64), seen.noise.shape))
    if world.layout.correlation:
        columns.append(seen.baseline)
    return np.stack(columns, axis=-1)


def _least_squares(X: FloatArray, Y: FloatArray, measured: BoolArray) -> Fit:
    """The second coefficient, or the only one, of each trial."""
    fit = many_least_squares(X, Y, measured, np.eye(X.shape[2])[[min(1, X.shape[2] - 1)]])
    return fit.estimate[:, 0], fit.se[:, 0], fit.df


def _two_samples(y: FloatArray, trial: np.ndarray, second: BoolArray, trials: int) -> Fit:
    cell = 2 * trial + second
    n, total, square = (
        np.bincount(cell, weight, minlength=2 * trials).reshape(trials, 2) for weight in (None, y, y**2)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        df = n.sum(axis=1) - 2.0
        variance = (square - n * mean**2).sum(axis=1) / df
        se = np.sqrt(variance * (1 / n).sum(axis=1))
    return mean[:, 1] - mean[:, 0], se, df


def _scaled(fit: Fit, factor: float) -> Fit:
    return factor * fit[0], factor * fit[1], fit[2]
