"""The score of a trial that has not stopped yet: its sub-density, carried from look to look.

Recursive integration of Armitage, McPherson & Rowe (1969, 10.2307/2343787), as in Jennison & Turnbull,
*Group Sequential Methods* (2000), chapter 19. There the density is held on Simpson's grid, good to six
digits; here on Gauss-Legendre panels as wide as six standard deviations of the shortest step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Bounds = Sequence[float] | FloatArray

NODES, PANEL_SD, REACH_SD = 32, 6.0, 9.0
"""Nodes a panel; its width in SD of the shortest step; beyond 9 SD lie 1e-19 of the trials."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Trials that went on after a look at information `time`, by their score (z times the root of `time`).

    `mass` (node,) is the share of all trials at the scores `points` (node,); it sums to those that went on.
    """

    time: float
    mean: float
    points: FloatArray
    mass: FloatArray

    def above(self, z: float, time: float, mean: float) -> float:
        """Share of all trials that went on so far and have a z value of `z` or more at the next look."""
        from scipy.special import ndtr

        if z == np.inf:
            return 0.0
        step = np.sqrt(time - self.time)
        return float(self.mass @ ndtr((self.points + mean - self.mean - z * np.sqrt(time)) / step))

    def below(self, z: float, time: float, mean: float) -> float:
        """As `above`, with a z value of `z` or less."""
        return self.mirrored().above(-z, time, -mean)

    def mirrored(self) -> Walk:
        """The same with the sign of the score changed."""
        return Walk(self.time, -self.mean, -self.points, self.mass)

    def on(self, low: float, high: float, time: float, mean: float, shortest: float) -> Walk:
        """Those that go on at the next look, because z lies between `low` and `high`.

        `mean` is the mean of the score there; `shortest` the least difference of `time` in the whole trial.
        """
        root = np.sqrt(time)
        low, high = max(low * root, mean - REACH_SD * root), min(high * root, mean + REACH_SD * root)
        points, weights = _nodes(low, high, PANEL_SD * np.sqrt(shortest))
        step = np.sqrt(time - self.time)
        z = (points[:, None] - self.points + self.mean - mean) / step
        density = np.exp(-0.5 * z**2) @ self.mass / (step * np.sqrt(2 * np.pi))
        return Walk(time, mean, points, weights * density)


START = Walk(0.0, 0.0, np.zeros(1), np.ones(1))


def exits(
    lower: Bounds, upper: Bounds, times: Sequence[float], drift: float
) -> tuple[FloatArray, FloatArray]:
    """Share of trials that leave at each look, upwards and downwards.

    Parameters
    ----------
    lower, upper
        (look,) z values; a trial goes on between them. The last look has a lower bound too.
    times
        (look,) information of each look, in any unit.
    drift
        Mean of the score a unit of information: z at a look has mean ``drift * sqrt(time)`` and variance 1.

    Examples
    --------
    >>> up, down = exits([-np.inf, 1.977], [2.797, 1.977], [0.5, 1.0], 0.0)
    >>> up.round(4), down.round(4)
    (array([0.0026, 0.0224]), array([0.   , 0.975]))
    """
    shortest = float(np.diff([0.0, *times]).min())
    walk, up, down = START, [], []
    for look, (low, high, time) in enumerate(zip(lower, upper, times, strict=True)):
        mean = drift * time
        up.append(walk.above(high, time, mean))
        down.append(walk.below(low, time, mean))
        if look < len(times) - 1:
            walk = walk.on(low, high, time, mean, shortest)
    return np.array(up), np.array(down)


def _nodes(low: float, high: float, width: float) -> tuple[FloatArray, FloatArray]:
    """Points and weights of Gauss-Legendre panels on (low, high), none wider than `width`."""
    if high <= low:
        return np.zeros(0), np.zeros(0)
    edges = np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)
    x, w = _legendre()
    half = np.diff(edges) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * x
    return points.ravel(), (half[:, None] * w).ravel()


@lru_cache(maxsize=1)
def _legendre() -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w
