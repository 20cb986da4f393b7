"""Calibration of the lineage: a posterior from what was believed of the rates and seen of repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from remyelin.biology.draws import Posterior
from remyelin.biology.ensemble import Chain, sample
from remyelin.biology.experiments import Experiment, control_days, controls, experiments, log_ratios
from remyelin.biology.lineage import FloatArray
from remyelin.biology.treatment import TO_LIMIT
from remyelin.evidence.load import read_data

# Beyond this many standard deviations of the prior nobody looks.
FARTHEST = 6.0
# Progenitors do not divide below this density, relative to normal tissue.
LEAST_PEAK = 1.05
# How closely the first draw meets the days of the controls, in parts of their standard deviation.
FIRST_DRAW = 0.01
# Points of the prior that are tried for each walker, and the step of numerical derivatives.
START_TRIES, DIFFERENCE = 12, 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What was believed: independent log-normal rates.

    Attributes
    ----------
    names
        Of the rates of the young, and of ratios of ageing as ``ageing.`` and the name.
    centre, spread
        (name,) mean and standard deviation of the logarithms.
    low, high
        (name,) logarithms between which the calibration looks: ratios of ageing are at most 1.
    fixed
        Rates and ratios that are not calibrated.
    """

    names: tuple[str, ...]
    centre: FloatArray
    spread: FloatArray
    low: FloatArray
    high: FloatArray
    fixed: Mapping[str, float]

    def known(self, z: FloatArray) -> dict[str, FloatArray]:
        """(draw,) of every rate and ratio, from (draw, name) standardised logarithms."""
        return self.at(z).known()

    def at(self, z: FloatArray) -> Posterior:
        """Draws at (draw, name) standardised logarithms."""
        return Posterior(self.names, np.exp(self.centre + self.spread * z), dict(self.fixed))

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """(name,) of the standardised logarithms."""
        return (self.low - self.centre) / self.spread, (self.high - self.centre) / self.spread


def prior() -> Prior:
    """The prior of the evidence base: its rows with an interval.

    Examples
    --------
    >>> found = prior()
    >>> len(found.names), found.fixed["front_mm_per_week"]
    (24, 0.6)
    """
    data = read_data("biology.toml")
    rows = data["rate"] | {f"ageing.{key}": row for key, row in data["ageing"].items()}
    free = {name: row for name, row in rows.items() if "low" in row}
    centre, least, most = (np.log([row[key] for row in free.values()]) for key in ("value", "low", "high"))
    spread = (most - least) / (2 * TO_LIMIT)
    low, high = centre - FARTHEST * spread, centre + FARTHEST * spread
    names = tuple(free)
    high = np.where([name.startswith("ageing.") for name in names], 0.0, high)
    peak = names.index("progenitor_peak")
    low[peak] = max(low[peak], np.log(LEAST_PEAK))
    fixed = {name: float(row["value"]) for name, row in rows.items() if name not in free}
    return Prior(names, centre, spread, low, high, fixed)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The posterior of the standardised logarithms of the rates that some target reads.

    The other rates leave every target as it is: their posterior is their prior, and is drawn from it.

    Attributes
    ----------
    prior
        What was believed.
    read
        Positions of the rates that are read, in `prior.names`.
    experiments
        Those that are part of the likelihood, besides the controls.
    """

    prior: Prior
    read: tuple[int, ...]
    experiments: tuple[Experiment, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rates that are read."""
        return tuple(self.prior.names[i] for i in self.read)

    def known(self, z: FloatArray) -> dict[str, FloatArray]:
        """(draw,) of every rate and ratio, those that no target reads at the median of the prior."""
        every = np.zeros((len(z), len(self.prior.names)))
        every[:, self.read] = z
        return self.prior.known(every)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """(name,) of the standardised logarithms."""
        low, high = self.prior.bounds()
        return low[list(self.read)], high[list(self.read)]

    def log_density(self, z: FloatArray, least: FloatArray) -> FloatArray:
        """(point,) log density; -inf where it is certain to be below `least`.

        A control is followed where the prior leaves hope, the next where that does, experiments last.
        """
        low, high = self.bounds()
        out = np.where(((z > low) & (z < high)).all(axis=1), -0.5 * (z**2).sum(axis=1), -np.inf)
        left = np.flatnonzero(out > least)
        known = self.known(z[left])
        days: dict[str, FloatArray] = {}
        for row in controls().values():
            if len(left) == 0:
                break
            days |= control_days(known, [row])
            out[left] -= 0.5 * ((days[row.name] - row.completion_day) / row.sd) ** 2
            hope = out[left] > least[left]
            left = left[hope]
            known, days = ({key: value[hope] for key, value in each.items()} for each in (known, days))
        if len(left):
            out[left] -= 0.5 * (self._shortfalls(known, days) ** 2).sum(axis=1)
        return np.where(out > least, out, -np.inf)

    def mode(
        self, z: FloatArray, *, sharpness: float = 1.0, held: Mapping[int, float] | None = None
    ) -> tuple[FloatArray, float]:
        """The point of the highest density near `z` (name,), and that log density.

        Parameters
        ----------
        sharpness
            Makes the days of the controls as much more certain.
        held
            Positions that stay at a value.
        """
        low, high = self.bounds()
        free = [i for i in range(len(z)) if i not in (held or {})]
        whole = np.array(z, dtype=np.float64)
        whole[list(held or {})] = list((held or {}).values())

        def off(points: FloatArray) -> FloatArray:
            every = np.repeat(whole[None], len(points), axis=0)
            every[:, free] = points
            missed = self.residuals(every)
            missed[:, : len(controls())] *= sharpness
            return np.concatenate([every, missed], axis=1)

        def one(x: FloatArray) -> FloatArray:
            return np.asarray(off(x[None])[0])

        def slope(x: FloatArray) -> FloatArray:
            step = DIFFERENCE * np.eye(len(x))
            ahead, behind = np.split(off(np.concatenate([x + step, x - step])), 2)
            return np.asarray((ahead - behind).T / (2 * DIFFERENCE))

        inside = np.clip(whole[free], low[free] + 1e-6, high[free] - 1e-6)
        bounds = (low[free], high[free])
        found = least_squares(one, inside, jac=slope, bounds=bounds, max_nfev=100)
        whole[free] = found.x
        return whole, -float(found.cost)

    def residuals(self, z: FloatArray) -> FloatArray:
        """(point, target) by how much the targets are missed, controls first, in standard deviations."""
        known = self.known(z)
        days = control_days(known)
        return np.concatenate([_control_residuals(days), self._shortfalls(known, days)], axis=1)

    def _shortfalls(self, known: Mapping[str, FloatArray], days: Mapping[str, FloatArray]) -> FloatArray:
        missed = log_ratios(known, days, self.experiments)
        for i, each in enumerate(self.experiments):
            missed[:, i] = each.shortfall(missed[:, i])
        return missed


def calibration(used: Sequence[Experiment] | None = None) -> Calibration:
    """The posterior of the evidence base: its prior and its targets.

    Parameters
    ----------
    used
        Experiments of the likelihood; by default those of the evidence base that are for calibration.

    Examples
    --------
    >>> "thickness_end" in calibration().names
    False
    """
    believed = prior()
    z = np.zeros((1 + len(believed.names), len(believed.names)))
    z[1:] = -0.5 * np.eye(len(believed.names))
    known = believed.known(z)
    days = control_days(known)
    chosen = [each for each in experiments().values() if each.used_for == "calibration"]
    if used is not None:
        chosen = list(used)
    seen = np.concatenate([np.stack(list(days.values()), axis=1), log_ratios(known, days, chosen)], axis=1)
    read = np.flatnonzero((seen[1:] != seen[0]).any(axis=1))
    return Calibration(believed, tuple(read.tolist()), tuple(chosen))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A calibration that was run.

    Attributes
    ----------
    calibration
        What was run.
    chain
        What the walkers visited once they had forgotten their start, standardised.
    posterior
        Draws of every rate and ratio that is not fixed; the first is the most probable of those that cover
        the controls on their very days.
    """

    calibration: Calibration
    chain: Chain
    posterior: Posterior


def fit(
    problem: Calibration, *, ensembles: int, walkers: int, steps: int, forget: int, draws: int, seed: int
) -> Fit:
    """Calibrate the lineage.

    Parameters
    ----------
    problem
        From `calibration`.
    ensembles, walkers, steps
        Of the sampler, see `ensemble.sample`.
    forget
        Steps at the start that are not kept.
    draws
        How many to draw.
    seed
        Of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    start = np.stack([_start(problem, walkers, rng) for _ in range(ensembles)])
    chain = sample(problem.log_density, start, steps=steps, rng=rng).after(forget)
    flat = chain.flat()
    picked = flat[np.sort(rng.choice(len(flat), draws - 1, replace=False))]
    z = np.zeros((draws, len(problem.prior.names)))
    others = [i for i in range(z.shape[1]) if i not in problem.read]
    z[1:, others] = rng.standard_normal((draws - 1, len(others)))
    mode, _ = problem.mode(np.zeros(len(problem.read)))
    z[0, problem.read], _ = problem.mode(mode, sharpness=1 / FIRST_DRAW)
    z[1:, problem.read] = picked
    return Fit(problem, chain, problem.prior.at(z))


def _start(problem: Calibration, walkers: int, rng: np.random.Generator) -> FloatArray:
    """(walker, name) the best of many points of the prior, wide apart."""
    low, high = problem.bounds()
    z = np.clip(rng.standard_normal((START_TRIES * walkers, len(low))), low + 1e-3, high - 1e-3)
    density = problem.log_density(z, np.full(len(z), -np.inf))
    return z[np.argsort(-density, kind="stable")[:walkers]]


def _control_residuals(days: Mapping[str, FloatArray]) -> FloatArray:
    """(draw, control) in standard deviations."""
    return np.stack([(days[name] - row.completion_day) / row.sd for name, row in controls().items()], axis=1)
