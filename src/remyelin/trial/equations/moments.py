"""The working model: mean, variance and correlation of the rows of a cluster, by moments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray

Family = Literal["gaussian", "binomial"]
Correlation = Literal["exchangeable", "independence"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which cluster each row belongs to.

    Attributes
    ----------
    codes
        (row,) number of the cluster.
    n
        (cluster,) rows.
    labels
        (cluster,) names.
    """

    codes: npt.NDArray[np.intp]
    n: FloatArray
    labels: tuple[str, ...]

    def sums(self, values: FloatArray) -> FloatArray:
        """(cluster, ...) sums over the rows of `values` (row, ...)."""
        found = np.zeros((len(self.n), *values.shape[1:]))
        np.add.at(found, self.codes, values)
        return found


@dataclass(frozen=True, slots=True)
class Working:
    """Working covariance of the rows, diag(d) + gamma a a' in each cluster.

    Attributes
    ----------
    mu, slope
        (row,) fitted means and their derivative by the linear predictor.
    scale, rho
        Scale (Gaussian: variance beyond the known one) and correlation.
    """

    mu: FloatArray
    slope: FloatArray
    scale: float
    rho: float
    d: FloatArray = field(repr=False)
    a: FloatArray = field(repr=False)
    gamma: float = field(repr=False)
    clusters: Clusters = field(repr=False)

    def solve(self, columns: FloatArray) -> FloatArray:
        """The inverse of the covariance times `columns` (row, column) (Sherman & Morrison)."""
        inner = 1 + self.gamma * self.clusters.sums(self.a**2 / self.d)
        left = columns / self.d[:, None]
        share = self.clusters.sums(self.a[:, None] * left) / inner[:, None]
        return np.asarray(left - self.gamma * (self.a / self.d)[:, None] * share[self.clusters.codes])


def working(
    eta: FloatArray,
    y: FloatArray,
    known: FloatArray,
    clusters: Clusters,
    family: Family,
    correlation: Correlation,
) -> Working:
    """The working model at a linear predictor `eta` (row,).

    The scale is the mean of the squared Pearson residuals, and the correlation the mean of the products of
    the residuals of two rows of a cluster, over it (Liang & Zeger 1986, 10.1093/biomet/73.1.13, with N for
    N - p as in R's geepack). With known variances se^2 (`known`, Gaussian only) se^2 is taken off each
    square, and squares and products are weighted by the precision that the rows have.
    """
    from scipy.special import expit

    mu = eta if family == "gaussian" else expit(eta)
    slope = np.ones_like(mu) if family == "gaussian" else mu * (1 - mu)
    a = np.sqrt(slope)  # canonical links: the variance function is the derivative of the mean
    residual = (y - mu) / a
    scale, covariance = _moments(residual, known, clusters)
    gamma = covariance if correlation == "exchangeable" else 0.0
    d = (scale - gamma) * slope + known
    _check(scale, gamma, d, a, clusters)
    rho = gamma / scale if scale > 0 else 0.0
    return Working(mu, slope, scale, rho, d, a, gamma, clusters)


def _moments(residual: FloatArray, known: FloatArray, clusters: Clusters) -> tuple[float, float]:
    """Scale and covariance; the weights follow the scale, so they are found together."""
    square = residual**2
    scale = float(square.mean())
    least = 1e-9 * scale  # keeps the weights finite where the scale is 0
    w = np.ones_like(known)
    for _ in range(200 if known.any() else 0):
        w = (scale + least) / (scale + least + known)
        before, scale = scale, max(0.0, float(w**2 @ (square - known) / (w @ w)))
        if abs(scale - before) <= 1e-13 * before:
            break
    pairs = clusters.sums(w) ** 2 - clusters.sums(w**2)
    if not pairs.sum() > 0:
        return scale, 0.0
    products = clusters.sums(w * residual) ** 2 - clusters.sums((w * residual) ** 2)
    covariance = float(products.sum() / pairs.sum())
    if known.any():  # rows that differ by their known error alone leave it at the edge of what is possible
        covariance = float(np.clip(covariance, -scale / max(clusters.n.max() - 1, 1), scale))
    return scale, covariance


def _check(scale: float, gamma: float, d: FloatArray, a: FloatArray, clusters: Clusters) -> None:
    """A correlation that no rows could have, given the sizes of the clusters."""
    possible = bool((d > 0).all()) and bool((1 + gamma * clusters.sums(a**2 / d) > 1e-8).all())
    if not possible:
        raise InputError(
            "", "correlation", f"exchangeable with the estimate {gamma / scale:.3g}" if scale > 0 else "zero",
            f"above -1/{clusters.n.max() - 1:g} and below 1 for clusters of up to {clusters.n.max():g} rows",
            "use correlation='independence', which keeps the estimate and its standard error valid",
        )  # fmt: skip
