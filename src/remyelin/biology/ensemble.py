"""Sampling a posterior with ensembles of walkers, and whether the samples can be trusted.

Each walker moves along the difference of two others of its ensemble (differential evolution, ter Braak 2006,
10.1007/s11222-006-8769-1): no tuning, and no harm from scales that differ or parameters that go together. The
walkers it looks at stay still meanwhile (as with Goodman & Weare 2010, 10.2140/camcos.2010.5.65). Ensembles
know nothing of one another, so their agreement can be judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# (point, dimension) and the (point,) least density that matters, to (point,) log density. A density that is
# surely below the least may be given as -inf: most proposals fail, and need not be followed to the end.
LogDensity = Callable[[FloatArray, FloatArray], FloatArray]
JUMP_SHARE = 0.1  # of the moves along a difference take its whole length, to go from mode to mode
JITTER = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What the walkers visited.

    Attributes
    ----------
    points
        (ensemble, step, walker, dimension).
    log_density
        (ensemble, step, walker).
    accepted
        Share of the moves.
    """

    points: FloatArray
    log_density: FloatArray
    accepted: float

    def after(self, step: int) -> Chain:
        """Without the first steps."""
        return Chain(self.points[:, step:], self.log_density[:, step:], self.accepted)

    def autocorrelation_steps(self) -> FloatArray:
        """(dimension,) integrated autocorrelation time, in steps.

        The window is the first that is five times as long as the time it gives (Sokal 1997).
        """
        x = self.points - self.points.mean(axis=(1, 2), keepdims=True)
        steps = x.shape[1]
        spectrum = np.abs(np.fft.rfft(x, n=2 * steps, axis=1)) ** 2
        covariance = np.fft.irfft(spectrum, axis=1)[:, :steps].mean(axis=(0, 2))
        times = 2 * np.cumsum(covariance / covariance[0], axis=0) - 1
        inside = np.arange(steps)[:, None] < 5 * times
        window = np.where(inside.all(axis=0), steps - 1, np.argmin(inside, axis=0))
        return np.asarray(times[window, np.arange(times.shape[1])])

    def effective_samples(self) -> FloatArray:
        """(dimension,) how many independent samples the chain is worth."""
        return np.asarray(np.prod(self.log_density.shape) / self.autocorrelation_steps())

    def split_r_hat(self) -> FloatArray:
        """(dimension,) of the halves of the ensembles (Gelman et al. 2013): near 1 if all saw the same."""
        half = self.points.shape[1] // 2
        halves = np.concatenate([self.points[:, :half], self.points[:, half : 2 * half]])
        rows = halves.reshape(len(halves), -1, halves.shape[-1])
        within = rows.var(axis=1, ddof=1).mean(axis=0)
        between = rows.mean(axis=1).var(axis=0, ddof=1)
        return np.asarray(np.sqrt((rows.shape[1] - 1) / rows.shape[1] + between / within))

    def flat(self) -> FloatArray:
        """(sample, dimension) of all ensembles, step by step."""
        return self.points.transpose(1, 0, 2, 3).reshape(-1, self.points.shape[-1])


def sample(
    log_density: LogDensity,
    start: npt.ArrayLike,
    *,
    steps: int,
    rng: np.random.Generator,
) -> Chain:
    """Follow the walkers.

    Parameters
    ----------
    log_density
        See `LogDensity`; it sees half the walkers of all ensembles at once.
    start
        (ensemble, walker, dimension), an even number of walkers, each with a finite density.
    steps
        How many, of two half-steps each: the halves of an ensemble move in turn.
    rng
        Of every choice.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> bell = lambda points, least: -0.5 * (points**2).sum(axis=1)
    >>> chain = sample(bell, rng.standard_normal((2, 8, 3)), steps=400, rng=rng)
    >>> bool(np.all(np.abs(chain.flat().std(axis=0) - 1) < 0.2))
    True
    """
    x = np.array(start, dtype=np.float64)
    ensembles, walkers, dimension = x.shape
    half = walkers // 2
    density = log_density(x.reshape(-1, dimension), np.full(ensembles * walkers, -np.inf))
    density = density.reshape(ensembles, walkers)
    points = np.empty((ensembles, steps, walkers, dimension))
    densities = np.empty((ensembles, steps, walkers))
    accepted = 0.0
    for step in range(steps):
        for own in (slice(half), slice(half, None)):
            others = x[:, half:] if own.start is None else x[:, :half]
            proposed = _proposal(x[:, own], others, rng)
            least = density[:, own] + np.log(rng.random((ensembles, half)))
            found = log_density(proposed.reshape(-1, dimension), least.ravel()).reshape(ensembles, half)
            taken = found > least
            x[:, own] = np.where(taken[..., None], proposed, x[:, own])
            density[:, own] = np.where(taken, found, density[:, own])
            accepted += taken.mean() / (2 * steps)
        points[:, step], densities[:, step] = x, density
    return Chain(points, densities, accepted)


def _proposal(x: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Where the walkers would go; the way back is as likely."""
    ensembles, walkers, dimension = x.shape
    row = np.arange(ensembles)[:, None]
    first = rng.integers(walkers, size=(ensembles, walkers))
    second = (first + rng.integers(1, walkers, size=first.shape)) % walkers
    length = np.where(rng.random(first.shape) < JUMP_SHARE, 1.0, 2.38 / np.sqrt(2 * dimension))
    along = others[row, first] - others[row, second]
    return np.asarray(x + length[..., None] * along + JITTER * rng.standard_normal(x.shape))
