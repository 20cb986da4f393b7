"""Cluster-robust standard errors of a mixed model, reduced in bias (CR2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from remyelin.trial.design import FloatArray

if TYPE_CHECKING:
    from remyelin.trial.mixed.fit import MixedFit


def cluster_robust(fit: MixedFit) -> tuple[FloatArray, FloatArray]:
    """Standard error and degrees of freedom (coefficient,) with the outer groups as clusters.

    With D_i' D_i = V_i and A_i = D_i' {D_i (V_i - X_i Phi X_i') D_i'}^(-1/2) D_i, the covariance matrix is
    Phi sum_i(u_i u_i') Phi, u_i = X_i' V_i^-1 A_i r_i (Bell & McCaffrey 2002, Survey Methodology 28:169).
    Of a contrast c, g_i = A_i V_i^-1 X_i Phi c has under the model the covariances
    G_ij = g_i' (delta_ij V_i - X_i Phi X_j') g_j, and the degrees of freedom are tr(G)^2 / tr(G G)
    (Pustejovsky & Tipton 2018, eq. 11).
    """
    X, y, phi = fit.design.X, fit.design.y, fit.solution.vcov
    residual = y - X @ fit.solution.beta
    p = X.shape[1]
    scores, own, carried = [], [], []
    for rows in np.split(fit.layout.order, fit.layout.ends[fit.layout.outer[1:-1]]):
        V = _covariance(fit, rows)
        D = np.linalg.cholesky(V).T
        x = X[rows]
        weighted = np.linalg.solve(V, x) @ phi  # V_i^-1 X_i Phi
        adjusted = D.T @ (
            _inverse_root(D @ (V - x @ phi @ x.T) @ D.T) @ (D @ weighted)
        )  # g_i of each coefficient
        scores.append(adjusted.T @ residual[rows])
        own.append(np.einsum("rc,rs,sc->c", adjusted, V, adjusted))
        carried.append(adjusted.T @ x)
    spread = np.array(scores).T @ np.array(scores)
    cross = np.einsum("icp,pq,jcq->cij", np.array(carried), phi, np.array(carried))
    G = np.array([np.diag(each) for each in np.array(own).T]) - cross
    df = np.trace(G, axis1=1, axis2=2) ** 2 / np.einsum("cij,cij->c", G, G)
    return np.sqrt(np.diag(spread)), df.reshape(p)


def _covariance(fit: MixedFit, rows: np.ndarray) -> FloatArray:
    outer, inner, residual = fit.solution.theta
    same = fit.layout.inner_of_row[rows]
    return np.asarray(outer + inner * (same[:, None] == same) + np.diag(residual + fit.known[rows]))


def _inverse_root(M: FloatArray) -> FloatArray:
    """Symmetric M^(-1/2); what the cluster alone determines has no residual, and counts nothing."""
    size, axes = np.linalg.eigh((M + M.T) / 2)
    power = np.where(size > 1e-10 * size[-1], 1 / np.sqrt(np.maximum(size, 1e-300)), 0.0)
    return np.asarray(axes * power @ axes.T)
