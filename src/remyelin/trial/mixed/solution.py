"""The likelihood at its maximum, with what tests and predictions need of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.mixed.basis import orthonormal
from remyelin.trial.mixed.freedom import (
    kenward_roger_covariance,
    satterthwaite_covariance,
    variance_covariance,
)
from remyelin.trial.mixed.identification import identified
from remyelin.trial.mixed.layout import FloatArray, Layout
from remyelin.trial.mixed.search import search
from remyelin.trial.repeated.wald import Coefficients

NEGLIGIBLE = 1e-10  # a known variance below this share of the residual mean square counts as none


@dataclass(frozen=True, slots=True)
class Solution:
    """Variances, coefficients and derivatives at the maximum of the likelihood.

    Attributes
    ----------
    theta
        (3,) variances of the outer and inner groups and the residual, in squared units of the response.
    deviance
        Minus twice the (restricted) log likelihood.
    beta, vcov
        Coefficients and their model-based covariance matrix (X' V^-1 X)^-1.
    vcov_kr
        The covariance matrix of Kenward and Roger; None with maximum likelihood.
    singular
        Whether a variance is zero.
    turn, P, W_observed, W_expected
        What `remyelin.trial.repeated.wald.Coefficients` asks for, with the covariance matrix of the
        variances from observed information inside (Satterthwaite) and expected.
    """

    theta: FloatArray
    deviance: float
    beta: FloatArray
    vcov: FloatArray
    vcov_kr: FloatArray | None
    singular: bool
    turn: FloatArray
    P: FloatArray
    W_observed: FloatArray
    W_expected: FloatArray

    def coefficients(self, kenward_roger: bool) -> Coefficients:
        """For t and F tests."""
        adjusted = self.vcov_kr if kenward_roger and self.vcov_kr is not None else self.vcov
        return Coefficients(
            beta=self.beta,
            vcov=adjusted,
            scale=1.0,
            turn=self.turn,
            P=self.P,
            W=self.W_expected if kenward_roger else self.W_observed,
            df="kenward-roger" if kenward_roger else "satterthwaite",
            between_within=np.full(len(self.beta), np.nan),
        )


def solve(
    X: FloatArray,
    y: FloatArray,
    known: FloatArray,
    layout: Layout,
    reml: bool,
    free: npt.NDArray[np.bool_] | None = None,
    response: str = "response",
) -> Solution:
    """Maximise the likelihood of y = X beta + intercepts + residual.

    Parameters
    ----------
    X, y
        (row, coefficient) of full rank, (row,).
    known
        (row,) known variance of each row.
    layout
        The groups.
    reml
        Restricted likelihood, or the full one.
    free
        (3,) which variances are estimated; the others are zero. By default those of `layout`.
    response
        Its name, for messages.

    Raises
    ------
    InputError
        Where nothing is left to estimate a variance from.
    """
    free = layout.free if free is None else free
    n, p = X.shape
    basis, upper = np.empty((n, p)), np.zeros((p, p))
    orthonormal(np.ascontiguousarray(X[layout.order], dtype=np.float64), basis, upper)
    values, k = y[layout.order], known[layout.order]
    coef = basis.T @ values
    rest = values - basis @ coef
    scale = float(np.sqrt(rest @ rest / n))
    if scale <= 1e-10 * float(np.sqrt(values @ values / n)):
        raise _no_residual(response, "explained by the terms of the formula without any residue")
    theta, beta, phi = np.zeros(3), np.empty(p), np.empty((p, p))
    A, B, Q = np.empty((p + 1, p + 1)), np.empty((3, p + 1, p + 1)), np.empty((3, 3, p + 1, p + 1))
    expected, observed = np.empty((3, 3)), np.empty((3, 3))
    state = (beta, phi, A, B, Q, expected, observed)
    Z = np.column_stack([basis, rest / scale])
    k = np.where(k < NEGLIGIBLE * scale**2, 0.0, k / scale**2)
    if free.sum() > 1 and not identified(basis, layout.ends, layout.outer, free):
        raise InputError(
            "", "groups", "determined by the terms of the formula",
            "more groups in each arm, and no term that tells every group from the others",
            "leave such terms out of the formula, or use ancova",
        )  # fmt: skip
    found = search(np.ascontiguousarray(Z), k, layout.ends, layout.outer, free, reml, theta, state)
    if np.isnan(found):
        where = "within the groups" if k.max() == 0 else "in rows whose standard error is 0, or all but 0"
        raise _no_residual(response, f"without residue {where}")
    back = np.linalg.inv(upper)
    lower = np.linalg.inv(np.linalg.cholesky(A[:p, :p]))
    observed_w, expected_w = np.zeros((3, 3)), np.zeros((3, 3))
    satterthwaite_covariance(theta, expected, observed, free, observed_w)
    variance_covariance(expected, free, expected_w)
    turned = scale**2 * back
    return Solution(
        theta=theta * scale**2,
        deviance=float(found) + _constant(n, p, scale, upper, reml),
        beta=back @ (coef + scale * beta),
        vcov=_symmetric(turned @ phi @ back.T),
        vcov_kr=_symmetric(turned @ kenward_roger_covariance(phi, B, Q, expected_w) @ back.T)
        if reml
        else None,
        singular=bool((theta[free] == 0).any()),
        turn=scale * lower @ back.T,
        P=np.array([lower @ B[m, :p, :p] @ lower.T for m in range(3)]),
        W_observed=observed_w,
        W_expected=expected_w,
    )


def _constant(n: int, p: int, scale: float, upper: FloatArray, reml: bool) -> float:
    """What the deviance of the scaled, orthonormal problem leaves out."""
    rows = n - p if reml else n
    logs = rows * np.log(2 * np.pi * scale**2)
    return float(logs + (2 * np.sum(np.log(np.diag(upper))) if reml else 0.0))


def _symmetric(matrix: FloatArray) -> FloatArray:
    return np.asarray((matrix + matrix.T) / 2)


def _no_residual(response: str, found: str) -> InputError:
    return InputError(
        "", response, found, "a measured response, which always leaves a residue",
        "look for a response that is constant, rounded, or copied from a covariate",
    )  # fmt: skip
