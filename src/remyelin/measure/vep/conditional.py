"""The shift of one visit, given what is known of the response from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp

from .joint import Joint, Sight
from .prior import FloatArray

_FARTHEST_MS, _COARSE_MS = 40.0, 4.0
_GAINS = np.array([0.45, 0.6, 0.75, 0.92, 1.1, 1.35, 1.7, 2.2])
_LOG_GAIN_SD = 0.35
# The region that is looked at again holds all shifts that are at least exp(-12) times as likely as the best.
_DEPTH, _POINTS, _ROUNDS = 12.0, 17, 4
_FINE = 2001
# Gibbs sampling over the shifts of several visits; the conditionals are averaged, so few rounds suffice.
_SWEEPS, _BURN = 12, 2


@dataclass(frozen=True, slots=True)
class Conditional:
    """How likely each shift and gain of a visit is.

    Parameters
    ----------
    visit
        Its index; the first visit is 0.
    shifts_ms
        (shift,) evenly spaced.
    sights
        What the visit tells at each shift.
    table
        (gain, shift) log density, up to a constant.
    """

    visit: int
    shifts_ms: FloatArray
    sights: tuple[Sight, ...]
    table: FloatArray

    def density(self) -> tuple[FloatArray, FloatArray]:
        """(shift,) fine shifts and the probability of each."""
        fine = np.linspace(self.shifts_ms[0], self.shifts_ms[-1], _FINE)
        log_density = CubicSpline(self.shifts_ms, logsumexp(self.table, axis=0))(fine)
        density = np.exp(log_density - log_density.max())
        return fine, density / density.sum()

    @property
    def mean_ms(self) -> float:
        """Mean shift."""
        fine, density = self.density()
        return float(density @ fine)

    @property
    def sd_ms(self) -> float:
        """SD of the shift."""
        fine, density = self.density()
        return float(np.sqrt(density @ (fine - density @ fine) ** 2))

    @property
    def gain(self) -> float:
        """Geometric mean of the gain."""
        weight = np.exp(logsumexp(self.table, axis=1) - logsumexp(self.table))
        return float(np.exp(weight @ np.log(_GAINS)))

    def given(self, joint: Joint, known: Sight, prior_sd_ms: float) -> Conditional:
        """The same visit with more known of the response."""
        table = _table(joint, known, self.sights, self.shifts_ms, prior_sd_ms)
        return Conditional(self.visit, self.shifts_ms, self.sights, table)


def pairwise(joint: Joint, visit: int, prior_sd_ms: float) -> Conditional:
    """The shift of a visit against the first, on a grid that is refined until it resolves the density."""
    shifts = np.arange(-_FARTHEST_MS, _FARTHEST_MS + 0.1, _COARSE_MS)
    found = _looked_at(joint, visit, shifts, prior_sd_ms)
    for _ in range(_ROUNDS):
        level = logsumexp(found.table, axis=0)
        likely = np.flatnonzero(level > level.max() - _DEPTH)
        low, high = shifts[max(likely[0] - 1, 0)], shifts[min(likely[-1] + 1, len(shifts) - 1)]
        shifts = np.linspace(low, high, _POINTS)
        found = _looked_at(joint, visit, shifts, prior_sd_ms)
        if shifts[1] - shifts[0] <= max(0.8 * found.sd_ms, 0.02):
            break
    return found


def _looked_at(joint: Joint, visit: int, shifts_ms: FloatArray, prior_sd_ms: float) -> Conditional:
    sights = tuple(joint.sight(visit, float(shift)) for shift in shifts_ms)
    table = _table(joint, joint.first, sights, shifts_ms, prior_sd_ms)
    return Conditional(visit, shifts_ms, sights, table)


def _table(
    joint: Joint, known: Sight, sights: Sequence[Sight], shifts_ms: FloatArray, prior_sd_ms: float
) -> FloatArray:
    columns = [joint.log_evidence(known, sight, _GAINS) for sight in sights]
    prior_of_gain = -0.5 * (np.log(_GAINS) / _LOG_GAIN_SD) ** 2
    prior_of_shift = -0.5 * (shifts_ms / prior_sd_ms) ** 2
    return np.asarray(np.stack(columns, axis=1) + prior_of_gain[:, None] + prior_of_shift)


def joined(joint: Joint, pairs: Sequence[Conditional], prior_sd_ms: float) -> Conditional:
    """The last visit's shift with the shifts of the visits between integrated out (Gibbs, seed fixed).

    Every visit keeps the grid of its comparison with the first.
    """
    rng = np.random.default_rng(0)
    places = [np.unravel_index(pair.table.argmax(), pair.table.shape) for pair in pairs]
    total = np.full(pairs[-1].table.shape, -np.inf)
    for sweep in range(_SWEEPS):
        for k, pair in enumerate(pairs):
            known = joint.first
            for other, (gain, shift) in zip(pairs, places, strict=True):
                if other is not pair:
                    known = _plus(known, other.sights[shift], float(_GAINS[gain]))
            table = pair.given(joint, known, prior_sd_ms).table
            table = table - logsumexp(table)
            places[k] = np.unravel_index(int(_draw(np.exp(table), rng)), table.shape)
            if k == len(pairs) - 1 and sweep >= _BURN:
                total = np.logaddexp(total, table)
    last = pairs[-1]
    return Conditional(last.visit, last.shifts_ms, last.sights, total)


def _plus(known: Sight, other: Sight, gain: float) -> Sight:
    return known[0].plus(other[0], gain), known[1].plus(other[1], gain)


def _draw(weights: FloatArray, rng: np.random.Generator) -> int:
    edges = np.cumsum(weights.ravel())
    return int(np.searchsorted(edges, rng.random() * edges[-1]))
