"""The joint model of the visits, and exact draws from its posterior.

Each visit is regressed on arm, covariates and the visits before it:

    y_j = x' gamma_j + sum_{k<j} phi_jk y_k + sigma_j e

which is a multivariate normal distribution of all visits with one covariance matrix for all arms and a mean
for each arm and visit. Where participants only ever leave (a monotone pattern) the posterior under flat
priors on the coefficients and on log sigma_j falls apart into these regressions, and its draws are
independent and exact (Rubin 1987, p. 166; Schafer 1997, 10.1201/9781439821862, section 6.5). With
intermittent missing values, these alone are imputed by Gibbs sampling in between (monotone data augmentation,
section 6.5.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.missing.panel import IntArray, Panel


@dataclass(frozen=True, slots=True)
class Regression:
    """Of one visit: least squares, the inverse of R, residual sum of squares and degrees of freedom."""

    beta: FloatArray
    inverse: FloatArray
    rss: float
    df: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Participants who miss the same visits before their last one: `lost` (visit up to the last,)."""

    people: IntArray
    lost: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parameters:
    """One draw: `gamma` (coefficient, visit), `phi` (visit, visit before), `sigma` (visit,)."""

    gamma: FloatArray
    phi: FloatArray
    sigma: FloatArray

    def means(self, X: FloatArray) -> FloatArray:
        """(row, visit) expected values at rows of the design."""
        found = X @ self.gamma
        for j in range(1, len(self.sigma)):
            found[:, j] += found[:, :j] @ self.phi[j, :j]
        return np.asarray(found)

    def precision(self, visits: int) -> FloatArray:
        """Inverse covariance of the first visits: A' diag(1/sigma^2) A with A = I - phi."""
        A = (np.eye(visits) - self.phi[:visits, :visits]) / self.sigma[:visits, None]
        return np.asarray(A.T @ A)


def check_determined(panel: Panel) -> None:
    """Refuse data too few for one of the regressions.

    Raises
    ------
    InputError
        Naming the visit that too few participants reached.
    """
    p = panel.own.shape[1]
    for j, visit in enumerate(panel.visits):
        n, needed = int((panel.last > j).sum()), p + j + 1
        if n < needed:
            raise InputError(
                "", panel.visit, f"{visit}, which {n} participants reached",
                f"at least {needed}, for {p} terms and {j} visits before it",
                "leave out covariates or visits, or join this visit with another",
            )  # fmt: skip


def standardised(panel: Panel) -> tuple[Panel, FloatArray, float]:
    """The panel with an orthogonal design and values of mean 0 and about SD 1; means (visit,) and SD.

    The model, its priors and the strategies stay the same (one SD for all visits: increments are copied from
    one to another), and the normal equations become well conditioned.
    """
    r = np.linalg.qr(panel.own, mode="r") / np.sqrt(len(panel.own))
    centre = np.nanmean(panel.Y, axis=0)
    spread = np.nanstd(panel.Y, axis=0)
    if not (spread > 0).all():
        raise _singular(panel, int(np.argmin(spread)))
    scale = float(np.sqrt(np.mean(spread**2)))
    inverse = np.linalg.inv(r)
    new = replace(
        panel, Y=(panel.Y - centre) / scale, own=panel.own @ inverse, referenced=panel.referenced @ inverse
    )
    return new, centre, scale


def regress(panel: Panel, Y: FloatArray) -> list[Regression]:
    """Least squares of each visit on the design and the visits before it, by those who reached it."""
    p = panel.own.shape[1]
    W = np.hstack([panel.own, Y])
    found = []
    for j in range(Y.shape[1]):
        rows = W[panel.last > j, : p + j + 1]
        try:
            r = np.linalg.cholesky(rows.T @ rows).T
        except np.linalg.LinAlgError:
            raise _singular(panel, j) from None
        if np.diag(r).min() <= 1e-7 * np.sqrt(len(rows)):
            raise _singular(panel, j)
        inverse = np.linalg.inv(r[:-1, :-1])
        found.append(Regression(inverse @ r[:-1, -1], inverse, float(r[-1, -1] ** 2), len(rows) - p - j))
    return found


def draw(fits: list[Regression], rng: np.random.Generator) -> Parameters:
    """One draw of the posterior: sigma^2 = rss / chi^2, then the coefficients given it."""
    visits, p = len(fits), len(fits[0].beta)
    gamma, phi, sigma = np.zeros((p, visits)), np.zeros((visits, visits)), np.zeros(visits)
    for j, fit in enumerate(fits):
        sigma[j] = np.sqrt(fit.rss / rng.chisquare(fit.df))
        beta = fit.beta + sigma[j] * (fit.inverse @ rng.standard_normal(p + j))
        gamma[:, j], phi[j, :j] = beta[:p], beta[p:]
    return Parameters(gamma, phi, sigma)


def gaps(panel: Panel) -> list[Gap]:
    """The patterns of intermittent missing values."""
    who = np.flatnonzero(panel.intermittent.any(axis=1))
    if not len(who):
        return []
    keys = np.column_stack([panel.last, panel.intermittent])[who]
    patterns, which = np.unique(keys, axis=0, return_inverse=True)
    return [Gap(who[which == k], each[1 : each[0] + 1] > 0) for k, each in enumerate(patterns)]


def fill_gaps(
    Y: FloatArray,
    means: FloatArray,
    parameters: Parameters,
    patterns: list[Gap],
    rng: np.random.Generator | None,
) -> FloatArray:
    """Draw what is missing before the last visit given all that was observed; expectations without `rng`."""
    filled = Y.copy()
    for gap in patterns:
        lost, rows = gap.lost, gap.people[:, None]
        seen, missing = np.flatnonzero(~lost), np.flatnonzero(lost)
        precision = parameters.precision(len(lost))
        root = np.linalg.cholesky(precision[np.ix_(missing, missing)])
        away = Y[rows, seen] - means[rows, seen]
        # y_M | y_O is normal with mean mu_M - P_MM^-1 P_MO (y_O - mu_O) and covariance P_MM^-1.
        pulled = np.linalg.solve(root, -precision[np.ix_(missing, seen)] @ away.T)
        if rng is not None:
            pulled += rng.standard_normal(pulled.shape)
        filled[rows, missing] = means[rows, missing] + np.linalg.solve(root.T, pulled).T
    return filled


def starting_values(panel: Panel) -> FloatArray:
    """Intermittent gaps filled from arm and covariates, for the first round of the sampler."""
    filled = panel.Y.copy()
    for j in range(filled.shape[1]):
        gap = panel.intermittent[:, j]
        if gap.any():
            seen = ~np.isnan(panel.Y[:, j])
            beta = np.linalg.lstsq(panel.own[seen], panel.Y[seen, j], rcond=None)[0]
            filled[gap, j] = panel.own[gap] @ beta
    return filled


def _singular(panel: Panel, j: int) -> InputError:
    return InputError(
        "", panel.visit, f"{panel.visits[j]}, whose values the design and the earlier visits determine",
        "values that vary among those who reached the visit",
        "leave out the visit or the covariate that repeats another, or join arms in which nobody reached it",
    )  # fmt: skip
