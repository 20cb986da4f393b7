"""Standard errors of estimating equations, corrected for a small number of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.equations.moments import Working

Covariance = Literal["mancl-derouen", "kauermann-carroll", "fay-graubard", "robust", "cr1s", "model"]
COVARIANCES = ("mancl-derouen", "kauermann-carroll", "fay-graubard", "robust", "cr1s", "model")
# Residuals are too small by I - H in their cluster; each correction puts back a power of it.
POWERS = {"mancl-derouen": 1.0, "kauermann-carroll": 0.5, "robust": 0.0}
# Of Fay & Graubard 2001: a cluster that decides a coefficient alone does not count without end.
BOUND = 0.75


@dataclass(frozen=True, slots=True)
class Sandwich:
    """Covariance of the coefficients, and the parts of it that small-sample degrees of freedom need.

    Attributes
    ----------
    vcov
        (coefficient, coefficient).
    bread
        Inverse of the sum of `information` over the clusters.
    information
        (cluster, coefficient, coefficient).
    corrections
        (cluster, coefficient, coefficient): by what each cluster's score was multiplied; None where none was
        used.
    """

    vcov: FloatArray
    bread: FloatArray = field(repr=False)
    information: FloatArray = field(repr=False)
    corrections: FloatArray | None = field(repr=False)

    def satterthwaite(self, rows: FloatArray) -> FloatArray:
        """(row,) degrees of freedom of L @ beta, as if the working model were right.

        2 E(v)^2 / Var(v) of the estimated variance v (Bell & McCaffrey 2002, Survey Methodology 28:169;
        Pustejovsky & Tipton 2018, 10.1080/07350015.2016.1247004).
        """
        assert self.corrections is not None
        root = np.linalg.cholesky(self.bread)
        found = []
        for row in rows:
            weight = np.einsum("kji,j->ki", self.corrections, self.bread @ row)
            moved = np.einsum("kij,kj->ki", self.information, weight)
            shared = moved @ root
            products = np.diag(np.sum(weight * moved, axis=1)) - shared @ shared.T
            found.append(np.trace(products) ** 2 / np.sum(products**2))
        return np.array(found)


def sandwich(X: FloatArray, y: FloatArray, model: Working, kind: Covariance) -> Sandwich:
    """Covariance of the coefficients at the solution.

    Parameters
    ----------
    X, y
        (row, coefficient) and (row,).
    model
        The working model at the solution.
    kind
        As in `gee`.

    Raises
    ------
    InputError
        Where one cluster alone determines a coefficient, so that its residuals say nothing.
    """
    clusters = model.clusters
    D = X * model.slope[:, None]
    weighted = model.solve(D)
    information = clusters.sums(weighted[:, :, None] * D[:, None, :])
    bread = np.linalg.inv(information.sum(axis=0))
    bread = (bread + bread.T) / 2
    if kind == "model":
        return Sandwich(bread, bread, information, None)
    corrections = _corrections(information, bread, kind, clusters.labels)
    score = clusters.sums(weighted * (y - model.mu)[:, None])
    each = np.einsum("kij,kj->ki", corrections, score) @ bread
    vcov = each.T @ each
    if kind == "cr1s":  # Stata's factor
        k, (n, p) = len(clusters.n), X.shape
        vcov = vcov * (k / (k - 1) * (n - 1) / (n - p))
    return Sandwich(vcov, bread, information, corrections)


def _corrections(
    information: FloatArray, bread: FloatArray, kind: Covariance, labels: Sequence[str]
) -> FloatArray:
    """(cluster, coefficient, coefficient) factors of the scores.

    D' V^-1 (I - H)^-power = (I - B M^-1)^-power D' V^-1, B being the cluster's information and M the total:
    a power of a small matrix, similar to a symmetric one, stands for that of a matrix of the size of the
    cluster. The half power is the principal root, not the average of r r' (I - H)^-T and its transpose.
    """
    if kind == "fay-graubard":
        share = np.einsum("kij,ji->ki", information, bread)
        return np.asarray(np.eye(len(bread)) / np.sqrt(1 - np.minimum(BOUND, share))[:, None, :])
    root = np.linalg.cholesky(np.linalg.inv(bread))
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ information @ inverse.T)
    power = POWERS.get(kind, 0.0)
    if power and values.max() > 1 - 1e-9:
        alone = labels[int(np.argmax(values.max(axis=1)))]
        raise InputError(
            "", "covariance", f"{kind} with cluster {alone} the only one that determines a coefficient",
            "two clusters or more at every level",
            "use covariance='fay-graubard', or join the level with another",
        )  # fmt: skip
    scaled = vectors * ((1 - np.where(power, values, 0.0)) ** -power)[:, None, :]
    return np.asarray(root @ scaled @ np.swapaxes(vectors, 1, 2) @ inverse)
