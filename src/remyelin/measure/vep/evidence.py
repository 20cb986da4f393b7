"""How well each component of the prior explains what was recorded, and draws from what is left possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .prior import AMPLITUDES_UV, FloatArray, Prior, prior


@dataclass(frozen=True, slots=True)
class Seen:
    """The information of the data as each of some components sees it (a response of 1 uV, to be scaled).

    Information adds: that of two visits is the sum, the second's scaled by its gain.

    Parameters
    ----------
    inner
        (component, rank, rank) root' M root, M the information matrix.
    linear, mean_inner
        (component, rank) root' w and root' M mean.
    mean_linear, mean_square
        (component,) mean' w and mean' M mean.
    """

    inner: FloatArray
    linear: FloatArray
    mean_inner: FloatArray
    mean_linear: FloatArray
    mean_square: FloatArray

    def plus(self, other: Seen, gain: float) -> Seen:
        """Both, the other's response `gain` times as large."""
        square = gain * gain
        return Seen(
            self.inner + square * other.inner,
            self.linear + gain * other.linear,
            self.mean_inner + square * other.mean_inner,
            self.mean_linear + gain * other.mean_linear,
            self.mean_square + square * other.mean_square,
        )


def seen(information: tuple[FloatArray, FloatArray], root: FloatArray, mean: FloatArray) -> Seen:
    """What components with these means and roots see of the data (`Average.information`)."""
    matrix, vector = information
    turned = matrix @ root
    return Seen(
        np.swapaxes(root, -1, -2) @ turned,
        np.einsum("k,ckj->cj", vector, root),
        np.einsum("ckj,ck->cj", turned, mean),
        mean @ vector,
        np.einsum("ck,kl,cl->c", mean, matrix, mean, optimize=True),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """Components, at some amplitudes, conditioned on the data.

    Parameters
    ----------
    log_evidence
        (amplitude, component) up to a constant that all share; that of no response is 0.
    root
        (amplitude, component, rank, rank) Cholesky factor of the posterior precision.
    best
        (amplitude, component, rank) the whitened best coefficients.
    """

    log_evidence: FloatArray
    root: FloatArray
    best: FloatArray


def fit(data: Seen, amplitudes_uv: FloatArray) -> Fit:
    """Condition every component at every amplitude on the data."""
    scale = np.asarray(amplitudes_uv, float)[:, None]
    misfit = scale[..., None] * (data.linear - scale[..., None] * data.mean_inner)
    rank = data.inner.shape[-1]
    # The factor of the precision bordered by the misfit holds the whitened coefficients in its last row.
    bordered = np.empty((len(scale), len(data.inner), rank + 1, rank + 1))
    bordered[..., :-1, :-1] = scale[..., None, None] ** 2 * data.inner + np.eye(rank)
    bordered[..., -1, :-1] = bordered[..., :-1, -1] = misfit
    bordered[..., -1, -1] = 1 + (misfit**2).sum(axis=-1)
    factor = np.linalg.cholesky(bordered)
    root, best = factor[..., :-1, :-1], factor[..., -1, :-1]
    log_root = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    mean = scale * data.mean_linear - 0.5 * scale**2 * data.mean_square
    log_evidence: FloatArray = 0.5 * (best**2).sum(axis=-1) - log_root + mean
    return Fit(log_evidence, root, best)


@dataclass(frozen=True, slots=True)
class Posterior:
    """One average, explained by every component.

    Parameters
    ----------
    triplets, free
        The fits of the triplets and of any smooth wave.
    weights, free_weights
        (amplitude, component) posterior weights; they sum to 1 together.
    log_evidence
        Of a response against none.
    """

    triplets: Fit
    free: Fit
    weights: FloatArray
    free_weights: FloatArray
    log_evidence: float

    @property
    def free_weight(self) -> float:
        """How likely it is that no triplet made this wave."""
        return float(self.free_weights.sum())

    def draws(self, n: int, rng: np.random.Generator, *, free: bool = False) -> FloatArray:
        """(basis, n) coefficients of responses drawn from it, of any smooth wave only if `free`."""
        model = prior()
        weights = np.concatenate([(0 if free else 1) * self.weights.ravel(), self.free_weights.ravel()])
        order = np.argsort(-weights, kind="stable")[:100]
        edges = np.round(n * np.cumsum(weights[order]) / weights[order].sum()).astype(int)
        found = []
        for index, count in zip(order, np.diff(edges, prepend=0), strict=True):
            if count:
                found.append(self._of(model, int(index), rng, int(count)))
        return np.concatenate(found, axis=1)

    def _of(self, model: Prior, index: int, rng: np.random.Generator, count: int) -> FloatArray:
        from scipy.linalg import solve_triangular

        is_free = index >= self.weights.size
        weights, made = (self.free_weights, self.free) if is_free else (self.weights, self.triplets)
        a, c = divmod(index - self.weights.size * is_free, weights.shape[1])
        root, mean = (model.free_root[c], 0.0) if is_free else (model.root[c], model.mean[c][:, None])
        noise = rng.standard_normal((root.shape[1], count))
        inner = solve_triangular(made.root[a, c].T, made.best[a, c][:, None] + noise)
        return np.asarray(AMPLITUDES_UV[a] * (mean + root @ inner))


def explain(information: tuple[FloatArray, FloatArray]) -> Posterior:
    """Explain what an average tells (`Average.information`) by every component at every amplitude."""
    model = prior()
    triplets = fit(seen(information, model.root, model.mean), AMPLITUDES_UV)
    none = np.zeros((len(model.free_root), model.basis.shape[1]))
    free = fit(seen(information, model.free_root, none), AMPLITUDES_UV)
    levels = np.log(len(AMPLITUDES_UV))
    log_triplets = triplets.log_evidence + model.log_weight - levels
    log_free = free.log_evidence + model.free_log_weight - levels
    top = max(log_triplets.max(), log_free.max())
    weights, free_weights = np.exp(log_triplets - top), np.exp(log_free - top)
    total = weights.sum() + free_weights.sum()
    return Posterior(triplets, free, weights / total, free_weights / total, float(top + np.log(total)))
