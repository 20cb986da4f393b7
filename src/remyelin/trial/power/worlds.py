"""Virtual outcomes of many trials at once: noise, effect, who is measured, by the spread that was assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.trial.power.layout import Layout
from remyelin.trial.power.noncentral import FloatArray, root

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """What is true of the virtual trials.

    Parameters
    ----------
    layout, effect, n
        The comparison, the true effect, and the participants of each group.
    dropout, dropout_slope
        The part that is not measured; by how much its log odds rise for each SD of the baseline.
    visit_shares
        Part of the effect at each visit after the first, the last one 1; two or more for an MMRM.
    visit_correlation
        Correlation of a participant's changes at two visits.
    windows
        How early and late each of these visits may be, as parts of the time to the last one; the effect grows
        evenly with time.
    """

    layout: Layout
    effect: float
    n: tuple[int, ...]
    dropout: float = 0.0
    dropout_slope: float = 0.0
    visit_shares: tuple[float, ...] = (1.0,)
    visit_correlation: float = 0.0
    windows: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    @property
    def second(self) -> BoolArray:
        """(participant,) whether in the second group."""
        return np.arange(sum(self.n)) >= self.n[0]

    @property
    def per_sd(self) -> float:
        """SD of a participant's outcome."""
        return self.layout.spread.sd()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One outcome a participant and visit: all (trial, participant) or (trial, participant, visit).

    `noise` is the outcome without a treatment effect, `gain` what the effect adds to it; `baseline` has SD 1.
    `counts` are the sites behind the outcome of each participant.
    """

    baseline: FloatArray
    noise: FloatArray
    gain: FloatArray
    measured: BoolArray
    counts: IntArray


def draw(world: World, trials: int, rng: np.random.Generator) -> Outcomes:
    """Outcomes of participants, as means over their sites."""
    shape = (trials, sum(world.n))
    spread, correlation = world.layout.spread, world.layout.correlation
    baseline = rng.normal(size=shape)
    counts = rng.choice(np.asarray(spread.counts, dtype=np.int64), size=shape)
    own = math.sqrt(1 - correlation**2)
    noise = correlation * world.per_sd * baseline + own * spread.between * rng.normal(size=shape)
    if spread.site:
        noise = noise + own * spread.site / np.sqrt(counts) * rng.normal(size=shape)
    measured = rng.uniform(size=shape) >= dropout_risk(baseline, world.dropout, world.dropout_slope)
    return Outcomes(baseline, noise, _gain(world, shape, rng), measured, counts)


def _gain(world: World, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """What treatment adds to the outcome; in a crossover the outcome is second less first period."""
    if world.layout.design == "crossover":
        # The first sequence loses the effect in the second period, but for what is left.
        own = np.where(world.second, world.effect, world.effect * (world.layout.carry_over - 1))
        return np.broadcast_to(own, shape)
    treated = world.second if world.layout.groups == 2 else np.ones(shape[1], dtype=bool)
    late = 1 + rng.uniform(*world.windows[-1], size=shape)
    return np.asarray(world.effect * treated * late)


def draw_visits(world: World, trials: int, rng: np.random.Generator) -> Outcomes:
    """Outcomes at several visits, (trial, participant, visit): equally correlated, who leaves stays away.

    A participant leaves before a visit the more likely the larger their last seen outcome is, if there is a
    slope: missing at random, as an MMRM assumes.
    """
    visits = len(world.visit_shares)
    shape = (trials, sum(world.n))
    r, correlation = world.visit_correlation, world.layout.correlation
    baseline = rng.normal(size=shape)
    own = math.sqrt(1 - correlation**2)
    shared = math.sqrt(r) * rng.normal(size=(*shape, 1))
    unit = shared + math.sqrt(1 - r) * rng.normal(size=(*shape, visits))
    noise = world.per_sd * (correlation * baseline[..., None] + own * unit)
    jitter = np.stack([rng.uniform(*window, size=shape) for window in world.windows], axis=-1)
    gain = world.effect * world.second[:, None] * (np.asarray(world.visit_shares) + jitter)
    hazard = 1 - (1 - world.dropout) ** (1 / visits)
    last, stays = baseline, np.ones(shape, dtype=bool)
    measured = np.empty((*shape, visits), dtype=bool)
    for k in range(visits):
        stays = stays & (rng.uniform(size=shape) >= dropout_risk(last, hazard, world.dropout_slope))
        measured[..., k] = stays
        last = (noise + gain)[..., k] / world.per_sd
    return Outcomes(baseline, noise, gain, measured, np.ones(shape, dtype=np.int64))


def dropout_risk(baseline: FloatArray, share: float, slope: float) -> FloatArray:
    """Probability of not being measured: logistic in the baseline, `share` on average over a normal one."""
    if share == 0 or slope == 0:
        return np.full(baseline.shape, share)
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()
    level = root(lambda a: float(weights @ expit(a + slope * nodes)) - share, -60.0, 60.0)
    return np.asarray(expit(level + slope * baseline), dtype=np.float64)
